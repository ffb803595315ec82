"""What somebody asked for is found without looking through what others asked for."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_runs_requester_created_us", "runs", ["requester", "created_us"])
