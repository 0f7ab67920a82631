"""The egress against hostile peers: loopback servers and a resolver that lies."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from adapters.http.fetch import Fetch, Fetched, HeadersFor
from pod.errors import Forbidden, Invalid, PeerUnavailable, PodError, TooLarge
from pod.model.ids import Origin
from pod.settings import Egress

DEV = Egress(fetch_timeout_s=0.5, fetch_bytes=100_000, may_reach_private=True)
STRICT = Egress(fetch_timeout_s=0.5)
Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """A raw server on loopback that keeps the requests it got."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[bytes] = []
        self._handler = handler

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head)
            await self._handler(head, writer)
            await writer.drain()
        writer.close()


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def replying(*answers: bytes) -> Handler:
    left = list(answers)

    async def handler(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return handler


def visit(
    handler: Handler,
    url: str = "http://peer.test:{port}/x",
    *,
    settings: Egress = DEV,
    names: dict[str, list[str]] | None = None,
    post: bytes | None = None,
    headers: HeadersFor | None = None,
) -> tuple[Fetched, Peer]:
    """Fetch ``url`` from a peer that answers with ``handler``; returns the answer and the peer."""

    async def run() -> tuple[Fetched, Peer]:
        peer = Peer(handler)
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def lookup(host: str, _: int) -> list[str]:
            return (names or {}).get(host, ["127.0.0.1"])

        fetch = Fetch(settings, lookup=lookup)
        try:
            target = url.format(port=port)
            if post is not None:
                return await fetch.post(target, post, headers), peer
            return await fetch.get(target, headers), peer
        finally:
            await fetch.close()
            server.close()

    return asyncio.run(run())


def refusal(url: str, names: dict[str, list[str]] | None = None, **more: object) -> PodError:
    with pytest.raises(PodError) as refused:
        visit(replying(answer("200 OK", b"secret")), url, names=names, **more)  # type: ignore[arg-type]
    return refused.value


def test_a_document_is_fetched_with_status_headers_and_body() -> None:
    fetched, peer = visit(
        replying(answer("404 Not Found", b"no", "Content-Type: text/plain")),
        headers={"Accept": "text/turtle"},
    )
    assert (fetched.status, fetched.body, fetched.content_type) == (404, b"no", "text/plain")
    assert b"Accept: text/turtle" in peer.requests[0]
    assert b"User-Agent: Commonpod" in peer.requests[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "127.1",
        "0x7f000001",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "017700000001",
        "①②⑦.⓪.⓪.①",
        "127.0.0.1.",
    ],
)
def test_no_spelling_of_a_special_address_is_connected_to(host: str) -> None:
    assert isinstance(refusal(f"https://{host}/", settings=STRICT), Forbidden | Invalid)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1"]
)
def test_a_name_that_leads_inward_is_refused(address: str) -> None:
    names = {"evil.example": [address]}
    assert isinstance(refusal("https://evil.example/", names, settings=STRICT), Forbidden)


