"""What lists of proposals and runs are ordered and filtered by, without reading what was proposed."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BATCH = 500


def upgrade() -> None:
    op.add_column("proposals", sa.Column("agent", sa.String(40), nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("tool", sa.String(40), nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("target", sa.String(64), nullable=False, server_default=""))
    _fill(op.get_bind())
    op.create_index("ix_proposals_created_us_tool_state", "proposals", ["created_us", "tool", "state"])
    op.create_index("ix_proposals_agent_state_created_us", "proposals", ["agent", "state", "created_us"])
    op.create_index("ix_proposals_target_state_created_us", "proposals", ["target", "state", "created_us"])
    op.create_index("ix_runs_created_us_intent_state_id", "runs", ["created_us", "intent", "state", "id"])
    op.create_index("ix_approvals_at_us", "approvals", ["at_us"])


def _fill(connection: sa.Connection) -> None:
    """Say beside each body what it says; one that cannot be read is left as it is, for its readers to refuse."""
    read = sa.text("SELECT id, body FROM proposals WHERE id > :after ORDER BY id LIMIT :most")
    write = sa.text("UPDATE proposals SET agent = :agent, tool = :tool, target = :target WHERE id = :id")
    after = ""
    while found := connection.execute(read, {"after": after, "most": BATCH}).all():
        values = [said for row in found if (said := _said(row.id, row.body)) is not None]
        if values:
            connection.execute(write, values)
        after = found[-1].id


def _said(identifier: str, body: object) -> dict[str, str] | None:
    if not isinstance(body, bytes):  # SQLite stores any type in any column
        return None
    try:
        said = json.loads(body)
        kind, name = str(said["target"]["kind"]), str(said["target"]["id"])
        target = hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()
        return {"id": identifier, "agent": str(said["agent"])[:40], "tool": str(said["tool"])[:40], "target": target}
    except (TypeError, ValueError, KeyError):
        return None
