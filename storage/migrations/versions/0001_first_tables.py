"""The first tables.

A new database is made from `storage.tables` at once and never runs this; it says what version 0001
was, whatever the tables become later, and is what the test of the migrations starts from.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE change_log (
    seq INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    rev TEXT,
    ops BLOB NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX change_log_by_member ON change_log (member_id, seq);
CREATE TABLE cursor (
    reactor TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (reactor)
)
 WITHOUT ROWID;
CREATE TABLE frame (
    seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (seq)
);
CREATE TABLE key_vault (
    owner INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (owner, purpose)
)
 WITHOUT ROWID;
CREATE TABLE member (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    did TEXT NOT NULL,
    handle TEXT NOT NULL,
    origin TEXT NOT NULL,
    standing TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    email TEXT,
    email_confirmed BOOLEAN NOT NULL,
    UNIQUE (did),
    UNIQUE (handle),
    UNIQUE (origin),
    UNIQUE (email)
);
CREATE TABLE app_password (
    member_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    privileged BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (member_id, name),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE TABLE blob (
    member_id INTEGER NOT NULL,
    cid BLOB NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    PRIMARY KEY (member_id, cid),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX blob_by_cid ON blob (cid);
CREATE TABLE blob_ref (
    member_id INTEGER NOT NULL,
    cid BLOB NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (member_id, cid, path),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX blob_ref_by_path ON blob_ref (member_id, path);
CREATE TABLE preference (
    member_id INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (member_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE TABLE refresh_grant (
    id TEXT NOT NULL,
    member_id INTEGER NOT NULL,
    credential TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    next_id TEXT,
    app_password TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX refresh_grant_by_member ON refresh_grant (member_id);
CREATE INDEX refresh_grant_by_next ON refresh_grant (next_id);
CREATE TABLE repo (
    member_id INTEGER NOT NULL,
    commit_cid BLOB NOT NULL,
    rev TEXT NOT NULL,
    data_cid BLOB NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (member_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE TABLE resource (
    member_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    cid BLOB NOT NULL,
    size BIGINT NOT NULL,
    rev TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    generation INTEGER NOT NULL,
    subject TEXT,
    complement BLOB,
    body BLOB NOT NULL,
    PRIMARY KEY (member_id, path),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX resource_by_cid ON resource (member_id, cid);
CREATE INDEX resource_by_subject ON resource (member_id, subject) WHERE subject IS NOT NULL;
CREATE TABLE tombstone (
    member_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    cid BLOB NOT NULL,
    generation INTEGER NOT NULL,
    deleted_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (member_id, path),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE TABLE usage (
    member_id INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (member_id),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
