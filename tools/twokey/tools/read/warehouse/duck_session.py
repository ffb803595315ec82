"""One DuckDB connection, for reading.

Rules: a database is opened read-only and without access to anything beside it; a connection in memory reads the files
it was allowed once and nothing else, for good; neither can load an extension or change a setting afterwards. What a
statement does wrong becomes ``StatementFailed``, which quotes nothing DuckDB said; what runs too long is interrupted.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.warehouse.sources import Bounds, Deadline, StatementFailed
from twokey.tools.read.warehouse.watchdog import Watchdog

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "2GB",
}


class DuckSession:
    """A connection with its bounds. ``path`` names a database; ``None`` for one in memory that reads files."""

    def __init__(self, path: Path | None, shown: str, bounds: Bounds) -> None:
        self.bounds = bounds
        self.deadline = Deadline(bounds.call_s)
        config = _CONFIG | {"threads": str(bounds.threads)}
        if path is not None:
            config |= {"enable_external_access": "false"}
        try:
            self.connection = duckdb.connect(
                ":memory:" if path is None else str(path), read_only=path is not None, config=config
            )
            # a bar on standard output would stand between the lines of --json; it is no setting of a connection string
            self.connection.execute("SET enable_progress_bar = false")
            if path is not None:
                self.connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise _unreadable(shown, error) from error
        self._watchdog = Watchdog(self.connection.interrupt)

    def close(self) -> None:
        """Disconnect."""
        self._watchdog.close()
        self.connection.close()

    @contextmanager
    def limited(self, at_most: float) -> Generator[None]:
        """Turn faults into ``StatementFailed`` and interrupt whatever runs longer than ``at_most`` seconds."""
        try:
            with self._watchdog.allow(self.deadline.left(at_most)):
                yield
        except duckdb.InterruptException as error:
            raise StatementFailed("it took too long", timed_out=True) from error
        except duckdb.Error as error:
            raise StatementFailed(f"the database refused it ({type(error).__name__})") from error

    def rows(self, sql: str, args: Sequence[object] = (), *, at_most: float | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and give its rows."""
        with self.limited(self.bounds.statement_s if at_most is None else at_most):
            return (self.connection.execute(sql, list(args)) if args else self.connection.execute(sql)).fetchall()

    def arrays(self, sql: str) -> dict[str, Any]:
        """Run a statement and give its columns as arrays by their names; masked where some are null."""
        with self.limited(self.bounds.statement_s):
            return self.connection.execute(sql).fetchnumpy()

    def table(self, sql: str, at_most_rows: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run a statement and give the names of its columns, and so many of its rows."""
        with self.limited(self.bounds.statement_s):
            cursor = self.connection.execute(sql)
            return [str(item[0]) for item in cursor.description or ()], cursor.fetchmany(at_most_rows)

    def allow_only(self, paths: Sequence[Path]) -> None:
        """Allow these files and nothing else, for good."""
        listed = ", ".join(literal(str(path)) for path in paths)
        self.rows(f"SET allowed_paths = [{listed}]")
        self.rows("SET enable_external_access = false")
        self.rows("SET lock_configuration = true")


def _unreadable(shown: str, error: duckdb.Error) -> BadInput | EnvironmentFault:
    if "set lock" in str(error).lower():
        return EnvironmentFault(
            f"{shown} is in use by another process that may write to it.",
            next="Close that process, or give a copy of the file.",
            code="warehouse_busy",
        )
    return BadInput(
        f"{shown} is no DuckDB database that DuckDB {duckdb.__version__} can read ({type(error).__name__}).",
        next="Open it with the DuckDB version that wrote it, and export it for this one.",
        code="not_a_database",
    )


def quote(name: str) -> str:
    """Give an identifier as SQL text."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Give a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
