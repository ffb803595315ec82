"""The step that says what breaks if a table or column changes.

Rules: the repository is read once, the warehouse's schema where one is known; lineage is worked out from that evidence
each time and never stored. Everything that depends is one finding that names the file that says so; what may depend and
could not be followed is said apart. A name that fits several things is answered for each, up to a few. That nothing
depends, or that there is no such name, is only said for sure where everything was read and followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from twokey.agents.catalog import dbt_reading, inert, reading
from twokey.agents.catalog.facts import Warehouse
from twokey.agents.catalog.lineage import events, experiments, project
from twokey.agents.catalog.lineage.impact import Affected, Impact, impact
from twokey.agents.catalog.lineage.values import Gap, Lineage, Thing, Traced
from twokey.agents.catalog.reading import AGENT
from twokey.agents.state import Progress, State, Surroundings
from twokey.core.values import Finding, Plan, Report
from twokey.tools.desk import Desk
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.warehouse import SchemaRequest

MOST: Final = 200
"""Things that are told of."""
MOST_MEANT: Final = 5
MOST_LOST: Final = 3
"""Files that are named as not read."""
_DIALECTS: Final[Mapping[str, str]] = {"postgresql": "postgres", "sqlite": "sqlite", "duckdb": "duckdb"}


def lineage_of(files: Mapping[str, bytes], warehouse: Warehouse | None) -> Lineage:
    """Trace everything that files of a repository say; ``warehouse`` knows the columns of tables."""
    columns: dict[str, tuple[str, ...]] = {}
    for table in warehouse.tables if warehouse is not None else ():
        name = f"{table.schema}.{table.name}" if table.schema else table.name
        columns[name.casefold()] = tuple(column.name.casefold() for column in table.columns)
    repository = dbt_reading.read_repository(files)
    dialect = _DIALECTS.get(warehouse.dialect) if warehouse is not None else None
    models = project.trace(repository, files, columns, dialect)
    unread = Traced(gaps=tuple(Gap(each.path, "", "it cannot be read") for each in repository.unreadable))
    known = dict(models.other_names) | {thing.name: thing.name for thing in _tables(models)}
    return Lineage.of([models, unread, events.trace(files, known), experiments.trace(files, known)])


def meant(lineage: Lineage, text: str) -> list[Thing]:
    """Give what a name can mean: a table (with or without its source, or as the warehouse has it), or its column."""
    wanted = text.casefold()
    others: dict[str, list[str]] = {}
    for other, name in lineage.traced.other_names:
        others.setdefault(name, []).append(other)
    exact: set[Thing] = set()
    shortened: set[Thing] = set()
    for thing in _tables(lineage.traced):
        end = f".{thing.column}" if thing.column else ""
        names = [thing.name, *others.get(thing.name, ())]
        if any(wanted == name + end for name in names):
            exact.add(thing)
        elif any(wanted == name.rpartition(".")[2] + end for name in names):
            shortened.add(thing)
    return sorted(exact or shortened)


def _tables(traced: Traced) -> set[Thing]:
    """Give every table and column that anything tells of."""
    things = {thing for edge in traced.edges for thing in (edge.source, edge.target)} | set(traced.named)
    things = {thing for thing in things if thing.kind == "table"}
    return things | {thing.whole for thing in things}


def impact_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Work out what depends on what the step names, and write the findings down."""
    desk = runtime.context.desk
    step = Plan.model_validate(desk.kept("plan")).steps[state.get("position", 0)]
    files, warehouse, cited = _read(desk, step.number, step.args)
    lineage = lineage_of({file.path: file.text.encode() for file in files.files}, warehouse)
    things = meant(lineage, str(step.args["of"]))
    lost = (*(gap.path for gap in lineage.traced.gaps), *(each.path for each in files.left_out))
    found = tuple(_findings(lineage, things[:MOST_MEANT], cited)) or (_nothing(cited, lost, known=bool(things)),)
    desk.step_ended(
        step.number, AGENT, code="ok" if things else "no_such_table", report=Report(agent=AGENT, findings=found)
    )
    runtime.context.tell(Progress(step.number, coverage(lineage)))
    return {}


def _read(desk: Desk, number: int, args: Mapping[str, Any]) -> tuple[CatalogFiles, Warehouse | None, tuple[str, ...]]:
    """Read repository and schema, or read again what was read before a crash."""
    name = f"impact-{number}"
    if not desk.has(name):
        desk.step_started(number, AGENT)
        wanted = {"repository": str(args["repository"])}
        read = desk.read("read_catalog", wanted, agent=AGENT, step=number, result=CatalogFiles)
        kept = {"repository": read.evidence.id, "schema": ""}
        if args.get("warehouse"):
            _, kept["schema"] = reading.through_desk(desk, str(args["warehouse"]), number)(SchemaRequest())
        desk.keep(name, kept)
    kept = cast("dict[str, str]", desk.kept(name))
    files = CatalogFiles.model_validate(desk.content(kept["repository"])[1])
    if not kept["schema"]:
        return files, None, (kept["repository"],)
    schema = reading.schema_of(reading.kept_answer(desk, kept["schema"]))
    return files, reading.warehouse_of(schema), (kept["repository"], kept["schema"])


def coverage(lineage: Lineage) -> str:
    """Say how much could be followed."""
    traced = lineage.traced
    text = (
        f"lineage follows {traced.followed:,} of {traced.tables:,} models"
        f" and {traced.columns_followed:,} of {traced.columns:,} columns"
    )
    return f"{text}; {len(traced.gaps):,} {'gap' if len(traced.gaps) == 1 else 'gaps'}" if traced.gaps else text


def _findings(lineage: Lineage, things: Sequence[Thing], cited: tuple[str, ...]) -> Iterator[Finding]:
    number = 0
    for thing in things:
        told = impact(lineage, thing)
        for claim, confidence, attention in _claims(told):
            number += 1
            if number > MOST:
                return
            yield Finding(
                id=f"f-{number}",
                subject="repository",
                kind="depends",
                claim=claim[:1000],
                evidence=cited,
                confidence=confidence,
                attention=attention,
            )


def _claims(told: Impact) -> Iterator[tuple[str, int, bool]]:
    of = inert.prose(str(told.of))
    for item in told.sure:
        yield f"If {of} changes: {_said(item)}", 95, item.thing.kind != "table"
    for item in told.possible:
        yield f"If {of} changes, perhaps: {_said(item)} It could not be followed column by column.", 50, False


def _said(item: Affected) -> str:
    source = inert.prose(str(item.by.source))
    says = f"as {inert.code(item.by.path, 200)} says"
    return f"{inert.prose(str(item.thing))} depends on {source} ({item.by.how.replace('_', ' ')}), {says}."


def _nothing(cited: tuple[str, ...], lost: Sequence[str], *, known: bool) -> Finding:
    """Say that nothing depends, or that there is no such name; ``lost`` are files that were not read or followed."""
    claim = (
        "Nothing that the repository tells of depends on it."
        if known
        else "Neither the repository's models nor its runs name such a table or column."
    )
    confidence = 90 if known else 99
    if lost:
        paths = list(dict.fromkeys(lost))
        told = ", ".join(inert.code(path, 200) for path in paths[:MOST_LOST])
        more = " and others" if len(paths) > MOST_LOST else ""
        claim = f"{claim} But not everything could be read or followed: there are gaps in {told}{more}."
        confidence = 60
    return Finding(
        id="f-1",
        subject="repository",
        kind="depends" if known else "no_such_table",
        claim=claim[:1000],
        evidence=cited,
        confidence=confidence,
        attention=not known or bool(lost),
    )
