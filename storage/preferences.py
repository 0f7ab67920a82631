"""Private application preferences, one document per member."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from pod.model.ids import MemberId
from storage.engine import Database
from storage.statements import compiled, given, upsert
from storage.tables import preference

_GET: Final = compiled(select(preference.c.body).where(preference.c.member_id == given("member")))
_PUT: Final = upsert(preference)


class StoredPreferences:
    """Keeps the bytes as they are given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def preferences(self, member: MemberId) -> bytes | None:
        """The preferences of a member, None if they never set any."""
        row = self._database.read.execute(_GET, (member,)).fetchone()
        return None if row is None else row[0]

    async def put_preferences(self, member: MemberId, body: bytes) -> None:
        """Replace the preferences of a member."""
        await self._database.write(lambda transaction: transaction.execute(_PUT, (member, body)))
