"""The kill switch, emergencies, and answers that settle what is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ACTIONS = "action IN ('approve', 'refuse', 'withdraw', 'confirm_written', 'confirm_not_written')"
UNIQUE = (
    (
        "uq_approvals_answer",
        ["proposal_digest", "decision_digest", "principal"],
        "action IN ('approve', 'refuse', 'withdraw')",
    ),
    ("uq_approvals_settled", ["proposal_digest"], "action IN ('confirm_written', 'confirm_not_written')"),
)


def upgrade() -> None:
    identifier = sa.String(14)
    with op.batch_alter_table("approvals") as approvals:
        approvals.alter_column("action", existing_type=sa.String(10), type_=sa.String(20), existing_nullable=False)
        approvals.drop_constraint("ck_approvals_action", type_="check")
        approvals.create_check_constraint("ck_approvals_action", ACTIONS)
        approvals.drop_constraint("uq_approvals_proposal_digest_decision_digest_principal", type_="unique")
    for name, columns, where in UNIQUE:
        op.create_index(
            name, "approvals", columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    switches = op.create_table(
        "switches",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("entry", identifier),
        sa.Column("principal", sa.String(40)),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("changed_us", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
        sa.CheckConstraint("name IN ('freeze')", name="ck_switches_name"),
    )
    op.bulk_insert(switches, [{"name": "freeze", "is_on": False}])
    op.create_table(
        "broken_glass",
        sa.Column("id", identifier, nullable=False),
        sa.Column("proposal", identifier, nullable=False),
        sa.Column("principal", sa.String(40), nullable=False),
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("entry", identifier, nullable=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("reviewed_by", sa.String(40)),
        sa.Column("review", sa.Text, nullable=False, server_default=""),
        sa.Column("review_entry", identifier),
        sa.PrimaryKeyConstraint("id", name="pk_broken_glass"),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name="fk_broken_glass_proposal"),
        sa.UniqueConstraint("entry", name="uq_broken_glass_entry"),
    )
    op.create_index("ix_broken_glass_proposal", "broken_glass", ["proposal"])
