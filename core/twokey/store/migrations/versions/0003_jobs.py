"""The queue of jobs, and how far schedules have come."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("lock", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("not_before_us", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.String(14)),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    for name, column, rows in (
        ("uq_jobs_waiting", "key", sa.text("holder IS NULL")),
        ("uq_jobs_running", "lock", sa.text("holder IS NOT NULL")),
    ):
        op.create_index(name, "jobs", [column], unique=True, sqlite_where=rows, postgresql_where=rows)
    op.create_index("ix_jobs_priority_id", "jobs", ["priority", "id"])
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )
