"""Clients that register; when the session of an app is over."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE oauth_client (
    id TEXT NOT NULL,
    member_id INTEGER,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX oauth_client_by_member ON oauth_client (member_id, created_at);
CREATE INDEX oauth_client_by_use ON oauth_client (used_at, created_at);
ALTER TABLE oauth_session ADD COLUMN ends_at BIGINT;
UPDATE oauth_session SET ends_at = renewed_at + 7862400000000
"""


def upgrade() -> None:
    for statement in CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
