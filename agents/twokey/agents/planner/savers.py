"""Where checkpoints lie: a SQLite file or a PostgreSQL database, opened with the library's saver behind the seal.

Rules: what is expensive to open is opened once and lent; several runs may be driven at the same time, each with what it
was lent.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from twokey.agents.planner.checkpoints import SealedSaver, serializer
from twokey.core.errors import EnvironmentFault, LogUnavailable
from twokey.core.journal_mode import write_ahead

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import DictRow

SETUP_LOCK: Final = 0x74_77_6F_6B_65_7A
"""Key of the advisory lock under which the tables of checkpoints are set up (PostgreSQL)."""
SETUP_S: Final = 30.0
SETUP_PAUSE_S: Final = 0.05
MOST_LENT: Final = 64
"""How many runs a process may drive at once on PostgreSQL."""
_COUNT: Final = "SELECT count(*) FROM checkpoints WHERE thread_id = "


@dataclass(frozen=True, slots=True)
class States:
    """The checkpoints of all runs of a workspace."""

    saver: SealedSaver
    count: Callable[[str], int]
    """Counts the checkpoints of a run, whether they bear their seal or not."""

    def forget(self, run: str) -> None:
        """Remove all that is kept of a run."""
        self.saver.delete_thread(run)


class StateStore(Protocol):
    """Lends the checkpoints of a workspace."""

    def lent(self) -> AbstractContextManager[States]:
        """Lend them for the time of one drive."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class SqliteStates:
    """A file. One saver serves all: SQLite has one writer anyway."""

    def __init__(self, path: Path, key: bytes, *, busy_s: float) -> None:
        """``busy_s`` is how long a writer queues for the file, in seconds."""
        from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415 - only one of the two savers is needed

        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=busy_s)
        write_ahead(self._connection, busy_s)
        self._connection.execute("PRAGMA synchronous=FULL")
        saver = SqliteSaver(self._connection, serde=serializer())
        saver.setup()
        self._states = States(SealedSaver(saver, key), self._count)

    def _count(self, run: str) -> int:
        return int(self._connection.execute(f"{_COUNT} ?", (run,)).fetchone()[0])

    @contextmanager
    def _lent(self) -> Generator[States]:
        try:
            yield self._states
        except sqlite3.Error as error:  # tools contain their own, so that this one comes from the saver
            raise _unavailable(error) from error

    def lent(self) -> AbstractContextManager[States]:
        """Lend them for the time of one drive; raises ``LogUnavailable`` where the file fails meanwhile."""
        return self._lent()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(sqlite3.Error):  # with nothing uncommitted, it has nothing more to lose
            self._connection.close()


class PostgresqlStates:
    """A database. Each run that is driven has a connection of its own; the tables are made once."""

    def __init__(self, address: str, key: bytes) -> None:
        """``address`` is a URL as the driver takes it."""
        from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - comes with the extra for PostgreSQL
        from psycopg import Connection  # noqa: PLC0415 - as above
        from psycopg.rows import DictRow, dict_row  # noqa: PLC0415 - as above
        from psycopg_pool import ConnectionPool  # noqa: PLC0415 - as above

        self._key = key
        self._pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
            address,
            connection_class=Connection[DictRow],
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
            min_size=0,
            max_size=MOST_LENT,
            num_workers=1,
            check=ConnectionPool.check_connection,  # pyright: ignore[reportArgumentType] - a ping, whatever rows are
            open=True,
        )
        with self._pool.connection() as connection, _alone(connection):
            PostgresSaver(connection).setup()

    def _on(self, connection: "Connection[DictRow]") -> States:
        from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - comes with the extra for PostgreSQL

        def count(run: str) -> int:
            row = connection.execute(f"{_COUNT} %s", (run,)).fetchone()
            return 0 if row is None else int(row["count"])

        return States(SealedSaver(PostgresSaver(connection, serde=serializer()), self._key), count)

    @contextmanager
    def _lent(self) -> Generator[States]:
        from psycopg import Error  # noqa: PLC0415 - comes with the extra for PostgreSQL
        from psycopg_pool import PoolTimeout  # noqa: PLC0415 - as above

        try:
            with self._pool.connection() as connection:
                yield self._on(connection)
        except (Error, PoolTimeout) as error:  # tools contain their own, so that this one comes from the saver
            raise _unavailable(error) from error

    def lent(self) -> AbstractContextManager[States]:
        """Lend them for the time of one drive; raises ``LogUnavailable`` where the database fails meanwhile."""
        return self._lent()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


@contextmanager
def _alone(connection: "Connection[DictRow]", patience_s: float = SETUP_S) -> Generator[None]:
    """Let one process at a time set the saver's tables up: each of its statements commits by itself.

    Polls, because whoever waits inside a statement keeps ``CREATE INDEX CONCURRENTLY`` of the other one waiting.
    """
    until = time.monotonic() + patience_s
    while not connection.execute("SELECT 1 WHERE pg_try_advisory_lock(%s)", (SETUP_LOCK,)).fetchall():
        if time.monotonic() >= until:
            raise EnvironmentFault(
                "Another process is setting up the tables of runs and does not finish.",
                next="See what that process is doing, then try again.",
                code="store_busy",
            )
        time.sleep(SETUP_PAUSE_S)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (SETUP_LOCK,))


def _unavailable(error: Exception) -> LogUnavailable:
    return LogUnavailable(
        f"The run could not write down where it stands ({type(error).__name__}), so it stopped there.",
        next="Check the free space, the permissions and the database server; then `twokey runs resume RUN`.",
        code="checkpoints_unavailable",
    )
