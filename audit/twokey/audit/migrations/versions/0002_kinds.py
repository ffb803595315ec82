"""Entries of one kind are found without looking through the others."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_log_entries_kind ON log_entries (kind, seq)")
