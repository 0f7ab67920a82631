"""What was last seen of members' domains."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE domain (
            member_id INTEGER NOT NULL,
            seen_at BIGINT NOT NULL,
            fault TEXT,
            ill_since BIGINT,
            told BOOLEAN NOT NULL,
            PRIMARY KEY (member_id),
            FOREIGN KEY(member_id) REFERENCES member (id)
        )
        """
    )
