"""One SQLite file: inline reads, writes committed in groups on the event loop, checkpoints beside.

A point read on the loop costs about 10 microseconds, less than any hand-over to a thread. Works
that are waiting run one after another in a single transaction and share its fsync. The log is
copied into the file by a thread (`storage.checkpoint`), so no commit waits for that.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from storage.checkpoint import Checkpointer

T = TypeVar("T")

_GROUP_LIMIT: Final = 128
"""Works in one transaction at most: what the first of them may wait for."""


class Transaction:
    """The open write transaction that a work is given."""

    __slots__ = ("after_commit", "connection", "execute")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.after_commit: list[Callable[[], None]] = []
        """Called on the loop, in order, once the transaction is durable."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A work and whoever waits for it."""

    work: Callable[[Transaction], Any]
    future: asyncio.Future[Any]
    in_thread: bool

    def settle(self, outcome: _Outcome) -> None:
        """Tell the waiter, unless it was cancelled; the write stands either way."""
        if self.future.done():
            return
        if outcome.error is not None:
            self.future.set_exception(outcome.error)
        else:
            self.future.set_result(outcome.value)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a work."""

    value: Any = None
    error: Exception | None = None


_Done = tuple[list[_Outcome], list[Callable[[], None]]]


def connect(path: Path, *, query_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode with the settings that every connection has."""
    connection = sqlite3.connect(
        path, isolation_level=None, cached_statements=512, check_same_thread=False
    )
    for pragma in (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "wal_autocheckpoint=0",
        f"query_only={int(query_only)}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


class Database:
    """A database file of this process, which alone writes to it.

    ``read`` is for reads on the event loop only, each fetched to its end before the next await:
    an open cursor would hold back what later reads see. The file must have its tables
    (`storage.migrate.upgrade`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = connect(path, query_only=False)
        self.read = connect(path, query_only=True)
        self._lock = threading.Lock()
        self._checkpointer = Checkpointer(path, self._lock)
        self._queue: deque[_Waiting] = deque()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="write")
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = False
        self._is_in_thread = False
        self._is_closed = False

    async def write(self, work: Callable[[Transaction], T], *, within_s: float = 0.0) -> T:
        """Run ``work`` in a transaction and return its result when that is durable.

        Works run serially, against the latest state, and share a transaction with those that are
        waiting too; one that may wait ``within_s`` shares it with more. One that raises keeps
        nothing; when it had written already, its neighbours run again, so a work must have no
        effects but its statements and its result. Cancelling the caller does not cancel the write.
        """
        return await self._enqueue(work, in_thread=False, within_s=within_s)

    async def write_in_thread(self, work: Callable[[Transaction], T]) -> T:
        """The same for a long work: it runs in a thread and a transaction of its own.

        Other writes wait for it, reads and the loop do not.
        """
        return await self._enqueue(work, in_thread=True)

    @contextmanager
    def thread_reader(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, for one thread at a time, that sees one unchanging state."""
        with closing(connect(self._path, query_only=True)) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            yield connection

    async def close(self) -> None:
        """Finish the queued writes, move the log into the file, close. Later writes are refused."""
        if self._is_closed:
            return
        last = self._enqueue(lambda _: None, in_thread=False)
        self._is_closed = True
        await last
        self._executor.shutdown()
        self._checkpointer.close()
        self.read.close()
        self._writer.close()

    def _enqueue(
        self, work: Callable[[Transaction], T], *, in_thread: bool, within_s: float = 0.0
    ) -> asyncio.Future[T]:
        if self._is_closed:
            raise RuntimeError("the database is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.append(_Waiting(work, future, in_thread))
        if not within_s:
            self._flush_soon(loop)
        elif self._timer is None:
            self._timer = loop.call_later(within_s, self._flush_soon, loop)
        return future

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._is_due and not self._is_in_thread and self._queue:
            self._is_due = True
            loop.call_soon(self._flush, loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit the works that wait, up to the next long one or the limit of a group."""
        self._is_due = False
        queue = self._queue
        if queue[0].in_thread:
            self._is_in_thread = True
            waiting = queue.popleft()
            thread = loop.run_in_executor(self._executor, self._run, [waiting])
            thread.add_done_callback(lambda done: self._thread_done(loop, waiting, done.result()))
            return
        group = [queue.popleft()]
        while len(group) < _GROUP_LIMIT and queue and not queue[0].in_thread:
            group.append(queue.popleft())
        self._settle(loop, group, self._run(group))

    def _thread_done(
        self, loop: asyncio.AbstractEventLoop, waiting: _Waiting, done: list[_Done]
    ) -> None:
        self._is_in_thread = False
        self._settle(loop, [waiting], done)

    def _settle(
        self, loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting], done: list[_Done]
    ) -> None:
        """Tell the waiters, then whoever follows the commits."""
        outcomes = (outcome for transaction in done for outcome in transaction[0])
        for waiting, outcome in zip(group, outcomes, strict=True):
            waiting.settle(outcome)
        self._flush_soon(loop)
        for _, callbacks in done:
            for callback in callbacks:
                callback()

    def _run(self, group: Sequence[_Waiting]) -> list[_Done]:
        """Run a group in one transaction, or each alone after one had failed halfway."""
        with self._lock:
            whole = self._attempt(group)
            alone = group if whole is None else ()
            attempts = [whole, *(self._attempt([waiting]) for waiting in alone)]
        self._checkpointer.note(self._writer.total_changes)
        return [done for done in attempts if done is not None]

    def _attempt(self, group: Sequence[_Waiting]) -> _Done | None:
        """One transaction; None when one of several works failed after it had written."""
        connection = self._writer
        transaction = Transaction(connection)
        outcomes: list[_Outcome] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for waiting in group:
                before = connection.total_changes
                try:
                    outcomes.append(_Outcome(waiting.work(transaction)))
                except Exception as error:  # noqa: BLE001  it is the waiter's to handle
                    outcomes.append(_Outcome(error=error))
                    if connection.total_changes != before or not connection.in_transaction:
                        return (outcomes, []) if len(group) == 1 else None
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            return [_Outcome(error=error) for _ in group], []
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return outcomes, transaction.after_commit
