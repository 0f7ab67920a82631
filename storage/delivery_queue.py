"""The durable queue of deliveries to other servers, and the log as an outbox reads it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, func, select, update

from pod.model.change import Change
from pod.model.ids import Iri, MemberId, Tid
from pod.model.peer import Delivery, Outgoing, Priority
from storage.engine import Database, Transaction
from storage.rows import Row, change_of, from_us, prefix_end, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import change_log, cursor, delivery, outgoing, resource

REACTOR: Final = "activitypub"
"""The name of the cursor that moves with the queue."""

_d: Final = delivery.c
_DUE: Final = (
    select(
        _d.id,
        outgoing.c.member_id,
        outgoing.c.activity,
        outgoing.c.body,
        _d.target,
        _d.is_actor,
        _d.host,
        _d.attempt,
    )
    .join_from(delivery, outgoing, outgoing.c.id == _d.outgoing_id)
    .where(_d.priority == given("priority"), _d.due_at <= given("now"))
    .order_by(_d.due_at, _d.id)
)
_NEXT: Final = compiled(
    select(func.min(_d.due_at)).where(_d.priority == given("priority"), _d.due_at > given("now"))
)
_SIZE: Final = compiled(select(func.count()).select_from(delivery))
_CURSOR: Final = compiled(select(cursor.c.seq).where(cursor.c.reactor == given("reactor")))
_MOVE: Final = upsert(cursor)
_ADD_OUTGOING: Final = insert_row(outgoing, or_ignore=True)
_FIND_OUTGOING: Final = compiled(
    select(outgoing.c.id).where(outgoing.c.activity == given("activity"))
)
_ADD: Final = insert_row(delivery, or_ignore=True)
_THIS: Final = (
    _d.id == given("which"),
    _d.outgoing_id
    == select(outgoing.c.id).where(outgoing.c.activity == given("activity")).scalar_subquery(),
)
"""One delivery: ids are used again, also while one that is gone is still under way."""

_REMOVE: Final = compiled(delete(delivery).where(*_THIS))
_REMOVE_BODY: Final = compiled(
    delete(outgoing).where(
        outgoing.c.activity == given("activity"),
        ~select(_d.id).where(_d.outgoing_id == outgoing.c.id).exists(),
    )
)
_AGAIN: Final = compiled(
    update(delivery)
    .values(attempt=_d.attempt + 1, priority=Priority.REST.value, due_at=bindparam("due"))
    .where(*_THIS)
)
_POSTPONE: Final = compiled(update(delivery).values(due_at=bindparam("due")).where(*_THIS))
_REST: Final = compiled(
    update(delivery)
    .values(due_at=bindparam("due"))
    .where(_d.host == given("which"), _d.due_at < given("until"))
)
_WAKE: Final = compiled(
    update(delivery)
    .values(due_at=bindparam("due"))
    .where(_d.host == given("which"), _d.due_at > given("now"))
)
_EXPIRE: Final = compiled(delete(delivery).where(_d.queued_at < given("before")))
_REMOVE_BODIES: Final = compiled(
    delete(outgoing).where(~select(_d.id).where(_d.outgoing_id == outgoing.c.id).exists())
)
_PAGE: Final = compiled(
    select(change_log)
    .where(change_log.c.member_id == given("member"), change_log.c.seq < given("before"))
    .order_by(change_log.c.seq.desc())
    .limit(given("limit"))
)
_AT: Final = compiled(
    select(change_log).where(
        change_log.c.member_id == given("member"), change_log.c.rev == given("rev")
    )
)
_COUNT: Final = compiled(
    select(func.count()).where(
        resource.c.member_id == given("member"),
        resource.c.path >= given("first"),
        resource.c.path < given("end"),
    )
)
_MAX_SEQ: Final = 2**63 - 1


@lru_cache(maxsize=256)
def _due(hosts: int) -> str:
    """The statement that leaves out so many hosts."""
    marks = [given(f"host{place}") for place in range(hosts)]
    return compiled((_DUE.where(_d.host.not_in(marks)) if hosts else _DUE).limit(given("limit")))


class SqlDeliveryQueue:
    """Deliveries by the time they come due; every write is durable when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self, reactor: str = REACTOR) -> int:
        """The last change that was turned into deliveries, by whichever reactor."""
        row = self._database.read.execute(_CURSOR, (reactor,)).fetchone()
        return row[0] if row is not None else 0

    async def enqueue(
        self,
        outgoing: Sequence[Outgoing],
        now: datetime,
        *,
        cursor: int | None = None,
        reactor: str = REACTOR,
    ) -> None:
        """Add deliveries and move the cursor in one transaction; the same one is added once."""

        def work(tx: Transaction) -> None:
            for item in outgoing:
                add_outgoing(tx, item, to_us(now))
            if cursor is not None:
                tx.execute(_MOVE, (reactor, cursor))

        await self._database.write(work)

    def due(self, now: datetime, *, limit: int, without: Collection[str]) -> list[Delivery]:
        """Deliveries whose time has come, by priority, then oldest first.

        None to the hosts in ``without``.
        """
        hosts = sorted(without)
        found: list[Row] = []
        for priority in Priority:
            row = (priority.value, to_us(now), *hosts, limit - len(found))
            found += self._database.read.execute(_due(len(hosts)), row).fetchall()
        return [_delivery_of(row) for row in found]

    def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery comes due after ``now``."""
        rows = [
            self._database.read.execute(_NEXT, (priority.value, to_us(now))).fetchone()
            for priority in Priority
        ]
        return min((from_us(row[0]) for row in rows if row[0] is not None), default=None)

    async def done(self, delivery: Delivery, *, within_s: float = 0.0) -> None:
        """Forget a delivery, at the latest in ``within_s``: it arrived, or was given up."""

        def work(tx: Transaction) -> None:
            tx.execute(_REMOVE, (delivery.id, delivery.activity))
            tx.execute(_REMOVE_BODY, (delivery.activity,))

        await self._database.write(work, within_s=within_s)

    async def again(self, delivery: Delivery, at: datetime) -> None:
        """Try again later, behind what is new; one more attempt counts."""
        row = (to_us(at), delivery.id, delivery.activity)
        await self._database.write(lambda tx: tx.execute(_AGAIN, row))

    async def postpone(self, delivery: Delivery, at: datetime) -> None:
        """Let a delivery wait that was not tried."""
        row = (to_us(at), delivery.id, delivery.activity)
        await self._database.write(lambda tx: tx.execute(_POSTPONE, row))

    async def rest(self, host: str, until: datetime) -> None:
        """Nothing to a host comes due before a time."""
        row = (to_us(until), host, to_us(until))
        await self._database.write(lambda tx: tx.execute(_REST, row))

    async def wake(self, host: str, now: datetime) -> None:
        """All that waits for a host is due at once."""
        row = (to_us(now), host, to_us(now))
        await self._database.write(lambda tx: tx.execute(_WAKE, row))

    async def expire(self, before: datetime) -> None:
        """Give up all that was queued before a time."""

        def work(tx: Transaction) -> None:
            if tx.execute(_EXPIRE, (to_us(before),)).rowcount:
                tx.execute(_REMOVE_BODIES)

        await self._database.write(work)

    def size(self) -> int:
        """How many deliveries wait."""
        size: int = self._database.read.execute(_SIZE).fetchone()[0]
        return size


class SqlActivityLog:
    """A member's changes, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, member: MemberId, *, before: int | None, limit: int) -> list[Change]:
        """Changes with ``seq < before``, newest first, without frames."""
        given_row = (member, _MAX_SEQ if before is None else before, limit)
        rows = self._database.read.execute(_PAGE, given_row).fetchall()
        return [change_of((*row, None)) for row in rows]

    def count(self, member: MemberId, prefix: str) -> int:
        """How many resources stand under a path."""
        row = (member, prefix, prefix_end(prefix))
        count: int = self._database.read.execute(_COUNT, row).fetchone()[0]
        return count

    def at(self, member: MemberId, rev: Tid) -> Change | None:
        """The change with a revision."""
        row = self._database.read.execute(_AT, (member, rev)).fetchone()
        return change_of((*row, None)) if row is not None else None


def add_outgoing(tx: Transaction, item: Outgoing, now_us: int) -> None:
    """Queue an activity in an open transaction; the same one is added once."""
    tx.execute(_ADD_OUTGOING, (None, item.member, item.activity, item.body))
    ident = tx.execute(_FIND_OUTGOING, (item.activity,)).fetchone()[0]
    targets = [(target, False) for target in item.inboxes]
    targets += [(target, True) for target in item.actors]
    rank = item.priority.value
    rows = (
        (None, ident, target, is_actor, urlsplit(target).netloc.lower(), 0, rank, now_us, now_us)
        for target, is_actor in targets
    )
    tx.connection.executemany(_ADD, rows)


def _delivery_of(row: Row) -> Delivery:
    ident, member, activity, body, target, is_actor, host, attempt = row
    return Delivery(
        ident, MemberId(member), activity, body, Iri(target), bool(is_actor), host, attempt
    )
