"""Votes of the fediverse are found without looking at every reaction."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX edge_votes ON edge (member_id, path) WHERE kind = 'vote'")
