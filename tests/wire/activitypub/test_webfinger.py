"""WebFinger of other servers: who may say what of whom, and what is made of loops and lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from adapters.activitypub.addresses import address_of, find
from adapters.activitypub.remote.webfinger import Address, ask, parse_address
from adapters.http.fetch import Fetch
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable, PodError, TooLarge
from pod.model.member import Member
from pod.settings import Egress
from tests.kit.egress_spy import connections
from tests.kit.fediverse import FediPod, Peer
from tests.wire.activitypub.conftest import Story

AS2 = "application/activity+json"


def jrd(subject: Any, href: str, kind: str = AS2) -> dict[str, Any]:
    return {"subject": subject, "links": [{"rel": "self", "type": kind, "href": href}]}


def says(pod: FediPod, address: str, answer: Any) -> None:
    """Let the host of an address answer for it."""
    origin = f"http://{address.rpartition('@')[2]}"
    peer = pod.network.peers.get(origin) or pod.network.add(Peer("nobody", origin))
    peer.documents[f"{origin}/.well-known/webfinger?resource=acct:{address}"] = answer


async def refused(pod: FediPod, text: str) -> type[PodError]:
    with pytest.raises(PodError) as err:
        await find(pod.wing._wing, text)
    return type(err.value)


@pytest.mark.parametrize(
    "text", ["bob@peer.test", "@bob@peer.test", "acct:bob@peer.test", "ACCT:bob@PEER.test",
             " bob@peer.test. ", "bob@peer.test:443", "BOB@peer.test"],
)  # fmt: skip
def test_an_address_is_found_however_it_is_written(
    tell: Callable[[Story], None], text: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for name in ("bob", "BOB"):
            says(pod, f"{name}@peer.test", jrd("acct:Bob@Peer.Test", bob.id))
        assert await find(pod.wing._wing, text) == bob.id

    tell(story)


@pytest.mark.parametrize(
    "text", ["", "@", "bob", "bob@", "@peer.test", "a@b@c", "bob@peer.test:", "bob@peer.test:0",
             "bob@peer.test:99999", "bob@peer.test:x", "bob@peer.test/x", "bob@peer..test",
             "bob@-peer.test", "b ob@peer.test", "bob@peer.test?x", "bob@peer.test#x",
             f"bob@{'a' * 64}.test", "bob@user:pass@peer.test", "acct:", "b/o@peer.test"],
)  # fmt: skip
def test_what_is_no_address_is_asked_of_nobody(tell: Callable[[Story], None], text: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.fetched.clear()
        assert await refused(pod, text) is Invalid
        assert bob.fetched == []

    tell(story)


@pytest.mark.parametrize(
    ("written", "asked"),
    [("bücher.test", "xn--bcher-kva.test"), ("BÜCHER.test", "xn--bcher-kva.test"),
     ("xn--bcher-kva.test", "xn--bcher-kva.test"), ("XN--BCHER-KVA.test", "xn--bcher-kva.test"),
     ("straße.test", "xn--strae-oqa.test"), ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
     ("💩.test", "xn--ls8h.test"), ("peer。test", "peer.test"), ("ｐｅｅｒ.test", "peer.test")],
)  # fmt: skip
def test_international_domains_are_asked_as_browsers_ask_them(
    tell: Callable[[Story], None], written: str, asked: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, f"bob@{asked}", jrd(f"acct:bob@{written}", f"http://{asked}/bob"))
        assert await find(pod.wing._wing, f"bob@{written}") == f"http://{asked}/bob"

    tell(story)


def test_a_port_is_part_of_the_host(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, "bob@peer.test:8443", jrd("acct:bob@peer.test:8443", "http://peer.test:8443/bob"))
        assert await find(pod.wing._wing, "bob@peer.test:8443") == "http://peer.test:8443/bob"
        assert await refused(pod, "bob@peer.test:8444") is PeerUnavailable

    tell(story)


def test_a_person_may_go_by_another_name_that_agrees(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, "old@alias.test", jrd("acct:bob@peer.test", "http://alias.test/lie"))
        says(pod, "bob@peer.test", jrd("acct:bob@peer.test", bob.id))
        assert await find(pod.wing._wing, "old@alias.test") == bob.id

    tell(story)


def test_names_that_lead_in_a_circle_or_ever_further_are_refused(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, "a@a.test", jrd("acct:b@b.test", bob.id))
        says(pod, "b@b.test", jrd("acct:a@a.test", bob.id))
        assert await refused(pod, "a@a.test") is Invalid
        says(pod, "b@b.test", jrd("acct:c@c.test", bob.id))
        says(pod, "c@c.test", jrd("acct:c@c.test", bob.id))
        assert await refused(pod, "a@a.test") is Invalid
        assert pod.network.peers["http://c.test"].fetched == []
        says(pod, "d@d.test", jrd("acct:bob@down.test", bob.id))
        assert await refused(pod, "d@d.test") is PeerUnavailable

    tell(story)


def test_a_name_that_leads_to_a_member_is_the_member(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        assert await find(pod.wing._wing, f"@{alice.acct.upper()}") == alice.webid
        says(pod, "her@alias.test", jrd(f"acct:{alice.acct}", "http://alias.test/lie"))
        assert await find(pod.wing._wing, "her@alias.test") == alice.webid

    tell(story)


async def shown(pod: FediPod, peer: Peer) -> str:
    await pod.wing._wing.actors.actor(peer.id, fresh=True)
    return address_of(pod.wing._wing, peer.id)


@pytest.mark.parametrize(
    ("answer", "believed"),
    [
        (jrd("acct:bob@home.test", "http://peer.test/users/bob"), True),
        (jrd("acct:BOB@HOME.test", "http://peer.test/users/bob"), True),
        (jrd("acct:bob@home.test", "http://home.test/users/bob"), False),
        (jrd("acct:else@home.test", "http://peer.test/users/bob"), False),
        (jrd("acct:bob@peer.test", "http://peer.test/users/bob"), False),
        (jrd("acct:bob@home.test", "http://peer.test/users/bob", "text/html"), False),
        (404, False), (500, False), (b"<html>", False),
    ],
)  # fmt: skip
def test_an_address_on_another_domain_is_believed_if_that_domain_agrees(
    tell: Callable[[Story], None], answer: Any, believed: bool
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, "bob@home.test", answer)
        for claim in ("bob@home.test", "acct:bob@home.test", "@bob@home.test"):
            bob.documents[bob.id] = bob.actor() | {"webfinger": claim}
            assert await shown(pod, bob) == ("bob@home.test" if believed else "bob@peer.test")

    tell(story)


@pytest.mark.parametrize("claim", ["ceo@bank.test", "x@127.0.0.1", "nonsense", "", 7, ["a@b"]])
def test_who_claims_the_name_of_another_is_shown_by_their_own(
    tell: Callable[[Story], None], claim: Any
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, "ceo@bank.test", jrd("acct:ceo@bank.test", "http://bank.test/users/ceo"))
        for key in ("webfinger", "as:webfinger"):
            bob.documents[bob.id] = bob.actor() | {key: claim}
            assert await shown(pod, bob) == "bob@peer.test"

    tell(story)


def test_a_name_on_the_own_domain_needs_no_question(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.documents[bob.id] = bob.actor() | {"webfinger": "robert@peer.test"}
        bob.fetched.clear()
        assert await shown(pod, bob) == "robert@peer.test"
        assert bob.fetched == [bob.id]

    tell(story)


BAD: list[tuple[Any, type[PodError]]] = [
    (b"", Invalid), (b"<html>not found</html>", Invalid), (b"\xff\xfe{}", Invalid),
    (b"[]", Invalid), (b"null", Invalid), (b"7", Invalid), (b"[" * 5_000, Invalid),
    ({"links": []}, Invalid),
    (jrd(None, "http://peer.test/users/bob"), Invalid),
    (jrd("https://peer.test/users/bob", "http://peer.test/users/bob"), Invalid),
    (jrd("acct:bob", "http://peer.test/users/bob"), Invalid),
    ({"subject": "acct:bob@peer.test"}, Gone),
    ({"subject": "acct:bob@peer.test", "links": {"rel": "self"}}, Gone),
    ({"subject": "acct:bob@peer.test", "links": [None, 7, "self", []]}, Gone),
    (jrd("acct:bob@peer.test", "http://peer.test/users/bob", "text/html"), Gone),
    (jrd("acct:bob@peer.test", "javascript:alert(1)"), Gone),
    (jrd("acct:bob@peer.test", "/users/bob"), Gone),
    (404, Gone), (410, Gone), (401, PeerUnavailable), (500, PeerUnavailable),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "error"), BAD)
def test_an_answer_that_is_none_is_told_apart(
    tell: Callable[[Story], None], answer: Any, error: type[PodError]
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        says(pod, "bob@peer.test", answer)
        assert await refused(pod, "bob@peer.test") is error

    tell(story)


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "text/html", ""])
def test_the_body_decides_and_not_its_media_type(tell: Callable[[Story], None], kind: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.content_type = kind
        says(pod, "bob@peer.test", jrd("acct:bob@peer.test", bob.id))
        assert await find(pod.wing._wing, "bob@peer.test") == bob.id

    tell(story)


@asynccontextmanager
async def hosted(*answers: tuple[str, bytes]) -> Any:
    """The real egress, and a server on loopback that gives answers in turn, the last for ever."""
    left, asked = list(answers), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            head, body = left.pop(0) if len(left) > 1 else left[0]
            sent = f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(sent.encode() + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    egress = Fetch(Egress(fetch_timeout_s=2.0, may_reach_private=True))
    try:
        yield egress, Address("bob", f"localhost:{server.sockets[0].getsockname()[1]}"), asked
    finally:
        await egress.close()
        server.close()


HOP = ("302 Found\r\nLocation: /other?resource=acct:bob@x.test", b"")


@pytest.mark.parametrize(("hops", "error"), [(0, None), (3, None), (4, PeerUnavailable)])
def test_three_redirects_are_followed_and_not_four(hops: int, error: type[PodError] | None) -> None:
    async def story() -> None:
        last = ("200 OK", json.dumps(jrd("acct:bob@x.test", "http://x.test/bob")).encode())
        async with hosted(*[HOP] * hops, last) as (egress, address, asked):
            if error is None:
                assert (await ask(egress, "http", address)).actor == "http://x.test/bob"
            else:
                with pytest.raises(error):
                    await ask(egress, "http", address)
            assert len(asked) == min(hops, 3) + 1
            assert asked[0].startswith(
                f"GET /.well-known/webfinger?resource=acct:bob@{address.host} "
            )
            assert "application/jrd+json" in asked[0]
            assert "signature" not in asked[0].lower()

    asyncio.run(story())


@pytest.mark.parametrize(("size", "fits"), [(64 * 1024, True), (64 * 1024 + 1, False)])
def test_an_answer_takes_64_kib_at_most(size: int, fits: bool) -> None:
    async def story() -> None:
        body = json.dumps(jrd("acct:bob@x.test", "http://x.test/bob")).encode().ljust(size)
        async with hosted(("200 OK", body)) as (egress, address, _):
            if fits:
                assert (await ask(egress, "http", address)).subject == ("bob", "x.test")
            else:
                with pytest.raises(TooLarge):
                    await ask(egress, "http", address)

    asyncio.run(story())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "localhost", "0x7f000001", "peer.test:8443"],
)
def test_nothing_but_https_to_public_hosts_is_asked(host: str) -> None:
    async def story() -> None:
        egress = Fetch(Egress(fetch_timeout_s=2.0))
        with connections() as seen, pytest.raises((Forbidden, PeerUnavailable)):
            await ask(egress, "https", parse_address(f"bob@{host}"))
        await egress.close()
        assert seen == []

    asyncio.run(story())
