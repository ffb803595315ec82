"""The database of a workspace: what is acknowledged is on disk, writers queue, and nobody else reads the file."""

import json
import os
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from twokey.core.errors import BadInput, EnvironmentFault, LogUnavailable
from twokey.store import database
from twokey.store.database import READ_ONLY


@pytest.fixture
def engine(empty_sqlite_url: str) -> Iterator[Engine]:
    opened = database.open_engine(empty_sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where ``empty_sqlite_url`` points."""
    return tmp_path / "store.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite",
        "postgresql://host:port/database",
        "mysql://host/database",
        "postgres://host/database",
        "duckdb:///store.db",
        # None of these survives the process.
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:shared?mode=memory&cache=shared&uri=true",
        "sqlite:///file::memory:",
        "sqlite:///file:store.db",
        # Options may switch locks and safety off (``nolock``, ``immutable``, ``vfs``).
        "sqlite:////tmp/store.db?vfs=unix-none",
        "sqlite:////tmp/store.db?uri=true",
        "sqlite:////tmp/store\0.db",
    ],
)
def test_what_cannot_be_a_store_is_refused(url: str):
    for use in (database.parse, database.open_engine):
        with pytest.raises(BadInput) as caught:
            use(url)
        assert "store.url in twokey.toml" in caught.value.next


def test_a_refusal_does_not_repeat_the_address():
    with pytest.raises(BadInput) as caught:
        database.parse("mysql://ana:s3cret@db.example.com/shop")
    assert "s3cret" not in f"{caught.value.message}{caught.value.next}"
    assert "example" not in f"{caught.value.message}{caught.value.next}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////tmp/store.db", "sqlite:////tmp/store.db"),
        ("sqlite+aiosqlite:///store.db", "sqlite:///store.db"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg2://u@h/d?sslmode=require", "postgresql+psycopg://u@h/d?sslmode=require"),
    ],
)
def test_an_address_gets_the_driver_that_is_tested(url: str, expected: str):
    assert database.parse(url).render_as_string(hide_password=False) == expected


def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(EnvironmentFault, match="The folder of the workspace's database does not exist"):
        database.open_engine(f"sqlite:///{tmp_path}/missing/store.db")
    assert not (tmp_path / "missing").exists()


def test_a_missing_driver_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)  # Python's way to say that a module cannot be imported
    with pytest.raises(EnvironmentFault, match="The PostgreSQL driver is not installed") as caught:
        database.open_engine("postgresql://h/d")
    assert (caught.value.code, caught.value.next) == ("no_driver", "pip install 'twokey[postgresql]'")


def test_a_driver_without_its_library_is_said():
    """psycopg without libpq is there and cannot be imported."""
    program = """
import json
from twokey.core.errors import EnvironmentFault
from twokey.store import database
try:
    database.open_engine("postgresql://h/d")
except EnvironmentFault as error:
    print(json.dumps(error.as_json()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"PSYCOPG_IMPL": "c"},  # an implementation that is not installed
    )
    assert json.loads(done.stdout)["error"]["code"] == "no_driver"


# -- SQLite ---------------------------------------------------------------------------------------------------------


def test_sqlite_is_durable_and_strict(engine: Engine):
    for _ in range(2):  # a pooled connection keeps them
        with engine.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in (
                    "journal_mode",
                    "synchronous",
                    "foreign_keys",
                    "recursive_triggers",
                    "trusted_schema",
                    "busy_timeout",
                )
            }
        assert pragmas == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "recursive_triggers": 1,
            "trusted_schema": 0,
            "busy_timeout": 30_000,
        }


def test_a_transaction_holds_the_write_lock_from_its_beginning(engine: Engine, path: Path):
    with engine.begin(), closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")


def test_looking_takes_no_write_lock(engine: Engine, path: Path):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
    with engine.begin() as writer:
        writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        with engine.connect().execution_options(**{READ_ONLY: True}) as looking:
            # Neither waits for the writer nor sees what is not committed.
            assert looking.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 0
    with engine.connect().execution_options(**{READ_ONLY: True}) as looking:
        assert looking.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 1
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM t")
            other.execute("COMMIT")
        assert looking.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 1, "one view while it is open"


def test_a_connection_that_looked_takes_the_lock_when_it_writes_next(engine: Engine, path: Path):
    """The option belongs to one use; the pooled connection behind it forgets it."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as looking:
        looking.exec_driver_sql("SELECT 1")
    with (
        engine.begin(),
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
        pytest.raises(sqlite3.OperationalError, match="database is locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_writers_queue_and_lose_nothing(empty_sqlite_url: str, engine: Engine):
    """Each reads, then writes what it read plus one: without the lock from the start, one would fail or be lost."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
        connection.exec_driver_sql("INSERT INTO t VALUES (0)")
    start, faults = threading.Barrier(3), list[Exception]()

    def count() -> None:
        own = database.open_engine(empty_sqlite_url)
        try:
            start.wait(60)
            for _ in range(20):
                with own.begin() as connection:
                    seen = connection.exec_driver_sql("SELECT a FROM t").scalar_one()
                    connection.execute(text("UPDATE t SET a = :new"), {"new": seen + 1})
        except Exception as error:  # noqa: BLE001 - told to the test below
            faults.append(error)
        finally:
            own.dispose()

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT a FROM t").scalar_one() == 60


