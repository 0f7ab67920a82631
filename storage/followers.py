"""Followers from the fediverse, by member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, update

from pod.model.ids import Iri, MemberId
from pod.model.peer import Follower, Outgoing
from storage.delivery_queue import add_outgoing
from storage.engine import Database, Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, upsert
from storage.tables import follower

_c: Final = follower.c
_ACCEPTED: Final = select(follower).where(_c.member_id == given("member"), _c.accepted.is_(True))
_GET: Final = compiled(
    select(follower).where(_c.member_id == given("member"), _c.actor == given("actor"))
)
_COUNT: Final = compiled(
    select(func.count()).where(_c.member_id == given("member"), _c.accepted.is_(True))
)
_PAGE: Final = compiled(
    _ACCEPTED.where(_c.actor > given("after")).order_by(_c.actor).limit(given("limit"))
)
_WAITING: Final = compiled(
    select(follower)
    .where(_c.member_id == given("member"), _c.accepted.is_(False))
    .order_by(_c.actor)
    .limit(given("limit"))
)
_INBOXES: Final = compiled(
    select(func.coalesce(_c.shared_inbox, _c.inbox))
    .where(_c.member_id == given("member"), _c.accepted.is_(True))
    .distinct()
)
_ANY: Final = compiled(select(_c.member_id).where(_c.actor == given("actor")).limit(1))
_PUT: Final = upsert(follower)
_REMOVE: Final = compiled(
    delete(follower).where(_c.member_id == given("member"), _c.actor == given("actor"))
)
_REMOVE_FOLLOW: Final = compiled(
    delete(follower).where(_c.actor == given("actor"), _c.follow_id == given("follow"))
)
_MOVE_ACTOR: Final = compiled(
    update(follower)
    .where(_c.actor == given("actor"))
    .values(inbox=given("inbox"), shared_inbox=given("shared"))
)
_REMOVE_ACTOR: Final = compiled(delete(follower).where(_c.actor == given("actor")))


class SqlFollowers:
    """Who follows whom; reads inline, writes durable when they return."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, member: MemberId, actor: Iri) -> Follower | None:
        """The follower with an id, accepted or not."""
        row = self._database.read.execute(_GET, (member, actor)).fetchone()
        return _follower_of(row) if row is not None else None

    def count(self, member: MemberId) -> int:
        """How many followers are accepted."""
        count: int = self._database.read.execute(_COUNT, (member,)).fetchone()[0]
        return count

    def page(self, member: MemberId, *, after: str, limit: int) -> list[Follower]:
        """Accepted followers in the order of their ids."""
        rows = self._database.read.execute(_PAGE, (member, after, limit)).fetchall()
        return [_follower_of(row) for row in rows]

    def waiting(self, member: MemberId, *, limit: int) -> list[Follower]:
        """Those who ask to follow."""
        rows = self._database.read.execute(_WAITING, (member, limit)).fetchall()
        return [_follower_of(row) for row in rows]

    def inboxes(self, member: MemberId) -> list[Iri]:
        """Each inbox once that reaches accepted followers, the shared one where there is one."""
        return [Iri(row[0]) for row in self._database.read.execute(_INBOXES, (member,)).fetchall()]

    def has(self, actor: Iri) -> bool:
        """Whether an actor follows any member, or asks to."""
        return self._database.read.execute(_ANY, (actor,)).fetchone() is not None

    async def put(
        self, member: MemberId, follower: Follower, now: datetime, *, telling: Sequence[Outgoing]
    ) -> None:
        """Add or replace a follower and queue what is told of it, in one transaction."""
        await self._run(_PUT, (member, *_columns(follower)), now, telling)

    async def remove(
        self, member: MemberId, actor: Iri, now: datetime, *, telling: Sequence[Outgoing] = ()
    ) -> None:
        """Forget a follower of a member and queue what is told of it, in one transaction."""
        await self._run(_REMOVE, (member, actor), now, telling)

    async def remove_follow(self, actor: Iri, follow_id: Iri) -> None:
        """Take back one follow of an actor."""
        await self._database.write(lambda tx: tx.execute(_REMOVE_FOLLOW, (actor, follow_id)))

    async def move_actor(self, actor: Iri, inbox: Iri, shared_inbox: Iri | None) -> None:
        """Note that an actor has other inboxes now, with every member."""
        await self._database.write(lambda tx: tx.execute(_MOVE_ACTOR, (inbox, shared_inbox, actor)))

    async def remove_actor(self, actor: Iri) -> None:
        """Forget an actor who is gone, with every member."""
        await self._database.write(lambda tx: tx.execute(_REMOVE_ACTOR, (actor,)))

    async def _run(
        self, statement: str, row: Row, now: datetime, telling: Sequence[Outgoing]
    ) -> None:
        def work(tx: Transaction) -> None:
            tx.execute(statement, row)
            for item in telling:
                add_outgoing(tx, item, to_us(now))

        await self._database.write(work)


def _follower_of(row: Row) -> Follower:
    _, actor, inbox, shared, follow_id, accepted, since = row
    return Follower(
        Iri(actor),
        Iri(inbox),
        Iri(shared) if shared is not None else None,
        Iri(follow_id),
        bool(accepted),
        from_us(since),
    )


def _columns(follower: Follower) -> Row:
    return (
        follower.actor,
        follower.inbox,
        follower.shared_inbox,
        follower.follow_id,
        follower.accepted,
        to_us(follower.since),
    )
