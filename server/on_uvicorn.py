"""uvicorn with short ways out: responses and firehose frames leave in as few writes as they can."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.corked import Corked, LastRun, messages_of

_last = LastRun()


class CorkedHttp(HttpToolsProtocol):
    """HTTP over a corked transport; a WebSocket takes over the same transport."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        corked: Any = Corked(transport, self.loop)
        super().connection_made(corked)


class FastSocket(WebSocketsSansIOProtocol):
    """Sends binary messages of an open connection straight to its transport."""

    async def send(self, message: Any) -> None:
        """Take one ASGI message; all but binary ones go the usual way."""
        messages = messages_of(message)
        is_open = self.handshake_complete and not self.close_sent
        if messages is None or not is_open:
            await super().send(message)
            return
        if self.conn.extensions:
            for content in messages:
                await super().send({"type": "websocket.send", "bytes": content})
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.transport.is_closing():
            raise ClientDisconnected
        self.transport.write(_last.of(messages))
