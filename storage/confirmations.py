"""Codes that were sent by mail, one for each member and purpose."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from pod.confirm import Purpose, Sent
from pod.model.ids import MemberId
from storage.account_tables import confirmation
from storage.engine import Database
from storage.rows import from_us, to_us
from storage.statements import compiled, given, upsert

_c: Final = confirmation.c
_OF: Final = _c.member_id == given("member")
_FIELDS: Final = select(_c.member_id, _c.code, _c.sent_at)
_GET: Final = compiled(_FIELDS.where(_OF, _c.purpose == given("purpose")))
_FIND: Final = compiled(_FIELDS.where(_c.purpose == given("purpose"), _c.code == given("code")))
_PUT: Final = upsert(confirmation)
_DROP: Final = compiled(delete(confirmation).where(_OF, _c.purpose == given("purpose")))
_DROP_ALL: Final = compiled(delete(confirmation).where(_OF))


class StoredConfirmations:
    """Implements `pod.confirm.Codes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sent(self, member: MemberId, purpose: Purpose) -> Sent | None:
        """The code that a member was sent last."""
        return self._one(_GET, (member, purpose))

    def find(self, purpose: Purpose, code: str) -> Sent | None:
        """Whoever was sent this code."""
        return self._one(_FIND, (purpose, code))

    async def put(self, member: MemberId, purpose: Purpose, code: str, at: datetime) -> None:
        """Keep a code in place of the one before."""
        row = (member, purpose, code, to_us(at))
        await self._database.write(lambda transaction: transaction.execute(_PUT, row))

    async def drop(self, member: MemberId, purpose: Purpose | None = None) -> None:
        """Forget the code for a purpose, or (None) all codes of a member."""
        if purpose is None:
            await self._database.write(lambda tx: tx.execute(_DROP_ALL, (member,)))
        else:
            await self._database.write(lambda tx: tx.execute(_DROP, (member, purpose)))

    def _one(self, sql: str, values: tuple[object, ...]) -> Sent | None:
        row = self._database.read.execute(sql, values).fetchone()
        return None if row is None else Sent(MemberId(row[0]), row[1], from_us(row[2]))
