"""Lists that are the same for everybody: public posts by place and hashtag, people by words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, select

from pod.model.ids import Iri
from pod.model.timeline import Listed, Span
from storage.engine import Database, Transaction
from storage.rows import prefix_end
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import cursor
from storage.timeline_tables import account_word, listing, short_id
from storage.timelines import named

READER: Final = "listings"
"""The name of the cursor that moves with the lists."""

_LAST: Final = 2**63 - 1
_l, _s, _w = listing.c, short_id.c, account_word.c
_LIST: Final = insert_row(listing, or_ignore=True)
_UNLIST: Final = compiled(delete(listing).where(_l.id == given("id")))
_BETWEEN: Final = (
    select(_l.id, _s.iri)
    .join_from(listing, short_id, _l.id == _s.id)
    .where(_l.name == given("name"), _l.id > given("low"), _l.id < given("high"))
    .limit(given("n"))
)
_UP: Final = compiled(_BETWEEN.order_by(_l.name, _l.id))
_DOWN: Final = compiled(_BETWEEN.order_by(_l.name.desc(), _l.id.desc()))
_NAMES: Final = compiled(
    select(_l.name)
    .where(_l.name >= given("low"), _l.name < given("high"))
    .distinct()
    .order_by(_l.name)
    .limit(given("n"))
)
_WORD: Final = insert_row(account_word, or_ignore=True)
_UNWORD: Final = compiled(delete(account_word).where(_w.iri == given("iri")))
_WORDS: Final = compiled(select(_w.word).where(_w.iri == given("iri")))
_WITH_WORD: Final = compiled(
    select(_w.iri)
    .where(_w.word >= given("low"), _w.word < given("high"))
    .order_by(_w.word)
    .limit(given("n"))
)
_CURSOR: Final = compiled(select(cursor.c.seq).where(cursor.c.reactor == given("reactor")))
_MOVE: Final = upsert(cursor)


class SqlListings:
    """Implements `adapters.activitypub.mastodon.ports.Listings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enlist(self, *posts: Listed) -> None:
        """Put each post into its lists, and into no others."""

        def work(tx: Transaction) -> None:
            for post in posts:
                number = named(tx, post.iri, post.at)
                tx.execute(_UNLIST, (number,))
                for name in post.names:
                    tx.execute(_LIST, (name, number))

        await self._database.write(work)

    def listed(self, name: str, span: Span) -> list[tuple[int, Iri]]:
        """A page of a list, newest first: numbers and ids of posts."""
        low, high = max(span.since or 0, span.least or 0), span.most or _LAST
        sql = _DOWN if span.least is None else _UP
        rows = self._database.read.execute(sql, (name, low, high, span.limit)).fetchall()
        found = [(row[0], Iri(row[1])) for row in rows]
        return found if span.least is None else found[::-1]

    def names(self, prefix: str, *, limit: int) -> list[str]:
        """The names of lists that begin so."""
        row = (prefix, prefix_end(prefix), limit)
        return [name for (name,) in self._database.read.execute(_NAMES, row)]

    def words(self, iri: str) -> set[str]:
        """The words by which somebody is found."""
        return {word for (word,) in self._database.read.execute(_WORDS, (iri,))}

    async def describe(self, iri: str, words: Collection[str]) -> None:
        """Let somebody be found by these words, and by no others."""

        def work(tx: Transaction) -> None:
            tx.execute(_UNWORD, (iri,))
            for word in words:
                tx.execute(_WORD, (word, iri))

        await self._database.write(work)

    def found(self, word: str, *, limit: int) -> list[Iri]:
        """Whom a word, or its beginning, means."""
        row = (word, prefix_end(word), limit)
        found = self._database.read.execute(_WITH_WORD, row)
        return list(dict.fromkeys(Iri(iri) for (iri,) in found))

    def cursor(self) -> int:
        """The last change that was looked at."""
        row = self._database.read.execute(_CURSOR, (READER,)).fetchone()
        return 0 if row is None else int(row[0])

    async def move(self, seq: int) -> None:
        """Note how far the log was read."""
        await self._database.write(lambda tx: tx.execute(_MOVE, (READER, seq)))
