"""Deliveries by priority, the states of hosts, and whom each host has met."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE new_delivery (
    id INTEGER NOT NULL,
    outgoing_id INTEGER NOT NULL,
    target TEXT NOT NULL,
    is_actor BOOLEAN NOT NULL,
    host TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    queued_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(outgoing_id) REFERENCES outgoing (id)
);
INSERT INTO new_delivery
    SELECT id, outgoing_id, target, is_actor, host, attempt, 1,
        CAST(strftime('%s', 'now') AS INTEGER) * 1000000, due_at
    FROM delivery;
DROP TABLE delivery;
ALTER TABLE new_delivery RENAME TO delivery;
CREATE INDEX delivery_by_age ON delivery (queued_at);
CREATE INDEX delivery_by_host ON delivery (host, due_at);
CREATE INDEX delivery_by_time ON delivery (priority, due_at, id);
CREATE UNIQUE INDEX delivery_once ON delivery (outgoing_id, target);
CREATE TABLE peer_host (
    host TEXT NOT NULL,
    modern BOOLEAN NOT NULL,
    failures INTEGER NOT NULL,
    failing_since BIGINT,
    rest_until BIGINT,
    PRIMARY KEY (host)
)
 WITHOUT ROWID;
CREATE TABLE introduced (
    host TEXT NOT NULL,
    member_id INTEGER NOT NULL,
    PRIMARY KEY (host, member_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
