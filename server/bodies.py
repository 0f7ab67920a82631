"""A request is read to its end before its answer ends, so that the connection can go on.

An application that refuses answers early. Hypercorn then closes the connection without a word if
the body is still under way, and the client's next request on it is lost.

Spec: RFC 9112 section 9.3 (persistence), section 9.6 (tear-down)
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from server.hosts import App, Receive, Scope, Send

READ_ON: Final = 262_144
"""Bytes of an unwanted body that are read away; of a longer one the client is told to go."""

PATIENCE_S: Final = 1.0
CLOSE: Final = (b"connection", b"close")
_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})


class _Body:
    """The body of one request as it comes in."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._readers = 0
        self._size = 0
        self._ended = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether all of it was read."""
        return self._ended.is_set()

    async def receive(self) -> Any:
        """The next ASGI message."""
        self._readers += 1
        try:
            message = await self._receive()
        finally:
            self._readers -= 1
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._ended.set()
        else:
            self._size += len(message.get("body", b""))
        return message

    async def read_away(self) -> None:
        """Read what is left, or let whoever reads it already come to the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while not self.has_ended and self._size <= READ_ON:
                    if self._readers:
                        await self._ended.wait()
                    else:
                        await self.receive()


def reading_first(app: App) -> App:
    """An application whose answers begin when the request is over, or say that they end it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not any(name in _BODY for name, _ in scope["headers"]):
            await app(scope, receive, send)
            return
        body = _Body(receive)

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start" and not body.has_ended:
                await body.read_away()
                if not body.has_ended:
                    message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        await app(scope, body.receive, answer)

    return serve
