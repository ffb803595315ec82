"""Reading a warehouse through the tool ``query_warehouse``, and turning its answers into facts.

Rules: everything goes through one function, ``Ask``, which gives an answer and the id of the evidence that was kept of
it; so a scan under the gate and an evaluation run the same code. What the tool withheld stays unknown here. A table
that cannot be read is a fact about it, not the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from twokey.agents.catalog import types
from twokey.agents.catalog.facts import Column, ForeignKey, Join, Profile, Table, Warehouse
from twokey.agents.catalog.joins import Counted
from twokey.agents.planner.meaning import selects
from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed, ToolRetry
from twokey.core.values import Value
from twokey.tools.desk import Desk
from twokey.tools.read.warehouse import (
    ColumnProfile,
    InspectRequest,
    InspectResult,
    KeyCheck,
    KeyFacts,
    KeysRequest,
    KeysResult,
    ProfileResult,
    ProfilesRequest,
    ProfilesResult,
    QueryArgs,
    QueryResult,
    SchemaRequest,
    SchemaResult,
    TableInfo,
    TableName,
    VersionRequest,
    VersionResult,
)

AGENT: Final = "catalog"
TOOL: Final = "query_warehouse"
CHECKS_AT_ONCE: Final = 100
TABLES_AT_ONCE: Final = 40
COLUMNS_AT_ONCE: Final = 400
"""How much one question about profiles asks for: what it brings is one piece of evidence."""

INSPECTED_AT_ONCE: Final = 25
"""Tables whose cells are looked at in one call."""
_CELLS_IN_ALL: Final = 1_500_000
_FEWEST_CELLS: Final = 15_000
_MOST_CELLS: Final = 150_000

Request = SchemaRequest | ProfilesRequest | InspectRequest | KeysRequest | VersionRequest
Ask = Callable[[Request], tuple[Value, str]]
"""Asks the warehouse. Gives the answer and the id of the evidence kept of it (empty where none is kept)."""


@dataclass(frozen=True, slots=True)
class Read:
    """An answer of the warehouse for one table: the profile, or the reason why there is none."""

    table: str
    profile: ProfileResult | None
    evidence: str
    problem: str = ""


def cells_each(tables: int) -> int:
    """Give how many cells of a table are looked at one by one where there are so many tables."""
    return min(_MOST_CELLS, max(_FEWEST_CELLS, _CELLS_IN_ALL // max(1, tables)))


def through_desk(desk: Desk, warehouse: str, step: int) -> Ask:
    """Ask through the gate: each question goes through policy and leaves evidence."""

    def ask(request: Request) -> tuple[Value, str]:
        args = QueryArgs(warehouse=warehouse, ask=request).model_dump(mode="json")
        reading = desk.read(TOOL, args, agent=AGENT, step=step, result=QueryResult)
        return reading.result.answer, reading.evidence.id

    return ask


def noting(ask: Ask, asked: "dict[str, Json]") -> Ask:
    """Ask with ``ask``, and note beside each piece of evidence what it was asked with."""

    def note(request: Request) -> tuple[Value, str]:
        answer, evidence = ask(request)
        asked[evidence] = request.model_dump(mode="json")
        return answer, evidence

    return note


def kept_answer(desk: Desk, evidence: str) -> Value:
    """Read an earlier answer again from its evidence; raises ``NotFound``, ``CheckFailed``."""
    _, content = desk.content(evidence)
    return QueryResult.model_validate(content).answer


def schema_of(answer: Value) -> SchemaResult:
    """Expect a schema; raises ``CheckFailed`` for any other answer."""
    if not isinstance(answer, SchemaResult):
        raise _unexpected()
    return answer


def profiles_of(answer: Value) -> ProfilesResult:
    """Expect profiles; raises ``CheckFailed`` for any other answer."""
    if not isinstance(answer, ProfilesResult):
        raise _unexpected()
    return answer


def inspection_of(answer: Value) -> InspectResult:
    """Expect what is wrong in a table; raises ``CheckFailed`` for any other answer."""
    if not isinstance(answer, InspectResult):
        raise _unexpected()
    return answer


def version_of(answer: Value) -> VersionResult:
    """Expect a version; raises ``CheckFailed`` for any other answer."""
    if not isinstance(answer, VersionResult):
        raise _unexpected()
    return answer


def keys_of(answer: Value) -> KeysResult:
    """Expect counts of keys; raises ``CheckFailed`` for any other answer."""
    if not isinstance(answer, KeysResult):
        raise _unexpected()
    return answer


def _unexpected() -> CheckFailed:
    return CheckFailed(
        "The warehouse tool answered another question than it was asked.", next="Start the request again."
    )


# --- profiles ----------------------------------------------------------------------------------------------------


def profiles(ask: Ask, tables: Sequence[tuple[str, TableInfo]]) -> Iterator[Sequence[Read]]:
    """Profile ``tables`` (with their keys), some at a time; gives what each question brought.

    A table that was not reached in the time of one call is asked for again; one that nothing is left for has a problem.
    """
    waiting = list(tables)
    while waiting:
        part = _part(waiting)
        waiting = waiting[len(part) :]
        try:
            answer, evidence = ask(ProfilesRequest(tables=tuple(info.table for _, info in part)))
        except ToolRetry as error:
            yield [Read(key, None, "", error.message) for key, _ in part]
            continue
        found: list[Read] = []
        late: list[tuple[str, TableInfo]] = []
        for (key, info), item in zip(part, profiles_of(answer).tables, strict=True):
            if item.reached:
                found.append(Read(key, item.profile, evidence, item.problem))
            elif len(part) > 1:
                late.append((key, info))
            else:
                found.append(Read(key, None, evidence, "The time of one call is not enough to read it."))
        if late and len(late) == len(part):
            # not even the first was reached: it is asked for alone
            alone, late = late[:1], late[1:]
            yield from profiles(ask, alone)
        waiting = late + waiting
        yield found


def _part(waiting: Sequence[tuple[str, TableInfo]]) -> Sequence[tuple[str, TableInfo]]:
    """Give the first tables that are asked for together; at least one."""
    columns = 0
    for number, (_, info) in enumerate(waiting[:TABLES_AT_ONCE]):
        columns += len(info.columns)
        if number and columns > COLUMNS_AT_ONCE:
            return waiting[:number]
    return waiting[:TABLES_AT_ONCE]


# --- answers become facts ----------------------------------------------------------------------------------------


def warehouse_of(schema: SchemaResult) -> Warehouse:
    """Give the tables as facts, without profiles."""
    several = len({info.table.schema_name for info in schema.tables}) > 1
    return Warehouse(tuple(_table(info, several=several) for info in schema.tables), schema.dialect)


def with_profiles(warehouse: Warehouse, profiles: Mapping[str, ProfileResult]) -> Warehouse:
    """Put profiles (by the key of their table) beside the columns."""
    return replace(
        warehouse,
        tables=tuple(
            _profiled(table, profiles[table.key]) if table.key in profiles else table for table in warehouse.tables
        ),
    )


def names_of(schema: SchemaResult) -> Mapping[str, TableInfo]:
    """Give what the tool says of each table, by the key the facts use."""
    several = len({info.table.schema_name for info in schema.tables}) > 1
    return {_key(info.table, several=several): info for info in schema.tables}


def chosen(warehouse: Warehouse, wanted: Sequence[str]) -> tuple[str, ...]:
    """Give the keys of the tables that are meant: all, or those that a plan's filters select (``planner.meaning``)."""
    return tuple(
        table.key
        for table in warehouse.tables
        if selects(wanted, table.key) or selects(wanted, f"{table.schema}.{table.name}")
    )


