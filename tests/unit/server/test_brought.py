"""Domains that people bring: what must hold for one to be taken as leading here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from pod.errors import PeerUnavailable
from pod.model.ids import Did, Handle
from server.brought import leads_here

SERVER = Did("did:web:pods.example")
DOMAIN = Handle("alice.blue")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass
class World:
    """What DNS and the domain's own web server say."""

    records: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, Answer] = field(default_factory=dict)
    dns_is_down: bool = False

    async def txt(self, name: str) -> list[str]:
        if self.dns_is_down:
            raise PeerUnavailable
        return self.records.get(name, [])

    async def get(self, url: str, *, max_bytes: int) -> Answer:
        if url not in self.pages:
            raise PeerUnavailable
        return Answer(self.pages[url].status, self.pages[url].body[:max_bytes])

    def believes(self) -> bool:
        async def asked() -> bool:
            return await leads_here(SERVER, self.txt, self)(DOMAIN)

        return asyncio.run(asked())


PAGE = "https://alice.blue/.well-known/commonpod"


def test_a_record_in_dns_is_enough_where_the_domain_has_no_certificate_yet() -> None:
    assert World({"_commonpod.alice.blue": ["v=spf1", f"did={SERVER}"]}).believes()


@pytest.mark.parametrize("dns_is_down", [False, True])
def test_a_domain_that_answers_as_this_server_leads_here(dns_is_down: bool) -> None:
    page = Answer(200, f"{SERVER}\n".encode())
    assert World(pages={PAGE: page}, dns_is_down=dns_is_down).believes()


@pytest.mark.parametrize(
    "world",
    [
        World(),
        World(dns_is_down=True),
        World({"_commonpod.alice.blue": ["did=did:web:pods.example.evil", str(SERVER)]}),
        World({"_atproto.alice.blue": [f"did={SERVER}"]}),
        World(pages={PAGE: Answer(200, b"did:web:elsewhere.example")}),
        World(pages={PAGE: Answer(404, SERVER.encode())}),
    ],
)
def test_nothing_else_is_believed(world: World) -> None:
    assert not world.believes()
