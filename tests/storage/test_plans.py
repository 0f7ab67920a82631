"""No statement of the store scans a table or sorts where an index has the order already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import (
    accounts,
    blob_rows,
    changes,
    channels,
    confirmations,
    devices,
    erase,
    grants,
    invites,
    key_vault,
    listings,
    members,
    oauth,
    oauth_clients,
    preferences,
    resources,
    takedowns,
    timelines,
)
from storage.engine import Transaction
from tests.kit.stored import sql_store

ROOMS = (
    accounts,
    blob_rows,
    changes,
    channels,
    confirmations,
    devices,
    erase,
    grants,
    invites,
    key_vault,
    listings,
    members,
    oauth,
    oauth_clients,
    preferences,
    resources,
    takedowns,
    timelines,
)
MAY_SCAN = {
    "_IDLE",
    "_EXPIRE",
    "_EXPIRE_ONCE",
    "_EXPIRE_REQUESTS",
    "_EXPIRE_SESSIONS",
    "_OLD_FRAMES",
    "_ALL",
    "_ERASE",
    "_DROP_ENDED",
    "_ON_THE_WAY",
    "_NTH",
}  # collectors, some times an hour; at the start; once in the life of an account


def statements() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for name, value in vars(room).items():
            texts = value.values() if isinstance(value, dict) else [value]
            for text in texts:
                if isinstance(text, str) and text.startswith(("SELECT", "UPDATE", "DELETE")):
                    yield f"{room.__name__}.{name}", text


def explained(folder: Path, sql: str) -> list[str]:
    def explain(transaction: Transaction) -> list[str]:
        values = ("x",) * sql.count("?") if "LIMIT ?" not in sql else (0,) * sql.count("?")
        rows = transaction.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        return [row[3] for row in rows]

    async def story() -> list[str]:
        async with sql_store(folder / "pod.db") as store:
            return await store.database.write(explain)

    return asyncio.run(story())


@pytest.mark.parametrize(("name", "sql"), list(statements()))
def test_a_statement_seeks_what_it_wants(tmp_path: Path, name: str, sql: str) -> None:
    plan = explained(tmp_path, sql)
    if name.rsplit(".", 1)[1] not in MAY_SCAN:
        assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step]
        assert not [step for step in plan if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (resources._BLOCK, "resource_by_cid"),
        (resources._ABOUT, "resource_by_subject"),
        (resources._ALL_ABOUT, "resource_by_subject"),
        (changes._CHANGES_OF, "change_log_by_member"),
        (blob_rows._IS_HELD, "blob_by_cid"),
    ],
)
def test_the_rarer_key_is_the_one_that_is_sought(tmp_path: Path, sql: str, index: str) -> None:
    assert any(index in step for step in explained(tmp_path, sql))
