"""The change log, and the firehose frames beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, func, select

from pod.model.change import Change
from pod.model.ids import MemberId, Tid
from storage.members import Rows
from storage.rows import change_of, from_us, pack_ops, to_us
from storage.statements import compiled, given, insert_row
from storage.tables import change_log, frame

_c: Final = change_log.c


def _page(statement: Select[Any]) -> str:
    after = statement.where(_c.seq > given("after"))
    return compiled(after.order_by(_c.seq).limit(given("limit")))


_WITH_FRAME: Final = select(change_log, frame.c.bytes).join_from(
    change_log, frame, frame.c.seq == _c.seq, isouter=True
)
_CHANGES: Final = _page(_WITH_FRAME)
_CHANGES_OF: Final = _page(_WITH_FRAME.where(_c.member_id == given("member")))
_FRAMES: Final = compiled(
    select(frame.c.seq, frame.c.bytes)
    .where(frame.c.seq > given("after"))
    .order_by(frame.c.seq)
    .limit(given("limit"))
)
_SEQ_AT: Final = compiled(
    select(_c.seq)
    .where(_c.member_id == given("member"), _c.rev <= given("rev"))
    .order_by(_c.seq.desc())
    .limit(1)
)
_RECENT: Final = compiled(
    select(change_log)
    .where(_c.member_id == given("member"))
    .order_by(_c.seq.desc())
    .limit(given("limit"))
)
_HEAD: Final = compiled(select(func.max(_c.seq)))
_OLDEST: Final = compiled(
    select(_c.seq, _c.at).where(_c.seq == select(func.min(frame.c.seq)).scalar_subquery()).limit(1)
)
_OLD_FRAMES: Final = compiled(
    select(frame.c.seq, _c.at)
    .join_from(frame, change_log, _c.seq == frame.c.seq)
    .order_by(frame.c.seq)
    .limit(given("limit"))
)
_DROP_FRAMES: Final = compiled(delete(frame).where(frame.c.seq <= given("last")))
_DROPPED_AT_ONCE: Final = 1_000
_APPEND: Final = insert_row(change_log)
_ADD_FRAME: Final = insert_row(frame)


class ChangeReads(Rows):
    """Reads of the log, each from a cursor."""

    def changes(self, *, after: int, limit: int, member: MemberId | None = None) -> list[Change]:
        """Rows of the change log with ``seq > after``, in order."""
        if member is None:
            rows = self._execute(_CHANGES, (after, limit))
        else:
            rows = self._execute(_CHANGES_OF, (member, after, limit))
        return [change_of(row) for row in rows]

    def seq_at(self, member: MemberId, rev: Tid) -> int | None:
        """The last row of a member's log that is not later than a revision, None if none is."""
        row = self._execute(_SEQ_AT, (member, rev)).fetchone()
        return None if row is None else row[0]

    def recent_changes(self, member: MemberId, *, limit: int) -> list[Change]:
        """The last rows of the change log of a member, newest first, without their frames."""
        rows = self._execute(_RECENT, (member, limit))
        return [change_of((*row, None)) for row in rows]

    def frames(self, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Firehose frames with ``seq > after``, in order."""
        return self._execute(_FRAMES, (after, limit)).fetchall()

    def head_seq(self) -> int:
        """The last sequence number given out, 0 if none."""
        return self._execute(_HEAD).fetchone()[0] or 0

    def oldest_frame(self) -> tuple[int, datetime] | None:
        """Sequence number and time of the oldest firehose frame still kept."""
        row = self._execute(_OLDEST).fetchone()
        return None if row is None else (row[0], from_us(row[1]))


class ChangeWrites(ChangeReads):
    """Appending to the log within a transaction."""

    appended: list[Change]

    def next_seq(self) -> int:
        """The sequence number that the next `append` must carry."""
        return self.head_seq() + 1

    def append(self, change: Change) -> None:
        """Add a row to the log; ValueError if it does not carry the next sequence number."""
        self.append_part(change)
        self.appended.append(change)

    def append_part(self, change: Change) -> None:
        """The same for a part of a long change, of which listeners do not hear."""
        if change.seq != self.next_seq():
            raise ValueError(f"seq {change.seq} is not the next one")
        self._insert(change)

    def append_beyond(self, change: Change) -> None:
        """The same with a gap in the sequence before it, for a pod that nobody serves."""
        if change.seq <= self.head_seq():
            raise ValueError(f"seq {change.seq} was given out")
        self._insert(change)

    def _insert(self, change: Change) -> None:
        row = (change.seq, change.member, to_us(change.at), change.kind, change.rev)
        self._execute(_APPEND, (*row, pack_ops(change.ops)))
        if change.frame is not None:
            self._execute(_ADD_FRAME, (change.seq, change.frame))

    def drop_frames(self, before: datetime) -> int:
        """Drop some of the frames older than a time; returns how many, 0 when there are no more.

        Their rows of the log stay, and with them the sequence numbers.
        """
        rows = self._execute(_OLD_FRAMES, (_DROPPED_AT_ONCE,)).fetchall()
        old = [seq for seq, at in rows if at < to_us(before)]
        if not old:
            return 0
        return self._execute(_DROP_FRAMES, (max(old),)).rowcount
