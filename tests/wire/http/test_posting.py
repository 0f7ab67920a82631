"""Posts over connections that are kept: every way in which an answer can end, or fail to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest

from adapters.http.fetch import Fetch, Fetched
from pod.errors import Invalid, PeerUnavailable, PodError, TooLarge
from pod.settings import Egress

SETTINGS = Egress(fetch_timeout_s=1.0, fetch_bytes=1000, may_reach_private=True)
OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Peer:
    """A raw server that answers each request with the next of its answers.

    ``connections`` are counted, ``bodies`` kept. An answer that ends with ``END`` ends the
    connection.
    """

    END = b"<end>"

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.connections = 0
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                answer = self._answers.pop(0) if self._answers else OK
                writer.write(answer.removesuffix(self.END))
                await writer.drain()
                if answer.endswith(self.END):
                    break
        writer.close()


Use = Callable[[Fetch, str], Awaitable[None]]


def with_peer(use: Use, *answers: bytes) -> Peer:
    """A peer, after a fetcher was used on it."""

    async def run() -> Peer:
        peer = Peer(answers)
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        fetch = Fetch(SETTINGS)
        try:
            await use(fetch, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/inbox?a=b")
        finally:
            await fetch.close()
            server.close()
            await asyncio.sleep(0.01)
        return peer

    return asyncio.run(run())


def answered(*answers: bytes) -> Fetched:
    """What a fetcher makes of an answer."""
    found: list[Fetched] = []

    async def use(fetch: Fetch, url: str) -> None:
        found.append(await fetch.post(url, b"hello", {"X-One": "1"}))

    with_peer(use, *answers)
    return found[0]


def refused(*answers: bytes) -> PodError:
    with pytest.raises(PodError) as error:
        answered(*answers)
    return error.value


def test_posts_to_one_place_share_a_connection_one_at_a_time() -> None:
    async def use(fetch: Fetch, url: str) -> None:
        for number in range(3):
            assert (await fetch.post(url, b"%d" % number)).body == b"ok"
        await asyncio.gather(*(fetch.post(url, b"x") for _ in range(4)))
        for _ in range(8):
            await fetch.post(url, b"y")

    peer = with_peer(use)
    assert peer.connections == 4
    assert peer.bodies == [b"0", b"1", b"2", *[b"x"] * 4, *[b"y"] * 8]
    assert peer.heads[0].startswith(b"POST /inbox?a=b HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\n\r\nabc" + Peer.END, b"abc"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc" + Peer.END, b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" + Peer.END, b""),
    ],
    ids=["chunked", "to the end", "1.0", "continue", "close"],
)
def test_an_answer_is_read_to_its_end_however_that_is_told(answer: bytes, body: bytes) -> None:
    fetched = answered(answer)
    assert (fetched.status, fetched.body) == (200, body)


def test_headers_of_an_answer_are_found_in_any_case() -> None:
    fetched = answered(b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n")
    assert (fetched.status, fetched.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort" + Peer.END,
        CHUNKED + b"5\r\nab" + Peer.END,
        b"HTTP/1.1 2" + Peer.END,
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        Peer.END,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow",
    ],
    ids=["short", "chunk", "head", "not http", "upgrade", "nothing", "hangs"],
)
def test_an_answer_without_a_proper_end_is_none(answer: bytes) -> None:
    assert isinstance(refused(answer), PeerUnavailable)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"a" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    ],
    ids=["body", "headers", "continues"],
)
def test_an_answer_without_end_is_too_large(answer: bytes) -> None:
    assert isinstance(refused(answer), TooLarge)


def test_a_body_of_more_bytes_than_allowed_is_too_large() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"a" * 1001
    assert isinstance(refused(answer), TooLarge)


def test_a_connection_that_speaks_unasked_or_ended_is_not_used_again() -> None:
    async def use(fetch: Fetch, url: str) -> None:
        for _ in range(3):
            await fetch.post(url, b"x")
            await asyncio.sleep(0.05)

    peer = with_peer(use, OK + b"HTTP/1.1 200 OK\r\n", OK + Peer.END)
    assert peer.connections == 3
    assert len(peer.bodies) == 3


def test_no_header_can_begin_another_line() -> None:
    async def use(fetch: Fetch, url: str) -> None:
        with pytest.raises(Invalid):
            await fetch.post(url, b"x", {"X-One": "1\r\nX-Two: 2"})

    assert with_peer(use).connections == 0
