"""Slack workspaces that installed the app."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slack_teams",
        sa.Column("team", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("installed_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_slack_teams"),
    )
