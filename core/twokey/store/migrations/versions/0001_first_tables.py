"""Runs, documents, evidence, openings, proposals, approvals, executions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    identifier, digest = sa.String(14), sa.String(64)
    op.create_table(
        "runs",
        sa.Column("id", identifier, nullable=False),
        sa.Column("requester", sa.String(40), nullable=False),
        sa.Column("auth", sa.String(12), nullable=False),
        sa.Column("channel", sa.String(12), nullable=False),
        sa.Column("intent", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("places", sa.LargeBinary, nullable=False),
        sa.Column("code", sa.String(64), nullable=False, server_default=""),
        sa.Column("message", sa.Text, nullable=False, server_default=""),
        sa.Column("holder", identifier),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.CheckConstraint("state IN ('running', 'waiting', 'done', 'failed', 'cancelled')", name="ck_runs_state"),
    )
    op.create_index("ix_runs_state_created_us", "runs", ["state", "created_us"])
    op.create_table(
        "documents",
        sa.Column("run", identifier, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("run", "name", name="pk_documents"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_documents_run"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", identifier, nullable=False),
        sa.Column("run", identifier, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_evidence_run"),
    )
    op.create_index("ix_evidence_run", "evidence", ["run"])
    op.create_table(
        "openings",
        sa.Column("commitment", digest, nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("commitment", name="pk_openings"),
    )
    op.create_table(
        "proposals",
        sa.Column("id", identifier, nullable=False),
        sa.Column("run", identifier, nullable=False),
        sa.Column("digest", digest, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("decision", sa.LargeBinary, nullable=False),
        sa.Column("decision_digest", digest, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(64), nullable=False, server_default=""),
        sa.Column("result", sa.LargeBinary),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_proposals_run"),
        sa.UniqueConstraint("digest", name="uq_proposals_digest"),
    )
    op.create_index("ix_proposals_state_created_us", "proposals", ["state", "created_us"])
    op.create_index("ix_proposals_run", "proposals", ["run"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("proposal", identifier, nullable=False),
        sa.Column("proposal_digest", digest, nullable=False),
        sa.Column("decision_digest", digest, nullable=False),
        sa.Column("principal", sa.String(40), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("entry", identifier, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name="fk_approvals_proposal"),
        sa.UniqueConstraint("entry", name="uq_approvals_entry"),
        sa.UniqueConstraint(
            "proposal_digest",
            "decision_digest",
            "principal",
            name="uq_approvals_proposal_digest_decision_digest_principal",
        ),
        sa.CheckConstraint("action IN ('approve', 'refuse', 'withdraw')", name="ck_approvals_action"),
    )
    op.create_index("ix_approvals_proposal", "approvals", ["proposal"])
    op.create_table(
        "executions",
        sa.Column("proposal", identifier, nullable=False),
        sa.Column("executor", identifier, nullable=False),
        sa.Column("intent", identifier, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("proposal", name="pk_executions"),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name="fk_executions_proposal"),
    )
