"""Records of other repositories: had, not there, or not to be had at the moment."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from adapters.atproto.ports import Identities
from adapters.http.fetch import Fetch
from pod.errors import Invalid, PeerUnavailable
from pod.model.ids import AtUri, Did
from server.elsewhere import Elsewhere
from tests.kit.fetching import TableFetch

EVE = "did:plc:z72i7hdynmk6r22z27h6tvur"
URI = AtUri(f"at://{EVE}/app.bsky.feed.post/3mtcccccccc2c")


class OneDocument:
    async def did_document(self, did: Did) -> dict[str, Any] | None:
        kind = "AtprotoPersonalDataServer"
        service = {"id": "#atproto_pds", "type": kind, "serviceEndpoint": "https://pds.test"}
        return {"id": did, "service": [service]}


def record(status: int, body: bytes) -> tuple[dict[str, Any] | None, list[str]]:
    async def answer(*_: object) -> tuple[int, str, bytes]:
        return status, "application/json", body

    table = TableFetch(answer)
    elsewhere = Elsewhere(cast("Identities", OneDocument()), cast("Fetch", table))
    return asyncio.run(elsewhere.record(URI)), table.asked


def test_a_record_is_asked_of_the_server_that_its_did_names() -> None:
    found, asked = record(200, json.dumps({"value": {"text": "one"}}).encode())
    assert found == {"text": "one"}
    (url,) = asked
    assert url.startswith("https://pds.test/xrpc/com.atproto.repo.getRecord?repo=did%3Aplc%3A")
    assert url.endswith("&collection=app.bsky.feed.post&rkey=3mtcccccccc2c")


@pytest.mark.parametrize("status", [400, 404, 410])
def test_what_is_not_there_is_none(status: int) -> None:
    assert record(status, b"{}")[0] is None


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_in_trouble_is_asked_again_later(status: int) -> None:
    with pytest.raises(PeerUnavailable):
        record(status, b"")


@pytest.mark.parametrize("body", [b"", b"[]", b"no"])
def test_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        record(200, body)
