"""Timelines: short ids, posts that were heard, home timelines, notices and read markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, delete, select

from pod.model.ids import Iri, MemberId
from pod.model.timeline import Entry, Heard, Marker, Notice, Span
from storage.engine import Database, Transaction
from storage.rows import from_us, prefix_end, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import cursor
from storage.timeline_tables import (
    heard_post,
    listing,
    notice,
    poll_end,
    read_marker,
    short_id,
    timeline,
)

READER: Final = "timelines"
"""The name of the cursor that moves with the timelines."""

_PAST: Final = "#past/"
"""What comes between the id of a heard post and the time at which it ceased to be so."""

_BITS: Final = 16
_SPAN: Final = 1 << _BITS
_LAST: Final = 2**63 - 1
_s, _h, _t, _n, _m = short_id.c, heard_post.c, timeline.c, notice.c, read_marker.c
_p: Final = poll_end.c
_ID: Final = compiled(select(_s.id).where(_s.iri == given("iri")))
_IRI: Final = compiled(select(_s.iri).where(_s.id == given("id")))
_LAST_ID: Final = compiled(
    select(_s.id)
    .where(_s.id >= given("low"), _s.id < given("high"))
    .order_by(_s.id.desc())
    .limit(1)
)
_NAME: Final = insert_row(short_id)
_HEARD: Final = compiled(select(heard_post).where(_h.iri == given("iri")))
_OF_AUTHOR: Final = compiled(
    select(heard_post)
    .where(_h.author == given("author"))
    .order_by(_h.author.desc(), _h.at.desc())
    .limit(given("n"))
)
_HEAR: Final = upsert(heard_post)
_UNHEAR: Final = compiled(delete(heard_post).where(_h.iri == given("iri")))
_UNLIST: Final = compiled(
    delete(listing).where(
        listing.c.id
        == select(_s.id).where(_s.iri == given("iri")).correlate(None).scalar_subquery()
    )
)
_UNLIST_OLD: Final = compiled(
    delete(listing).where(
        listing.c.id.in_(
            select(_s.id)
            .join_from(heard_post, short_id, _h.iri == _s.iri)
            .where(_h.at < given("before"))
        )
    )
)
_PASTS: Final = compiled(
    select(heard_post)
    .where(_h.iri > given("low"), _h.iri < given("high"))
    .order_by(_h.iri)
    .limit(given("n"))
)
_UNHEAR_PASTS: Final = compiled(
    delete(heard_post).where(_h.iri > given("low"), _h.iri < given("high"))
)
_FORGET: Final = compiled(delete(heard_post).where(_h.at < given("before")))
_NTH: Final = compiled(select(_h.at).order_by(_h.at.desc()).limit(1).offset(given("most")))
_ENTER: Final = insert_row(timeline, or_ignore=True)
_LEAVE: Final = compiled(delete(timeline).where(_t.iri == given("iri")))
_PART: Final = compiled(
    delete(timeline).where(_t.member_id == given("member"), _t.author == given("author"))
)
_HOLDERS: Final = compiled(select(_t.member_id).where(_t.iri == given("iri")))
_NOTE: Final = insert_row(notice, or_ignore=True)
_UNNOTE: Final = compiled(delete(notice).where(_n.about == given("about")))
_DROP: Final = compiled(
    delete(notice).where(
        _n.member_id == given("member"),
        _n.kind == given("kind"),
        _n.actor == given("actor"),
        _n.about == given("about"),
    )
)
_DISMISS: Final = compiled(
    delete(notice).where(_n.member_id == given("member"), _n.id == given("id"))
)
_CLEAR: Final = compiled(delete(notice).where(_n.member_id == given("member")))
_NOTICE: Final = compiled(
    select(notice).where(_n.member_id == given("member"), _n.id == given("id"))
)
_MARKER: Final = compiled(
    select(read_marker).where(_m.member_id == given("member"), _m.timeline == given("timeline"))
)
_MARK: Final = upsert(read_marker)
_AWAIT: Final = upsert(poll_end)
_OVER: Final = compiled(
    select(_p.member_id, _p.iri).where(_p.at <= given("now")).order_by(_p.at).limit(given("n"))
)
_SETTLE: Final = compiled(
    delete(poll_end).where(_p.member_id == given("member"), _p.iri == given("iri"))
)
_CURSOR: Final = compiled(select(cursor.c.seq).where(cursor.c.reactor == given("reactor")))
_MOVE: Final = upsert(cursor)


def _page(table: Table, *, upwards: bool) -> str:
    """Rows between two ids, the nearest to where the page begins."""
    c = table.c
    found = select(table).where(
        c.member_id == given("member"), c.id > given("low"), c.id < given("high")
    )
    order = (c.member_id, c.id) if upwards else (c.member_id.desc(), c.id.desc())
    return compiled(found.order_by(*order).limit(given("n")))


_PAGES: Final[Mapping[tuple[str, bool], str]] = {
    (table.name, upwards): _page(table, upwards=upwards)
    for table in (timeline, notice)
    for upwards in (True, False)
}


class SqlTimelines:
    """Implements `adapters.activitypub.mastodon.ports.Timelines`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def id_of(self, iri: str) -> int | None:
        """The number of something that was named before."""
        row = self._database.read.execute(_ID, (iri,)).fetchone()
        return None if row is None else row[0]

    def iri_of(self, number: int) -> Iri | None:
        """What has a number."""
        row = self._database.read.execute(_IRI, (number,)).fetchone()
        return None if row is None else Iri(row[0])

    async def name(self, iri: str, at: datetime) -> int:
        """The number of something; a new one sorts by ``at``."""
        held = self.id_of(iri)
        if held is not None:
            return held
        return await self._database.write(lambda tx: named(tx, iri, at))

    def heard(self, iri: str) -> Heard | None:
        """A post or boost of another server."""
        row = self._database.read.execute(_HEARD, (iri,)).fetchone()
        return None if row is None else _heard_of(row)

    def heard_of(self, author: str, *, limit: int) -> list[Heard]:
        """What was heard of an author, the newest first."""
        rows = self._database.read.execute(_OF_AUTHOR, (author, limit)).fetchall()
        return [_heard_of(row) for row in rows]

    async def hear(self, post: Heard) -> None:
        """Keep a post for a while, or its new state."""
        row = (post.iri, post.author, to_us(post.at), post.body)
        await self._database.write(lambda tx: tx.execute(_HEAR, row))

    async def keep_past(self, post: Heard) -> None:
        """Keep what a post of another server was before it changed at ``post.at``."""
        iri = f"{post.iri}{_PAST}{to_us(post.at):020d}"
        row = (iri, post.author, to_us(post.at), post.body)
        await self._database.write(lambda tx: tx.execute(_HEAR, row))

    def pasts(self, iri: str, *, limit: int) -> list[Heard]:
        """What a post of another server was before, the oldest state first."""
        low = f"{iri}{_PAST}"
        rows = self._database.read.execute(_PASTS, (low, prefix_end(low), limit))
        return [_heard_of(row) for row in rows]

    async def forget(self, before: datetime, *, most: int) -> None:
        """Drop posts that were heard before a time, and the oldest where there are too many."""

        def work(tx: Transaction) -> None:
            last = tx.execute(_NTH, (most,)).fetchone()
            end = max(to_us(before), 0 if last is None else last[0] + 1)
            for statement in (_UNLIST_OLD, _FORGET):
                tx.execute(statement, (end,))

        await self._database.write(work)

    def page(self, member: MemberId, span: Span) -> list[Entry]:
        """A page of a home timeline, newest first."""
        return [
            Entry(row[1], Iri(row[2]), Iri(row[3])) for row in self._rows(timeline, member, span)
        ]

    def notices(self, member: MemberId, span: Span) -> list[Notice]:
        """A page of notices, newest first."""
        return [_notice_of(row) for row in self._rows(notice, member, span)]

    def notice(self, member: MemberId, number: int) -> Notice | None:
        """One notice."""
        row = self._database.read.execute(_NOTICE, (member, number)).fetchone()
        return None if row is None else _notice_of(row)

    def holders(self, iri: str) -> list[MemberId]:
        """In whose home timelines a post stands."""
        return [MemberId(row[0]) for row in self._database.read.execute(_HOLDERS, (iri,))]

    async def enter(self, members: Sequence[MemberId], iri: str, author: str, at: datetime) -> int:
        """Put a post into home timelines, once; its number."""

        def work(tx: Transaction) -> int:
            number = named(tx, iri, at)
            for member in members:
                tx.execute(_ENTER, (member, number, iri, author))
            return number

        return await self._database.write(work)

    async def remove(self, iri: str) -> None:
        """Take a post out of everything."""

        def work(tx: Transaction) -> None:
            for statement in (_LEAVE, _UNNOTE, _UNHEAR, _UNLIST):
                tx.execute(statement, (iri,))
            low = f"{iri}{_PAST}"
            tx.execute(_UNHEAR_PASTS, (low, prefix_end(low)))

        await self._database.write(work)

    async def part(self, member: MemberId, author: str) -> None:
        """Take what an author posted out of a home timeline."""
        await self._database.write(lambda tx: tx.execute(_PART, (member, author)))

    async def note(
        self,
        member: MemberId,
        kind: str,
        actor: str,
        about: str,
        at: datetime,
        *,
        again: bool = False,
    ) -> Notice | None:
        """Tell a member of something, once; None where they were told before.

        What is told ``again`` takes the place of the last time.
        """

        def work(tx: Transaction) -> Notice | None:
            name = f"notice:{member} {kind} {actor} {about}"
            if again:
                tx.execute(_DROP, (member, kind, actor, about))
                name += f" {to_us(at)}"
            number = named(tx, name, at)
            row = (member, number, kind, actor, about, to_us(at))
            return _notice_of(row) if tx.execute(_NOTE, row).rowcount == 1 else None

        return await self._database.write(work)

    async def dismiss(self, member: MemberId, number: int | None) -> None:
        """Forget a notice, or all."""
        if number is None:
            await self._database.write(lambda tx: tx.execute(_CLEAR, (member,)))
        else:
            await self._database.write(lambda tx: tx.execute(_DISMISS, (member, number)))

    async def await_end(self, member: MemberId, iri: str, at: datetime) -> None:
        """Remember that a member is to be told when a poll ends."""
        row = (member, iri, to_us(at))
        await self._database.write(lambda tx: tx.execute(_AWAIT, row))

    def over(self, now: datetime, *, limit: int) -> list[tuple[MemberId, Iri]]:
        """Polls that have ended, with who is to be told."""
        rows = self._database.read.execute(_OVER, (to_us(now), limit))
        return [(MemberId(member), Iri(iri)) for member, iri in rows]

    async def settle(self, member: MemberId, iri: str) -> None:
        """Forget that somebody waits for the end of a poll."""
        await self._database.write(lambda tx: tx.execute(_SETTLE, (member, iri)))

    def marker(self, member: MemberId, name: str) -> Marker | None:
        """How far a member has read."""
        row = self._database.read.execute(_MARKER, (member, name)).fetchone()
        return None if row is None else Marker(row[2], row[3], from_us(row[4]))

    async def mark(self, member: MemberId, name: str, last: str, at: datetime) -> Marker:
        """Note how far a member has read."""

        def work(tx: Transaction) -> Marker:
            row = tx.execute(_MARKER, (member, name)).fetchone()
            version = 1 if row is None else row[3] + 1
            tx.execute(_MARK, (member, name, last, version, to_us(at)))
            return Marker(last, version, at)

        return await self._database.write(work)

    def cursor(self) -> int:
        """The last change that was turned into entries."""
        row = self._database.read.execute(_CURSOR, (READER,)).fetchone()
        return 0 if row is None else int(row[0])

    async def move(self, seq: int) -> None:
        """Note how far the log was read."""
        await self._database.write(lambda tx: tx.execute(_MOVE, (READER, seq)))

    def _rows(self, table: Table, member: MemberId, span: Span) -> list[Any]:
        low, high = max(span.since or 0, span.least or 0), span.most or _LAST
        upwards = span.least is not None
        sql = _PAGES[table.name, upwards]
        rows = self._database.read.execute(sql, (member, low, high, span.limit)).fetchall()
        return rows[::-1] if upwards else rows


def named(tx: Transaction, iri: str, at: datetime) -> int:
    """The number of something; a new one sorts by ``at``."""
    row = tx.execute(_ID, (iri,)).fetchone()
    if row is not None:
        return int(row[0])
    number = (to_us(at) // 1000) << _BITS
    while (last := tx.execute(_LAST_ID, (number, number + _SPAN)).fetchone()) is not None:
        number = last[0] + 1
        if number % _SPAN:
            break
    tx.execute(_NAME, (number, iri))
    return number


def _heard_of(row: Any) -> Heard:
    return Heard(Iri(row[0]), Iri(row[1]), from_us(row[2]), row[3])


def _notice_of(row: Any) -> Notice:
    return Notice(row[1], row[2], Iri(row[3]), row[4], from_us(row[5]))