def test_localhost_is_not_reached_in_production() -> None:
    assert isinstance(refusal("https://localhost/", settings=STRICT), Forbidden)


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name is looked up once, so it has no second chance to lead elsewhere."""

    async def run() -> None:
        peer = Peer(replying(answer("200 OK", b"first")))
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        answers = [["127.0.0.1"], ["169.254.169.254"]]

        async def lookup(_host: str, _port: int) -> list[str]:
            return answers.pop(0)

        fetch = Fetch(DEV, lookup=lookup)
        url = f"http://rebind.test:{server.sockets[0].getsockname()[1]}/"
        assert (await fetch.get(url)).body == b"first"
        assert answers == [["169.254.169.254"]]
        await fetch.close()
        afresh = Fetch(DEV, lookup=lookup)
        with pytest.raises(Forbidden):
            await afresh.get(url)
        await afresh.close()
        server.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    [
        "http://peer.example/",
        "ftp://peer.example/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "gopher://peer.example/",
        "https://user:pass@peer.example/",
        "https://peer.example:22/",
        "//peer.example/",
        "",
    ],
)
def test_other_schemes_ports_and_credentials_are_refused(url: str) -> None:
    assert isinstance(refusal(url, settings=STRICT), Forbidden | Invalid)


@pytest.mark.parametrize("url", ["http://[::1", "http://a b/", "http://peer.test:99999/"])
def test_what_is_no_url_is_invalid(url: str) -> None:
    assert isinstance(refusal(url), Invalid | Forbidden | PeerUnavailable)


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "file:///etc/passwd"],
)
def test_a_redirect_is_checked_like_the_first_hop(location: str) -> None:
    with pytest.raises(Forbidden):
        visit(replying(answer("302 Found", b"", f"Location: {location}")))


def test_a_redirect_to_a_name_that_leads_inward_is_refused() -> None:
    names = {"peer.test": ["127.0.0.1"], "inner.test": ["169.254.169.254"]}
    hop = answer("302 Found", b"", "Location: http://inner.test/")
    with pytest.raises(Forbidden):
        visit(replying(hop), names=names)


def test_three_redirects_are_followed_and_not_four() -> None:
    hop = answer("302 Found", b"", "Location: /next")
    fetched, peer = visit(replying(hop, hop, hop, answer("200 OK", b"there")))
    assert (fetched.body, len(peer.requests)) == (b"there", 4)
    assert fetched.url.endswith("/next")
    with pytest.raises(PeerUnavailable):
        visit(replying(hop))


def test_a_post_does_not_follow_a_redirect() -> None:
    fetched, peer = visit(
        replying(answer("307 Temporary Redirect", b"", "Location: /y")), post=b"{}"
    )
    assert (fetched.status, len(peer.requests)) == (307, 1)


def test_credentials_do_not_travel_to_another_origin() -> None:
    names = {"peer.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}

    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        host = head.split(b"Host: ")[1].split(b"\r\n")[0].decode()
        onward = f"Location: http://{host.replace('peer', 'other')}/"
        writer.write(
            answer("302 Found", b"", onward) if "peer" in host else answer("200 OK", b"end")
        )

    _, peer = visit(handler, names=names, headers={"Authorization": "Bearer s", "Accept": "a/b"})
    assert b"Authorization" in peer.requests[0]
    assert b"Authorization" not in peer.requests[1]
    assert b"Accept: a/b" in peer.requests[1]


def test_a_signing_function_sees_the_url_of_each_hop() -> None:
    seen: list[str] = []

    def sign(url: str) -> dict[str, str]:
        seen.append(url)
        return {"Signature": url}

    hop = answer("302 Found", b"", "Location: /next")
    _, peer = visit(replying(hop, answer("200 OK")), headers=sign)
    assert [url.rpartition("/")[2] for url in seen] == ["x", "next"]
    assert seen[1].encode() in peer.requests[1]


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        visit(replying(answer("200 OK", b"x" * 100_001)))


def test_whoever_is_asked_is_told_by_which_server() -> None:
    async def run() -> None:
        peer = Peer(replying(answer("200 OK")))
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        fetch = Fetch(DEV, of=Origin("https://coop.example"))
        await fetch.get(url)
        await fetch.post(url, b"{}")
        await fetch.close()
        server.close()
        for head in peer.requests:
            assert b"\r\nUser-Agent: Commonpod/0.1 (+https://coop.example/)\r\n" in head

    asyncio.run(run())


def test_of_an_error_the_status_counts_however_long_its_page_is() -> None:
    fetched, _ = visit(replying(answer("503 Service Unavailable", b"x" * 300_000)), post=b"{}")
    assert (fetched.status, len(fetched.body)) == (503, 100_000)


def test_a_compressed_bomb_is_refused() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        visit(replying(answer("200 OK", bomb, "Content-Encoding: gzip")))


def test_a_compressed_document_is_read() -> None:
    packed = gzip.compress(b"hello")
    fetched, _ = visit(replying(answer("200 OK", packed, "Content-Encoding: gzip")))
    assert fetched.body == b"hello"


def test_a_body_that_drips_does_not_hold_the_caller() -> None:
    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(PeerUnavailable):
        visit(drip)


@pytest.mark.parametrize(
    "noise", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
def test_a_peer_that_talks_nonsense_is_unavailable(noise: bytes) -> None:
    with pytest.raises(PeerUnavailable):
        visit(replying(noise))


def test_a_closed_port_and_an_unknown_name_are_unavailable() -> None:
    async def run() -> None:
        async def lookup(host: str, _: int) -> list[str]:
            if host == "gone.test":
                raise OSError("no such name")
            return ["127.0.0.1"]

        fetch = Fetch(DEV, lookup=lookup)
        for url in ("http://gone.test/", "http://peer.test:1/"):
            with pytest.raises(PeerUnavailable):
                await fetch.get(url)
        await fetch.close()

    asyncio.run(run())


@pytest.mark.parametrize("host", ["a..b.test", ".test", "a" * 64 + ".test"])
def test_a_name_that_no_resolver_takes_is_unavailable(host: str) -> None:
    async def run() -> None:
        fetch = Fetch(DEV)
        with pytest.raises(PeerUnavailable):
            await fetch.get(f"http://{host}/")
        await fetch.close()

    asyncio.run(run())


def test_names_under_localhost_lead_to_loopback_in_development() -> None:
    fetched, _ = visit(
        replying(answer("200 OK", b"hi")), "http://alice.localhost:{port}/", names={}
    )
    assert fetched.body == b"hi"
