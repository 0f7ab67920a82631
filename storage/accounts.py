"""What is seldom asked about an account: when its email was confirmed, when it is to end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import select

from pod.model.ids import MemberId
from pod.model.member import AccountFacts
from storage.account_tables import account
from storage.engine import Database, Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, upsert

_a: Final = account.c
_GET: Final = compiled(select(account).where(_a.member_id == given("member")))
_DUE: Final = compiled(
    select(_a.member_id)
    .where(_a.delete_after <= given("now"), _a.delete_after.is_not(None))
    .order_by(_a.delete_after)
)
_PUT: Final = upsert(account)


class StoredAccounts:
    """Implements `pod.ports.AccountBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, member: MemberId) -> AccountFacts:
        """What is known of a member's account."""
        return _facts_of(self._database.read.execute(_GET, (member,)).fetchone())

    def due(self, now: datetime) -> list[MemberId]:
        """The accounts whose time to be deleted has come."""
        rows = self._database.read.execute(_DUE, (to_us(now),)).fetchall()
        return [MemberId(member) for (member,) in rows]

    async def change(
        self, member: MemberId, change: Callable[[AccountFacts], AccountFacts]
    ) -> AccountFacts:
        """Replace what is known by what ``change`` makes of it."""

        def work(transaction: Transaction) -> AccountFacts:
            new = change(_facts_of(transaction.execute(_GET, (member,)).fetchone()))
            times = (new.email_confirmed_at, new.deactivated_at, new.delete_after)
            row = (member, *(at and to_us(at) for at in times), new.may_invite)
            transaction.execute(_PUT, row)
            return new

        return await self._database.write(work)


def _facts_of(row: Row | None) -> AccountFacts:
    if row is None:
        return AccountFacts()
    _, confirmed, deactivated, ends, may_invite = row
    confirmed, deactivated, ends = (
        None if us is None else from_us(us) for us in (confirmed, deactivated, ends)
    )
    return AccountFacts(confirmed, deactivated, ends, bool(may_invite))
