"""Both stores, so that one suite holds for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from pod.ports import Store
from storage.engine import Database
from storage.in_memory import MemoryStore
from storage.migrate import upgrade
from storage.store import SqlStore

OpenStore = Callable[[], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def sql_store(path: Path) -> AsyncIterator[SqlStore]:
    """The store on a database file, closed at the end."""
    upgrade(path)
    store = SqlStore(Database(path))
    try:
        yield store
    finally:
        await store.database.close()


@asynccontextmanager
async def memory_store() -> AsyncIterator[MemoryStore]:
    """The store in memory."""
    yield MemoryStore()


@pytest.fixture(params=["sql", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """How to open the store under test; the one on disk opens the same file each time."""
    if request.param == "sql":
        return lambda: sql_store(tmp_path / "pod.db")
    return memory_store
