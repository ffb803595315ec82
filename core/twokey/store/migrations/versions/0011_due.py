"""Open proposals whose time is over are found without reading those that still wait."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_proposals_state_expires_us", "proposals", ["state", "expires_us"])
