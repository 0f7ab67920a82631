"""The store on SQLite: the whole of `pod.ports.Store` over one database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from pod.model.change import Change
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.ports import Tx
from storage.blob_rows import BlobReads, BlobWrites
from storage.changes import ChangeReads, ChangeWrites
from storage.engine import Database, Transaction
from storage.erase import EraseWrites
from storage.key_vault import Seal, SecretReads, SecretWrites
from storage.members import MemberReads
from storage.resources import ResourceReads

T = TypeVar("T")
Listener = Callable[[Sequence[Change]], None]

_PAGE: Final = 1_000


class SqlReader(MemberReads, SecretReads, ResourceReads, ChangeReads, BlobReads):
    """Every read of `pod.ports.Reader` over one connection."""

    def __init__(self, connection: sqlite3.Connection, seal: Seal) -> None:
        super().__init__(connection)
        self._seal = seal


class SqlTx(EraseWrites, SecretWrites, ChangeWrites, BlobWrites, SqlReader):
    """Every read and write of `pod.ports.Tx` in the transaction that a work was given."""

    def __init__(self, transaction: Transaction, seal: Seal) -> None:
        super().__init__(transaction.connection, seal)
        self.transaction = transaction
        self.appended = []
        self.changed_members = set()


class SqlStore(SqlReader):
    """`pod.ports.Store`: reads inline on the event loop, writes in groups.

    All members are kept in memory, under each of their names: they are asked for several times in
    each request, and a name of nobody costs nothing either.
    """

    def __init__(self, database: Database, seal: Seal) -> None:
        super().__init__(database.read, seal)
        self.database = database
        self._listeners: list[Listener] = []
        self._transaction: Transaction | None = None
        self._appended: list[Change] = []
        self._members: dict[tuple[str, str | int], Member] = {}
        self._is_behind = False
        after = MemberId(0)
        while page := self.members(after=after, limit=_PAGE):
            self._keep(page)
            after = page[-1].id

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` in a write transaction and return when it is durable."""
        return await self.database.write(lambda transaction: self._run(transaction, work))

    async def write_long(self, work: Callable[[Tx], T]) -> T:
        """Like `write` for a long work: it runs in a thread, other writes wait, reads do not."""
        return await self.database.write_in_thread(lambda transaction: self._run(transaction, work))

    async def drop_frames(self, before: datetime) -> int:
        """Drop the firehose frames older than a time, in short transactions; returns how many."""
        total = 0
        while dropped := await self.database.write(
            lambda transaction: SqlTx(transaction, self._seal).drop_frames(before)
        ):
            total += dropped
        return total

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each commit with the changes it made durable, in order."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @contextmanager
    def snapshot(self) -> Iterator[SqlReader]:
        """Reads of one unchanging state, for one thread at a time: long exports."""
        with self.database.thread_reader() as connection:
            yield SqlReader(connection, self._seal)

    def _member_by(self, column: str, value: str | int) -> Member | None:
        if self._is_behind:
            return super()._member_by(column, value)
        return self._members.get((column, value))

    def _keep(self, members: Iterable[Member]) -> None:
        for member in members:
            self._members |= dict.fromkeys(_names(member), member)

    def _look_again(self, changed: Collection[MemberId]) -> None:
        """Keep members as they are now, under no name that they gave up."""
        for ident in changed:
            former = self._members.get(("id", ident))
            for name in _names(former) if former is not None else ():
                if self._members.get(name) is former:
                    del self._members[name]
        for ident in changed:
            member = super()._member_by("id", ident)
            self._keep([member] if member is not None else [])
        self._is_behind = False

    def _run(self, transaction: Transaction, work: Callable[[Tx], T]) -> T:
        tx = SqlTx(transaction, self._seal)
        result = work(tx)
        if tx.changed_members:
            self._is_behind = True  # a long work is durable before the loop hears of it
            transaction.after_commit.append(partial(self._look_again, tx.changed_members))
        if tx.appended:
            if self._transaction is not transaction:
                self._transaction, self._appended = transaction, []
                transaction.after_commit.append(partial(self._publish, self._appended))
            self._appended.extend(tx.appended)
        return result

    def _publish(self, changes: Sequence[Change]) -> None:
        for listener in tuple(self._listeners):
            listener(changes)


def _names(member: Member) -> list[tuple[str, str | int]]:
    """Every column that finds a member, with its value."""
    names: list[tuple[str, str | int]] = [
        ("id", member.id),
        ("did", member.did),
        ("handle", member.handle),
        ("origin", member.origin),
    ]
    return names if member.email is None else [*names, ("email", member.email)]
