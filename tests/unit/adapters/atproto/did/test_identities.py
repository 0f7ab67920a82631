"""Identities of anybody: found by method, remembered for a while."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from adapters.atproto.did.directory import MemoryLog, PlcDirectory
from adapters.atproto.did.handle import HandleResolver
from adapters.atproto.did.identities import NetworkIdentities
from adapters.atproto.did.plc import update
from pod.errors import PeerUnavailable
from pod.model.ids import Did, Handle
from tests.kit.fetching import TableFetch, fetch_from
from tests.unit.adapters.atproto.did.test_directory import SERVER, SetClock, first_operation

WEB = Did("did:web:site.com")
OWN = Did("did:web:member.site.org")


class World:
    def __init__(self, pages: dict[str, bytes]) -> None:
        self.clock = SetClock()
        self.directory = PlcDirectory(MemoryLog(), self.clock)
        self.texts: list[str] = []
        fetch, self.table = fetch_from(pages)
        own = {OWN: {"id": OWN}}
        self.identities = NetworkIdentities(
            self.directory,
            HandleResolver(lambda _: None, self._txt, fetch),
            fetch,
            self.clock,
            own=own.get,
        )

    async def _txt(self, _: str) -> list[str]:
        return self.texts

    def document(self, did: str, *, fresh: bool = False) -> dict[str, Any] | None:
        return asyncio.run(self.identities.did_document(Did(did), fresh=fresh))


def test_documents_are_found_by_their_method() -> None:
    page = orjson.dumps({"id": WEB})
    world = World({"https://site.com/.well-known/did.json": page})
    did, operation = first_operation()
    asyncio.run(world.directory.submit(did, operation))
    document = world.document(did)
    assert document is not None
    assert document["id"] == did
    assert world.document(WEB) == {"id": WEB}
    assert world.document(OWN) == {"id": OWN}
    assert len(world.table.asked) == 1


@pytest.mark.parametrize(
    "did",
    [
        "did:plc:" + "z" * 24,
        "did:web:site.com:path",
        "did:web:site.com%3A8080",
        "did:key:zQ3sh",
        "did:web:site.com",
    ],
)
def test_what_has_no_document_has_none(did: str) -> None:
    assert World({"https://site.com/": b""}).document(did) is None


def test_a_server_in_trouble_is_not_a_did_without_document() -> None:
    with pytest.raises(PeerUnavailable):
        World({}).document(WEB)
    with pytest.raises(PeerUnavailable):
        World({"https://site.com/.well-known/did.json": b"junk"}).document(WEB)


def test_a_document_is_remembered_for_ten_minutes_unless_a_fresh_one_is_wanted() -> None:
    world = World({})
    did, operation = first_operation()

    async def story() -> list[str]:
        look = world.identities.did_document
        seen = []
        await world.directory.submit(did, operation)
        await look(did)
        await world.directory.submit(did, update(operation, SERVER, alsoKnownAs=["at://b.test"]))
        for fresh, minutes in ((False, 9), (True, 0)):
            world.clock.pass_by(minutes=minutes)
            document = await look(did, fresh=fresh)
            assert document is not None
            seen.append(document["alsoKnownAs"][0])
        return seen

    assert asyncio.run(story()) == ["at://alice.test", "at://b.test"]


def test_an_unknown_handle_is_asked_for_again_after_a_minute() -> None:
    world = World({})
    handle, did = Handle("alice.site.com"), Did("did:plc:" + "a" * 24)

    async def story() -> list[Did | None]:
        seen = [await world.identities.resolve_handle(handle)]
        world.texts = ["did=" + did]
        seen.append(await world.identities.resolve_handle(handle))
        world.clock.pass_by(seconds=61)
        seen.append(await world.identities.resolve_handle(handle))
        return seen

    assert asyncio.run(story()) == [None, None, did]


def test_the_cache_keeps_within_its_bounds() -> None:
    world = World({})
    assert isinstance(world.table, TableFetch)

    async def story() -> int:
        for number in range(10_050):
            await world.identities.did_document(Did(f"did:plc:x{number}"))
        return len(world.identities._documents._kept)

    assert asyncio.run(story()) == 10_000
