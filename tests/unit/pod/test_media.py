"""Blobs come and go with what holds them."""

from __future__ import annotations

import asyncio

from pod.records.cid import raw_cid
from tests.kit.house import Pod

PICTURE = b"\x89PNG\r\n\x1a\n"


def test_bytes_that_nobody_holds_are_swept_and_held_ones_stay() -> None:
    async def story() -> None:
        pod = Pod()
        await pod.keyring.open()
        alice, bob = await pod.member("alice"), await pod.member("bob")
        for member in (alice, bob):
            await pod.media.keep(member.id, PICTURE, "image/png")
        lost = raw_cid(b"arrived, then the power went")
        await pod.blobs.put(lost, b"arrived, then the power went")
        await pod.store.write(lambda tx: tx.delete_blob(alice.id, raw_cid(PICTURE)))
        assert await pod.media.sweep() == 1
        assert list(pod.blobs.kept) == [raw_cid(PICTURE)]
        await pod.store.write(lambda tx: tx.delete_blob(bob.id, raw_cid(PICTURE)))
        assert await pod.media.sweep() == 1
        assert pod.blobs.kept == {}

    asyncio.run(story())


def test_a_sweep_waits_for_bytes_whose_row_is_still_to_come() -> None:
    async def story() -> None:
        pod = Pod()
        await pod.keyring.open()
        alice = await pod.member("alice")
        arrived = asyncio.Event()
        keep = pod.blobs.put

        async def put_slowly(cid, body):
            await keep(cid, body)
            arrived.set()
            await asyncio.sleep(0.01)

        pod.blobs.put = put_slowly  # type: ignore[method-assign]
        keeping = asyncio.ensure_future(pod.media.keep(alice.id, PICTURE, "image/png"))
        await arrived.wait()
        assert await pod.media.sweep() == 0
        row = await keeping
        assert row.cid in pod.blobs.kept

    asyncio.run(story())
