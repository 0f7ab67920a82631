"""Invitations and who used them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, select, tuple_, update

from pod.errors import Invalid
from pod.model.ids import Did
from pod.model.invite import Invite, InviteUse
from pod.ports import Tx
from storage.account_tables import invite, invite_use
from storage.engine import Database
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, insert_row
from storage.store import SqlTx

_i: Final = invite.c
_u: Final = invite_use.c


def _page(column: ColumnElement[Any]) -> tuple[str, str]:
    """A first page and a following one, from the highest down."""
    order = select(invite).order_by(column.desc(), _i.code.desc()).limit(given("limit"))
    below = tuple_(column, _i.code) < tuple_(given("value"), given("code"))
    return compiled(order), compiled(order.where(below))


_GET: Final = compiled(select(invite).where(_i.code == given("code")))
_FOR: Final = compiled(
    select(invite).where(_i.for_account == given("account")).order_by(_i.created_at, _i.code)
)
_USED_BY: Final = compiled(
    select(invite)
    .join_from(invite_use, invite, _i.code == _u.code)
    .where(_u.used_by == given("did"))
)
_USES: Final = compiled(select(_u.used_by, _u.used_at).where(_u.code == given("code")))
_RECENT: Final = _page(_i.created_at)
_USAGE: Final = _page(_i.uses)
_ADD: Final = insert_row(invite)
_ADD_USE: Final = insert_row(invite_use)
_COUNT: Final = compiled(update(invite).values(uses=_i.uses + 1).where(_i.code == given("which")))
_DISABLE: Final = compiled(update(invite).values(disabled=True).where(_i.code == given("which")))
_DISABLE_FOR: Final = compiled(
    update(invite).values(disabled=True).where(_i.for_account == given("account"))
)


class StoredInvites:
    """Keeps invitations; sign-ups use them up within their own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invite(self, code: str) -> Invite | None:
        """The invitation with a code."""
        return next(iter(self._all(_GET, (code,))), None)

    def invites_for(self, account: str) -> list[Invite]:
        """What an account may give away, oldest first."""
        return self._all(_FOR, (account,))

    def invited_by(self, did: Did) -> Invite | None:
        """The invitation that an account signed up with."""
        return next(iter(self._all(_USED_BY, (did,))), None)

    def page(
        self, *, by_use: bool, after: tuple[int, str] | None, limit: int
    ) -> tuple[list[Invite], tuple[int, str] | None]:
        """A page of all, newest or most used first, and what the next page comes after."""
        first, following = _USAGE if by_use else _RECENT
        if after is None:
            rows = self._database.read.execute(first, (limit,)).fetchall()
        else:
            rows = self._database.read.execute(following, (*after, limit)).fetchall()
        end = (rows[-1][6] if by_use else rows[-1][5], rows[-1][0]) if rows else None
        return [self._invite_of(row) for row in rows], end

    async def add(self, invites: Sequence[Invite]) -> None:
        """Keep new ones."""
        rows = [
            (i.code, i.available, i.is_disabled, i.for_account, i.created_by, to_us(i.created_at))
            for i in invites
        ]
        await self._database.write(
            lambda transaction: [transaction.execute(_ADD, (*row, 0)) for row in rows]
        )

    async def disable(self, codes: Iterable[str], accounts: Iterable[str]) -> None:
        """Let nobody sign up any more with these codes, nor with any of these accounts."""
        changes = [(_DISABLE, code) for code in codes]
        changes += [(_DISABLE_FOR, account) for account in accounts]
        await self._database.write(
            lambda transaction: [transaction.execute(sql, (value,)) for sql, value in changes]
        )

    def take(self, tx: Tx, code: str, did: Did, at: datetime) -> None:
        """Use an invitation in the transaction of a sign-up.

        Invalid (``InvalidInviteCode``) if there is none that is open.
        """
        execute = cast("SqlTx", tx).transaction.execute
        row = execute(_GET, (code,)).fetchone()
        if row is None or row[2] or row[1] <= row[6]:
            raise Invalid("Provided invite code not available", name="InvalidInviteCode")
        execute(_ADD_USE, (code, did, to_us(at)))
        execute(_COUNT, (code,))

    def _all(self, sql: str, values: Row) -> list[Invite]:
        rows = self._database.read.execute(sql, values).fetchall()
        return [self._invite_of(row) for row in rows]

    def _invite_of(self, row: Row) -> Invite:
        code, available, disabled, account, by, created, uses = row
        used = self._database.read.execute(_USES, (code,)).fetchall() if uses else []
        newest = sorted(used, key=lambda use: use[1], reverse=True)
        return Invite(
            code,
            available,
            account,
            by,
            from_us(created),
            bool(disabled),
            tuple(InviteUse(Did(did), from_us(at)) for did, at in newest),
        )
