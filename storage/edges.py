"""What actors of other servers did to members' resources, and the activities that were seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, func, select

from pod.model.ids import Iri, MemberId
from pod.model.peer import Edge, EdgeKind, Outgoing
from pod.model.resource import ResourcePath
from storage.delivery_queue import add_outgoing
from storage.engine import Database, Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import edge, seen_activity

_c: Final = edge.c


def _of_kind(statement: Select[Any]) -> Select[Any]:
    return statement.where(
        _c.member_id == given("member"), _c.path == given("path"), _c.kind == given("kind")
    )


_COUNT: Final = compiled(_of_kind(select(func.count())).where(_c.is_public.is_(True)))
_PAGE: Final = compiled(
    _of_kind(select(edge))
    .where(_c.is_public.is_(True))
    .order_by(_c.at.desc(), _c.actor, _c.object)
    .limit(given("n"))
    .offset(given("skipped"))
)
_OBJECTS: Final = compiled(_of_kind(select(_c.object, func.count())).group_by(_c.object))
_ACTORS: Final = compiled(_of_kind(select(_c.actor)).distinct().order_by(_c.actor))
_FIND: Final = compiled(_of_kind(select(edge)).where(_c.object == given("object")).limit(1))
_VOTED: Final = compiled(select(_c.member_id, _c.path).where(_c.kind == "vote").distinct())
_REMOVE_KIND: Final = compiled(
    delete(edge).where(
        _c.member_id == given("member"), _c.path == given("path"), _c.kind == given("kind")
    )
)
_HELD: Final = compiled(_of_kind(select(edge)).where(_c.actor == given("actor")).limit(1))
_ABOUT: Final = compiled(
    select(edge).where(_c.actor == given("actor"), _c.object == given("object"))
)
_ACCEPTS: Final = compiled(select(edge).where(_c.actor == given("actor"), _c.kind == "accept"))
_OF_ACTOR: Final = compiled(select(edge).where(_c.actor == given("actor")).limit(given("limit")))
_PUT: Final = upsert(edge)
_REMOVE: Final = compiled(
    delete(edge).where(
        _c.member_id == given("member"),
        _c.path == given("path"),
        _c.kind == given("kind"),
        _c.actor == given("actor"),
    )
)
_REMOVE_BY: Final = {
    column: compiled(delete(edge).where(_c.actor == given("actor"), _c[column] == given(column)))
    for column in ("activity", "object")
}
_SEEN: Final = compiled(select(seen_activity.c.at).where(seen_activity.c.id == given("id")))
_ADD_SEEN: Final = insert_row(seen_activity, or_ignore=True)
_DROP_SEEN: Final = compiled(delete(seen_activity).where(seen_activity.c.id == given("id")))
_FORGET_SEEN: Final = compiled(delete(seen_activity).where(seen_activity.c.at < given("before")))


class SqlEdges:
    """Likes, announces, replies, mentions and accepts; reads inline, writes durable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, member: MemberId, path: ResourcePath, kind: EdgeKind) -> int:
        """How many public edges of a kind a resource has."""
        row = self._database.read.execute(_COUNT, (member, path, kind)).fetchone()
        count: int = row[0]
        return count

    def page(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, *, limit: int, offset: int = 0
    ) -> list[Edge]:
        """The newest public edges of a kind, but for the first ``offset``."""
        rows = self._database.read.execute(_PAGE, (member, path, kind, limit, offset)).fetchall()
        return [_edge_of(row) for row in rows]

    def tally(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind
    ) -> tuple[dict[str, int], list[Iri]]:
        """How many edges have each object, and all whose they are; private ones too."""
        of_kind, read = (member, path, kind), self._database.read
        objects = dict(read.execute(_OBJECTS, of_kind).fetchall())
        return objects, [Iri(row[0]) for row in read.execute(_ACTORS, of_kind).fetchall()]

    def find(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, object_id: str
    ) -> Edge | None:
        """The edge with an object, whoever made it."""
        row = self._database.read.execute(_FIND, (member, path, kind, object_id)).fetchone()
        return _edge_of(row) if row is not None else None

    def voted(self) -> list[tuple[MemberId, ResourcePath]]:
        """The resources that have votes."""
        rows = self._database.read.execute(_VOTED).fetchall()
        return [(MemberId(member), ResourcePath(path)) for member, path in rows]

    def held(self, member: MemberId, path: ResourcePath, kind: EdgeKind, actor: Iri) -> Edge | None:
        """An edge of one actor."""
        row = self._database.read.execute(_HELD, (member, path, kind, actor)).fetchone()
        return _edge_of(row) if row is not None else None

    def about(self, actor: Iri, object_id: Iri) -> list[tuple[MemberId, Edge]]:
        """The replies and mentions that one post of an actor made."""
        rows = self._database.read.execute(_ABOUT, (actor, object_id)).fetchall()
        return [(MemberId(row[0]), _edge_of(row)) for row in rows]

    def accepts_of(self, actor: Iri) -> list[tuple[MemberId, Edge]]:
        """The members whom an actor lets follow."""
        rows = self._database.read.execute(_ACCEPTS, (actor,)).fetchall()
        return [(MemberId(row[0]), _edge_of(row)) for row in rows]

    def of_actor(self, actor: Iri, *, limit: int) -> list[tuple[MemberId, Edge]]:
        """What an actor did, with every member."""
        rows = self._database.read.execute(_OF_ACTOR, (actor, limit)).fetchall()
        return [(MemberId(row[0]), _edge_of(row)) for row in rows]

    async def put(self, member: MemberId, edge: Edge, *, telling: Sequence[Outgoing] = ()) -> None:
        """Add an edge, once for (path, kind, actor, object), and queue what is told of it."""
        told = (edge.path, edge.kind, edge.actor, edge.object, edge.activity, edge.is_public)
        await self._tell(_PUT, (member, *told, to_us(edge.at)), edge.at, telling)

    async def retract(
        self, member: MemberId, edge: Edge, now: datetime, *, telling: Sequence[Outgoing]
    ) -> None:
        """Forget an edge and queue what is told of that, in one transaction."""
        await self._tell(_REMOVE, (member, edge.path, edge.kind, edge.actor), now, telling)

    async def remove(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, actor: Iri
    ) -> None:
        """Take back what an actor did to a resource, in whichever activity."""
        await self._run(_REMOVE, (member, path, kind, actor))

    async def remove_kind(self, member: MemberId, path: ResourcePath, kind: EdgeKind) -> None:
        """Forget all edges of a kind."""
        await self._run(_REMOVE_KIND, (member, path, kind))

    async def remove_activity(self, actor: Iri, activity: Iri) -> None:
        """Take back what an activity of an actor did."""
        await self._run(_REMOVE_BY["activity"], (actor, activity))

    async def remove_object(self, actor: Iri, object_id: Iri) -> None:
        """Forget a post of an actor."""
        await self._run(_REMOVE_BY["object"], (actor, object_id))

    async def _run(self, statement: str, row: Row) -> None:
        await self._database.write(lambda tx: tx.execute(statement, row))

    async def _tell(
        self, statement: str, row: Row, now: datetime, telling: Sequence[Outgoing]
    ) -> None:
        def work(tx: Transaction) -> None:
            tx.execute(statement, row)
            for item in telling:
                add_outgoing(tx, item, to_us(now))

        await self._database.write(work)


class SqlSeen:
    """Ids of activities that were processed, and other marks that last as long."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has(self, activity: str) -> bool:
        """Whether it was processed before."""
        return self._database.read.execute(_SEEN, (activity,)).fetchone() is not None

    async def add(self, at: datetime, *ids: str) -> None:
        """Note that they were processed."""
        rows = [(ident, to_us(at)) for ident in ids]
        await self._database.write(lambda tx: tx.connection.executemany(_ADD_SEEN, rows))

    async def drop(self, activity: str) -> None:
        """Let something be processed again."""
        await self._database.write(lambda tx: tx.execute(_DROP_SEEN, (activity,)))

    async def forget(self, before: datetime) -> None:
        """Drop ids that are too old to be replayed."""
        await self._database.write(lambda tx: tx.execute(_FORGET_SEEN, (to_us(before),)))


def _edge_of(row: Row) -> Edge:
    _, path, kind, actor, object_id, activity, is_public, at = row
    return Edge(
        ResourcePath(path),
        kind,
        Iri(actor),
        object_id,
        Iri(activity),
        bool(is_public),
        from_us(at),
    )
