"""Codes by mail, invitations, takedowns, and what is seldom asked about an account."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE invite (
    code TEXT NOT NULL,
    available INTEGER NOT NULL,
    disabled BOOLEAN NOT NULL,
    for_account TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    uses INTEGER NOT NULL,
    PRIMARY KEY (code)
)
 WITHOUT ROWID;
CREATE INDEX invite_by_account ON invite (for_account, created_at, code);
CREATE INDEX invite_by_time ON invite (created_at, code);
CREATE INDEX invite_by_use ON invite (uses, code);
CREATE TABLE invite_use (
    code TEXT NOT NULL,
    used_by TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (code, used_by)
)
 WITHOUT ROWID;
CREATE INDEX invite_use_by_account ON invite_use (used_by);
CREATE TABLE account (
    member_id INTEGER NOT NULL,
    email_confirmed_at BIGINT,
    deactivated_at BIGINT,
    delete_after BIGINT,
    may_invite BOOLEAN NOT NULL,
    PRIMARY KEY (member_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE INDEX account_by_end ON account (delete_after) WHERE delete_after IS NOT NULL;
CREATE TABLE confirmation (
    member_id INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    code TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    PRIMARY KEY (member_id, purpose),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX confirmation_by_code ON confirmation (purpose, code);
CREATE TABLE takedown (
    member_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    ref TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (member_id, subject),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
