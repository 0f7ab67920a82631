"""Members kept in memory are always those that are stored."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from pod.errors import Conflict
from pod.model.ids import Handle, Origin
from pod.model.member import Standing
from pod.ports import Tx
from tests.kit.stored import OpenStore, add_member, sql_store


def test_a_changed_member_is_seen_by_every_name_at_once(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            assert store.member(ann.id) == store.member_by_did(ann.did) == ann
            await store.write(lambda tx: tx.set_standing(ann.id, Standing.TAKENDOWN))
            for found in (store.member(ann.id), store.member_by_did(ann.did)):
                assert found is not None
                assert found.standing is Standing.TAKENDOWN
            await store.write(lambda tx: tx.set_handle(ann.id, Handle("anna.test")))
            assert store.member_by_handle(ann.handle) is None
            renamed = store.member_by_handle(Handle("anna.test"))
            assert renamed is not None
            assert renamed == store.member(ann.id)

    asyncio.run(story())


def test_a_change_that_fails_is_never_seen(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            await store.write(lambda tx: add_member(tx, "ben"))

            def work(tx: Tx) -> None:
                tx.set_standing(ann.id, Standing.TAKENDOWN)
                tx.set_handle(ann.id, Handle("ben.test"))

            with pytest.raises(Conflict):
                await store.write(work)
            assert store.member(ann.id) == ann

    asyncio.run(story())


def test_who_was_changed_by_a_long_work_is_never_older_than_their_row(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            ask = "SELECT standing FROM member WHERE id = ?"
            deletion = asyncio.ensure_future(
                store.write_long(lambda tx: tx.set_standing(ann.id, Standing.DELETED))
            )
            until = time.monotonic() + 30
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            while store.database.read.execute(ask, (ann.id,)).fetchone() != (Standing.DELETED,):
                assert time.monotonic() < until
                time.sleep(0.001)  # nothing of the loop runs: the work is not told yet
            for found in (store.member(ann.id), store.member_by_did(ann.did)):
                assert found is not None
                assert found.standing is Standing.DELETED
            await deletion
            again = store.member(ann.id)
            assert again is not None
            assert again.standing is Standing.DELETED

    asyncio.run(story())


def test_a_newcomer_is_found_after_having_been_missed(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            assert store.member_by_handle(Handle("ann.test")) is None
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            assert store.member_by_handle(ann.handle) == ann

    asyncio.run(story())


def test_members_are_found_again_by_another_start(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.sqlite") as store:
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            await store.write(lambda tx: tx.set_email(ann.id, "ann@a.test", is_confirmed=True))
        async with sql_store(tmp_path / "pod.sqlite") as store:
            found = store.member_by_origin(ann.origin)
            assert found is not None
            assert found == store.member_by_email("ann@a.test")
            assert store.member_by_email("nobody@a.test") is None

    asyncio.run(story())


def test_a_name_of_nobody_is_answered_without_the_database(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.sqlite") as store:
            ann = await store.write(lambda tx: add_member(tx, "ann"))
            asked: list[str] = []
            store.database.read.set_trace_callback(asked.append)
            assert store.member_by_origin(Origin("https://nobody.test")) is None
            assert store.member_by_origin(ann.origin) == ann
            assert asked == []

    asyncio.run(story())