def _key(table: TableName, *, several: bool) -> str:
    return f"{table.schema_name}.{table.name}" if several and table.schema_name else table.name


def _table(info: TableInfo, *, several: bool) -> Table:
    return Table(
        key=_key(info.table, several=several),
        schema=info.table.schema_name,
        name=info.table.name,
        view=info.is_view,
        comment=info.comment,
        columns=tuple(
            Column(
                name=column.name,
                declared_type=column.type,
                family=types.family(column.type),
                nullable=column.nullable,
                comment=column.comment,
            )
            for column in sorted(info.columns, key=lambda column: column.position)
        ),
        primary_key=info.primary_key,
        unique_sets=info.unique,
        foreign_keys=tuple(
            ForeignKey(key.columns, _key(key.parent, several=several), key.parent_columns) for key in info.foreign_keys
        ),
        rows=info.rows,
        rows_exact=info.rows_exact,
    )


def _profiled(table: Table, profile: ProfileResult) -> Table:
    by_name = {column.name: column for column in profile.columns}
    complete = profile.sampling == "all"
    return replace(
        table,
        columns=tuple(
            replace(column, profile=_column_profile(by_name[column.name], complete=complete))
            if column.name in by_name and not by_name[column.name].problem
            else column
            for column in table.columns
        ),
        rows=profile.rows,
        rows_exact=profile.rows_exact,
    )


