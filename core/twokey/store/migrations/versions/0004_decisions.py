"""What each decision of policy was taken on, and the answer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("entry", sa.String(14), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("shadowed", sa.String(64)),
        sa.PrimaryKeyConstraint("entry", name="pk_decisions"),
    )
    op.create_index("ix_decisions_at_us", "decisions", ["at_us"])
