"""Fresh workspaces for trials: made once, copied for each.

Rules: a trial has a folder of its own (workspace, keys, git repository, warehouse, clock) and, on PostgreSQL, a
database of its own; what was made for a trial is removed after it. Nothing here knows what a trial does.
"""

import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from sqlalchemy import NullPool

BEGIN_US: Final = 1_767_225_600_000_000
PASSING_US: Final = 20 * 60 * 1_000_000
"""Longer than any lease, shorter than an approval lasts, in microseconds."""

_TRANSACTIONS: Final = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL)
     + (SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE locktype = 'advisory' AND datname = current_database())
"""
"""Transactions that have changed something and not ended, and advisory locks."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one trial happens. ``url`` is empty where the database is a file in the workspace."""

    folder: Path
    url: str

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.db"

    @property
    def target(self) -> Path:
        """The file that the naive graphs append to."""
        return self.folder / "target.txt"

    @property
    def checkpoints(self) -> Path:
        """Where the naive graphs keep their state on SQLite."""
        return self.folder / "checkpoints.db"

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this trial finds in its environment."""
        store = {"TWOKEY_STORE__URL": self.url} if self.url else {}
        return {"TWOKEY_HOME": str(self.home)} | store

    @property
    def store(self) -> str:
        """The address of the database of state and log."""
        return self.url or f"sqlite:///{self.workspace / '.twokey' / 'twokey.db'}"

    def as_json(self) -> dict[str, str]:
        return {"folder": str(self.folder), "url": self.url}

    def rows(self, sql: str, url: str = "") -> list[Any]:
        """What a query of the database gives, read without the product."""
        engine = sqlalchemy.create_engine(url or _driver(self.store), poolclass=NullPool)
        with engine.connect() as connection:
            return list(connection.execute(sqlalchemy.text(sql)))

    def held(self) -> bool:
        """Tell whether somebody holds a lock that a second process waits for: of a database, the repository, the pin."""
        state = self.workspace / ".twokey"
        databases = () if self.url else (state / "twokey.db", state / "checkpoints.db")
        locks = (self.repository / ".git" / "objects", *self.home.glob("*/log.key.pin"))
        return (
            any(_write_locked(path) for path in databases if path.exists())
            or any(_flocked(path) for path in locks)
            or (bool(self.url) and bool(self.rows(_TRANSACTIONS)[0][0]))
        )

    def time_passes(self) -> None:
        """Move the clock of every process of this trial past all leases."""
        (self.folder / "clock").write_text(str(BEGIN_US + PASSING_US), encoding="utf-8")


def read_stage(value: dict[str, str]) -> Stage:
    """Read what ``Stage.as_json`` gave."""
    return Stage(Path(value["folder"]), value["url"])


class StageClock:
    """A clock that every process of a trial shares, and that moves when told to (port ``Clock``)."""

    def __init__(self, stage: Stage) -> None:
        self._hand = stage.folder / "clock"

    def now_us(self) -> int:
        return int(self._hand.read_text(encoding="utf-8"))


class Stages:
    """Makes stages as copies of templates, one for each part of a run, on SQLite or on PostgreSQL."""

    def __init__(self, folder: Path, server: str) -> None:
        """``server`` is the address of a PostgreSQL server, or empty."""
        self._folder = folder
        self.server = server
        self._name = f"crash_{secrets.token_hex(4)}"
        self._templates: dict[str, str] = {}

    def make(self, part: str, work: Callable[[Stage], None], *, after: str = "") -> None:
        """Have the template of ``part`` made by ``work``: of nothing, or of what the template of ``after`` holds."""
        name = f"template_{part}"
        stage = self._stage(name)
        if after:
            self._copy(self._templates[after], stage)
        else:
            stage.folder.mkdir(parents=True)
            (stage.folder / "clock").write_text(str(BEGIN_US), encoding="utf-8")
            if self.server:
                self._admin(f'CREATE DATABASE "{self._name}_{name}"')
        self._templates[part] = name
        work(stage)

    @contextmanager
    def fresh(self, part: str) -> Generator[Stage]:
        """A copy of the template of ``part``, removed afterwards."""
        stage = self._stage(secrets.token_hex(6))
        self._copy(self._templates[part], stage)
        try:
            yield stage
        finally:
            self._remove(stage)

    def remove(self) -> None:
        """Remove the templates."""
        for name in self._templates.values():
            self._remove(self._stage(name))

    def _stage(self, name: str) -> Stage:
        return Stage(self._folder / name, self._database(f"{self._name}_{name}"))

    def _copy(self, template: str, stage: Stage) -> None:
        shutil.copytree(self._folder / template, stage.folder)
        if self.server:
            made = f'CREATE DATABASE "{self._name}_{stage.folder.name}"'
            self._admin(f'{made} TEMPLATE "{self._name}_{template}" STRATEGY FILE_COPY')

    def _remove(self, stage: Stage) -> None:
        shutil.rmtree(stage.folder, ignore_errors=True)
        if self.server:
            self._admin(f'DROP DATABASE IF EXISTS "{self._name}_{stage.folder.name}" WITH (FORCE)')

    def _database(self, name: str) -> str:
        if not self.server:
            return ""
        return sqlalchemy.make_url(_driver(self.server)).set(database=name).render_as_string(hide_password=False)

    def _admin(self, statement: str) -> None:
        engine = sqlalchemy.create_engine(_driver(self.server), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(statement))


def fast_folder() -> Path | None:
    """A folder in memory, where there is one: what a killed process leaves is the same there, and flushing is free."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 512 * 1024 * 1024 else None


def _flocked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _write_locked(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
