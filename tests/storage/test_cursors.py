"""Reactor cursors."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from storage.cursors import Cursors, advance
from storage.engine import Transaction
from tests.kit.stored import sql_store


def test_a_cursor_is_where_its_reactor_left_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            cursors = Cursors(store.database)
            assert cursors.cursor("delivery") == 0
            await cursors.advance("delivery", 7)
            await cursors.advance("delivery", 9)
            await cursors.advance("notify", 1)
        async with sql_store(tmp_path / "pod.db") as store:
            assert Cursors(store.database).cursor("delivery") == 9
            assert Cursors(store.database).cursor("notify") == 1

    asyncio.run(story())


def test_a_cursor_moves_with_the_work_it_stands_for_or_not_at_all(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:

            def work(transaction: Transaction) -> None:
                advance(transaction, "delivery", 5)
                raise LookupError

            with pytest.raises(LookupError):
                await store.database.write(work)
            assert Cursors(store.database).cursor("delivery") == 0

    asyncio.run(story())
