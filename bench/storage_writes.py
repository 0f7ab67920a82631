"""How many createRecord-like transactions a second the store makes durable, alone and in groups.

One transaction: read the head and the path, put the record, the head and a change with its frame.
Run: python bench/storage_writes.py [SECONDS]
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pod.model.change import Change, ChangeOp, RepoHead
from pod.model.ids import Cid, Did, Handle, MemberId, Origin, Tid
from pod.model.resource import RECORD_TYPE, Resource, ResourcePath
from pod.ports import Tx
from storage.engine import Database
from storage.key_vault import Seal
from storage.migrate import upgrade
from storage.store import SqlStore

MEMBERS = 200
BODY_BYTES = 450
FRAME_BYTES = 4_600
PREFIX = b"\x01\x71\x12\x20"


def create_record(member: MemberId, number: int) -> Callable[[Tx], int]:
    """The transaction of one createRecord, without the projection's own work."""
    body = os.urandom(BODY_BYTES)
    cid = Cid(PREFIX + hashlib.sha256(body).digest())
    rev = Tid(f"3l{number:011d}".translate(str.maketrans("0123456789", "234567abcd")))
    path = ResourcePath(f"/repo/app.bsky.feed.post/{rev}")
    frame = os.urandom(FRAME_BYTES)
    now = datetime.now(UTC)

    def work(tx: Tx) -> int:
        tx.repo(member)
        if tx.resource(member, path) is None:
            tx.tombstone(member, path)
        made = Resource(member, path, RECORD_TYPE, cid, len(body), body, rev, now, now)
        tx.put_resource(made)
        tx.set_blob_refs(member, path, [])
        tx.put_repo(RepoHead(member, cid, rev, cid, body[:220]))
        seq = tx.next_seq()
        op = ChangeOp("create", path, cid, None)
        tx.append(Change(seq, member, now, "commit", rev, (op,), frame))
        return seq

    return work


async def client(
    store: SqlStore, members: list[MemberId], numbers: list[int], until: float, waits: list[float]
) -> None:
    """Writes one after another, each awaited."""
    while time.perf_counter() < until:
        numbers[0] += 1
        work = create_record(random.choice(members), numbers[0])
        start = time.perf_counter()
        await store.write(work)
        waits.append(time.perf_counter() - start)


async def run(folder: Path, seconds: float) -> None:
    """Measure groups of 1, 16 and 64 on one database."""
    path = folder / "pod.db"
    upgrade(path)
    store = SqlStore(Database(path), Seal.open(folder / "seal.key"))
    now = datetime.now(UTC)

    def join(tx: Tx) -> list[MemberId]:
        return [
            tx.add_member(
                Did(f"did:plc:{n}"),
                Handle(f"m{n}.test"),
                Origin(f"https://m{n}.test"),
                email=None,
                at=now,
            ).id
            for n in range(MEMBERS)
        ]

    members = await store.write(join)
    numbers = [0]
    for clients in (1, 16, 64):
        waits: list[float] = []
        start, cpu = time.perf_counter(), time.process_time()
        until = start + seconds
        await asyncio.gather(
            *(client(store, members, numbers, until, waits) for _ in range(clients))
        )
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        waits.sort()
        print(
            f"group {clients:2}: {len(waits) / took:7,.0f} writes/s"
            f"  p50 {waits[len(waits) // 2] * 1e3:.2f} ms"
            f"  p99 {waits[len(waits) * 99 // 100] * 1e3:.2f} ms"
            f"  max {waits[-1] * 1e3:.0f} ms  {cpu / len(waits) * 1e6:.0f} us cpu each"
        )
    start = time.perf_counter()
    reads = 20_000
    for n in range(reads):
        store.repo(members[n % MEMBERS])
    print(f"point reads: {reads / (time.perf_counter() - start):,.0f}/s")
    await store.database.close()
    print(f"{numbers[0]:,} records, file {path.stat().st_size / numbers[0]:,.0f} bytes each")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=".") as here:
        asyncio.run(run(Path(here), float(sys.argv[1]) if len(sys.argv) > 1 else 3.0))
