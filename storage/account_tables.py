"""The tables of accounts: codes by mail, invitations, takedowns, and when an account is to end."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from storage.tables import metadata

_MEMBER: Final = "member.id"

confirmation: Final = Table(
    "confirmation",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("purpose", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Codes that were sent by mail, one for each purpose."""
Index("confirmation_by_code", confirmation.c.purpose, confirmation.c.code)

account: Final = Table(
    "account",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("email_confirmed_at", BigInteger),
    Column("deactivated_at", BigInteger),
    Column("delete_after", BigInteger),
    Column("may_invite", Boolean, nullable=False),
)
"""What is seldom asked about a member; no row where nothing of it ever happened."""
Index(
    "account_by_end",
    account.c.delete_after,
    sqlite_where=account.c.delete_after.is_not(None),
)

invite: Final = Table(
    "invite",
    metadata,
    Column("code", Text, primary_key=True),
    Column("available", Integer, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("for_account", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("uses", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("invite_by_account", invite.c.for_account, invite.c.created_at, invite.c.code)
Index("invite_by_time", invite.c.created_at, invite.c.code)
Index("invite_by_use", invite.c.uses, invite.c.code)

invite_use: Final = Table(
    "invite_use",
    metadata,
    Column("code", Text, primary_key=True),
    Column("used_by", Text, primary_key=True),
    Column("used_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("invite_use_by_account", invite_use.c.used_by)

takedown: Final = Table(
    "takedown",
    metadata,
    Column("member_id", Integer, ForeignKey(_MEMBER), primary_key=True, nullable=False),
    Column("subject", Text, primary_key=True),
    Column("ref", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What was taken down: the path of a record, the CID text of a blob, or (empty) the account."""
