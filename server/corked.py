"""One write for all that is sent in one turn of the loop; a frame built once for all.

A system call costs more than the bytes in it: a response's head and body, or a run of firehose
frames, leave together.

Spec: RFC 6455 section 5.2
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

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


class LastFrame:
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
