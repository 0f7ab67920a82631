"""A fediverse address on another domain than the actor's, and under a name of one's choice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from adapters.http.fetch import Fetched
from adapters.identity.face import Addresses
from pod.errors import Conflict, Invalid, PeerUnavailable
from tests.kit.hall import Author, author, hall_of
from tests.kit.house import Pod

FINGER = "/.well-known/webfinger?resource="


@dataclass
class Web:
    """Domains that send questions on to hosts of the pod, or answer as they like."""

    pod: Pod = field(default_factory=Pod)
    sends_on: dict[str, str] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.addresses = Addresses(self.pod.accounts, self.ask)
        self._client = hall_of(self.pod, addresses=self.addresses).test_client()

    async def ask(self, url: str) -> Fetched:
        self.asked.append(url)
        parts = urlsplit(url)
        if (body := self.answers.get(parts.netloc)) is not None:
            return Fetched(url, 200, CIMultiDictProxy(CIMultiDict()), body)
        if parts.netloc not in self.sends_on:
            raise PeerUnavailable
        return await self.get(self.sends_on[parts.netloc], f"{parts.path}?{parts.query}")

    async def get(self, host: str, path: str) -> Fetched:
        answer = await self._client.get(path, headers={"Host": host})
        body = await answer.get_data()
        return Fetched(path, answer.status_code, CIMultiDictProxy(CIMultiDict()), body)

    async def subject(self, host: str, address: str) -> Any:
        answer = await self.get(host, f"{FINGER}acct:{address}")
        return orjson.loads(answer.body)["subject"] if answer.status == 200 else answer.status


def play(scene: Callable[[Web, Author, Author], Awaitable[None]]) -> None:
    async def run() -> None:
        web = Web()
        await scene(web, await author(web.pod), await author(web.pod, "bob"))

    asyncio.run(run())


def test_a_domain_that_sends_on_to_a_member_may_be_in_their_address() -> None:
    async def scene(web: Web, alice: Author, _: Author) -> None:
        host = alice.member.host
        web.sends_on["example.com"] = host
        changed = await web.addresses.change(alice.member, "@Al@Example.com")
        assert (changed.acct, changed.username) == ("al@example.com", "al")
        for address in ("al@example.com", "@AL@example.com", alice.member.own_acct):
            assert await web.subject(host, address) == "acct:al@example.com"
        quoted = await web.get(host, f"{FINGER}ACCT%3Aal%40example.com")
        assert quoted.status == 200
        assert await web.subject(host, "other@example.com") == 404
        assert web.pod.store.member(alice.member.id) == changed
        back = await web.addresses.change(changed, " ")
        assert back.acct == alice.member.acct
        assert await web.subject(host, "al@example.com") == 404

    play(scene)


def test_another_name_on_the_own_domain_needs_nobody_to_agree() -> None:
    async def scene(web: Web, alice: Author, _: Author) -> None:
        changed = await web.addresses.change(alice.member, f"me@{alice.member.host}")
        assert web.asked == []
        assert await web.subject(alice.member.host, f"me@{changed.host}") == f"acct:{changed.acct}"

    play(scene)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"nonsense",
        b"[]",
        b'{"links": 3}',
        b'{"links": [{"rel": "self", "href": "https://evil.example/me"}]}',
    ],
)
def test_a_domain_that_does_not_agree_changes_nothing(answer: bytes | None) -> None:
    async def scene(web: Web, alice: Author, bob: Author) -> None:
        if answer is not None:
            web.answers["example.com"] = answer
        with pytest.raises(Invalid, match="does not lead to you"):
            await web.addresses.change(alice.member, "alice@example.com")
        with pytest.raises(Invalid, match="does not lead to you"):
            await web.addresses.change(alice.member, bob.member.acct)
        assert web.pod.store.member(alice.member.id) == alice.member
        assert await web.subject(alice.member.host, "alice@example.com") == 404

    play(scene)


def test_an_address_is_one_members() -> None:
    async def scene(web: Web, alice: Author, bob: Author) -> None:
        web.sends_on["example.com"] = alice.member.host
        await web.addresses.change(alice.member, "us@example.com")
        web.sends_on["example.com"] = bob.member.host
        with pytest.raises(Conflict):
            await web.addresses.change(bob.member, "us@example.com")

    play(scene)


@pytest.mark.parametrize(
    "text",
    ["alice", "@example.com", "a b@example.com", "a@", "a@b@c", "é@example.com", "a" * 31 + "@a.b"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    async def scene(web: Web, alice: Author, _: Author) -> None:
        with pytest.raises(Invalid, match="no fediverse address"):
            await web.addresses.change(alice.member, text)
        assert web.asked == []

    play(scene)
