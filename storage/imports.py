"""Lists that members bring along, line by line, so that a restart goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import orjson
from sqlalchemy import delete, func, select, update

from pod.model.ids import MemberId
from pod.model.moderation import OTHERS, ImportRow, ImportState, ListKind
from storage.engine import Database, Transaction
from storage.moderation_tables import import_row
from storage.rows import Row
from storage.statements import compiled, given, insert_row

_i: Final = import_row.c
_OF: Final = (_i.member_id == given("member"), _i.kind == given("kind"))
_NEXT: Final = compiled(
    select(import_row)
    .where(_i.state == "waiting")
    .order_by(_i.place, _i.member_id, _i.kind)
    .limit(1)
)
_COUNTS: Final = compiled(
    select(_i.kind, _i.state, _i.target == OTHERS, func.count())
    .where(_i.member_id == given("member"))
    .group_by(_i.kind, _i.state, _i.target == OTHERS)
    .order_by(_i.kind)
)
_FAILED: Final = compiled(
    select(import_row).where(*_OF, _i.state == "failed").order_by(_i.place).limit(given("limit"))
)
_ALL: Final = compiled(select(import_row).where(*_OF).order_by(_i.place))
_CLEAR: Final = compiled(delete(import_row).where(*_OF))
_ADD: Final = insert_row(import_row)
_SETTLE: Final = compiled(
    update(import_row)
    .values(state=given("state"), told=given("told"))
    .where(_i.member_id == given("m"), _i.kind == given("k"), _i.place == given("p"))
)


class SqlImports:
    """The last list of each kind of each member."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, member: MemberId, kind: ListKind, rows: Sequence[ImportRow]) -> None:
        """Take a new list in place of the last one of its kind."""

        def work(tx: Transaction) -> None:
            tx.execute(_CLEAR, (member, kind))
            for row in rows:
                tx.execute(
                    _ADD,
                    (member, kind, row.place, row.target, row.state, row.told, _text(row)),
                )

        await self._database.write_in_thread(work)

    def next(self) -> ImportRow | None:
        """A line that waits: of several lists, in turns."""
        row = self._database.read.execute(_NEXT).fetchone()
        return _row_of(row) if row is not None else None

    async def settle(self, row: ImportRow) -> None:
        """Note what became of a line."""
        given_row = (row.state, row.told, row.member, row.kind, row.place)
        await self._database.write(lambda tx: tx.execute(_SETTLE, given_row))

    def rows(self, member: MemberId, kind: ListKind) -> list[ImportRow]:
        """All lines of a list."""
        return list(map(_row_of, self._database.read.execute(_ALL, (member, kind))))

    def states(self, member: MemberId, *, failed: int) -> list[ImportState]:
        """How far each list of a member has come, with at most ``failed`` failures of each."""
        read = self._database.read
        found: dict[ListKind, ImportState] = {}
        for kind, state, is_end, count in read.execute(_COUNTS, (member,)).fetchall():
            held = found.get(kind, ImportState(kind, 0, 0))
            total = held.total + (0 if is_end else count)
            waiting = held.waiting + (count if state == "waiting" else 0)
            found[kind] = ImportState(kind, total, waiting)
        return [
            replace(
                state,
                failed=tuple(map(_row_of, read.execute(_FAILED, (member, kind, failed)))),
            )
            for kind, state in found.items()
        ]


def _row_of(row: Row) -> ImportRow:
    member, kind, place, target, state, told, options = row
    found = tuple(orjson.loads(options))
    return ImportRow(MemberId(member), kind, place, target, found, state, told)


def _text(row: ImportRow) -> str:
    return orjson.dumps(row.options).decode()
