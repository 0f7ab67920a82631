"""Subscribers of Solid notifications: they listen at a house in memory, or take webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.kit.whole import JSON_LD, Person, Reply, Whole

NOTIFY = "http://www.w3.org/ns/solid/notifications#"
CONTEXT = "https://www.w3.org/ns/solid/notification/v1"
SOCKET, WEBHOOK, STREAM = "WebSocketChannel2023", "WebhookChannel2023", "StreamingHTTPChannel2023"
WITHIN_S = 10.0
QUIET_S = 0.15
"""How long nothing must come for silence to be believed."""


async def subscribe(
    whole: Whole, member: Any, topic: str, *, as_: Person | None, kind: str = SOCKET, **more: Any
) -> Reply:
    """Ask for a channel; ``topic`` is a path of the member."""
    url = topic if "://" in topic else member.url(topic)
    wanted = {"@context": [CONTEXT], "type": NOTIFY + kind, "topic": url, **more}
    service = member.url(f"/.notifications/{kind}/")
    return await whole.ask("POST", service, json.dumps(wanted), as_=as_, content_type=JSON_LD)


class Listener:
    """One connection that stays open: a WebSocket, or a response that streams."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self.task: asyncio.Future[None] | None = None

    async def next(self) -> Any:
        """The next thing the server sends."""
        return await asyncio.wait_for(self.told.get(), WITHIN_S)

    async def message(self) -> dict[str, Any]:
        """The next notification."""
        sent = await self.next()
        assert sent["type"] == "websocket.send", sent
        found: dict[str, Any] = json.loads(sent["text"])
        return found

    async def kinds(self, count: int) -> list[str]:
        """The types of the next notifications."""
        return [(await self.message())["type"] for _ in range(count)]

    async def is_quiet(self) -> bool:
        """Whether nothing comes for a while."""
        await asyncio.sleep(QUIET_S)
        return self.told.empty()

    def say(self, message: dict[str, Any]) -> None:
        """Send something by a WebSocket, as JSON."""
        self.said.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def leave(self) -> None:
        """Close the connection, if it is not closed already."""
        self.said.put_nowait(None)
        assert self.task is not None
        await asyncio.wait_for(self.task, WITHIN_S)


def _listen(whole: Whole, url: str, kind: str, first: Any, token: str | None) -> Listener:
    parts = urlsplit(url)
    listener = Listener()
    headers = [(b"host", parts.netloc.encode())]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2583),
        "subprotocols": [],
        "extensions": {},
    }
    coming = [first]

    async def receive() -> Any:
        if coming:
            return coming.pop()
        return await listener.said.get() or {"type": f"{kind}.disconnect", "code": 1001}

    async def send(message: Any) -> None:
        listener.told.put_nowait(message)

    listener.task = asyncio.ensure_future(whole.door(scope, receive, send))
    return listener


@asynccontextmanager
async def socket(whole: Whole, url: str) -> AsyncIterator[Listener]:
    """A WebSocket that was accepted."""
    listener = _listen(whole, url, "websocket", {"type": "websocket.connect"}, None)
    try:
        opened = await listener.next()
        assert opened["type"] == "websocket.accept", opened
        yield listener
    finally:
        await listener.leave()


@asynccontextmanager
async def streaming(
    whole: Whole, url: str, *, as_: Person | None = None
) -> AsyncIterator[Listener]:
    """A response that goes on."""
    first = {"type": "http.request", "body": b"", "more_body": False}
    listener = _listen(whole, url, "http", first, as_.access if as_ else None)
    try:
        yield listener
    finally:
        await listener.leave()


@dataclass
class Receiver:
    """A webhook on the loopback; ``answers`` decides what it says to each post."""

    answers: Callable[[dict[str, Any]], int] = lambda _: 200
    url: str = ""
    taken: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, count: int) -> list[dict[str, Any]]:
        """The first messages that came, once there are so many."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.taken) < count:
                self.news.clear()
                await self.news.wait()
        return [message for _, message in self.taken[:count]]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one post and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in lines}
        message = json.loads(await reader.readexactly(int(headers["content-length"])))
        status = self.answers(message)
        self.taken.append((headers, message))
        self.news.set()
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(
    answers: Callable[[dict[str, Any]], int] = lambda _: 200, port: int = 0
) -> AsyncIterator[Receiver]:
    """A webhook that listens."""
    hook = Receiver(answers)
    server = await asyncio.start_server(hook.serve, "127.0.0.1", port)
    hook.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield hook
    finally:
        server.close()
