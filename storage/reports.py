"""Complaints about members and about people elsewhere, for the administrator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import select, update

from pod.model.ids import Iri
from pod.model.moderation import Report
from pod.model.peer import Outgoing
from storage.delivery_queue import add_outgoing
from storage.engine import Database, Transaction
from storage.moderation_tables import report
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, insert_row

_r: Final = report.c
_NEWEST: Final = select(report).order_by(_r.at.desc()).limit(given("limit"))
_ALL: Final = compiled(_NEWEST)
_OPEN: Final = compiled(_NEWEST.where(_r.resolved_at.is_(None)))
_ADD: Final = insert_row(report, or_ignore=True)
_RESOLVE: Final = compiled(
    update(report).values(resolved_at=given("now")).where(_r.id == given("which"))
)


class SqlReports:
    """Reports by time; an activity makes one report however often it comes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, *, limit: int, only_open: bool) -> list[Report]:
        """Reports, newest first."""
        rows = self._database.read.execute(_OPEN if only_open else _ALL, (limit,)).fetchall()
        return [_report_of(row) for row in rows]

    async def add(self, report: Report, *, telling: Sequence[Outgoing] = ()) -> None:
        """Keep a report and, in the same transaction, queue what others are told of it."""

        def work(tx: Transaction) -> None:
            tx.execute(_ADD, _columns(report))
            for item in telling:
                add_outgoing(tx, item, to_us(report.at))

        await self._database.write(work)

    async def resolve(self, report: Iri, at: datetime) -> bool:
        """Note that a report was dealt with; False where there is no such report."""
        row = (to_us(at), report)
        return await self._database.write(lambda tx: tx.execute(_RESOLVE, row).rowcount == 1)


def _columns(report: Report) -> Row:
    return (
        report.id,
        report.reporter,
        to_us(report.at),
        to_us(report.resolved_at) if report.resolved_at else None,
        report.comment,
        orjson.dumps(report.subjects),
    )


def _report_of(row: Row) -> Report:
    ident, reporter, at, resolved, comment, subjects = row
    return Report(
        Iri(ident),
        Iri(reporter),
        tuple(orjson.loads(subjects)),
        comment,
        from_us(at),
        from_us(resolved) if resolved is not None else None,
    )
