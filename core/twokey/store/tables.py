"""The tables of a workspace as SQLAlchemy sees them; a test holds them and ``migrations`` together."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID: Final = String(14)
_DIGEST: Final = String(64)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("requester", String(40), nullable=False),
    Column("auth", String(12), nullable=False),
    Column("channel", String(12), nullable=False),
    Column("intent", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("places", LargeBinary, nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("message", Text, nullable=False, server_default=""),
    Column("holder", _ID),
    Column("lease_until_us", BigInteger, nullable=False, server_default="0"),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    CheckConstraint("state IN ('running', 'waiting', 'done', 'failed', 'cancelled')", name="state"),
    Index(None, "state", "created_us"),
    Index(None, "created_us", "intent", "state", "id"),
    Index(None, "requester", "created_us"),
)

documents: Final = Table(
    "documents",
    metadata,
    Column("run", _ID, ForeignKey("runs.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)
"""What agents hand to one another (plan, reports, drafts): canonical JSON, one per run and name."""

evidence: Final = Table(
    "evidence",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("run", _ID, ForeignKey("runs.id"), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index(None, "run"),
)

openings: Final = Table(
    "openings",
    metadata,
    Column("commitment", _DIGEST, primary_key=True),
    Column("salt", String(32), nullable=False),
    Column("value", LargeBinary, nullable=False),
)
"""What opens a commitment in the log: salt and value."""

proposals: Final = Table(
    "proposals",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("run", _ID, ForeignKey("runs.id"), nullable=False),
    Column("digest", _DIGEST, nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("decision", LargeBinary, nullable=False),
    Column("decision_digest", _DIGEST, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("result", LargeBinary),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("agent", String(40), nullable=False, server_default=""),
    Column("tool", String(40), nullable=False, server_default=""),
    Column("target", String(64), nullable=False, server_default=""),
    Index(None, "state", "created_us"),
    Index(None, "state", "expires_us"),
    Index(None, "run"),
    Index(None, "created_us", "tool", "state"),
    Index(None, "agent", "state", "created_us"),
    Index(None, "target", "state", "created_us"),
)
"""``agent``, ``tool`` and ``target`` repeat what the body says, so that a list need not read bodies; ``target`` is the
SHA-256 of what the write goes to (``twokey.store.proposals.target_key``)."""

ANSWERS: Final = "action IN ('approve', 'refuse', 'withdraw')"
SETTLES: Final = "action IN ('confirm_written', 'confirm_not_written')"
"""Each person answers a card once; how a write ended is settled once, by whoever, and may be by who approved it."""

approvals: Final = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("proposal", _ID, ForeignKey("proposals.id"), nullable=False),
    Column("proposal_digest", _DIGEST, nullable=False),
    Column("decision_digest", _DIGEST, nullable=False),
    Column("principal", String(40), nullable=False),
    Column("action", String(20), nullable=False),
    Column("entry", _ID, nullable=False, unique=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("at_us", BigInteger, nullable=False),
    CheckConstraint(
        "action IN ('approve', 'refuse', 'withdraw', 'confirm_written', 'confirm_not_written')", name="action"
    ),
    Index(None, "proposal"),
    Index(None, "at_us"),
    Index(
        "uq_approvals_answer",
        "proposal_digest",
        "decision_digest",
        "principal",
        unique=True,
        sqlite_where=text(ANSWERS),
        postgresql_where=text(ANSWERS),
    ),
    Index(
        "uq_approvals_settled",
        "proposal_digest",
        unique=True,
        sqlite_where=text(SETTLES),
        postgresql_where=text(SETTLES),
    ),
)
"""An index of answers in the log. A row counts only if its entry is proven to be there with the same fields."""

executions: Final = Table(
    "executions",
    metadata,
    Column("proposal", _ID, ForeignKey("proposals.id"), primary_key=True),
    Column("executor", _ID, nullable=False),
    Column("intent", _ID, nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
    Column("started_us", BigInteger, nullable=False),
)
"""Who started a write, and until when nobody else may look after it."""

switches: Final = Table(
    "switches",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("entry", _ID),
    Column("principal", String(40)),
    Column("reason", Text, nullable=False, server_default=""),
    Column("changed_us", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("name IN ('freeze')", name="name"),
)
"""The kill switch. Its one row is locked by whoever turns it and by whoever begins a write, so one sees the other."""

broken_glass: Final = Table(
    "broken_glass",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("proposal", _ID, ForeignKey("proposals.id"), nullable=False),
    Column("principal", String(40), nullable=False),
    Column("ticket", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("entry", _ID, nullable=False, unique=True),
    Column("opened_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("reviewed_by", String(40)),
    Column("review", Text, nullable=False, server_default=""),
    Column("review_entry", _ID),
    Index(None, "proposal"),
)
"""An index of emergencies in the log. A row counts only if its entry is proven to be there with the same fields."""

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(40), nullable=False),
    Column("lock", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("not_before_us", BigInteger, nullable=False),
    Column("holder", _ID),
    Column("lease_until_us", BigInteger, nullable=False, server_default="0"),
    Index(
        "uq_jobs_waiting",
        "key",
        unique=True,
        sqlite_where=text("holder IS NULL"),
        postgresql_where=text("holder IS NULL"),
    ),
    Index(
        "uq_jobs_running",
        "lock",
        unique=True,
        sqlite_where=text("holder IS NOT NULL"),
        postgresql_where=text("holder IS NOT NULL"),
    ),
    Index(None, "priority", "id"),
)
"""The queue of the in-process dispatcher. A job that was handled has no row."""

schedules: Final = Table(
    "schedules",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("due_us", BigInteger, nullable=False),
)
"""Up to which time each schedule has been seen to: what was due until then was asked, or is too old."""

links: Final = Table(
    "links",
    metadata,
    Column("external", String(64), primary_key=True),
    Column("principal", String(40), nullable=False),
    Column("provider", String(10), nullable=False),
    Column("entry", _ID, nullable=False, unique=True),
    Column("linked_us", BigInteger, nullable=False),
    UniqueConstraint("principal", "provider"),
)
"""An index of linked identities in the log. A row counts only where the log, read whole, says the same."""

inbox: Final = Table(
    "inbox",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("channel", String(12), nullable=False),
    Column("key", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", LargeBinary),
    Column("state", String(10), nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("received_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    CheckConstraint("state IN ('new', 'done', 'failed', 'ignored')", name="state"),
    UniqueConstraint("channel", "key"),
    Index(None, "state", "updated_us"),
)
"""What channels received and acknowledged. The row outlives its body, so that what comes again is known again."""

messages: Final = Table(
    "messages",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("channel", String(12), nullable=False),
    Column("place", String(200), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("wanted", Integer, nullable=False, server_default="1"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("remote", String(400)),
    Column("code", String(64), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before_us", BigInteger, nullable=False, server_default="0"),
    Column("holder", _ID),
    Column("lease_until_us", BigInteger, nullable=False, server_default="0"),
    Column("updated_us", BigInteger, nullable=False),
    Column("wanted_us", BigInteger, nullable=False, server_default="0"),
    Column("shown_us", BigInteger),
    CheckConstraint("state IN ('wanted', 'posting', 'posted', 'failed')", name="state"),
    UniqueConstraint("channel", "place", "purpose"),
    Index(None, "state", "updated_us"),
)
"""What channels show elsewhere, and what was last known to stand there. The words themselves are never stored."""

decisions: Final = Table(
    "decisions",
    metadata,
    Column("entry", _ID, primary_key=True),
    Column("salt", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("shadowed", _DIGEST),
    Index(None, "at_us"),
)
"""What opens the commitments of each ``policy.decided``: input document and answer, packed. ``shadowed`` names the
shadow bundle that looked at it."""
counters: Final = Table(
    "counters",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
)
"""One row, ``workspace``: how many reservations there were. Whoever reserves holds it until their transaction ends."""

reservations: Final = Table(
    "reservations",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("stage", String(10), nullable=False),
    Column("proposal", _ID, ForeignKey("proposals.id")),
    Column("run", _ID, ForeignKey("runs.id"), nullable=False),
    Column("requester", String(40), nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    CheckConstraint("stage IN ('proposal', 'write', 'model')", name="stage"),
    UniqueConstraint("proposal", "stage"),
    Index(None, "run"),
    Index(None, "at_us"),
)
"""What proposals, writes and calls of models took of the budgets, in order."""

slack_teams: Final = Table(
    "slack_teams",
    metadata,
    Column("team", String(24), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("installed_us", BigInteger, nullable=False),
)
"""Slack workspaces that installed the app, each with its token, sealed under a key that lies elsewhere."""
