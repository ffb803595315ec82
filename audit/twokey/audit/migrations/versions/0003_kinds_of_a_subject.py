"""Entries of one kind about one subject are found without looking through the kind in the whole log."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX ix_log_entries_subject")
    op.execute("CREATE INDEX ix_log_entries_subject ON log_entries (subject, kind, seq)")
