"""The seam under ``query_warehouse``: what every kind of warehouse can do, and the bounds each keeps.

Rules: a source is opened for one call, reads only, and is closed whatever happens. A statement that fails costs its
own table, column or check and nothing else. What a database says in an error never leaves here: it may quote cells.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self

from twokey.core.errors import ToolRetry
from twokey.tools.read.warehouse.fingerprint import Seen
from twokey.tools.read.warehouse.location import parse
from twokey.tools.read.warehouse.values import (
    KeysRequest,
    KeysResult,
    Notice,
    Profiled,
    ProfileRequest,
    ProfileResult,
    ProfilesRequest,
    ProfilesResult,
    SchemaResult,
    SelectRequest,
    SelectResult,
    TableName,
)

MAX_COLUMNS_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may cost. Seconds, rows, cells, bytes."""

    call_s: float = 60
    statement_s: float = 20
    peek_s: float = 5
    """For statements whose failure costs little: reading one row of a view, counting a table."""
    sample_rows: int = 50_000
    """Rows beyond which a profile works on a sample."""
    sample_cells: int = 10_000_000
    """Wide tables get fewer rows, so that rows times columns stays below this."""
    cells_at_once: int = 1_000_000
    """Cells held in memory at the same time."""
    threads: int = 2
    """Processors that reading files may use."""
    settled_s: float = 2
    """How long ago a file must have changed for its version to be trusted (``fingerprint``)."""
    key_values: int = 1_000_000
    """Different values of a key up to which they are counted at once."""
    key_part: int = 200_000
    """Different values that are counted at the same time where there are more."""
    keys_s: float = 5
    """After how long such a key is estimated from the values counted until then."""
    max_rows: int = 10_000
    max_bytes: int = 8 * 1024 * 1024

    def rows_for(self, columns: int) -> int:
        """Rows to sample of a table with so many columns; never below 1,000 unless fewer are asked for."""
        return min(self.sample_rows, max(1_000, self.sample_cells // max(1, columns)))

    def columns_for(self, rows: int) -> int:
        """Columns to read in one statement."""
        return max(1, min(MAX_COLUMNS_AT_ONCE, self.cells_at_once // max(1, rows)))


@dataclass(frozen=True, slots=True)
class Most:
    """How much of a table is looked at cell by cell."""

    rows: int
    cells: int

    def rows_of(self, columns: int) -> int:
        """Rows to read of a table with so many columns; never below 100."""
        return max(100, min(self.rows, self.cells // max(1, columns)))


@dataclass(frozen=True, slots=True)
class Sampled:
    """Rows of one table, by column, as the driver gives them; texts are cut. ``rows`` is ``None`` where unknown.

    This holds raw values: it stays inside the read tool.
    """

    table: TableName
    names: Sequence[str]
    columns: Sequence[Sequence[Any]]
    rows: int | None
    sampled: int
    sampling: Literal["all", "spread", "first"]
    notices: Sequence[Notice] = ()
    version: str = ""
    """That of the table, where it is known and did not change while it was read."""


class StatementFailed(Exception):  # noqa: N818 - caught inside this package; becomes ``problem`` of a part
    """One statement failed. ``reason`` names the kind of fault without quoting the database."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.timed_out = timed_out


class Deadline:
    """Time left for one call; injected clock in seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self, at_most: float) -> float:
        """Seconds for the next statement.

        Raises:
            StatementFailed: nothing is left.

        """
        left = min(at_most, self._end - self._clock())
        if left <= 0:
            raise StatementFailed("the time for this call was used up", timed_out=True)
        return left


class Source(Protocol):
    """One open warehouse."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def schema(self) -> SchemaResult:
        """Describe every table and view; raises ``BadInput`` where there is none."""
        ...

    def profile(self, request: ProfileRequest) -> ProfileResult:
        """Profile one table; raises ``ToolRetry`` where the table or a column does not exist."""
        ...

    def sample(self, table: TableName, most: Most) -> Sampled:
        """Read rows of one table to look at their cells; raises ``ToolRetry`` where the table does not exist."""
        ...

    def profiles(self, request: ProfilesRequest) -> ProfilesResult:
        """Profile several tables; one that cannot be profiled carries its problem."""
        ...

    def version(self) -> str:
        """Give the fingerprint of everything this warehouse holds; empty where it has none."""
        ...

    def keys(self, request: KeysRequest) -> KeysResult:
        """Answer each check; a check that cannot be answered carries its problem."""
        ...

    def select(self, request: SelectRequest) -> SelectResult:
        """Run one checked SELECT; raises ``ToolRetry`` where it is refused, fails or takes too long."""
        ...


def each_profile(
    request: ProfilesRequest, deadline: Deadline, profile: Callable[[ProfileRequest], ProfileResult]
) -> ProfilesResult:
    """Profile the tables one by one, until the time of the call is used up."""
    done: list[Profiled] = []
    for table in request.tables:
        try:
            deadline.left(1)
        except StatementFailed:
            done.append(Profiled(table=table, reached=False))
            continue
        try:
            done.append(Profiled(table=table, profile=profile(ProfileRequest(table=table))))
        except ToolRetry as error:
            done.append(Profiled(table=table, problem=error.message[:300]))
    return ProfilesResult(tables=tuple(done))


def settled(result: ProfileResult, before: Seen, after: Seen) -> ProfileResult:
    """Put the version on a profile, or say that what was read changed while it was read."""
    if before.digest == after.digest:
        return result.model_copy(update={"version": before.version})
    text = "The data changed while it was read, so the figures may mix two states of it."
    return result.model_copy(update={"notices": (*result.notices, Notice(code="changed_while_read", text=text))})


def unchanged(sampled: Sampled, before: Seen, after: Seen) -> Sampled:
    """Put the version on rows, unless what was read changed while it was read."""
    return replace(sampled, version=before.version) if before.digest == after.digest else sampled


def day_of(now_us: int) -> date:
    """Give the day (UTC) of a moment."""
    return datetime.fromtimestamp(now_us / 1_000_000, tz=UTC).date()


@contextmanager
def open_source(location: str, bounds: Bounds) -> Generator[Source]:
    """Open the warehouse at ``location`` for reading.

    Raises:
        BadInput: no such file, no database, unknown kind of URL.
        EnvironmentFault: a driver is not installed, or the server cannot be reached.

    """
    place = parse(location)
    # each connector costs its own imports, so only the one in use is loaded
    if place.kind == "sqlite":
        from twokey.tools.read.warehouse.sqlite import SqliteSource  # noqa: PLC0415 - see above

        source: Source = SqliteSource(place, bounds)
    elif place.kind == "server":
        from twokey.tools.read.warehouse.server import ServerSource  # noqa: PLC0415 - see above

        source = ServerSource(place, bounds)
    else:
        from twokey.tools.read.warehouse.duck import DuckSource  # noqa: PLC0415 - see above

        source = DuckSource(place, bounds)
    with source as opened:
        yield opened


def no_table(table: TableName) -> ToolRetry:
    """Give the error for a table that is not there or may not be read."""
    return ToolRetry(
        f"The warehouse has no table {table.name[:80]!r}"
        + (f" in schema {table.schema_name[:80]!r}." if table.schema_name else "."),
        next="Use a name from the schema result, letter by letter.",
        code="no_such_table",
    )


def no_column(table: TableName, columns: Sequence[str]) -> ToolRetry:
    """Give the error for columns that a table does not have."""
    return ToolRetry(
        f"The table {table.name[:80]!r} has no column {columns[0][:80]!r}.",
        next="Use a name from the schema result, letter by letter.",
        code="no_such_column",
    )


def not_readable(table: TableName, fault: StatementFailed) -> ToolRetry:
    """Give the error for a table whose rows could not be read."""
    return ToolRetry(
        f"The rows of {table.name[:80]!r} could not be read: {fault.reason}.",
        next="Ask for fewer rows, or leave the table out.",
        code="query_timeout" if fault.timed_out else "query_failed",
    )


def select_failed(fault: StatementFailed) -> ToolRetry:
    """Give the error for a SELECT that was allowed but did not succeed."""
    return ToolRetry(
        f"The statement did not succeed: {fault.reason}.",
        next="Ask for less, or correct the statement." if fault.timed_out else "Correct the statement.",
        code="query_timeout" if fault.timed_out else "query_failed",
    )
