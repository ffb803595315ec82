"""Linked identities, what channels received, and what they show elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("external", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(10), nullable=False),
        sa.Column("entry", sa.String(14), nullable=False),
        sa.Column("linked_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("external", name="pk_links"),
        sa.UniqueConstraint("entry", name="uq_links_entry"),
        sa.UniqueConstraint("principal", "provider", name="uq_links_principal_provider"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(14), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("code", sa.String(64), nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("channel", "key", name="uq_inbox_channel_key"),
        sa.CheckConstraint("state IN ('new', 'done', 'failed', 'ignored')", name="ck_inbox_state"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(14), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("purpose", sa.String(80), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False, server_default="1"),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("remote", sa.String(400)),
        sa.Column("code", sa.String(64), nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before_us", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("holder", sa.String(14)),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("channel", "place", "purpose", name="uq_messages_channel_place_purpose"),
        sa.CheckConstraint("state IN ('wanted', 'posting', 'posted', 'failed')", name="ck_messages_state"),
    )
    for table in ("inbox", "messages"):
        op.create_index(f"ix_{table}_state_updated_us", table, ["state", "updated_us"])
