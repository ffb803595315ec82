"""The step that says what breaks if a table or column changes.

Rules: the repository is read once, the warehouse's schema where one is known; lineage is worked out from that evidence
each time and never stored. Everything that depends is one finding that names the file that says so; what may depend and
could not be followed is said apart. A name that fits several things is answered for each, up to a few.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from twokey.agents.catalog import dbt_reading, inert, reading
from twokey.agents.catalog.facts import Warehouse
from twokey.agents.catalog.lineage import events, experiments, project
from twokey.agents.catalog.lineage.impact import Affected, Impact, impact
from twokey.agents.catalog.lineage.values import Lineage, Thing
from twokey.agents.catalog.reading import AGENT
from twokey.agents.state import Progress, State, Surroundings
from twokey.core.values import Finding, Plan, Report
from twokey.tools.desk import Desk
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.warehouse import SchemaRequest

MOST: Final = 200
"""Things that are told of."""
MOST_MEANT: Final = 5
_DIALECTS: Final[Mapping[str, str]] = {"postgresql": "postgres", "sqlite": "sqlite", "duckdb": "duckdb"}


def lineage_of(files: Mapping[str, bytes], warehouse: Warehouse | None) -> Lineage:
    """Trace everything that files of a repository say; ``warehouse`` knows the columns of tables."""
    columns: dict[str, tuple[str, ...]] = {}
    for table in warehouse.tables if warehouse is not None else ():
        columns.setdefault(table.name.casefold(), tuple(column.name.casefold() for column in table.columns))
    repository = dbt_reading.read_repository(files)
    dialect = _DIALECTS.get(warehouse.dialect) if warehouse is not None else None
    models = project.trace(repository, files, columns, dialect)
    names = {thing.name for edge in models.edges for thing in (edge.source, edge.target) if thing.kind == "table"}
    names |= {project.node_name(node.properties) for node in repository.nodes}
    known = names | (columns.keys() - {name.rpartition(".")[2] for name in names})
    return Lineage.of([models, events.trace(files, known), experiments.trace(files, known)])


def meant(lineage: Lineage, text: str) -> list[Thing]:
    """Give what a name can mean: a table (with or without its source), or one of its columns."""
    wanted = text.casefold()
    things = {thing for edge in lineage.traced.edges for thing in (edge.source, edge.target) if thing.kind == "table"}
    found = {
        thing
        for thing in things | {thing.whole for thing in things}
        if wanted in _names(thing) or wanted in _names(thing, shortened=True)
    }
    exact = {thing for thing in found if wanted in _names(thing)}
    return sorted(exact or found)


def _names(thing: Thing, *, shortened: bool = False) -> tuple[str, ...]:
    table = thing.name.rpartition(".")[2] if shortened else thing.name
    return (f"{table}.{thing.column}",) if thing.column else (table,)


def impact_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Work out what depends on what the step names, and write the findings down."""
    desk = runtime.context.desk
    step = Plan.model_validate(desk.kept("plan")).steps[state.get("position", 0)]
    files, warehouse, cited = _read(desk, step.number, step.args)
    lineage = lineage_of({file.path: file.text.encode() for file in files.files}, warehouse)
    things = meant(lineage, str(step.args["of"]))
    found = tuple(_findings(lineage, things[:MOST_MEANT], cited)) or (_nothing(cited, known=bool(things)),)
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


def _nothing(cited: tuple[str, ...], *, known: bool) -> Finding:
    claim = (
        "Nothing that the repository tells of depends on it."
        if known
        else "Neither the repository's models nor its runs name such a table or column."
    )
    return Finding(
        id="f-1",
        subject="repository",
        kind="depends" if known else "no_such_table",
        claim=claim,
        evidence=cited,
        confidence=90 if known else 99,
        attention=not known,
    )
