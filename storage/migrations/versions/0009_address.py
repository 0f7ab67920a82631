"""A fediverse address that a member chose, on their own or on another domain of theirs."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE member ADD COLUMN address TEXT")
    op.execute("CREATE UNIQUE INDEX member_by_address ON member (address)")
