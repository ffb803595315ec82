"""Opens the workspace's database so that what is committed stays committed.

Rules: SQLite runs in WAL mode with ``synchronous=FULL`` and takes its write lock when a transaction begins, so two
processes queue instead of failing half-way; PostgreSQL runs at READ COMMITTED with synchronous commit. Nothing else is
supported as a store, and an address that cannot be used is one clear sentence.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from twokey.core.errors import BadInput, EnvironmentFault

BUSY_MS: Final = 30_000
"""How long a SQLite writer queues for the lock, in milliseconds."""

READ_ONLY: Final = "twokey_read_only"
"""Execution option of a connection that only reads: on SQLite it takes no write lock."""


def parse(url: str) -> URL:
    """Read a store address.

    Raises:
        BadInput: it is no SQLAlchemy URL, or names a database that cannot be the store.

    """
    hint = "Use sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE as store.url in twokey.toml."
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput("The store's address is not a database URL.", next=hint) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise BadInput(f"Twokey cannot keep its store in {backend!r} as given.", next=hint)


def open_engine(url: str) -> Engine:
    """Give an engine for the store at ``url`` (SQLite file or PostgreSQL); connects lazily."""
    parsed = parse(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except NoSuchModuleError as error:
        raise EnvironmentFault(
            "The database driver is not installed.", next="Install twokey with the extra for PostgreSQL."
        ) from error
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"The PostgreSQL driver is not installed ({error.name}).", next="pip install 'twokey[postgresql]'"
        ) from error


def check(engine: Engine) -> None:
    """Connect once.

    Raises:
        EnvironmentFault: the database cannot be reached, opened or written.

    """
    try:
        with engine.begin():
            pass
    except SQLAlchemyError as error:
        raise EnvironmentFault(
            f"The workspace's database cannot be opened: {_short(error)}.",
            next="Check store.url in twokey.toml, the folder's permissions and the free space.",
            code="store_unavailable",
        ) from error


def _short(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(cause).__name__


def _sqlite(url: URL) -> Engine:
    database = url.database or ""
    if not Path(database).parent.is_dir():
        raise EnvironmentFault(
            "The folder of the workspace's database does not exist.", next="Check store.url in twokey.toml."
        )
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False})

    def on_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: it would take the lock too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "trusted_schema=OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        if os.name == "posix":
            for suffix in ("", "-wal", "-shm"):
                path = Path(database + suffix)
                if path.exists() and path.stat().st_uid == os.getuid():
                    path.chmod(0o600)

    def on_begin(connection: Connection) -> None:
        looking = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if looking else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine
