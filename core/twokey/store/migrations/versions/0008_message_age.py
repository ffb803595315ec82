"""Since when a message has been wanted: it is tried again by its age."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("wanted_us", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE messages SET wanted_us = updated_us")
