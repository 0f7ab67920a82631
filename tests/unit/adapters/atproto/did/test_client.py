"""The client of a directory speaks the directory's HTTP, and doubts what it hears."""

from __future__ import annotations

import asyncio
from typing import cast
from urllib.parse import urlsplit

import pytest

from adapters.atproto.did.client import PlcClient
from adapters.atproto.did.directory import MemoryLog, PlcDirectory
from adapters.atproto.did.plc import update, verify_audit_log
from adapters.http.fetch import Fetch
from pod.errors import Forbidden, Invalid, NotFound, PeerUnavailable
from tests.kit.fetching import TableFetch
from tests.kit.members import SteppingClock
from tests.unit.adapters.atproto.did.test_directory import SERVER, first_operation


def _client_of(directory: PlcDirectory) -> PlcClient:
    async def answer(method: str, url: str, body: bytes) -> tuple[int, str, bytes]:
        return await directory.answer(method, urlsplit(url).path, body)

    return PlcClient(cast("Fetch", TableFetch(answer)), "https://plc.example/")


def _client_that_hears(status: int, body: bytes, error: Exception | None = None) -> PlcClient:
    async def answer(_: str, __: str, ___: bytes) -> tuple[int, str, bytes]:
        if error is not None:
            raise error
        return status, "application/json", body

    return PlcClient(cast("Fetch", TableFetch(answer)), "https://plc.example")


def test_a_did_is_made_changed_and_read_over_http() -> None:
    client = _client_of(PlcDirectory(MemoryLog(), SteppingClock()))
    did, operation = first_operation()

    async def story() -> None:
        with pytest.raises(NotFound):
            await client.document(did)
        await client.submit(did, operation)
        changed = update(operation, SERVER, alsoKnownAs=["at://b.test"])
        await client.submit(did, changed)
        assert await client.last_operation(did) == changed
        assert (await client.document(did))["alsoKnownAs"] == ["at://b.test"]
        assert verify_audit_log(did, await client.audit_log(did)) == changed
        with pytest.raises(Invalid, match="refused"):
            await client.submit(did, operation)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"", None),
        (200, b"not json", None),
        (200, b"1", None),
        (302, b"", None),
        (200, b"", Forbidden()),
        (200, b"", PeerUnavailable()),
    ],
)
def test_a_directory_that_misbehaves_is_unavailable(
    status: int, body: bytes, error: Exception | None
) -> None:
    client = _client_that_hears(status, body, error)
    did, _ = first_operation()
    for call in (client.document(did), client.audit_log(did)):
        with pytest.raises(PeerUnavailable):
            asyncio.run(call)


def test_an_operation_is_not_taken_until_the_directory_says_so() -> None:
    did, operation = first_operation()
    for status, error in [(500, None), (200, Forbidden()), (301, None)]:
        client = _client_that_hears(status, b"", error)
        with pytest.raises(PeerUnavailable):
            asyncio.run(client.submit(did, operation))