def test_a_foreign_key_is_enforced(engine: Engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE b (a REFERENCES a)")
    with pytest.raises(Exception, match="FOREIGN KEY"), engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO b VALUES (1)")


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
def test_the_file_is_private_from_its_first_moment(engine: Engine, path: Path):
    """Who opens a file while it is readable keeps reading it, whatever its mode becomes."""
    seen: list[int] = []

    def on_connect(_connection: object, _entry: object) -> None:
        seen.append(mode(path))

    event.listen(engine, "connect", on_connect, insert=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
        assert seen == [0o600]
        assert {file.name: mode(file) for file in path.parent.glob("store.db*")} == {
            "store.db": 0o600,
            "store.db-wal": 0o600,
            "store.db-shm": 0o600,
        }


@pytest.mark.usefixtures("no_umask")
def test_a_file_that_was_copied_here_is_made_private(engine: Engine, path: Path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE t (a)")
        other.commit()
        assert mode(path) == 0o644
        with engine.connect():
            assert {mode(file) for file in path.parent.glob("store.db*")} == {0o600}


def test_rights_are_taken_and_never_given(engine: Engine, path: Path):
    with engine.connect():
        pass
    engine.dispose()
    path.chmod(0o440)
    with engine.connect():
        pass
    assert mode(path) == 0o400


# -- checked once, when a workspace opens ---------------------------------------------------------------------------


def test_a_usable_database_passes_and_is_left_as_it_was(empty_database_url: str):
    engine = database.open_engine(empty_database_url)
    database.check(engine)
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA user_version=7")
        database.check(engine)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == 7
            assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0
    engine.dispose()


def unusable(engine: Engine) -> EnvironmentFault:
    try:
        with pytest.raises(EnvironmentFault) as caught:
            database.check(engine)
    finally:
        engine.dispose()
    assert caught.value.code == "store_unavailable"
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 300
    return caught.value


def test_a_file_that_is_no_database_is_said(engine: Engine, path: Path):
    path.write_bytes(b"not a database\n" * 100)
    assert "file is not a database" in unusable(engine).message
    assert path.read_bytes() == b"not a database\n" * 100


def test_a_folder_in_the_place_of_the_file_is_said(engine: Engine, path: Path):
    path.mkdir()
    assert "unable to open database file" in unusable(engine).message


def test_a_file_that_may_only_be_read_is_said(engine: Engine, path: Path):
    """BEGIN IMMEDIATE succeeds on such a file; the first change would fail, long after the workspace opened."""
    with engine.connect():
        pass
    with closing(sqlite3.connect(path)):
        only_read = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
        assert "attempt to write a readonly database" in unusable(only_read).message


def test_a_server_that_does_not_answer_is_said_without_its_password():
    engine = database.open_engine("postgresql://ana:s3cret@127.0.0.1:1/shop")
    fault = unusable(engine)
    assert "cannot be used: " in fault.message
    assert "s3cret" not in f"{fault.message}{fault.next}"


@pytest.mark.postgresql
def test_a_server_that_takes_no_changes_is_said(empty_postgresql_url: str):
    _alter(empty_postgresql_url, "default_transaction_read_only = on")
    assert "read-only" in unusable(database.open_engine(empty_postgresql_url)).message


@pytest.mark.postgresql
@pytest.mark.parametrize(("server", "ours"), [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")])
def test_postgresql_acknowledges_only_what_is_on_disk(empty_postgresql_url: str, server: str, ours: str):
    _alter(empty_postgresql_url, f"synchronous_commit = {server}")
    _alter(empty_postgresql_url, "default_transaction_isolation = 'serializable'")
    engine = database.open_engine(empty_postgresql_url)
    for _ in range(2):  # a pooled connection keeps them
        with engine.begin() as connection:
            shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in SHOWN]
            assert shown == [ours, "read committed"]
    engine.dispose()


SHOWN = ("synchronous_commit", "transaction_isolation")


def _alter(url: str, setting: str) -> None:
    """Change a default of the database that new connections get."""
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{admin.url.database}" SET {setting}'))
    admin.dispose()


@pytest.mark.postgresql
def test_a_process_that_is_stopped_in_a_transaction_does_not_hold_others_up_for_ever(empty_postgresql_url: str):
    engine = database.open_engine(empty_postgresql_url)
    with engine.connect() as connection:
        shown = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    engine.dispose()
    assert shown == f"{database.STANDSTILL_MS // 1000}s"


# -- connections that were cut --------------------------------------------------------------------------------------


@pytest.mark.postgresql
def test_a_connection_that_was_cut_while_it_was_idle_is_replaced(empty_postgresql_url: str):
    engine = database.open_engine(empty_postgresql_url)
    other = create_engine(empty_postgresql_url)
    try:
        with engine.connect() as connection:
            mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.begin() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:  # the pool tries a connection only after a while without use
            time.sleep(database.IDLE_S)
            with other.connect() as connection:
                left = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
                if connection.execute(left, {"pid": mine}).scalar_one() == 0:
                    break
        with engine.connect() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != mine
        time.sleep(database.IDLE_S)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        engine.dispose()
        other.dispose()


def test_after_an_input_output_error_a_process_changes_nothing_any_more(empty_sqlite_url: str):
    """A file that may grow no further gives a real one; what failed once is not tried again, reading goes on."""
    engine = database.open_engine(empty_sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x BLOB)")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(SQLAlchemyError) as caught:  # noqa: PT012 - the limit holds for one change
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, hard))
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(4000000))")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "IOERR" in str(getattr(caught.value.__cause__, "sqlite_errorname", ""))
    with pytest.raises(LogUnavailable) as refused, engine.begin():
        pass
    assert refused.value.code == "disk_failed"
    with engine.connect().execution_options(**{database.READ_ONLY: True}) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 0
    engine.dispose()
