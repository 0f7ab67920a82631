"""Old firehose frames go, the log stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pod.ports import Tx
from tests.kit.stored import NOON, add_member, change, sql_store


def test_old_frames_go_and_their_numbers_stay_used(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            alice = await store.write(add_member)
            first = await store.write(lambda tx: change(tx, alice.id))

            def fill(tx: Tx) -> None:
                for seq in range(2, 2502):
                    tx.append(replace(first, seq=seq, at=NOON + timedelta(seconds=seq)))

            await store.write(fill)
            assert await store.drop_frames(NOON) == 0
            assert await store.drop_frames(NOON + timedelta(seconds=2400)) == 2399
            assert store.oldest_frame() == (2400, NOON + timedelta(seconds=2400))
            assert len(store.frames(after=0, limit=9999)) == 102
            assert len(store.changes(after=0, limit=9999)) == 2501
            assert await store.drop_frames(NOON + timedelta(days=1)) == 102
            assert store.oldest_frame() is None
            assert (await store.write(lambda tx: change(tx, alice.id))).seq == 2502

    asyncio.run(story())
