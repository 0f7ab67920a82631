"""Timelines: short ids, posts that are kept a while, home timelines, notices, read markers."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE heard_post (
    iri TEXT NOT NULL,
    author TEXT NOT NULL,
    at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (iri)
);
CREATE INDEX heard_post_by_author ON heard_post (author, at);
CREATE INDEX heard_post_by_time ON heard_post (at);
CREATE TABLE short_id (
    id BIGINT NOT NULL,
    iri TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (iri)
);
CREATE TABLE notice (
    member_id INTEGER NOT NULL,
    id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    about TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (member_id, id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX notice_by_about ON notice (about);
CREATE UNIQUE INDEX notice_once ON notice (member_id, kind, actor, about);
CREATE TABLE read_marker (
    member_id INTEGER NOT NULL,
    timeline TEXT NOT NULL,
    last_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (member_id, timeline),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE TABLE timeline (
    member_id INTEGER NOT NULL,
    id BIGINT NOT NULL,
    iri TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (member_id, id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX timeline_by_author ON timeline (member_id, author);
CREATE INDEX timeline_by_iri ON timeline (iri)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
