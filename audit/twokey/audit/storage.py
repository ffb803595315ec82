"""The log's tables and the statements on them. Nothing here decides what is true: callers check what they read.

Rules: entries, tree nodes and checkpoints are only ever added, in order and without gaps; triggers of the database
enforce it (and on PostgreSQL roles, see ``audit/postgresql-roles.sql``). The row of ``log_head`` is the sequencer's
lease: whoever holds its lock integrates; ``epoch`` fences off a holder that lost it.
"""

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Executable,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    inspect,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from twokey.audit import merkle, verify
from twokey.audit.merkle import Node
from twokey.core.errors import LogUnavailable

READ_ONLY: Final = "twokey_read_only"
"""Execution option that ``twokey.store`` understands: on SQLite such a connection takes no write lock."""

_LOOKING: Final[Mapping[str, Mapping[str, Any]]] = {
    "sqlite": {READ_ONLY: True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
MIGRATIONS: Final = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "alembic_version_audit"
SCHEMA: Final = "0003"
"""The newest revision. Kept here so that an up-to-date log costs one query and not the import of Alembic."""
MIGRATION_LOCK: Final = 0x74776F6B6579  # any number that nobody else uses: "twokey"
CHUNK: Final = 500
"""Rows and bound values per statement."""

TABLES: Final = MetaData()
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
ENTRIES: Final = Table(
    "log_entries",
    TABLES,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Index("ix_log_entries_subject", "subject", "kind", "seq"),
    Index("ix_log_entries_kind", "kind", "seq"),
)
NODES: Final = Table(
    "log_nodes",
    TABLES,
    Column("pos", _NUMBER, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)
CHECKPOINTS: Final = Table(
    "log_checkpoints",
    TABLES,
    Column("size", _NUMBER, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("time_us", _NUMBER, nullable=False),
)
HEAD: Final = Table(
    "log_head",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", _NUMBER, nullable=False),
    Column("size", _NUMBER, nullable=False),
    Column("holder", Text, nullable=False),
)
PENDING: Final = Table(
    "log_pending",
    TABLES,
    Column("id", _NUMBER, primary_key=True),
    Column("entry_id", Text, nullable=False),
    Column("writer", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)
REJECTED: Final = Table(
    "log_rejected",
    TABLES,
    Column("id", _NUMBER, primary_key=True),
    Column("entry_id", Text, nullable=False),
    Column("writer", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time_us", _NUMBER, nullable=False),
)

_FIRST: Final = ENTRIES.alias("first")

# Statements are built once: building one takes four times as long as running it.
_ADVANCE: Final = (
    update(HEAD)
    .where(HEAD.c.id == 1, HEAD.c.epoch == bindparam("held"), HEAD.c.size == bindparam("old"))
    .values(epoch=HEAD.c.epoch + 1, size=bindparam("new"), holder=bindparam("who"))
)
_LATEST_NOTE: Final = select(CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size.desc()).limit(1)
_SIZE: Final = select(func.coalesce(func.max(ENTRIES.c.seq) + 1, 0))
_HEAD: Final = select(
    HEAD.c.epoch,
    HEAD.c.size,
    _LATEST_NOTE.scalar_subquery().label("note"),
    _SIZE.scalar_subquery().label("entries"),
    exists(select(PENDING.c.id)).label("waiting"),
).where(HEAD.c.id == 1)
_TRY_LEASE: Final = _HEAD.with_for_update(skip_locked=True, of=HEAD)
_WAIT_LEASE: Final = _HEAD.with_for_update(of=HEAD)
_QUEUE: Final = insert(PENDING)
_PENDING: Final = select(PENDING).order_by(PENDING.c.id).limit(CHUNK)
_TAKEN: Final = select(ENTRIES.c.id).where(ENTRIES.c.id.in_(bindparam("ids", expanding=True)))
_WAITING: Final = select(PENDING.c.entry_id).where(PENDING.c.entry_id.in_(bindparam("ids", expanding=True)))
_DEQUEUE: Final = delete(PENDING).where(PENDING.c.id == bindparam("row"))
_ADD_ENTRIES: Final = insert(ENTRIES)
_ADD_NODES: Final = insert(NODES)
_ADD_CHECKPOINT: Final = insert(CHECKPOINTS)
_ENTRY_COLUMNS: Final = ("seq", "id", "subject", "kind", "body", "leaf_hash")
_EXTEND: Final = text(
    """
    WITH grown AS (
        INSERT INTO log_entries (seq, id, subject, kind, body, leaf_hash)
        SELECT * FROM unnest(
            CAST(:seqs AS bigint[]), CAST(:ids AS text[]), CAST(:subjects AS text[]), CAST(:kinds AS text[]),
            CAST(:bodys AS bytea[]), CAST(:leaf_hashs AS bytea[])
        ) ORDER BY 1
    ), joined AS (
        INSERT INTO log_nodes (pos, hash)
        SELECT * FROM unnest(CAST(:places AS bigint[]), CAST(:hashes AS bytea[])) ORDER BY 1
    ), signed AS (
        INSERT INTO log_checkpoints (size, root, note, time_us) VALUES (:size, :root, :note, :time_us)
    )
    UPDATE log_head SET epoch = epoch + 1, size = :new, holder = :who WHERE id = 1 AND epoch = :held AND size = :old
    """
)
"""What SQLite does in four statements, in one round trip to PostgreSQL."""
_LEAVES: Final = select(ENTRIES.c.seq, ENTRIES.c.leaf_hash).where(
    ENTRIES.c.seq.in_(bindparam("places", expanding=True))
)
_NODES: Final = select(NODES.c.pos, NODES.c.hash).where(NODES.c.pos.in_(bindparam("places", expanding=True)))
_HASHES: Final = union_all(
    select(literal_column("0").label("level"), ENTRIES.c.seq.label("place"), ENTRIES.c.leaf_hash.label("hash")).where(
        ENTRIES.c.seq.in_(bindparam("leaves", expanding=True))
    ),
    select(literal_column("1").label("level"), NODES.c.pos.label("place"), NODES.c.hash.label("hash")).where(
        NODES.c.pos.in_(bindparam("inner", expanding=True))
    ),
)
_ENTRY: Final = select(ENTRIES).where(ENTRIES.c.id == bindparam("wanted"))
LAST_ID: Final = (
    select(ENTRIES.c.id)
    .where(ENTRIES.c.subject == bindparam("about"), ENTRIES.c.kind == bindparam("of_kind"))
    .order_by(ENTRIES.c.seq.desc())
    .limit(1)
)
"""The query of ``last_id``, for who asks for more in the same statement."""
_FROM_FIRST: Final = (
    select(ENTRIES)
    .where(
        ENTRIES.c.seq
        >= select(func.min(_FIRST.c.seq))
        .where(_FIRST.c.subject == bindparam("about"), _FIRST.c.kind == bindparam("of_kind"))
        .scalar_subquery()
    )
    .order_by(ENTRIES.c.seq)
    .limit(bindparam("most"))
)
_LIST: Final = {
    (about, of_kind): (
        select(ENTRIES)
        .where(
            ENTRIES.c.seq > bindparam("after"),
            *([ENTRIES.c.subject == bindparam("about")] if about else []),
            *([ENTRIES.c.kind == bindparam("of_kind")] if of_kind else []),
        )
        .order_by(ENTRIES.c.seq)
        .limit(bindparam("most"))
    )
    for about in (False, True)
    for of_kind in (False, True)
}
_BACK: Final = {
    (about, of_kind): (
        select(ENTRIES)
        .where(
            ENTRIES.c.seq < bindparam("before"),
            *([ENTRIES.c.subject.in_(bindparam("about", expanding=True))] if about else []),
            *([ENTRIES.c.kind == bindparam("of_kind")] if of_kind else []),
        )
        .order_by(ENTRIES.c.seq.desc())
        .limit(bindparam("most"))
    )
    for about in (False, True)
    for of_kind in (False, True)
}


@dataclass(frozen=True, slots=True)
class Row:
    """One stored entry. The columns beside ``body`` are an index: only ``body`` is under the tree."""

    seq: int
    id: str
    subject: str
    kind: str
    body: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Pending:
    """One entry that waits to be integrated, as some process wrote it. Untrusted until its MAC is checked."""

    entry_id: str
    writer: str
    body: bytes
    mac: bytes
    id: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The sequencer's lease, and the log as it was read with it. ``epoch`` is the fencing token."""

    epoch: int
    size: int
    note: str | None
    """Of the largest checkpoint."""
    entries: int
    """Number of entries, as the largest ``seq`` tells it."""
    waiting: bool
    """Whether something is pending."""


def migrate(engine: Engine) -> None:
    """Create or upgrade the log's tables, in one transaction; several processes may call it at once.

    Raises:
        LogUnavailable: the database is newer than this version, or cannot be changed.

    """
    with faults(), engine.begin() as connection:
        if _current(connection) != SCHEMA:
            _upgrade(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant


def _upgrade(connection: Connection) -> None:
    # Alembic takes long to import, and only this function needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("idle_in_transaction_session_timeout", "0", True)))
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    current = _current(connection)
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise LogUnavailable(
            "The audit log was written by a newer version of Twokey.", next="Upgrade twokey, then try again."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def faults() -> Generator[None]:
    """Turn a fault of the database (full, read-only, gone, damaged) into ``LogUnavailable``."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise LogUnavailable(
            f"The audit log's database failed ({type(cause).__name__}), so nothing was acknowledged.",
            next="Check the free space, the permissions and the database server; then run `twokey audit verify`.",
        ) from error


@contextmanager
def looking(engine: Engine) -> Generator[Connection]:
    """Open one consistent view for reading only."""
    with faults(), engine.connect().execution_options(**_LOOKING[engine.dialect.name]) as connection:
        yield connection


def lease(connection: Connection, *, wait_ms: int | None = None) -> Head | None:
    """Lock the head until the transaction ends; gives ``None`` where somebody else holds it.

    With ``wait_ms`` it queues that long instead. On SQLite the transaction itself is the lock.
    """
    # One round trip. Where the head moved between the statement's snapshot and its lock, PostgreSQL gives the head as
    # it is beside the rest as it was: then size and entries differ, and a second statement sees both as they are.
    found = _lease(connection, wait_ms)
    return found if found is None or found.size == found.entries else _lease(connection, wait_ms)


def _lease(connection: Connection, wait_ms: int | None) -> Head | None:
    if wait_ms is not None and connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("lock_timeout", f"{max(wait_ms, 1)}ms", True)))
    row = connection.execute(_TRY_LEASE if wait_ms is None else _WAIT_LEASE).one_or_none()
    return None if row is None else Head(row.epoch, row.size, row.note, row.entries, bool(row.waiting))


def latest_note(connection: Connection) -> str | None:
    """Give the note of the largest checkpoint."""
    return connection.execute(_LATEST_NOTE).scalar()


def queue(connection: Connection, rows: Sequence[Pending]) -> None:
    """Put entries behind what is pending, in order."""
    # Both drivers run one statement per row here, in order, so the ids follow the order of the rows.
    connection.execute(
        _QUEUE, [{"entry_id": row.entry_id, "writer": row.writer, "body": row.body, "mac": row.mac} for row in rows]
    )


def pending(connection: Connection) -> list[Pending]:
    """Give the oldest pending entries, at most ``CHUNK``."""
    return [Pending(row.entry_id, row.writer, row.body, row.mac, row.id) for row in connection.execute(_PENDING).all()]


def taken(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Tell which of these entry ids are in the log already."""
    return set(connection.execute(_TAKEN, {"ids": ids}).scalars())


def dequeue(connection: Connection, rows: Sequence[Pending]) -> None:
    """Remove what was integrated or set aside from what is pending."""
    # By number and not by range: a smaller number may have been committed in between, and would be lost.
    connection.execute(_DEQUEUE, [{"row": row.id} for row in rows])


def set_aside(connection: Connection, row: Pending, *, reason: str, time_us: int) -> None:
    """Keep a refused row for a person to look at."""
    connection.execute(
        insert(REJECTED).values(
            entry_id=row.entry_id, writer=row.writer, body=row.body, mac=row.mac, reason=reason, time_us=time_us
        )
    )


@dataclass(frozen=True, slots=True)
class Growth:
    """What new entries add to the log: their rows, and the interior nodes from position ``first`` on."""

    rows: Sequence[Row]
    first: int
    nodes: Sequence[bytes]


def grow(connection: Connection, growth: Growth) -> None:
    """Add entries and nodes at the end."""
    if growth.rows:
        rows = [{name: getattr(row, name) for name in _ENTRY_COLUMNS} for row in growth.rows]
        connection.execute(_ADD_ENTRIES, rows)
    if growth.nodes:
        connection.execute(
            _ADD_NODES, [{"pos": growth.first + step, "hash": value} for step, value in enumerate(growth.nodes)]
        )


def extend(  # the columns of the last growth, of a checkpoint, and of the head
    connection: Connection, head: Head, growth: Growth, *, size: int, root: bytes, note: str, time_us: int, holder: str
) -> None:
    """Add the last entries and nodes, and the checkpoint over all; move the head, if this process still holds it.

    Raises:
        LogUnavailable: another process moved it: the lease was lost, and the transaction must not commit.

    """
    mark = {"size": size, "root": root, "note": note, "time_us": time_us}
    move = {"held": head.epoch, "old": head.size, "new": size, "who": holder}
    if connection.dialect.name == "postgresql":
        columns = {f"{name}s": [getattr(row, name) for row in growth.rows] for name in _ENTRY_COLUMNS}
        places = list(range(growth.first, growth.first + len(growth.nodes)))
        moved = connection.execute(_EXTEND, {**columns, "places": places, "hashes": growth.nodes, **mark, **move})
    else:
        grow(connection, growth)
        connection.execute(_ADD_CHECKPOINT, mark)
        moved = connection.execute(_ADVANCE, move)
    if moved.rowcount != 1:
        raise LogUnavailable(
            "Another process took over the audit log while this one was writing.",
            next="Try again; nothing was written.",
        )


def fetch(connection: Connection) -> merkle.Fetch:
    """Give a reader of stored subtree hashes."""

    def read(nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        leaves = {node[1]: node for node in nodes if node[0] == 0}
        inner = {merkle.position(node): node for node in nodes if node[0] > 0}
        if leaves and inner:  # in one statement
            rows = connection.execute(_HASHES, {"leaves": list(leaves), "inner": list(inner)})
            return {(inner if row.level else leaves)[row.place]: row.hash for row in rows}
        found: dict[Node, bytes] = {}
        if leaves:
            rows = connection.execute(_LEAVES, {"places": list(leaves)})
            found |= {leaves[row.seq]: row.leaf_hash for row in rows}
        if inner:
            rows = connection.execute(_NODES, {"places": list(inner)})
            found |= {inner[row.pos]: row.hash for row in rows}
        return found

    return read


def waiting(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Tell which of these entry ids are pending."""
    return set(connection.execute(_WAITING, {"ids": ids}).scalars())


def entry(connection: Connection, entry_id: str) -> Row | None:
    """Look one entry up by id."""
    row = connection.execute(_ENTRY, {"wanted": entry_id}).one_or_none()
    return None if row is None else Row(*row)


def entries(
    connection: Connection, *, subject: str | None = None, kind: str | None = None, after: int = -1, limit: int
) -> Iterator[Row]:
    """Give entries in order, from the one after ``after``."""
    statement = _LIST[subject is not None, kind is not None]
    values: dict[str, Any] = {"after": after, "most": limit}
    if subject is not None:
        values["about"] = subject
    if kind is not None:
        values["of_kind"] = kind
    for row in connection.execute(statement, values):
        yield Row(*row)


def entries_from_first(connection: Connection, subject: str, kind: str, *, limit: int) -> list[Row]:
    """Give the first entry of one kind about one subject, and in order what comes after it, whatever it is about."""
    values = {"about": subject, "of_kind": kind, "most": limit}
    return [Row(*row) for row in connection.execute(_FROM_FIRST, values)]


def newest(
    connection: Connection, *, subjects: Sequence[str] = (), kind: str | None = None, before: int, limit: int
) -> list[Row]:
    """Give entries newest first, from the one before the number ``before``; without ``subjects`` about everything."""
    values: dict[str, Any] = {"before": before, "most": limit}
    if subjects:
        values["about"] = list(subjects)
    if kind is not None:
        values["of_kind"] = kind
    return [Row(*row) for row in connection.execute(_BACK[bool(subjects), kind is not None], values)]


def last_id(connection: Connection, subject: str, kind: str) -> str | None:
    """Give the id of the latest entry of one kind about one subject, as the index shows it."""
    return connection.execute(LAST_ID, {"about": subject, "of_kind": kind}).scalar()


def rejected(connection: Connection) -> int:
    """Number of pending rows that were refused and set aside."""
    return connection.execute(select(func.count()).select_from(REJECTED)).scalar_one()


class DatabaseSource:
    """A stored log for ``twokey.audit.verify``, from any supported database, streamed within one consistent view."""

    def __init__(self, connection: Connection) -> None:
        """``connection`` comes from ``looking``."""
        self._connection = connection

    def entries(self) -> verify.Stream[verify.EntryRow]:
        """Every row of ``log_entries``."""
        columns = (ENTRIES.c.seq, ENTRIES.c.id, ENTRIES.c.subject, ENTRIES.c.kind, ENTRIES.c.body, ENTRIES.c.leaf_hash)
        return self._rows(select(*columns).order_by(ENTRIES.c.seq))

    def nodes(self) -> verify.Stream[tuple[object, object]]:
        """Every row of ``log_nodes``."""
        return self._rows(select(NODES.c.pos, NODES.c.hash).order_by(NODES.c.pos))

    def checkpoints(self) -> verify.Stream[verify.CheckpointRow]:
        """Every row of ``log_checkpoints``."""
        columns = (CHECKPOINTS.c.size, CHECKPOINTS.c.root, CHECKPOINTS.c.note)
        return self._rows(select(*columns).order_by(CHECKPOINTS.c.size))

    def counts(self) -> tuple[int, int]:
        """Pending and refused rows."""
        waiting = self._connection.execute(select(func.count()).select_from(PENDING)).scalar_one()
        return waiting, rejected(self._connection)

    def _rows(self, statement: Executable) -> verify.Stream[Any]:
        try:
            with self._connection.execute(statement, execution_options={"yield_per": CHUNK}) as rows:
                for row in rows:
                    yield tuple(row)
        except SQLAlchemyError as error:
            raise verify.Damaged from error
