"""Many inboxes on loopback, each on an address of its own: they count what they are sent.

Addresses under ``127.8.`` take a request and never answer.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HANGING = "127.8."


@dataclass
class Inboxes:
    """What came: activity ids by address, in order. ``delay_s`` is how long an answer takes."""

    port: int = 0
    delay_s: float = 0.0
    came: list[tuple[str, str]] = field(default_factory=list)

    def urls(self, count: int, net: str = "127.7") -> list[str]:
        """So many inboxes."""
        return [f"http://{net}.{n // 250}.{n % 250 + 1}:{self.port}/inbox" for n in range(count)]

    def times(self, activity: str) -> Counter[str]:
        """How often each address got an activity."""
        return Counter(address for address, name in list(self.came) if name == activity)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        address = writer.get_extra_info("sockname")[0]
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(
                    line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line
                )
                body = await reader.readexactly(int(fields[b"content-length"]))
                if address.startswith(HANGING):
                    await asyncio.sleep(3_600)
                self.came.append((address, json.loads(body)["id"]))
                await asyncio.sleep(self.delay_s)
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            writer.close()


@contextmanager
def listening(delay_s: float = 0.0) -> Iterator[Inboxes]:
    """Inboxes that listen in a thread until the end of the block."""
    inboxes = Inboxes(delay_s=delay_s)
    ready = threading.Event()
    stops: list[Callable[[], object]] = []

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        server = await asyncio.start_server(inboxes.serve, "0.0.0.0", 0, backlog=1024)
        inboxes.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield inboxes
    finally:
        stops[0]()
        thread.join(10)
