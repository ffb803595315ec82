"""The database itself refuses to change history: as anybody with a connection would try it."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from support.log_world import World, step

from twokey.audit import storage
from twokey.audit.storage import Head
from twokey.core.errors import LogUnavailable
from twokey.store.database import open_engine

ROOT = Path(__file__).resolve().parents[2]


def _fill(world: World) -> World:
    log = world.open()
    for number in range(5):
        world.record(log, step(number))
    return world


@pytest.fixture
def filled(world: World) -> World:
    return _fill(world)


def _contents(engine: Engine) -> list[list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table.name} ORDER BY 1"))]
            for table in storage.TABLES.sorted_tables
        ]


FORBIDDEN = [
    "UPDATE log_entries SET body = body WHERE seq = 2",
    "UPDATE log_entries SET subject = 'x'",
    "DELETE FROM log_entries WHERE seq = 4",
    "DELETE FROM log_entries",
    "UPDATE log_nodes SET hash = hash",
    "DELETE FROM log_nodes WHERE pos = 0",
    "UPDATE log_checkpoints SET note = 'x'",
    "DELETE FROM log_checkpoints WHERE size = 5",
    "DELETE FROM log_head",
    "UPDATE log_head SET size = 2, epoch = epoch + 1",
    "UPDATE log_head SET size = 9",
    "UPDATE log_head SET id = 1, epoch = epoch + 2",
    "INSERT INTO log_head (id, epoch, size, holder) VALUES (2, 0, 0, '-')",
    "INSERT INTO log_entries SELECT 7, 'l-new', subject, kind, body, leaf_hash FROM log_entries WHERE seq = 0",
    "INSERT INTO log_entries SELECT -1, 'l-new', subject, kind, body, leaf_hash FROM log_entries WHERE seq = 0",
    "INSERT INTO log_entries SELECT 2, 'l-new', subject, kind, body, leaf_hash FROM log_entries WHERE seq = 0",
    "INSERT INTO log_entries SELECT 5, id, subject, kind, body, leaf_hash FROM log_entries WHERE seq = 0",
    "INSERT INTO log_nodes SELECT 9, hash FROM log_nodes WHERE pos = 0",
    "INSERT INTO log_nodes SELECT 1, hash FROM log_nodes WHERE pos = 0",
    "INSERT INTO log_checkpoints SELECT 3, root, note, time_us FROM log_checkpoints WHERE size = 5",
    "INSERT INTO log_checkpoints SELECT 0, root, note, time_us FROM log_checkpoints WHERE size = 5",
]
SQLITE_FORBIDDEN = [
    "INSERT OR REPLACE INTO log_entries SELECT * FROM log_entries WHERE seq = 2",
    "REPLACE INTO log_entries SELECT 2, 'l-new', subject, kind, body, leaf_hash FROM log_entries WHERE seq = 0",
    "INSERT OR REPLACE INTO log_entries SELECT 5, id, subject, kind, body, leaf_hash FROM log_entries WHERE seq = 1",
    "INSERT OR IGNORE INTO log_entries SELECT 9, 'l-new', 's', kind, body, leaf_hash FROM log_entries WHERE seq = 1",
    "INSERT INTO log_entries SELECT * FROM log_entries WHERE seq = 2 ON CONFLICT (seq) DO UPDATE SET kind = 'x'",
    "UPDATE OR REPLACE log_entries SET seq = 1 WHERE seq = 2",
    "INSERT INTO log_entries (id, subject, kind, body, leaf_hash) VALUES ('l-new', 's', 'k', x'00', zeroblob(32))",
    "REPLACE INTO log_nodes SELECT 0, hash FROM log_nodes WHERE pos = 1",
    "REPLACE INTO log_checkpoints SELECT 5, root, note, time_us FROM log_checkpoints WHERE size = 1",
    "REPLACE INTO log_head (id, epoch, size, holder) VALUES (1, 0, 0, '-')",
]
POSTGRESQL_FORBIDDEN = [
    "TRUNCATE log_entries",
    "TRUNCATE log_nodes, log_checkpoints CASCADE",
    "TRUNCATE log_head",
    "TRUNCATE log_pending",
    "TRUNCATE log_rejected",
    "INSERT INTO log_entries SELECT * FROM log_entries WHERE seq = 2 ON CONFLICT (seq) DO UPDATE SET kind = 'x'",
    "MERGE INTO log_entries AS t USING (SELECT 2 AS seq) AS s ON t.seq = s.seq WHEN MATCHED THEN DELETE",
    "UPDATE log_pending SET body = body",
]


def test_history_cannot_be_changed(filled: World):
    before = _contents(filled.engine)
    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError, match="append-only"), filled.engine.begin() as connection:
            connection.execute(text(statement))
        assert _contents(filled.engine) == before, statement


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_history_cannot_be_changed_by_another_client_of_sqlite(sqlite_world: World, recursive: str):
    """The client sets its own pragmas; with recursive_triggers off, REPLACE fires no DELETE trigger."""
    _fill(sqlite_world)
    before = _contents(sqlite_world.engine)
    client = sqlite3.connect(sqlite_world.database)
    client.execute(f"PRAGMA recursive_triggers={recursive}")
    for statement in FORBIDDEN + SQLITE_FORBIDDEN:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            client.execute(statement)
        client.rollback()
        assert _contents(sqlite_world.engine) == before, statement
    client.close()


@pytest.mark.postgresql
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_history_cannot_be_changed_on_postgresql(postgresql_world: World, role: str):
    """``session_replication_role = replica`` switches ordinary triggers off; these stay on."""
    _fill(postgresql_world)
    before = _contents(postgresql_world.engine)
    for statement in FORBIDDEN + POSTGRESQL_FORBIDDEN:
        attack = f"SET LOCAL session_replication_role = {role}; {statement}"
        with pytest.raises(DBAPIError, match="append-only"), postgresql_world.engine.begin() as connection:
            connection.exec_driver_sql(attack)
        assert _contents(postgresql_world.engine) == before, statement


@pytest.mark.parametrize(
    "row",
    [
        "5, 'l-new', 's', 'k', 'text', zeroblob(32)",
        "5, 'l-new', 's', 'k', x'', zeroblob(32)",
        "5, 'l-new', 's', 'k', zeroblob(65536), zeroblob(32)",
        "5, 'l-new', 's', 'k', x'00', zeroblob(31)",
        "5, NULL, 's', 'k', x'00', zeroblob(32)",
        "'abc', 'l-new', 's', 'k', x'00', zeroblob(32)",
    ],
)
def test_a_malformed_row_is_refused(sqlite_world: World, row: str):
    _fill(sqlite_world)
    with (
        pytest.raises(DBAPIError, match=r"constraint failed|datatype mismatch"),
        sqlite_world.engine.begin() as connection,
    ):
        connection.execute(text(f"INSERT INTO log_entries VALUES ({row})"))


def test_the_tables_are_those_the_migrations_make(empty_database_url: str):
    engine = open_engine(empty_database_url)
    storage.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": storage.VERSION_TABLE})
        assert compare_metadata(context, storage.TABLES) == []
    engine.dispose()


def test_migrating_twice_changes_nothing(filled: World):
    before = _contents(filled.engine)
    storage.migrate(filled.engine)
    assert _contents(filled.engine) == before


def test_one_kind_about_one_subject_is_found_without_looking_through_the_kind_or_the_subject(sqlite_world: World):
    """What the gate asks for at every answer costs the same however long the log is."""
    plans: list[str] = []

    def explain(connection: Connection, _: object, statement: str, parameters: Any, *__: object) -> None:
        if statement.startswith("SELECT"):
            found = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(" ".join(str(row[3]) for row in found))

    with sqlite_world.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        list(storage.entries(connection, subject="p-000000000001", kind="card.shown", limit=5))
        storage.last_id(connection, "p-000000000001", "card.shown")
        storage.newest(connection, subjects=["p-000000000001"], kind="card.shown", before=9, limit=5)
        storage.entries_from_first(connection, "p-000000000001", "card.shown", limit=5)
    assert len(plans) == 4
    assert "rowid>?" in plans[-1], "from there on the log is read in its order"
    for plan in plans:
        assert "ix_log_entries_subject (subject=? AND kind=?" in plan


def test_a_database_of_a_newer_version_is_refused(world: World):
    with world.engine.begin() as connection:
        connection.execute(text(f"UPDATE {storage.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(LogUnavailable, match="newer version"):
        storage.migrate(world.engine)


def test_the_newest_revision_is_the_one_that_is_checked_for():
    config = Config()
    config.set_main_option("script_location", str(storage.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [storage.SCHEMA]


def test_a_database_that_cannot_be_reached_is_a_clear_sentence(tmp_path: Path):
    (tmp_path / "store.db").write_bytes(b"this is no database, whatever its name says" * 100)
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    with pytest.raises(LogUnavailable, match=r"database failed \(DatabaseError\)"):
        storage.migrate(engine)
    engine.dispose()


@pytest.mark.parametrize("stale", [{"epoch": 4}, {"size": 4}, {"epoch": 6}], ids=["epoch", "size", "future"])
def test_a_holder_that_lost_the_lease_cannot_extend_the_log(filled: World, stale: dict[str, int]):
    """The fence, where a lock was lost without notice: the epoch has moved on. Nothing of what it added stays."""
    before = _contents(filled.engine)
    with filled.engine.connect() as connection:
        head = storage.lease(connection)
        assert head is not None
        assert head == Head(epoch=5, size=5, note=storage.latest_note(connection), entries=5, waiting=False)
    with pytest.raises(LogUnavailable, match="took over"):
        _extend(filled.engine, replace(head, **stale))
    assert _contents(filled.engine) == before
    _extend(filled.engine, head)
    assert _contents(filled.engine) != before


def _extend(engine: Engine, head: Head) -> None:
    row = storage.Row(5, "l-zzzzzzzzzzzz", "-", "step.started", b"{}", b"\0" * 32)
    growth = storage.Growth([row], 3, [b"\1" * 32])
    with engine.begin() as connection:
        storage.extend(connection, head, growth, size=6, root=b"\2" * 32, note="n", time_us=1, holder="x-000000000001")


def test_a_head_that_moved_while_it_was_waited_for_is_read_with_the_rest_as_it_is_then(postgresql_world: World):
    """PostgreSQL gives the locked row as it is after the wait, and every other table as it was before."""
    world = _fill(postgresql_world)
    found: list[Head | None] = []

    def wait() -> None:
        with world.engine.begin() as connection:
            found.append(storage.lease(connection, wait_ms=120_000))

    waiter = threading.Thread(target=wait)
    with world.engine.begin() as connection:
        world.open().append(connection, step(6))
        assert world.open().settle(connection, [world.open().prepare(step(7))]) is not None
        waiter.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until = time.monotonic() + 60
        with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            while not other.execute(text(waits)).scalar():
                assert time.monotonic() < until
    waiter.join()
    with world.engine.connect() as connection:
        assert found == [Head(epoch=6, size=7, note=storage.latest_note(connection), entries=7, waiting=False)]


@pytest.fixture
def roles(postgresql_world: World) -> Iterator[dict[str, Engine]]:
    """The production roles, from the SQL that is shipped."""
    with postgresql_world.engine.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.execute((ROOT / "audit/postgresql-roles.sql").read_text("utf-8"))  # as psql sends it: no parameters
        names = ("twokey_gate", "twokey_agent", "twokey_reader")
        for name in names:
            connection.exec_driver_sql(f"ALTER ROLE {name} LOGIN")
    engines = {name: create_engine(postgresql_world.engine.url.set(username=name)) for name in names}
    yield engines
    for engine in engines.values():
        engine.dispose()


@pytest.mark.postgresql
def test_the_production_roles_can_do_their_work_and_no_more(postgresql_world: World, roles: dict[str, Engine]):
    gate = postgresql_world.open(roles["twokey_gate"])
    with roles["twokey_gate"].begin() as connection:
        gate.append(connection, step(1))
        assert gate.settle(connection) is not None
    agent = postgresql_world.open(roles["twokey_agent"], key=postgresql_world.key.writer("agent"))
    with roles["twokey_agent"].begin() as connection:
        (entry,) = agent.append(connection, step(2))
    gate.wait_covered([entry], 5)
    assert agent.proven(entry).event == step(2)
    assert postgresql_world.open(roles["twokey_reader"], key=postgresql_world.key.verifier).verify().ok
    for role, statement in [
        ("twokey_agent", "INSERT INTO log_entries SELECT 2, 'x', 's', 'k', body, leaf_hash FROM log_entries LIMIT 1"),
        ("twokey_agent", "DELETE FROM log_pending"),
        ("twokey_agent", "UPDATE log_head SET epoch = epoch + 1"),
        ("twokey_agent", "SELECT mac FROM log_pending"),
        ("twokey_reader", "INSERT INTO log_pending (entry_id, writer, body, mac) VALUES ('x', 'gate', '1', '1')"),
        ("twokey_gate", "DELETE FROM log_entries"),
        ("twokey_gate", "TRUNCATE log_entries"),
        ("twokey_gate", "ALTER TABLE log_entries DISABLE TRIGGER ALL"),
    ]:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), roles[role].begin() as connection:
            connection.execute(text(statement))
