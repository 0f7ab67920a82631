"""What a thousand members' domains cost: a look-up by Host, and memory for each.

    python -m bench.domains [COUNT]

Opens a house in this process, measures, gives it COUNT members, and measures again.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from adapters.http.hosts import Hosts
from pod.errors import NotFound
from pod.model.ids import Did, Handle, Origin
from pod.ports import Tx
from pod.settings import Settings
from server.wire import open_house
from storage.store import SqlStore

LOOKS = 200_000


def _resident() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 1024


def _look(hosts: Hosts, names: list[str]) -> float:
    """Microseconds for one look-up."""
    begin = time.perf_counter()
    for turn in range(LOOKS):
        with suppress(NotFound):
            hosts.member(names[turn % len(names)])
    return (time.perf_counter() - begin) / LOOKS * 1e6


async def _join(store: SqlStore, count: int) -> None:
    now = datetime.now(UTC)

    def work(tx: Tx) -> None:
        for number in range(count):
            tx.add_member(
                Did(f"did:plc:{number:024d}"),
                Handle(f"member{number}.example"),
                Origin(f"https://member{number}.example"),
                email=f"member{number}@mail.example",
                at=now,
            )

    await store.write(work)


async def measure(count: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Origin("https://pods.example"), Path(folder), watches_domains=False)
        house = await open_house(settings)
        before = _resident()
        await _join(house.store, count)
        hosts = Hosts(house.store, settings.origin)
        each = (_resident() - before) / count
        known = _look(hosts, [f"member{number}.example" for number in range(count)])
        unknown = _look(hosts, [f"nobody{number}.example" for number in range(count)])
        await house.rooms.close()
    print(f"{count} domains: {each:.1f} KB each; a known Host {known:.2f} us, ", end="")
    print(f"an unknown one {unknown:.2f} us")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