def _column_profile(found: ColumnProfile, *, complete: bool) -> Profile:
    return Profile(
        rows=found.values + found.nulls,
        nulls=found.nulls,
        blanks=found.empty,
        distinct=found.distinct,
        unique=found.unique,
        complete=complete and found.distinct_exact,
        lowest=found.minimum,
        highest=found.maximum,
        longest=found.length_max or 0,
        average_length=found.length_avg or 0,
        texts=found.texts - found.empty,
        integers=found.integers,
        decimals=found.numbers,
        booleans=found.booleans,
        checked=found.checked,
        patterns={name: count for name, count in found.patterns if count},
        looked=found.looked,
        signals={signal.name: signal.count for signal in found.signals},
        shapes=tuple((tally.text, tally.count) for tally in found.shapes),
        frequent=tuple((tally.text, tally.count) for tally in found.top),
        whole=found.top_complete,
        withheld=found.personal,
    )


# --- counting ----------------------------------------------------------------------------------------------------


def checks_of(joins: Sequence[Join], infos: Mapping[str, TableInfo]) -> tuple[KeyCheck, ...]:
    """Give what to count for each relationship, in their order."""
    return tuple(
        KeyCheck(
            child=infos[join.child].table,
            child_columns=join.columns,
            parent=infos[join.parent].table,
            parent_columns=join.targets,
        )
        for join in joins
    )


def counted(facts: KeyFacts) -> Counted | None:
    """Give what was counted; None where the database could not answer."""
    if facts.problem:
        return None
    return Counted(
        filled=facts.child_filled,
        distinct=facts.child_distinct,
        present=facts.present,
        orphan_rows=facts.orphan_rows,
        parent_rows=facts.parent_rows,
        parent_distinct=facts.parent_distinct,
        parent_filled=facts.parent_filled,
        looked=facts.looked,
        orphans_most=facts.orphans_most,
        orphan_rows_about=facts.orphan_rows_about,
        orphan_shapes=tuple(tally.text for tally in facts.orphan_shapes),
        parent_sure=facts.parent_margin == 0,
    )


def counts(ask: Ask, checks: Sequence[KeyCheck]) -> Iterator[tuple[KeysRequest, KeysResult, str]]:
    """Ask ``checks``, some at a time; gives each question with its answer and evidence.

    A check that the time of one call did not reach is asked for again; the first of a call always is reached.
    """
    waiting = list(checks)
    while waiting:
        request = KeysRequest(checks=tuple(waiting[:CHECKS_AT_ONCE]))
        answer, evidence = ask(request)
        result = keys_of(answer)
        late = [fact.check for fact in result.checks if not fact.reached]
        waiting = late[len(late) == len(request.checks) :] + waiting[CHECKS_AT_ONCE:]
        yield request, result, evidence
