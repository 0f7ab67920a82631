"""Members and their repository heads in the database."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from pod.errors import Conflict, NotFound
from pod.model.change import RepoHead
from pod.model.ids import Did, Handle, MemberId, Origin
from pod.model.member import Member, Standing
from storage.rows import member_of, repo_of, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import member, repo, usage

TAKEN: Final = {
    "did": "DidNotAvailable",
    "handle": "HandleNotAvailable",
    "origin": "OriginNotAvailable",
    "email": "EmailNotAvailable",
    "address": "AddressNotAvailable",
}
"""The error name for each name of a member that nobody else may have."""

_BY: Final = {
    column: compiled(select(member).where(member.c[column] == given(column)))
    for column in ("id", *TAKEN)
}
_PAGE: Final = compiled(
    select(member).where(member.c.id > given("after")).order_by(member.c.id).limit(given("limit"))
)
_ADD: Final = insert_row(member)
_SET: Final = {
    column: compiled(
        update(member).values({column: given(column)}).where(member.c.id == given("which"))
    )
    for column in ("handle", "standing", "address")
}
_REVIVE: Final = compiled(
    update(member)
    .ordered_values(*((member.c[name], given(name)) for name in member.c.keys()[2:]))
    .where(member.c.id == given("which"))
)
_SET_EMAIL: Final = compiled(
    update(member)
    .ordered_values(
        (member.c.email, given("email")), (member.c.email_confirmed, given("confirmed"))
    )
    .where(member.c.id == given("which"))
)
_REPO: Final = compiled(select(repo).where(repo.c.member_id == given("member")))
_PUT_REPO: Final = upsert(repo)
_ADD_USAGE: Final = insert_row(usage)


class Rows:
    """Reads and writes over one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._execute_many = connection.executemany


class MemberReads(Rows):
    """Point reads of members."""

    def member(self, member: MemberId) -> Member | None:
        """The member with an id."""
        return self._member_by("id", member)

    def member_by_did(self, did: Did) -> Member | None:
        """The member with a DID."""
        return self._member_by("did", did)

    def member_by_handle(self, handle: Handle) -> Member | None:
        """The member with a handle, which must be in lower case."""
        return self._member_by("handle", handle)

    def member_by_origin(self, origin: Origin) -> Member | None:
        """The member with an origin."""
        return self._member_by("origin", origin)

    def member_by_email(self, email: str) -> Member | None:
        """The member with an email address, written exactly so."""
        return self._member_by("email", email)

    def members(self, *, after: MemberId, limit: int) -> list[Member]:
        """Members in order of id, those after ``after``."""
        return [member_of(row) for row in self._execute(_PAGE, (after, limit))]

    def repo(self, member: MemberId) -> RepoHead | None:
        """The head of a member's repository."""
        row = self._execute(_REPO, (member,)).fetchone()
        return None if row is None else repo_of(row)

    def _member_by(self, column: str, value: str | int) -> Member | None:
        row = self._execute(_BY[column], (value,)).fetchone()
        return None if row is None else member_of(row)


class MemberWrites(MemberReads):
    """Writes to members within a transaction."""

    changed_members: set[MemberId]
    """Who is new, or no longer what was read before."""

    def add_member(
        self,
        did: Did,
        handle: Handle,
        origin: Origin,
        *,
        email: str | None,
        at: datetime,
        standing: Standing = Standing.ACTIVE,
    ) -> Member:
        """A new member; Conflict with a name if handle, DID, origin or email is taken.

        Who was deleted and comes back under their DID gets their old row.
        """
        old = self.member_by_did(did)
        names = {"did": did, "handle": handle, "origin": origin, "email": email}
        for column, value in names.items():
            holder = None if value is None else self._member_by(column, value)
            if holder is not None and (holder != old or old.standing is not Standing.DELETED):
                raise Conflict(f"This {column} is taken: {value}", name=TAKEN[column])
        row = (did, handle, origin, standing, to_us(at), email, False, None)
        if old is not None:
            self._execute(_REVIVE, (*row[1:], old.id))
            self.changed_members.add(old.id)
            return member_of((old.id, *row))
        ident = self._execute(_ADD, (None, *row)).lastrowid
        self._execute(_ADD_USAGE, (ident, 0))
        made = member_of((ident, *row))
        self.changed_members.add(made.id)
        return made

    def set_email(self, member: MemberId, email: str, *, is_confirmed: bool) -> None:
        """Change a member's email address; Conflict (``EmailNotAvailable``), NotFound."""
        holder = self.member_by_email(email)
        if holder is not None and holder.id != member:
            raise Conflict(f"This email is taken: {email}", name=TAKEN["email"])
        if self._execute(_SET_EMAIL, (email, is_confirmed, member)).rowcount == 0:
            raise NotFound("There is no such member")
        self.changed_members.add(member)

    def set_handle(self, member: MemberId, handle: Handle) -> None:
        """Give a member another handle; Conflict if somebody else has it, NotFound."""
        holder = self.member_by_handle(handle)
        if holder is not None and holder.id != member:
            raise Conflict(f"This handle is taken: {handle}", name=TAKEN["handle"])
        self._set("handle", member, handle)

    def set_address(self, member: MemberId, address: str | None) -> None:
        """Give a member a fediverse address; Conflict if somebody else has it, NotFound."""
        holder = self._member_by("address", address) if address is not None else None
        if holder is not None and holder.id != member:
            raise Conflict(f"This address is taken: {address}", name=TAKEN["address"])
        self._set("address", member, address)

    def set_standing(self, member: MemberId, standing: Standing) -> None:
        """Change the life-cycle state of a member; NotFound."""
        self._set("standing", member, standing)

    def put_repo(self, head: RepoHead) -> None:
        """Replace the head of a member's repository."""
        row = (head.member, head.commit, head.rev, head.data, head.block)
        self._execute(_PUT_REPO, row)

    def _set(self, column: str, member: MemberId, value: str | None) -> None:
        if self._execute(_SET[column], (value, member)).rowcount == 0:
            raise NotFound("There is no such member")
        self.changed_members.add(member)
