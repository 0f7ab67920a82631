"""Lines of lists that are brought along carry all their columns."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_row ADD COLUMN options TEXT NOT NULL DEFAULT '[]'")
    op.execute("UPDATE import_row SET options = '[\"false\"]' WHERE kind = 'mutes' AND NOT option")
    op.execute("ALTER TABLE import_row DROP COLUMN option")
