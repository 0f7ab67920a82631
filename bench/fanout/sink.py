"""The sink of bench/run_fanout.py: takes POSTs on every loopback address and counts them.

GET /stats tells ``count``, and of the system's monotonic clock the ``begin`` (when ``?reset`` was
asked for) and the ``first`` and ``last`` POST.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
HANGING = "127.9."
"""Addresses that take a request and never answer, and are not counted."""


class Count:
    """How many POSTs came, and when."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.count, self.first, self.last = 0, 0.0, 0.0

    def note(self) -> None:
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.count += 1


class Sink(asyncio.Protocol):
    """One connection; requests follow each other, each with a Content-Length."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._hangs = transport.get_extra_info("sockname")[0].startswith(HANGING)

    def data_received(self, data: bytes) -> None:
        if self._hangs:
            return
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        count = self._count
        if head.startswith(b"POST"):
            count.note()
            self._transport.write(ANSWER)
            return
        if b"?reset" in head.split(b"\r\n", 1)[0]:
            count.__init__()  # type: ignore[misc]  begins anew
        body = json.dumps(vars(count)).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )


async def main(port: int) -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    count = Count()
    await loop.create_server(lambda: Sink(count), "0.0.0.0", port, backlog=4096)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main(int(sys.argv[1])))
