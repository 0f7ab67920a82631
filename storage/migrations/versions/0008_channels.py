"""Notification channels of Solid storages."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE notification_channel (
    id TEXT NOT NULL,
    secret TEXT NOT NULL,
    member_id INTEGER NOT NULL,
    holder TEXT NOT NULL,
    type TEXT NOT NULL,
    seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (secret),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX notification_channel_by_holder ON notification_channel
    (member_id, holder, created_at);
CREATE INDEX notification_channel_by_type ON notification_channel (type, created_at)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
