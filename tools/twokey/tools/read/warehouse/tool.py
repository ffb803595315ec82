"""The read tool ``query_warehouse``: what a warehouse holds and how its tables hang together.

Rules: it reads only places this run was granted; the location comes from the run's places and never from an argument;
results are canonical values within the tool's limits; a summary names counts and the place, never a cell.
"""

from typing import ClassVar, Final

from twokey.core.errors import EnvironmentFault
from twokey.core.values import ResourceKind
from twokey.tools.contract import Context, Limits, ReadTool
from twokey.tools.read.warehouse.sources import (
    Bounds,
    Deadline,
    Source,
    StatementFailed,
    day_of,
    open_source,
    select_failed,
)
from twokey.tools.read.warehouse.values import (
    Answer,
    Ask,
    InspectRequest,
    InspectResult,
    KeysRequest,
    KeysResult,
    ProfileRequest,
    ProfileResult,
    ProfilesRequest,
    ProfilesResult,
    QueryArgs,
    QueryResult,
    SchemaRequest,
    SchemaResult,
    SelectResult,
    VersionRequest,
    VersionResult,
)

_INSPECT_FOR: Final = 0.6
"""Share of the time of a call after which no further table is looked at."""


class QueryWarehouse(ReadTool[QueryArgs, QueryResult]):
    """Schema, profile, key checks and single SELECTs over a SQLite or DuckDB file, a folder of files, or a server."""

    name: ClassVar[str] = "query_warehouse"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "warehouse"
    limits: ClassVar[Limits] = Limits(timeout_s=60)
    input_type = QueryArgs
    output_type = QueryResult

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds(
            call_s=self.limits.timeout_s, max_rows=self.limits.max_rows, max_bytes=self.limits.max_bytes
        )

    def place_name(self, args: QueryArgs) -> str:
        """Give the name of the warehouse."""
        return args.warehouse

    def call(self, args: QueryArgs, context: Context) -> QueryResult:
        """Read.

        Raises:
            OutsideContract: this run was not granted that warehouse.
            BadInput, EnvironmentFault: it is not there, is no database, or cannot be reached.
            ToolRetry: a table or column does not exist, or a statement is refused, fails or takes too long.

        """
        place = context.places.find("warehouse", args.warehouse)
        try:
            with open_source(place.location, self._bounds) as source:
                return QueryResult(
                    warehouse=args.warehouse, answer=_answer(source, args.ask, self._bounds, context.now_us)
                )
        except StatementFailed as fault:
            raise select_failed(fault) from fault
        except OSError as error:
            raise EnvironmentFault(
                f"The warehouse cannot be read: {error.strerror or type(error).__name__}.",
                next="Give the user that runs Twokey read access, and keep the files in place while they are read.",
                code="warehouse_unreadable",
            ) from error

    def summary(self, args: QueryArgs, result: QueryResult) -> str:  # noqa: ARG002 - the contract's signature
        """Say what was read."""
        answer = result.answer
        if isinstance(answer, SchemaResult):
            columns = sum(len(table.columns) for table in answer.tables)
            keys = sum(len(table.foreign_keys) for table in answer.tables)
            failed = sum(1 for table in answer.tables if table.problem)
            text = f"{len(answer.tables)} tables, {columns} columns, {keys} foreign keys"
            text += f", {failed} not readable" if failed else ""
        elif isinstance(answer, ProfileResult):
            failed = sum(1 for column in answer.columns if column.problem)
            of_all = "" if answer.sampling == "all" else f" of {'?' if answer.rows is None else answer.rows}"
            text = f"{len(answer.columns)} columns profiled over {answer.sampled}{of_all} rows"
            text += f", {failed} not readable" if failed else ""
        elif isinstance(answer, InspectResult):
            problems = [problem for table in answer.tables for problem in table.problems]
            cells = sum(problem.cells for problem in problems)
            rows = sum(table.sampled for table in answer.tables)
            failed = sum(1 for table in answer.tables if table.problem)
            text = f"{len(problems)} problems in {cells} cells, {rows} rows of {len(answer.tables)} tables looked at"
            text += f", {failed} not readable" if failed else ""
        elif isinstance(answer, ProfilesResult):
            profiles = [item.profile for item in answer.tables if item.profile is not None]
            columns = sum(len(profile.columns) for profile in profiles)
            failed = sum(1 for item in answer.tables if item.problem)
            late = sum(1 for item in answer.tables if not item.reached)
            text = f"{len(profiles)} tables, {columns} columns profiled"
            text += (f", {failed} not readable" if failed else "") + (f", {late} not reached" if late else "")
        elif isinstance(answer, VersionResult):
            text = f"version {answer.version or 'unknown'}"
        elif isinstance(answer, KeysResult):
            held = sum(1 for fact in answer.checks if not fact.problem and fact.orphans == 0 and fact.child_distinct)
            text = f"{len(answer.checks)} key checks, {held} without orphans"
        else:
            text = f"{len(answer.rows)} rows of {len(answer.columns)} columns{_more(answer)}"
        return text


def _answer(source: Source, ask: Ask, bounds: Bounds, now_us: int) -> Answer:
    if isinstance(ask, SchemaRequest):
        return source.schema()
    if isinstance(ask, ProfileRequest):
        return source.profile(ask)
    if isinstance(ask, InspectRequest):
        from twokey.tools.read.warehouse.inspection.answering import answer  # noqa: PLC0415 - costs its own imports

        return answer(source, ask, Deadline(_INSPECT_FOR * bounds.call_s), now_us)
    if isinstance(ask, ProfilesRequest):
        return source.profiles(ask)
    if isinstance(ask, VersionRequest):
        return VersionResult(version=source.version(), day=day_of(now_us).isoformat())
    if isinstance(ask, KeysRequest):
        return source.keys(ask)
    return source.select(ask)


def _more(answer: SelectResult) -> str:
    return ", cut at the limit" if answer.truncated else ""
