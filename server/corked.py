"""One write for all that is sent in one turn of the loop; a frame built once for all.

A system call costs more than the bytes in it: a response's head and body, or a run of firehose
frames, leave together.

Spec: RFC 6455 section 5.2
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from operator import is_
from typing import Any, Final

from adapters.atproto.face import RUNS
from server.hosts import App, Receive, Scope, Send

_FULL: Final = 65_536
"""Bytes that do not wait: the transport below then tells the writer to pause if it must."""


class Corked:
    """A transport that holds what is written until the loop turns, then writes it at once."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send soon, in order."""
        if not data:
            return
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)
        self._size += len(data)
        if self._size >= _FULL:
            self.flush()

    def flush(self) -> None:
        """Send now what is held."""
        if self._held:
            held, self._held, self._size = self._held, [], 0
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def write_eof(self) -> None:
        """Send what is held, then the end."""
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self._transport.close()


class LastRun:
    """The frames of the messages that were sent last: the next subscriber wants the same."""

    def __init__(self) -> None:
        self._messages: Sequence[bytes] = ()
        self._frames = b""

    def of(self, messages: Sequence[bytes]) -> bytes:
        """Each message as an unmasked, final, binary frame."""
        last = self._messages
        if len(messages) != len(last) or not all(map(is_, messages, last)):
            frames = [part for message in messages for part in (_head(len(message)), message)]
            self._messages, self._frames = messages, b"".join(frames)
        return self._frames


def _head(size: int) -> bytes:
    if size < 126:
        return bytes((0x82, size))
    if size < 65_536:
        return b"\x82\x7e" + size.to_bytes(2, "big")
    return b"\x82\x7f" + size.to_bytes(8, "big")


def taking_runs(app: App) -> App:
    """An application that is told that this server sends several messages at once."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            scope["extensions"] = {**(scope.get("extensions") or {}), RUNS: {}}
        await app(scope, receive, send)

    return serve


def messages_of(message: Any) -> Sequence[bytes] | None:
    """The binary messages that an ASGI message to send holds, None if it is of another kind."""
    if message is None:
        return None
    if message["type"] == RUNS:
        run: Sequence[bytes] = message["messages"]
        return run
    content = message.get("bytes")
    return None if content is None else (content,)
