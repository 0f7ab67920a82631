"""Rules for other servers, reports, and lists that members bring along."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE domain_rule (
    domain TEXT NOT NULL,
    severity TEXT NOT NULL,
    at BIGINT NOT NULL,
    reject_media BOOLEAN NOT NULL,
    reject_reports BOOLEAN NOT NULL,
    obfuscate BOOLEAN NOT NULL,
    public_comment TEXT NOT NULL,
    private_comment TEXT NOT NULL,
    PRIMARY KEY (domain)
)
 WITHOUT ROWID;
CREATE TABLE report (
    id TEXT NOT NULL,
    reporter TEXT NOT NULL,
    at BIGINT NOT NULL,
    resolved_at BIGINT,
    comment TEXT NOT NULL,
    subjects BLOB NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX report_by_time ON report (at);
CREATE TABLE import_row (
    member_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    place INTEGER NOT NULL,
    target TEXT NOT NULL,
    option BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    told TEXT NOT NULL,
    PRIMARY KEY (member_id, kind, place),
    FOREIGN KEY(member_id) REFERENCES member (id)
)
 WITHOUT ROWID;
CREATE INDEX import_row_waiting ON import_row (member_id) WHERE state = 'waiting'
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
