"""Account passwords, app passwords and refresh grants.

The hash of the account password is a sealed secret of the store; app passwords and grants are rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, or_, select, update

from pod.access.agent import Credential
from pod.access.grant import AppPassword, RefreshGrant
from pod.account import PASSWORD
from pod.errors import Conflict
from pod.model.ids import MemberId
from storage.engine import Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, insert_row
from storage.store import SqlStore
from storage.tables import app_password, refresh_grant

_g: Final = refresh_grant.c
_a: Final = app_password.c
_GET: Final = compiled(select(refresh_grant).where(_g.id == given("id")))
_ADD: Final = insert_row(refresh_grant)
_USE: Final = compiled(
    update(refresh_grant)
    .ordered_values((_g.next_id, given("next")), (_g.expires_at, given("expires")))
    .where(_g.id == given("id"))
)
_REVOKE: Final = compiled(
    delete(refresh_grant).where(or_(_g.id == given("id"), _g.next_id == given("id")))
)
_REVOKE_ALL: Final = compiled(delete(refresh_grant).where(_g.member_id == given("member")))
_REVOKE_APP: Final = compiled(
    delete(refresh_grant).where(_g.member_id == given("member"), _g.app_password == given("name"))
)
_EXPIRE: Final = compiled(delete(refresh_grant).where(_g.expires_at <= given("now")))

_APPS: Final = compiled(
    select(app_password).where(_a.member_id == given("member")).order_by(_a.name)
)
_ONE_APP: Final = (_a.member_id == given("member"), _a.name == given("name"))
_APP: Final = compiled(select(_a.name).where(*_ONE_APP))
_ADD_APP: Final = insert_row(app_password)
_DELETE_APP: Final = compiled(delete(app_password).where(*_ONE_APP))


class StoredGrants:
    """What lets members in: passwords, and grants to stay without one."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._database = store.database

    def password_hash(self, member: MemberId) -> str | None:
        """The encoded hash of the account password, None if there is none."""
        found = self._store.secret(member, PASSWORD)
        return None if found is None else found.decode()

    async def set_password_hash(self, member: MemberId, encoded: str) -> None:
        """Replace the hash of the account password."""
        await self._store.write(lambda tx: tx.put_secret(member, PASSWORD, encoded.encode()))

    def refresh_grant(self, grant_id: str) -> RefreshGrant | None:
        """The grant with an id, expired or not."""
        row = self._database.read.execute(_GET, (grant_id,)).fetchone()
        return None if row is None else _grant_of(row)

    async def add_refresh_grant(self, grant: RefreshGrant) -> None:
        """Keep a new grant."""
        await self._database.write(lambda transaction: transaction.execute(_ADD, _grant_row(grant)))

    async def rotate_refresh_grant(
        self, grant_id: str, successor: RefreshGrant, *, grace_until: datetime
    ) -> RefreshGrant | None:
        """Replace a grant in one step and return its successor, None if the grant is gone.

        A grant that already has a successor keeps it: that one is returned, not ``successor``, and
        None when it was revoked. The used grant expires at ``grace_until`` at the latest.
        """

        def work(transaction: Transaction) -> RefreshGrant | None:
            row = transaction.execute(_GET, (grant_id,)).fetchone()
            if row is None:
                return None
            used = _grant_of(row)
            if used.next_id is not None:
                following = transaction.execute(_GET, (used.next_id,)).fetchone()
                return None if following is None else _grant_of(following)
            expires = to_us(min(used.expires_at, grace_until))
            transaction.execute(_USE, (successor.id, expires, grant_id))
            transaction.execute(_ADD, _grant_row(successor))
            return successor

        return await self._database.write(work)

    async def revoke_refresh_grant(self, grant_id: str) -> None:
        """Revoke a grant, and the one before it that could still bring it back."""
        await self._database.write(
            lambda transaction: transaction.execute(_REVOKE, (grant_id, grant_id))
        )

    async def revoke_refresh_grants(self, member: MemberId) -> None:
        """Revoke every grant of a member."""
        await self._database.write(lambda transaction: transaction.execute(_REVOKE_ALL, (member,)))

    async def drop_expired(self, now: datetime) -> None:
        """Forget the grants that are over."""
        await self._database.write(lambda transaction: transaction.execute(_EXPIRE, (to_us(now),)))

    def app_passwords(self, member: MemberId) -> list[AppPassword]:
        """The app passwords of a member, by name."""
        rows = self._database.read.execute(_APPS, (member,))
        return [
            AppPassword(MemberId(owner), name, encoded, bool(privileged), from_us(created))
            for owner, name, encoded, privileged, created in rows
        ]

    async def add_app_password(self, made: AppPassword) -> None:
        """Keep a new app password; Conflict if the member has one of that name."""

        def work(transaction: Transaction) -> None:
            if transaction.execute(_APP, (made.member, made.name)).fetchone() is not None:
                raise Conflict(
                    "There is an app password of that name.", name="DuplicateAppPassword"
                )
            row = (made.member, made.name, made.hash, made.is_privileged, to_us(made.created_at))
            transaction.execute(_ADD_APP, row)

        await self._database.write(work)

    async def delete_app_password(self, member: MemberId, name: str) -> None:
        """Delete an app password and end the sessions that it began."""

        def work(transaction: Transaction) -> None:
            transaction.execute(_DELETE_APP, (member, name))
            transaction.execute(_REVOKE_APP, (member, name))

        await self._database.write(work)


def _grant_of(row: Row) -> RefreshGrant:
    ident, member, credential, expires_at, next_id, app = row
    return RefreshGrant(
        ident, MemberId(member), Credential(credential), from_us(expires_at), next_id, app
    )


def _grant_row(grant: RefreshGrant) -> Row:
    return (
        grant.id,
        grant.member,
        grant.credential,
        to_us(grant.expires_at),
        grant.next_id,
        grant.app_password,
    )
