"""How far each reactor has read the change log."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from storage.engine import Database, Transaction
from storage.statements import compiled, given, upsert
from storage.tables import cursor

_GET: Final = compiled(select(cursor.c.seq).where(cursor.c.reactor == given("reactor")))
_PUT: Final = upsert(cursor)


class Cursors:
    """Durable cursors by the reactor's name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self, reactor: str) -> int:
        """The last sequence number that a reactor has dealt with, 0 for a new one."""
        row = self._database.read.execute(_GET, (reactor,)).fetchone()
        return 0 if row is None else int(row[0])

    async def advance(self, reactor: str, seq: int) -> None:
        """Say that a reactor has dealt with all up to ``seq``."""
        await self._database.write(lambda transaction: advance(transaction, reactor, seq))


def advance(transaction: Transaction, reactor: str, seq: int) -> None:
    """The same in the transaction that makes durable what the reactor did."""
    transaction.execute(_PUT, (reactor, seq))
