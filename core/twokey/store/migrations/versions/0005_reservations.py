"""What of the budgets is used up, and the row that keeps two processes from using the same rest."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.bulk_insert(counters, [{"name": "workspace", "reserved": 0}])
    op.create_table(
        "reservations",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("proposal", sa.String(14)),
        sa.Column("run", sa.String(14), nullable=False),
        sa.Column("requester", sa.String(40), nullable=False),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_reservations"),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name="fk_reservations_proposal"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_reservations_run"),
        sa.UniqueConstraint("proposal", "stage", name="uq_reservations_proposal_stage"),
        sa.CheckConstraint("stage IN ('proposal', 'write', 'model')", name="ck_reservations_stage"),
    )
    for columns in (["run"], ["at_us"]):
        op.create_index(f"ix_reservations_{columns[0]}", "reservations", columns)
