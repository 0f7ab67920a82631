"""Authorisation requests, the sessions of apps, consents, devices."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE lexicon_schema (
    nsid TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (nsid)
)
 WITHOUT ROWID;
CREATE TABLE oauth_request (
    id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    device TEXT,
    code_hash TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (id)
)
 WITHOUT ROWID;
CREATE INDEX oauth_request_by_code ON oauth_request (code_hash);
CREATE INDEX oauth_request_by_device ON oauth_request (device);
CREATE TABLE used_once (
    "key" TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY ("key")
)
 WITHOUT ROWID;
CREATE TABLE oauth_consent (
    member_id INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    PRIMARY KEY (member_id, client_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE TABLE oauth_session (
    id TEXT NOT NULL,
    member_id INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    code_hash TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX oauth_session_by_code ON oauth_session (code_hash);
CREATE INDEX oauth_session_by_member ON oauth_session (member_id, created_at);
CREATE TABLE signed_in (
    device TEXT NOT NULL,
    member_id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (device, member_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX signed_in_by_member ON signed_in (member_id)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
