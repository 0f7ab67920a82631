"""Public posts by place and hashtag, people by words, ends of polls; subjects of all members."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CHANGES = """
DROP INDEX resource_by_subject;
CREATE INDEX resource_by_subject ON resource (subject, member_id) WHERE subject IS NOT NULL;
CREATE TABLE account_word (
    word TEXT NOT NULL,
    iri TEXT NOT NULL,
    PRIMARY KEY (word, iri)
)
 WITHOUT ROWID;
CREATE INDEX account_word_by_iri ON account_word (iri);
CREATE TABLE listing (
    name TEXT NOT NULL,
    id BIGINT NOT NULL,
    PRIMARY KEY (name, id)
)
 WITHOUT ROWID;
CREATE INDEX listing_by_id ON listing (id);
CREATE TABLE poll_end (
    member_id INTEGER NOT NULL,
    iri TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (member_id, iri),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX poll_end_by_time ON poll_end (at)
"""


def upgrade() -> None:
    for statement in CHANGES.split(";"):
        if statement.strip():
            op.execute(statement)
