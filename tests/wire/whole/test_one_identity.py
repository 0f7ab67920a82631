"""One person, one decision: the same credential is answered alike on XRPC and on Solid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.atproto.session_tokens import SessionTokens
from pod.access.agent import Agent, Credential
from pod.model.ids import parse_did
from pod.model.member import Standing
from server.wire import SystemClock
from tests.kit.whole import JSON_LD, PASSWORD, POST, TURTLE, Person, Town

KEY = "3kaaaaaaaaa22"
BODY = '<> <https://schema.org/articleBody> "hello".'
RECORD = {"text": "hello", "createdAt": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(town: Town) -> tuple[Person, Person]:
    whole = town.whole
    return town.run(whole.join("alice")), town.run(whole.join("bob"))


async def _tries(town: Town, alice: Person, token: str | None) -> dict[str, bool]:
    """What a credential may do to alice's records, by each protocol."""
    whole, member = town.whole, alice.member
    given = {"repo": member.did, "collection": POST, "rkey": KEY, "record": RECORD}
    url, bearer = member.url(f"/repo/{POST}/{KEY}"), {}
    if token is not None:
        bearer = {"authorization": f"Bearer {token}"}
    xrpc = await whole.send(
        "POST",
        "/xrpc/com.atproto.repo.putRecord",
        _json(given),
        headers={"content-type": "application/json", **bearer},
    )
    solid = await whole.ask("PUT", url, _json({"$type": POST, **RECORD}), content_type="application/json", **bearer)
    seen = await whole.ask("GET", url, accept=TURTLE, **bearer)
    linked = await whole.ask("GET", url, accept=JSON_LD, **bearer)
    assert xrpc.status < 500
    assert solid.status < 500
    assert seen.status == linked.status
    refused = {400, 401, 403, 404}
    assert {xrpc.status, solid.status} <= refused | {200, 204, 201}
    return {"XRPC": xrpc.status not in refused, "Solid": solid.status not in refused}
