"""One connection to a database server, for reading.

Rules: everything runs in one transaction that is rolled back; on PostgreSQL, MySQL, MariaDB and Oracle it is read-only,
on the first three each statement has a deadline on the server too. A statement that fails is undone alone (savepoint)
and becomes a reason that quotes nothing the database said. No message holds a password.
"""

import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SAWarning, SQLAlchemyError

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.warehouse.location import Location, display_name
from twokey.tools.read.warehouse.sources import Bounds, Deadline, StatementFailed

T = TypeVar("T")

_PACKAGES: Final = {
    "postgresql": "twokey[postgresql]",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "oracle": "oracledb",
    "mssql": "pyodbc",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "redshift": "sqlalchemy-redshift",
    "databricks": "databricks-sqlalchemy",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect",
    "trino": "trino[sqlalchemy]",
    "presto": "pyhive[presto]",
    "athena": "PyAthena[SQLAlchemy]",
    "awsathena": "PyAthena[SQLAlchemy]",
    "teradatasql": "teradatasqlalchemy",
    "vertica": "sqlalchemy-vertica-python",
    "db2": "ibm_db_sa",
    "exasol": "sqlalchemy-exasol",
}


class Session:
    """A connection with its read-only transaction."""

    def __init__(self, place: Location, bounds: Bounds) -> None:
        self.shown = display_name(place.text)
        self.bounds = bounds
        self.deadline = Deadline(bounds.call_s)
        self._engine = _engine(make_url(place.text))
        try:
            self.connection: Connection = self._engine.connect()
            try:
                self._begin()
            except BaseException:
                self.connection.close()
                raise
        except (SQLAlchemyError, OSError, TypeError) as error:
            self._engine.dispose()
            raise _unreachable(self.shown, error) from error

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's dialect of the server."""
        return self._engine.dialect

    @property
    def is_postgresql(self) -> bool:
        """Whether PostgreSQL's own catalog and settings may be used."""
        return self._engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Roll back and disconnect."""
        try:
            # a connection that broke in between cannot be rolled back, and needs not
            with suppress(SQLAlchemyError):
                self.connection.rollback()
            self.connection.close()
        finally:
            self._engine.dispose()

    def _begin(self) -> None:
        """Open the read-only transaction that everything runs in."""
        milliseconds = int(self.bounds.statement_s * 1000)
        if self.is_postgresql:
            self.connection = self.connection.execution_options(postgresql_readonly=True)
            statements = (
                "SET default_transaction_read_only = on",
                "SET standard_conforming_strings = on",
                "SET backslash_quote = off",
                "SET DateStyle = 'ISO, YMD'",
                "SET IntervalStyle = 'iso_8601'",
                f"SET lock_timeout = {int(self.bounds.peek_s * 500)}",
                f"SET statement_timeout = {milliseconds}",
            )
        elif self._engine.dialect.name == "mysql":
            statements = (f"SET SESSION MAX_EXECUTION_TIME = {milliseconds}", "START TRANSACTION READ ONLY")
        elif self._engine.dialect.name == "mariadb":
            statements = (
                f"SET SESSION max_statement_time = {self.bounds.statement_s}",
                "START TRANSACTION READ ONLY",
            )
        elif self._engine.dialect.name == "oracle":
            statements = ("SET TRANSACTION READ ONLY",)
        else:
            statements = ()
        for statement in statements:
            self.connection.exec_driver_sql(statement)

    def guarded(self, work: Callable[[], T], *, at_most: float | None = None) -> T:
        """Run ``work`` within a savepoint and a deadline; its faults become ``StatementFailed``."""
        seconds = self.deadline.left(self.bounds.statement_s if at_most is None else at_most)
        try:
            with self.connection.begin_nested():
                if self.is_postgresql:
                    self.connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
                with _quiet():
                    return work()
        except DBAPIError as error:
            raise _failed(error) from error
        except (SQLAlchemyError, ValueError, TypeError, OverflowError, LookupError) as error:
            # drivers and type adapters raise these for values that Python cannot hold, such as a date of year 10000
            raise StatementFailed(f"the answer cannot be read ({type(error).__name__})") from error

    def rows(self, statement: sa.Executable | str, *, at_most: float | None = None) -> list[Sequence[Any]]:
        def work() -> list[Sequence[Any]]:
            if isinstance(statement, str):
                result = self.connection.exec_driver_sql(statement)
            else:
                result = self.connection.execute(statement)
            return [tuple(row) for row in result]

        return self.guarded(work, at_most=at_most)


def _engine(url: URL) -> Engine:
    backend, options = (
        url.get_backend_name(),
        {key: value for key, value in url.query.items() if key != "twokey_schemas"},
    )
    arguments = {"connect_timeout": 10} if backend in {"postgresql", "mysql", "mariadb"} else {}
    try:
        url.get_dialect()
        return sa.create_engine(url.set(query=options), poolclass=sa.NullPool, connect_args=arguments)
    except ModuleNotFoundError as error:
        raise _no_driver(backend) from error
    except NoSuchModuleError as error:
        if backend in _PACKAGES:
            raise _no_driver(backend) from error
        raise BadInput(
            f"Nothing installed here reads a database of the kind {backend[:40]!r}.",
            next="Check the spelling of the URL, or install the SQLAlchemy dialect of that database.",
            code="unknown_driver",
        ) from error


def _no_driver(backend: str) -> BadInput:
    package = _PACKAGES.get(backend, "the driver it names")
    return BadInput(
        f"The driver for {backend[:40]} is not installed.", next=f"Run: pip install '{package}'", code="driver_missing"
    )


def _unreachable(shown: str, error: Exception) -> BadInput | EnvironmentFault:
    text = str(error).lower()
    if "connection option" in text or "keyword argument" in text:
        return BadInput(
            f"The URL of {shown} has an option that its driver does not take.",
            next="Compare it with the driver's documentation.",
            code="warehouse_location",
        )
    if "authentication" in text or "password" in text or "access denied" in text or "role" in text:
        return EnvironmentFault(
            f"{shown} refuses the sign-in.",
            next="Check user and password, and that the role may connect.",
            code="warehouse_sign_in",
        )
    if "does not exist" in text or "unknown database" in text:
        return EnvironmentFault(
            f"{shown} has no such database.", next="Check the name at the end of the URL.", code="warehouse_missing"
        )
    return EnvironmentFault(
        f"{shown} cannot be reached.",
        next="Check host and port, and that the server runs and lets this machine in.",
        code="warehouse_unreachable",
    )


def _failed(error: DBAPIError) -> StatementFailed:
    """Name the kind of fault: the driver's class and SQLSTATE, which quote nothing."""
    original = error.orig
    state = str(getattr(original, "sqlstate", "") or "")
    if state == "57014":
        return StatementFailed("it took too long", timed_out=True)
    if state == "55P03":
        return StatementFailed("the table is locked by somebody else", timed_out=True)
    if state == "42501":
        return StatementFailed("the role may not read it")
    return StatementFailed(f"the database refused it ({type(original).__name__}{' ' + state if state else ''})")


@contextmanager
def _quiet() -> Generator[None]:
    """Keep SQLAlchemy's remarks on types it does not know out of the output: their own text is reported anyway."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield
