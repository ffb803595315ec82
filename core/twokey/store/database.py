"""Opens the workspace's database so that what is committed stays committed.

Rules: SQLite runs in WAL mode with ``synchronous=FULL`` and takes its write lock when a transaction begins, so two
processes queue instead of failing half-way; PostgreSQL runs at READ COMMITTED and never with synchronous commit off,
whatever the server's defaults are. After an input/output error of SQLite's a process changes nothing any more. An
address carries no options for SQLite, which could make the store vanish with the process. Nothing else is supported as
a store, and an address that cannot be used is one clear sentence.
"""

import contextlib
import logging
import math
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from twokey.core.errors import BadInput, EnvironmentFault, LogUnavailable
from twokey.core.journal_mode import write_ahead
from twokey.store.sealing import OPTION, Sealer

BUSY_MS: Final = 30_000
"""How long a SQLite writer queues for the lock, in milliseconds."""

STANDSTILL_MS: Final = 10_000
"""After how long PostgreSQL ends a transaction whose process does nothing, in milliseconds."""

IDLE_S: Final = 1.0
"""A connection to PostgreSQL that has been idle for longer is tried before it is used, in seconds."""

_IDLE_SINCE: Final = "twokey_idle_since"

_SILENT: Final = logging.NullHandler()

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
    except (ArgumentError, ValueError) as error:
        raise BadInput("The store's address is not a database URL.", next=hint) from error
    backend, database = parsed.get_backend_name(), parsed.database or ""
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise BadInput(f"Twokey cannot keep its store in {backend!r}.", next=hint)
    if database in {"", ":memory:"} or database.startswith("file:") or "\0" in database or parsed.query:
        raise BadInput("The store's address names no plain SQLite file.", next=hint)
    return parsed.set(drivername="sqlite")


def open_engine(url: str, sealer: Sealer | None = None) -> Engine:
    """Give an engine for the store at ``url`` (SQLite file or PostgreSQL); connects lazily.

    What the store keeps of words and values is sealed and opened by ``sealer``.

    Raises:
        BadInput: the address cannot be the store's.
        EnvironmentFault: the folder of the file, or the database's driver, is missing.

    """
    parsed = parse(url)
    options = {} if sealer is None else {OPTION: sealer}
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, options)
    try:
        return _postgresql(parsed, options)
    except ImportError as error:  # also where psycopg is there and the library it wraps is not
        raise EnvironmentFault(
            "The PostgreSQL driver is not installed.", next="pip install 'twokey[postgresql]'", code="no_driver"
        ) from error


def check(engine: Engine) -> None:
    """Connect once, and see that the database takes changes.

    Raises:
        EnvironmentFault: the database cannot be reached, opened or written.

    """
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # On a file that may only be read, BEGIN IMMEDIATE succeeds and a change does not. Undone on leaving.
                connection.exec_driver_sql("PRAGMA user_version=0")
                read_only = False
            else:
                read_only = connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"
    except (SQLAlchemyError, OSError) as error:
        raise EnvironmentFault(
            f"The workspace's database cannot be used: {_short(error)}.",
            next="Check store.url in twokey.toml, the permissions of file and folder, and the free space.",
            code="store_unavailable",
        ) from error
    if read_only:
        raise EnvironmentFault(
            "The workspace's database takes no changes: the server is read-only for this account.",
            next="Check that store.url in twokey.toml names the primary server.",
            code="store_unavailable",
        )


def _short(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)[:200]


def _postgresql(url: URL, options: dict[str, Any]) -> Engine:
    # What the driver remarks while it gives up a lost connection is told by the error that follows, in our words.
    logging.getLogger("psycopg").addHandler(_SILENT)
    connecting = {"connect_timeout": 10}
    engine = create_engine(url, isolation_level="READ COMMITTED", connect_args=connecting, execution_options=options)

    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # A server, database or role may have it off: what is acknowledged would not survive a power cut.
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        # A process that is stopped in the middle of a transaction keeps its locks: others wait for it this long.
        cursor.execute(f"SET idle_in_transaction_session_timeout = {STANDSTILL_MS}")
        cursor.close()
        connection.commit()

    def on_checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDLE_SINCE] = time.monotonic()

    def on_checkout(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        # A ping each time costs as much as a query; one that was used a moment ago is most likely still there.
        if time.monotonic() - entry.info.get(_IDLE_SINCE, math.inf) < IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool tries another one

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "checkin", on_checkin)
    event.listen(engine, "checkout", on_checkout)
    return engine


def _sqlite(url: URL, options: dict[str, Any]) -> Engine:
    database = Path(url.database or "")
    if not database.parent.is_dir():
        raise EnvironmentFault(
            "The folder of the workspace's database does not exist.", next="Check store.url in twokey.toml."
        )
    connecting = {"timeout": BUSY_MS / 1000, "check_same_thread": False}
    engine = create_engine(url, connect_args=connecting, execution_options=options)

    # After a write that failed, the system may say that the next flush succeeded, and have lost the pages.
    failed = threading.Event()

    def before_connect(*_: object) -> None:
        # A new file is nobody else's from its first moment; SQLite gives its side files the same mode. Without opening
        # it: closing a second descriptor would drop this process's locks. What is wrong here, SQLite says next.
        with contextlib.suppress(OSError):
            os.mknod(database, stat.S_IFREG | 0o600)

    def on_connect(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: it would take the lock too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        write_ahead(connection, BUSY_MS / 1000)
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "trusted_schema=OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        for suffix in ("", "-wal", "-shm"):
            _keep_private(Path(f"{database}{suffix}"))

    def on_error(context: ExceptionContext) -> None:
        name = getattr(context.original_exception, "sqlite_errorname", None) or ""
        if name.startswith("SQLITE_IOERR"):
            failed.set()

    def on_begin(connection: Connection) -> None:
        looking = connection.get_execution_options().get(READ_ONLY)
        if failed.is_set() and not looking:
            raise LogUnavailable(
                "The disk under the workspace's database has failed, so this process changes nothing any more.",
                next="Check the disk, run `twokey audit verify`, then start the process again.",
                code="disk_failed",
            )
        connection.exec_driver_sql("BEGIN" if looking else "BEGIN IMMEDIATE")

    event.listen(engine, "handle_error", on_error)
    event.listen(engine, "do_connect", before_connect)
    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _keep_private(path: Path) -> None:
    """Take the rights of group and others from a file of ours, such as one that was copied here."""
    with contextlib.suppress(FileNotFoundError):  # side files come and go
        status = path.stat()
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            path.chmod(status.st_mode & 0o700)
