"""Actors of other servers as they were last fetched; may be emptied at any time."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from pod.model.ids import Iri
from storage.engine import Database
from storage.rows import from_us, to_us
from storage.statements import compiled, given, upsert
from storage.tables import remote_actor

_GET: Final = compiled(
    select(remote_actor.c.body, remote_actor.c.fetched_at).where(remote_actor.c.iri == given("iri"))
)
_PAGE: Final = compiled(
    select(remote_actor.c.iri, remote_actor.c.body)
    .where(remote_actor.c.iri > given("after"), remote_actor.c.iri.startswith("http"))
    .order_by(remote_actor.c.iri)
    .limit(given("limit"))
)
_PUT: Final = upsert(remote_actor)
_FORGET: Final = compiled(delete(remote_actor).where(remote_actor.c.fetched_at < given("before")))


class SqlRemoteCache:
    """A cache of documents by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, iri: Iri) -> tuple[bytes, datetime] | None:
        """The document and when it was fetched."""
        row = self._database.read.execute(_GET, (iri,)).fetchone()
        return (row[0], from_us(row[1])) if row is not None else None

    async def put(self, iri: Iri, body: bytes, at: datetime) -> None:
        """Keep a document."""
        row = (iri, to_us(at), body)
        await self._database.write(lambda tx: tx.execute(_PUT, row))

    async def forget(self, before: datetime) -> None:
        """Drop documents that were fetched before a time."""
        await self._database.write(lambda tx: tx.execute(_FORGET, (to_us(before),)))

    def page(self, *, after: str, limit: int) -> list[tuple[Iri, bytes]]:
        """Fetched documents in the order of their ids, those after ``after``; nothing computed."""
        rows = self._database.read.execute(_PAGE, (after, limit)).fetchall()
        return [(Iri(iri), body) for iri, body in rows]
