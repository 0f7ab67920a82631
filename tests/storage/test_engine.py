"""The database file: grouping, failures, cancellation, long works, snapshots, closing."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage.engine import Database, Transaction
from storage.migrate import upgrade


@asynccontextmanager
async def numbers(path: Path) -> AsyncIterator[Database]:
    """A database with a table of numbers."""
    upgrade(path)
    database = Database(path)
    await database.write(
        lambda transaction: transaction.execute("CREATE TABLE IF NOT EXISTS number (n INTEGER)")
    )
    yield database
    await database.close()


def add(transaction: Transaction, n: int) -> int:
    transaction.execute("INSERT INTO number VALUES (?)", (n,))
    return n


def stored(database: Database) -> list[int]:
    return [n for (n,) in database.read.execute("SELECT n FROM number ORDER BY rowid")]


def test_works_of_one_loop_turn_share_a_transaction(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            seen: set[int] = set()

            def work(transaction: Transaction, n: int) -> None:
                seen.add(id(transaction))
                kept.append(transaction)
                add(transaction, n)

            kept: list[Transaction] = []
            await asyncio.gather(*(database.write(lambda t, n=n: work(t, n)) for n in range(20)))
            assert len(seen) == 1
            assert stored(database) == list(range(20))

    asyncio.run(story())


def test_a_group_has_a_limit_and_loses_nothing_by_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            writes = (database.write(lambda t, n=n: add(t, n)) for n in range(1000))
            assert await asyncio.gather(*writes) == list(range(1000))
            assert stored(database) == list(range(1000))

    asyncio.run(story())


def test_a_write_is_readable_in_the_file_once_it_is_acknowledged(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "pod.db"
        async with numbers(path) as database:
            for n in range(5):
                await database.write(lambda t, n=n: add(t, n))
                with sqlite3.connect(path) as other:
                    assert other.execute("SELECT max(n) FROM number").fetchone() == (n,)
                other.close()

    asyncio.run(story())


def test_a_cancelled_write_that_was_queued_still_happens_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            tasks = [
                asyncio.ensure_future(database.write(lambda t, n=n: add(t, n))) for n in range(3)
            ]
            await asyncio.sleep(0)
            tasks[1].cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert outcomes[0] == 0
            assert isinstance(outcomes[1], asyncio.CancelledError)
            assert outcomes[2] == 2
            assert stored(database) == [0, 1, 2]

    asyncio.run(story())


def test_a_broken_statement_is_the_error_of_its_own_caller(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            good, bad = await asyncio.gather(
                database.write(lambda t: add(t, 1)),
                database.write(lambda t: t.execute("INSERT INTO nowhere VALUES (1)")),
                return_exceptions=True,
            )
            assert good == 1
            assert isinstance(bad, sqlite3.OperationalError)
            assert stored(database) == [1]

    asyncio.run(story())


def test_callbacks_after_a_commit_run_for_kept_transactions_only(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            heard: list[int] = []

            def work(transaction: Transaction, n: int) -> None:
                add(transaction, n)
                transaction.after_commit.append(lambda: heard.append(n))
                if n == 2:
                    raise LookupError

            writes = (database.write(lambda t, n=n: work(t, n)) for n in range(5))
            await asyncio.gather(*writes, return_exceptions=True)
            assert heard == stored(database) == [0, 1, 3, 4]

    asyncio.run(story())


def test_the_loop_runs_and_reads_while_a_long_work_writes(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            may_end = threading.Event()

            def long(transaction: Transaction) -> str:
                add(transaction, 1)
                assert may_end.wait(30)
                return threading.current_thread().name

            running = asyncio.ensure_future(database.write_in_thread(long))
            waiting = asyncio.ensure_future(database.write(lambda t: add(t, 2)))
            for _ in range(5):
                await asyncio.sleep(0.01)
                assert stored(database) == []
            assert not waiting.done()
            may_end.set()
            assert await running != threading.current_thread().name
            await waiting
            assert stored(database) == [1, 2]

    asyncio.run(story())


def test_a_thread_reader_keeps_its_state_while_others_write(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            await database.write(lambda t: add(t, 1))
            with database.thread_reader() as reader:
                await database.write(lambda t: add(t, 2))
                counted = await asyncio.to_thread(
                    lambda: reader.execute("SELECT count(*) FROM number").fetchone()
                )
                assert counted == (1,)
            assert stored(database) == [1, 2]

    asyncio.run(story())


def test_readers_cannot_write(tmp_path: Path) -> None:
    async def story() -> None:
        async with numbers(tmp_path / "pod.db") as database:
            with pytest.raises(sqlite3.OperationalError):
                database.read.execute("INSERT INTO number VALUES (1)")
            with (
                database.thread_reader() as reader,
                pytest.raises(sqlite3.OperationalError),
            ):
                reader.execute("INSERT INTO number VALUES (1)")

    asyncio.run(story())


def test_closing_finishes_what_is_queued_and_leaves_one_file(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "pod.db"
        async with numbers(path) as database:
            writes = [
                asyncio.ensure_future(database.write(lambda t, n=n: add(t, n))) for n in range(300)
            ]
            await asyncio.sleep(0)
            await database.close()
            assert [await write for write in writes] == list(range(300))
            with pytest.raises(RuntimeError):
                await database.write(lambda t: add(t, 1))
        assert [file.name for file in tmp_path.iterdir()] == ["pod.db"]
        async with numbers(path) as again:
            assert stored(again) == list(range(300))

    asyncio.run(story())


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "pod.db"
        body = bytes(10_000)
        async with numbers(path) as database:
            await database.write(lambda t: t.execute("CREATE TABLE wide (body BLOB)"))
            for _ in range(100):
                many = (
                    database.write(lambda t: t.execute("INSERT INTO wide VALUES (?)", (body,)))
                    for _ in range(100)
                )
                await asyncio.gather(*many)
                await asyncio.sleep(0.002)
            assert path.stat().st_size + 64_000_000 > 10_000 * 10_000
            assert path.with_name("pod.db-wal").stat().st_size < 64_000_000

    asyncio.run(story())


def test_the_database_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    upgrade(tmp_path / "pod.db")
    assert stat.S_IMODE((tmp_path / "pod.db").stat().st_mode) == 0o600


def test_a_work_that_may_wait_is_written_with_the_next_one_or_in_time(tmp_path: Path) -> None:
    async def run() -> None:
        async with numbers(tmp_path / "pod.sqlite") as database:
            patient = asyncio.create_task(database.write(lambda t: add(t, 1), within_s=999))
            await asyncio.sleep(0.01)
            assert stored(database) == []
            assert await database.write(lambda t: add(t, 2)) == 2
            assert await patient == 1
            assert stored(database) == [1, 2]
            assert await database.write(lambda t: add(t, 3), within_s=0.001) == 3
            last = asyncio.create_task(database.write(lambda t: add(t, 4), within_s=999))
            await asyncio.sleep(0)
        assert await last == 4

    asyncio.run(run())
