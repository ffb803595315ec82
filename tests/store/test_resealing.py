"""Sealing what is there: all of it, whoever is cut off or does the same meanwhile, and nothing else is changed."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, select, text, update
from support import sealing_process
from support.sealed import SECRET, WORKSPACE, everything, fill, read, sealer

from twokey.core.errors import EnvironmentFault
from twokey.store import database, inbox, resealing, sealing, tables
from twokey.store.inbox import InboundRecord
from twokey.store.resealing import SPOTS, Done
from twokey.store.sealing import KeyFile, add_key, drop_keys

MANY = 450
"""Deliveries: more than two batches."""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A file with one key."""
    add_key(tmp_path / "store.key", WORKSPACE)
    return tmp_path / "store.key"


@pytest.fixture
def plain(database_url: str) -> str:
    """A database that was filled before anything was sealed."""
    engine = database.open_engine(database_url)
    with engine.begin() as connection:
        fill(connection, 1)
        fill(connection, 2)
        unwritten = update(tables.proposals).where(tables.proposals.c.id == "p-000000000002").values(result=None)
        connection.execute(unwritten)
        for number in range(MANY):
            body = f"{SECRET} {number}".encode()
            record = InboundRecord(
                f"i-{1000 + number:012}", "github", f"m{number}", "x", body, "done", "", 0, number, number
            )
            connection.execute(
                tables.inbox.insert().values(**{name: getattr(record, name) for name in record.__slots__})
            )
    engine.dispose()
    return database_url


@pytest.fixture
def engine(plain: str, key: Path) -> Iterator[Engine]:
    """The same, opened to seal."""
    opened = database.open_engine(plain, sealer(key))
    yield opened
    opened.dispose()


def reseal(engine: Engine, key: Path) -> Done:
    return resealing.reseal(engine, sealer(key), lambda _: None)


def stale(engine: Engine, key: Path) -> dict[str, int]:
    return resealing.count_stale(engine, KeyFile(key, WORKSPACE).names()[-1])


def whole(engine: Engine) -> None:
    """Everything is read as it was."""
    with engine.connect() as connection:
        read(connection, 1)
        read(connection, 2)
        bodies = [inbox.get_inbound(connection, f"i-{1000 + number:012}") for number in range(MANY)]
        assert all(each is not None and each.body is not None and SECRET.encode() in each.body for each in bodies)


def test_every_column_that_holds_words_is_named():
    """A new column of bytes or of long text is sealed, or it is said here why not."""
    sealed = {str(column) for spot in SPOTS for column in spot.columns}
    held = {
        str(column)
        for table in tables.metadata.tables.values()
        for column in table.columns
        if str(column.type) in {"BLOB", "TEXT", "BYTEA"}
    }
    assert held - sealed == {
        "jobs.body",  # names a run, a proposal, a delivery or a message, and nothing else
        "slack_teams.sealed",  # sealed with a key of its own
    }


def test_what_was_there_is_sealed_and_leaves_no_trace(engine: Engine, plain: str, key: Path):
    with engine.connect() as connection:
        assert resealing.any_plain(connection)
    assert sum(stale(engine, key).values()) > MANY
    told: list[int] = []
    done = resealing.reseal(engine, sealer(key), told.append)
    assert (done.broken, done.left, done.sealed) == ({}, 0, told[-1])
    assert stale(engine, key) == {}
    with engine.connect() as connection:
        assert not resealing.any_plain(connection)
    whole(engine)
    assert resealing.sweep(engine)
    engine.dispose()
    copied = everything(plain)
    assert SECRET.encode() not in copied
    assert reseal(engine, key).sealed == 0


def test_what_is_there_twice_is_not_sealed_twice(engine: Engine, key: Path):
    reseal(engine, key)
    with engine.connect() as connection:
        before = connection.execute(select(tables.inbox)).all()
    assert reseal(engine, key).sealed == 0
    with engine.connect() as connection:
        assert connection.execute(select(tables.inbox)).all() == before


