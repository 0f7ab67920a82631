"""A process that is killed loses nothing it acknowledged and invents nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from pod.model.ids import MemberId
from tests.kit.stored import sql_store

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import asyncio, sys
from pathlib import Path
from tests.kit.stored import add_member, change, record, sql_store

async def client(store, member, number):
    def work(tx):
        made = change(tx, member, frame=b"f" * 3000)
        path = f"/repo/a.b.c/{made.seq:09}"
        tx.put_resource(record(member, path, b"%d" % made.seq))
        return made.seq
    while True:
        print(await store.write(work), flush=True)

async def main():
    async with sql_store(Path(sys.argv[1])) as store:
        member = await store.write(add_member)
        await asyncio.gather(*(client(store, member.id, n) for n in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 700])
def test_a_killed_process_keeps_what_it_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "pod.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        seqs = [int(writer.stdout.readline()) for _ in range(acknowledged)]
        writer.kill()
        seqs += [
            int(line) for line in writer.stdout.read().splitlines(keepends=True) if "\n" in line
        ]
        writer.wait()

    async def story() -> None:
        async with sql_store(path) as store:
            log = store.changes(after=0, limit=1_000_000)
            assert [c.seq for c in log] == list(range(1, len(log) + 1))
            assert max(seqs) <= len(log)
            index = [key for key, _ in store.record_index(MemberId(1))]
            assert index == [f"a.b.c/{c.seq:09}" for c in log]
            assert store.bytes_used(MemberId(1)) == sum(len(str(c.seq)) for c in log)

    asyncio.run(story())
