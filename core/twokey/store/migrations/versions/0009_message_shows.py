"""What of a run a message shows: when the run had changed last, before the words were rendered."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("shown_us", sa.BigInteger))