def test_a_new_key_takes_the_place_of_the_old_one(engine: Engine, key: Path):
    reseal(engine, key)
    add_key(key, WORKSPACE)
    assert sum(stale(engine, key).values()) > MANY
    old, new = KeyFile(key, WORKSPACE).names()
    assert resealing.used_keys(engine, [old, new]) == {old}
    assert reseal(engine, key).left == 0
    assert resealing.used_keys(engine, [old, new]) == {new}
    assert drop_keys(key, WORKSPACE, resealing.used_keys(engine, [old, new])) == 1
    engine.dispose()
    again = database.open_engine(str(engine.url.render_as_string(hide_password=False)), sealer(key))
    whole(again)
    again.dispose()


def test_what_does_not_open_is_left_and_counted(engine: Engine, key: Path):
    with engine.begin() as connection:
        forged = sealing.SEALED + KeyFile(key, WORKSPACE).names()[0] + b"x" * 40
        connection.execute(
            update(tables.documents).values(body=forged).where(tables.documents.c.run == "r-000000000001")
        )
    add_key(key, WORKSPACE)
    done = reseal(engine, key)
    assert (done.broken, done.left) == ({"documents": 1}, 0)
    with engine.connect() as connection:
        wanted = select(tables.documents.c.body).where(tables.documents.c.run == "r-000000000001")
        assert connection.execute(wanted).scalar_one() == forged


def test_a_column_of_another_type_is_left_and_counted(engine: Engine, key: Path):
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL holds to the types of its columns")
    with engine.begin() as connection:
        connection.execute(text("UPDATE documents SET body = 'text' WHERE run = 'r-000000000001'"))
    assert reseal(engine, key).broken == {"documents": 1}


def test_a_key_that_is_missing_ends_it(engine: Engine, key: Path, tmp_path: Path):
    reseal(engine, key)
    add_key(tmp_path / "other.key", WORKSPACE)
    other = database.open_engine(engine.url.render_as_string(hide_password=False), sealer(tmp_path / "other.key"))
    with pytest.raises(EnvironmentFault) as caught:
        reseal(other, tmp_path / "other.key")
    assert caught.value.code == "store_key_unknown"
    other.dispose()
    whole(engine)


def test_large_rows_come_a_few_at_a_time(engine: Engine, key: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resealing, "BYTES", 100)
    told: list[int] = []
    assert resealing.reseal(engine, sealer(key), told.append).left == 0
    assert len(told) > MANY / 8
    whole(engine)


def test_rows_that_somebody_holds_are_left_for_the_next_time(engine: Engine, key: Path):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    with elsewhere(engine) as connection:
        connection.execute(text("SELECT 1 FROM documents WHERE run = 'r-000000000001' FOR UPDATE"))
        assert (reseal(engine, key).left, sum(stale(engine, key).values())) == (1, 1)
    assert reseal(engine, key).sealed == 1
    whole(engine)


@contextmanager
def elsewhere(engine: Engine) -> Generator[Connection]:
    """A transaction of somebody else's."""
    other = create_engine(engine.url)
    with other.begin() as connection:
        yield connection
    other.dispose()


def start(url: str, key: Path, *more: int) -> "subprocess.Popen[str]":
    arguments = [sys.executable, sealing_process.__file__, url, str(key), *map(str, more)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("changes", [3, 260])
def test_one_that_is_killed_in_the_middle_is_taken_up(engine: Engine, plain: str, key: Path, changes: int):
    with start(plain, key, changes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    whole(engine)
    before = sum(stale(engine, key).values())
    assert MANY > before > 0 if changes > resealing.ROWS else before > MANY
    assert reseal(engine, key).left == 0
    assert stale(engine, key) == {}
    whole(engine)


def test_two_at_once_seal_everything_once(engine: Engine, plain: str, key: Path):
    processes = [start(plain, key) for _ in range(2)]
    said = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(int(sealed) for sealed, _ in said) > MANY
    assert reseal(engine, key).left == 0
    assert stale(engine, key) == {}
    whole(engine)


def test_a_database_that_somebody_uses_is_not_swept(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resealing, "LOCK_S", 1)
    monkeypatch.setattr(database, "BUSY_MS", 200)
    used: Any
    if engine.dialect.name == "sqlite":
        engine.dispose()
        with closing(sqlite3.connect(str(engine.url.database))) as used:
            used.execute("BEGIN IMMEDIATE")
            assert not resealing.sweep(engine)
            used.rollback()
    else:
        with elsewhere(engine) as used:
            used.execute(text("SELECT count(*) FROM openings"))
            assert not resealing.sweep(engine)
    assert resealing.sweep(engine)
