"""How long large documents hold the event loop up: python -m bench.solid_stall [megabytes].

A task ticks every 5 ms beside PUT, GET in either syntax and PATCH of one large document, in
process over ASGI; what is printed is the longest time between two ticks in each.
"""

from __future__ import annotations

import asyncio
import sys
import time

import orjson

from tests.kit.solid_asker import asked
from tests.kit.solid_host import Host

TICK_S = 0.005
PATCH = b"""@prefix solid: <http://www.w3.org/ns/solid/terms#> .
<> a solid:InsertDeletePatch ; solid:inserts { <#new> a <#Thing> } ."""


def turtle(size: int) -> bytes:
    """Statements of some hundred bytes, as many as ``size`` bytes take."""
    text = "a value that somebody wrote " * 4
    lines = (f'<#s{i}> <http://example.org/p{i % 10}> "{text}{i}" .\n' for i in range(10**6))
    body = bytearray()
    for line in lines:
        if len(body) + len(line) > size:
            break
        body += line.encode()
    return bytes(body)


def jsonld(size: int) -> bytes:
    """The same as expanded JSON-LD."""
    text = "a value that somebody wrote " * 4
    count = size // (len(text) + 90)
    return orjson.dumps(
        [
            {"@id": f"#s{i}", f"http://example.org/p{i % 10}": [{"@value": f"{text}{i}"}]}
            for i in range(count)
        ]
    )


class Ticker:
    """The longest pause between two ticks since `start`."""

    def start(self) -> None:
        """Begin to tick."""
        self.worst = 0.0
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last - TICK_S)
            last = now

    async def stop(self) -> float:
        """End; the longest pause in milliseconds."""
        await asyncio.sleep(2 * TICK_S)
        self._task.cancel()
        return self.worst * 1000


async def measured(size: int) -> None:
    """Print a line for each request."""
    host = await Host().open()
    ticker = Ticker()
    base = {"Host": host.alice.host, "Authorization": "Bearer alice"}
    for media, body in (("text/turtle", turtle(size)), ("application/ld+json", jsonld(size))):
        requests = (
            ("PUT", {"Content-Type": media}, body),
            ("GET", {"Accept": media}, b""),
            ("GET", {"Accept": "text/turtle"}, b""),
            ("GET", {"Accept": "application/ld+json"}, b""),
            ("PATCH", {"Content-Type": "text/n3"}, PATCH),
        )
        for method, headers, sent in requests:
            ticker.start()
            begin = time.perf_counter()
            answer = await asked(host.app, method, b"/data/big", {**base, **headers}, sent)
            took = time.perf_counter() - begin
            worst = await ticker.stop()
            wanted = headers.get("Accept", "")
            print(
                f"{len(body) / 1e6:.1f} MB {media:20} {method:5} {wanted:20} {answer.status} "
                f"took {took:6.2f} s, longest stall {worst:6.1f} ms"
            )


if __name__ == "__main__":
    asyncio.run(measured(int(float(sys.argv[1] if len(sys.argv) > 1 else "8") * 1e6)))
