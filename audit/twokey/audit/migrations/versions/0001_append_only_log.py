"""Entries, tree, checkpoints, the head and what is pending; append-only by triggers."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("log_entries", "log_nodes", "log_checkpoints", "log_rejected")

SQLITE_TABLES = (
    """
    CREATE TABLE log_entries (
        seq INTEGER NOT NULL PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        subject TEXT NOT NULL,
        kind TEXT NOT NULL,
        body BLOB NOT NULL CHECK (typeof(body) = 'blob' AND length(body) BETWEEN 1 AND 65535),
        leaf_hash BLOB NOT NULL CHECK (typeof(leaf_hash) = 'blob' AND length(leaf_hash) = 32)
    )
    """,
    """
    CREATE TABLE log_nodes (
        pos INTEGER NOT NULL PRIMARY KEY,
        hash BLOB NOT NULL CHECK (typeof(hash) = 'blob' AND length(hash) = 32)
    )
    """,
    """
    CREATE TABLE log_checkpoints (
        size INTEGER NOT NULL PRIMARY KEY,
        root BLOB NOT NULL CHECK (typeof(root) = 'blob' AND length(root) = 32),
        note TEXT NOT NULL,
        time_us INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE log_head (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        epoch INTEGER NOT NULL,
        size INTEGER NOT NULL,
        holder TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE log_pending (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        entry_id TEXT NOT NULL CHECK (length(entry_id) <= 64),
        writer TEXT NOT NULL CHECK (length(writer) <= 40),
        body BLOB NOT NULL CHECK (typeof(body) = 'blob' AND length(body) BETWEEN 1 AND 65535),
        mac BLOB NOT NULL CHECK (typeof(mac) = 'blob' AND length(mac) <= 64)
    )
    """,
    """
    CREATE TABLE log_rejected (
        id INTEGER NOT NULL PRIMARY KEY,
        entry_id TEXT NOT NULL,
        writer TEXT NOT NULL,
        body BLOB NOT NULL,
        mac BLOB NOT NULL,
        reason TEXT NOT NULL,
        time_us INTEGER NOT NULL
    )
    """,
)

POSTGRESQL_TABLES = (
    """
    CREATE TABLE log_entries (
        seq BIGINT PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        subject TEXT NOT NULL,
        kind TEXT NOT NULL,
        body BYTEA NOT NULL CHECK (length(body) BETWEEN 1 AND 65535),
        leaf_hash BYTEA NOT NULL CHECK (length(leaf_hash) = 32)
    )
    """,
    "CREATE TABLE log_nodes (pos BIGINT PRIMARY KEY, hash BYTEA NOT NULL CHECK (length(hash) = 32))",
    """
    CREATE TABLE log_checkpoints (
        size BIGINT PRIMARY KEY,
        root BYTEA NOT NULL CHECK (length(root) = 32),
        note TEXT NOT NULL,
        time_us BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE log_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch BIGINT NOT NULL,
        size BIGINT NOT NULL,
        holder TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE log_pending (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        entry_id TEXT NOT NULL CHECK (length(entry_id) <= 64),
        writer TEXT NOT NULL CHECK (length(writer) <= 40),
        body BYTEA NOT NULL CHECK (length(body) BETWEEN 1 AND 65535),
        mac BYTEA NOT NULL CHECK (length(mac) <= 64)
    )
    """,
    """
    CREATE TABLE log_rejected (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        entry_id TEXT NOT NULL,
        writer TEXT NOT NULL,
        body BYTEA NOT NULL,
        mac BYTEA NOT NULL,
        reason TEXT NOT NULL,
        time_us BIGINT NOT NULL
    )
    """,
)

# What a new row must be, beside what stands in the table already. Without the check of the id, INSERT OR REPLACE would
# remove the older row of that id (SQLite fires no DELETE trigger for it unless recursive_triggers is on).
NEXT_ROW = {
    "log_entries": """
        NEW.seq {differs} (SELECT coalesce(max(seq) + 1, 0) FROM log_entries)
        OR EXISTS (SELECT 1 FROM log_entries WHERE id = NEW.id)
    """,
    "log_nodes": "NEW.pos {differs} (SELECT coalesce(max(pos) + 1, 0) FROM log_nodes)",
    "log_checkpoints": "NEW.size <= (SELECT coalesce(max(size), 0) FROM log_checkpoints)",
    "log_head": "EXISTS (SELECT 1 FROM log_head)",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()
    op.execute("CREATE INDEX ix_log_entries_subject ON log_entries (subject, seq)")
    op.execute("INSERT INTO log_head (id, epoch, size, holder) VALUES (1, 0, 0, '-')")


def _sqlite() -> None:
    for statement in SQLITE_TABLES:
        op.execute(statement)
    for table, condition in NEXT_ROW.items():
        _sqlite_trigger(table, "INSERT", condition.format(differs="IS NOT"))
    for table in APPEND_ONLY:
        _sqlite_trigger(table, "UPDATE")
        _sqlite_trigger(table, "DELETE")
    # A new rejected row takes the next free number; a number that is taken would replace what was set aside.
    _sqlite_trigger("log_rejected", "INSERT", "EXISTS (SELECT 1 FROM log_rejected WHERE id = NEW.id)")
    _sqlite_trigger("log_pending", "UPDATE")
    _sqlite_trigger("log_head", "UPDATE", "NEW.epoch <> OLD.epoch + 1 OR NEW.size < OLD.size OR NEW.id <> 1")
    _sqlite_trigger("log_head", "DELETE")


def _sqlite_trigger(table: str, event: str, condition: str | None = None) -> None:
    when = f"WHEN {condition}" if condition else ""
    op.execute(
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgresql() -> None:
    for statement in POSTGRESQL_TABLES:
        op.execute(statement)
    op.execute(
        """
        CREATE FUNCTION twokey_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
        """
    )
    for table, condition in NEXT_ROW.items():
        _postgresql_check(table, "INSERT", condition.format(differs="IS DISTINCT FROM"))
    for table in APPEND_ONLY:
        _postgresql_refuse(table, "UPDATE OR DELETE OR TRUNCATE")
    _postgresql_refuse("log_pending", "UPDATE OR TRUNCATE")
    _postgresql_check("log_head", "UPDATE", "NEW.epoch <> OLD.epoch + 1 OR NEW.size < OLD.size OR NEW.id <> 1")
    _postgresql_refuse("log_head", "DELETE OR TRUNCATE")


def _postgresql_check(table: str, event: str, condition: str) -> None:
    name = f"twokey_{table}_{event.lower()}"
    op.execute(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {condition} THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _postgresql_refuse(table: str, events: str) -> None:
    name = f"twokey_{table}_refuse"
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION twokey_log_refuse()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
