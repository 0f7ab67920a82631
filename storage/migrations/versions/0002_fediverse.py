"""Followers, reactions and deliveries of the fediverse."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE outgoing (
    id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    activity TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (activity)
);
CREATE TABLE remote_actor (
    iri TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (iri)
);
CREATE TABLE seen_activity (
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id)
)
 WITHOUT ROWID;
CREATE TABLE delivery (
    id INTEGER NOT NULL,
    outgoing_id INTEGER NOT NULL,
    target TEXT NOT NULL,
    is_actor BOOLEAN NOT NULL,
    host TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(outgoing_id) REFERENCES outgoing (id)
);
CREATE INDEX delivery_by_time ON delivery (due_at, id);
CREATE UNIQUE INDEX delivery_once ON delivery (outgoing_id, target);
CREATE TABLE edge (
    member_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    object TEXT NOT NULL,
    activity TEXT NOT NULL,
    is_public BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (member_id, path, kind, actor, object),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX edge_by_activity ON edge (actor, activity);
CREATE INDEX edge_by_object ON edge (actor, object);
CREATE TABLE follower (
    member_id INTEGER NOT NULL,
    actor TEXT NOT NULL,
    inbox TEXT NOT NULL,
    shared_inbox TEXT,
    follow_id TEXT NOT NULL,
    accepted BOOLEAN NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (member_id, actor),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX follower_by_actor ON follower (actor)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
