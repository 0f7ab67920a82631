"""One durable write at a time: what a work sees, what a failing one leaves, who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from pod.model.change import Change
from pod.model.ids import Cid
from pod.model.resource import Resource, ResourcePath
from pod.ports import Tx
from tests.kit.stored import (
    OpenStore,
    add_member,
    blob,
    change,
    head,
    record,
)

POST = ResourcePath("/repo/app.bsky.feed.post/3a")


def test_a_work_sees_its_own_writes_and_others_do_not_yet(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)

            def work(tx: Tx) -> tuple[Resource | None, Resource | None, int]:
                tx.put_resource(record(alice.id))
                change(tx, alice.id)
                return tx.resource(alice.id, POST), store.resource(alice.id, POST), tx.next_seq()

            assert await store.write(work) == (record(alice.id), None, 2)
            assert store.resource(alice.id, POST) == record(alice.id)

    asyncio.run(story())


def test_a_work_that_raises_leaves_nothing_behind(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            heard: list[Change] = []
            store.subscribe(heard.extend)

            def work(tx: Tx) -> None:
                tx.put_resource(record(alice.id))
                tx.put_blob(blob(alice.id))
                change(tx, alice.id)
                raise LookupError("no")

            with pytest.raises(LookupError):
                await store.write(work)
            assert store.resource(alice.id, POST) is None
            assert store.bytes_used(alice.id) == 0
            assert store.head_seq() == 0
            assert heard == []
            assert (await store.write(lambda tx: change(tx, alice.id))).seq == 1

    asyncio.run(story())


def test_a_failing_neighbour_spoils_no_write_of_its_group(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)

            def fails_late(tx: Tx) -> None:
                change(tx, alice.id, frame=b"phantom")
                raise LookupError("late")

            def fails_early(tx: Tx) -> None:
                raise LookupError("early")

            def good(tx: Tx) -> Change:
                return change(tx, alice.id)

            heard: list[int] = []
            store.subscribe(lambda changes: heard.extend(c.seq for c in changes))
            works = [good, fails_early, good, fails_late, good, fails_early, good]
            outcomes = await asyncio.gather(
                *(store.write(work) for work in works), return_exceptions=True
            )
            good_ones = [o.seq for o in outcomes if isinstance(o, Change)]
            assert good_ones == [1, 2, 3, 4]
            assert [str(o) for o in outcomes if isinstance(o, LookupError)] == [
                "early", "late", "early",
            ]  # fmt: skip
            assert heard == [1, 2, 3, 4]
            assert [c.frame for c in store.changes(after=0, limit=9)] == [b"frame"] * 4

    asyncio.run(story())


def test_listeners_hear_of_changes_in_order_once_they_can_be_read(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            heard: list[tuple[int, int]] = []

            def listen(changes: Sequence[Change]) -> None:
                heard.extend((c.seq, store.head_seq()) for c in changes)

            stop = store.subscribe(listen)
            await asyncio.gather(*(store.write(lambda tx: change(tx, alice.id)) for _ in range(5)))
            assert [seq for seq, _ in heard] == [1, 2, 3, 4, 5]
            assert all(readable >= seq for seq, readable in heard)
            await store.write(lambda tx: tx.put_repo(head(alice.id)))
            stop()
            await store.write(lambda tx: change(tx, alice.id))
            assert len(heard) == 5

    asyncio.run(story())


def test_cancelling_the_caller_does_not_cancel_the_write(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            write = asyncio.ensure_future(store.write(lambda tx: tx.put_blob(blob(alice.id))))
            await asyncio.sleep(0)
            write.cancel()
            with pytest.raises(asyncio.CancelledError):
                await write
            await store.write(lambda tx: None)
            assert store.blob(alice.id, Cid(blob(alice.id).cid)) is not None

    asyncio.run(story())
