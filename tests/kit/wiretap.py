"""A listener on the line between a peer and the pod: every request is passed on, and kept raw."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

_LONGEST_HEAD: Final = 64 * 1024


@dataclass(frozen=True)
class Overheard:
    """A request as its bytes stood on the wire, and the status of its answer."""

    step: str
    at: datetime
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    status: int


@dataclass
class Wiretap:
    """Listens on ``port`` and passes on to ``pod``; ``step`` names what is going on."""

    port: int
    pod: int
    step: str = ""
    requests: list[Overheard] = field(default_factory=list)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await _body(reader, head)
            at = datetime.now(UTC)
            answer = await self._pass_on(head, body)
            writer.write(answer)
            await writer.drain()
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = [
                (n, v.strip()) for n, _, v in (line.partition(":") for line in lines[1:]) if n
            ]
            status = int(answer.split(b" ", 2)[1])
            self.requests.append(Overheard(self.step, at, method, target, headers, body, status))
        except asyncio.IncompleteReadError:
            pass  # a connection that nothing was said on
        finally:
            writer.close()

    async def _pass_on(self, head: bytes, body: bytes) -> bytes:
        """The whole answer of the pod; told to close, so that its end is seen."""
        line, _, rest = head.partition(b"\r\n")
        kept = [each for each in rest.split(b"\r\n") if each and not _is_about_the_line(each)]
        sent = [line, *kept, b"Connection: close", b"Content-Length: %d" % len(body), b"", body]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.pod)
        writer.write(b"\r\n".join(sent))
        await writer.drain()
        answer = await reader.read(-1)
        writer.close()
        return answer


def _is_about_the_line(header: bytes) -> bool:
    name = header.partition(b":")[0].lower()
    return name in (b"connection", b"content-length", b"transfer-encoding")


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    """The body, of a length that is told, or in chunks."""
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if b"chunked" in headers.get(b"transfer-encoding", b""):
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body
    return await reader.readexactly(int(headers.get(b"content-length", b"0")))


@contextmanager
def wiretap(port: int, pod: int) -> Iterator[Wiretap]:
    """Listen on 127.0.0.1 for as long as the block runs, on a thread and a loop of its own."""
    tap = Wiretap(port, pod)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(tap._take, "127.0.0.1", port, limit=_LONGEST_HEAD)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield tap
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
