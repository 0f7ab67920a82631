"""WebSockets on uvicorn, with a short way out for the firehose: a frame is built once for all.

Spec: RFC 6455 section 5.2
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class _LastFrame:
    """The frame of the message that was sent last: the next subscriber wants the same."""

    def __init__(self) -> None:
        self._message = b""
        self._frame = b"\x82\x00"

    def of(self, message: bytes) -> bytes:
        """An unmasked, final, binary frame."""
        if message is not self._message:
            size = len(message)
            if size < 126:
                head = bytes((0x82, size))
            elif size < 65_536:
                head = b"\x82\x7e" + size.to_bytes(2, "big")
            else:
                head = b"\x82\x7f" + size.to_bytes(8, "big")
            self._message, self._frame = message, head + message
        return self._frame


_last = _LastFrame()


class FastSocket(WebSocketsSansIOProtocol):
    """Sends binary messages of an open connection straight to its transport."""

    async def send(self, message: Any) -> None:
        """Take one ASGI message; all but binary ones go the usual way."""
        content = message.get("bytes")
        is_open = self.handshake_complete and not self.close_sent
        if content is None or not is_open or self.conn.extensions:
            await super().send(message)
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.transport.is_closing():
            raise ClientDisconnected
        self.transport.write(_last.of(content))
