"""What was taken down, all of it in memory too: every read of a record asks."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from pod.model.ids import MemberId
from storage.account_tables import takedown
from storage.engine import Database
from storage.rows import to_us
from storage.statements import compiled, given, upsert

_t: Final = takedown.c
_ALL: Final = compiled(select(_t.member_id, _t.subject, _t.ref))
_PUT: Final = upsert(takedown)
_LIFT: Final = compiled(
    delete(takedown).where(_t.member_id == given("member"), _t.subject == given("subject"))
)


class StoredTakedowns:
    """Implements `pod.moderate.Takedowns`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refs: defaultdict[MemberId, dict[str, str]] = defaultdict(dict)
        for member, subject, ref in database.read.execute(_ALL).fetchall():
            self._refs[MemberId(member)][subject] = ref

    def ref(self, member: MemberId, subject: str) -> str | None:
        """The reference under which something was taken down, None if it was not."""
        held = self._refs.get(member)
        return None if held is None else held.get(subject)

    def has_any(self, member: MemberId) -> bool:
        """Whether anything of a member was taken down."""
        return bool(self._refs.get(member))

    def subjects(self, member: MemberId) -> frozenset[str]:
        """All that was taken down of a member."""
        return frozenset(self._refs.get(member, ()))

    async def put(self, member: MemberId, subject: str, ref: str, at: datetime) -> None:
        """Take something down; again, under another reference."""
        row = (member, subject, ref, to_us(at))
        await self._database.write(lambda transaction: transaction.execute(_PUT, row))
        self._refs[member][subject] = ref

    async def lift(self, member: MemberId, subject: str) -> None:
        """Bring something back; nothing happens if it was not taken down."""
        await self._database.write(lambda tx: tx.execute(_LIFT, (member, subject)))
        self._refs[member].pop(subject, None)
