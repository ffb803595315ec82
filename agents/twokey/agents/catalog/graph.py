"""The catalog agent as two graphs: ``scan`` reads a warehouse and says what it found, ``propose`` drafts the change.

Rules
- Each node is safe to run again: what was read is looked up under its evidence before it is read once more, and a
  document written twice is written once.
- The state carries nothing of this; everything lies in the run's evidence and documents, and what is understood is
  worked out from the evidence each time, so no stored conclusion can drift from what was seen.
- A table that cannot be read is a finding. A read that policy denies ends the run.
- Nothing is proposed here: the draft is a document that the reviewer checks and the planner hands on.
"""

from collections.abc import Sequence
from typing import Any, cast

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from twokey.agents import drafts
from twokey.agents.catalog import drafting, findings, inert, reading
from twokey.agents.catalog.notes import Notes
from twokey.agents.catalog.pinned import Pinned
from twokey.agents.catalog.reading import AGENT
from twokey.agents.catalog.unchanged import Unchanged
from twokey.agents.state import Progress, State, Surroundings
from twokey.core.canonical import Json
from twokey.core.values import Plan, Report, Step
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.warehouse import InspectRequest, SchemaRequest, TableInfo

Compiled = CompiledStateGraph[State, Surroundings, State, State]


def build_scan() -> Compiled:
    """Compile the graph of a scan: schema, profiles, cells, baseline, counts, findings."""
    graph: StateGraph[State, Surroundings, State, State] = StateGraph(State, context_schema=Surroundings)
    graph.add_node("schema", read_schema)
    graph.add_node("profiles", read_profiles)
    graph.add_node("cells", inspect_cells)
    graph.add_node("baseline", take_baseline)
    graph.add_node("counts", count_keys)
    graph.add_node("findings", conclude)
    graph.add_edge(START, "schema")
    graph.add_edge("schema", "profiles")
    graph.add_edge("profiles", "cells")
    graph.add_edge("cells", "baseline")
    graph.add_edge("baseline", "counts")
    graph.add_edge("counts", "findings")
    graph.add_edge("findings", END)
    return graph.compile(name="catalog_scan")


def build_propose() -> Compiled:
    """Compile the graph of a proposal: what the repository says, and the draft of what it lacks."""
    graph: StateGraph[State, Surroundings, State, State] = StateGraph(State, context_schema=Surroundings)
    graph.add_node("repository", read_repository)
    graph.add_node("draft", draft_change)
    graph.add_edge(START, "repository")
    graph.add_edge("repository", "draft")
    graph.add_edge("draft", END)
    return graph.compile(name="catalog_propose")


# --- scan --------------------------------------------------------------------------------------------------------


def read_schema(state: State, runtime: Runtime[Surroundings]) -> State:
    """Read what the warehouse declares, and say which tables are meant."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.of(desk, step.number)
    if notes is not None:
        return {}
    desk.step_started(step.number, AGENT)
    warehouse = str(step.args["warehouse"])
    ask = reading.through_desk(desk, warehouse, step.number)
    unchanged, day = Unchanged(desk, step.number, warehouse).schema(ask)
    answer, evidence = unchanged or ask(SchemaRequest())
    schema = reading.schema_of(answer)
    facts = reading.warehouse_of(schema)
    chosen = reading.chosen(facts, [str(table) for table in step.args.get("tables", ())])
    notes = Notes(warehouse=warehouse, focus=_focus(step), chosen=chosen, schema=evidence, day=day)
    notes.keep(desk, step.number)
    columns = sum(len(facts.by_key[key].columns) for key in chosen)
    runtime.context.tell(Progress(step.number, f"{_number(len(chosen), 'table')}, {_number(columns, 'column')}"))
    return {}


def read_profiles(state: State, runtime: Runtime[Surroundings]) -> State:
    """Profile every table that is meant and was not profiled yet."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.expected(desk, step.number)
    waiting = [key for key in notes.chosen if key not in notes.profiles and key not in notes.problems]
    if not waiting:
        return {}
    schema = reading.schema_of(reading.kept_answer(desk, notes.schema))
    infos = {key: info for key, info in reading.names_of(schema).items() if key in waiting}
    unreadable = {key: info.problem for key, info in infos.items() if info.problem or not info.columns}
    found, asked = Unchanged(desk, step.number, notes.warehouse).profiles(infos)
    notes = notes.with_profiles(found, unreadable).with_asked(asked)
    if found and len(notes.profiles) + len(notes.problems) == len(notes.chosen):
        notes = notes.all_reused()
    if found or unreadable:
        notes.keep(desk, step.number)
    if found:
        text = f"{_number(len(found), 'table')} unchanged since an earlier scan"
        runtime.context.tell(Progress(step.number, text, len(notes.profiles) + len(notes.problems), len(notes.chosen)))
    ask = reading.noting(reading.through_desk(desk, notes.warehouse, step.number), asked)
    readable = [(key, info) for key, info in infos.items() if key not in notes.profiles and key not in notes.problems]
    for reads in reading.profiles(ask, readable):
        notes = notes.with_profiles(
            {read.table: read.evidence for read in reads if not read.problem},
            {read.table: read.problem for read in reads if read.problem},
        ).with_asked(asked)
        notes.keep(desk, step.number)
        for read in reads[-1:]:
            text = f"profiled {inert.line(infos[read.table].table.name, 60)}"
            done = len(notes.profiles) + len(notes.problems)
            runtime.context.tell(Progress(step.number, text, done, len(notes.chosen)))
    return {}


def inspect_cells(state: State, runtime: Runtime[Surroundings]) -> State:
    """Look at the cells of every table that was profiled and was not looked at yet."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.expected(desk, step.number)
    if notes.focus != "all":
        return {}
    infos = reading.names_of(reading.schema_of(reading.kept_answer(desk, notes.schema)))
    asked: dict[str, Json] = {}
    ask = reading.noting(reading.through_desk(desk, notes.warehouse, step.number), asked)
    meant = [key for key in notes.chosen if key in notes.profiles and _holds_rows(infos[key])]
    total, cells = len(meant), reading.cells_each(len(meant))
    waiting = [key for key in meant if key not in notes.inspected]

    def question(keys: Sequence[str]) -> InspectRequest:
        return InspectRequest(tables=tuple(infos[key].table for key in keys), max_cells=cells)

    if waiting:
        unchanged = Unchanged(desk, step.number, notes.warehouse)
        found, before = unchanged.cells(
            {key: infos[key] for key in waiting}, question(waiting[:1]).model_dump(mode="json"), notes.day
        )
        for evidence in before:
            notes = notes.with_inspection(evidence, [key for key in waiting if found.get(key) == evidence])
        waiting = [key for key in waiting if key not in found]
        if found:
            notes = notes.with_asked(before)
            notes.keep(desk, step.number)
            text = f"the cells of {_number(len(found), 'table')} unchanged since an earlier scan"
            runtime.context.tell(Progress(step.number, text, total - len(waiting), total))
    while waiting:
        part = waiting[: reading.INSPECTED_AT_ONCE]
        answer, evidence = ask(question(part))
        reached = [found.reached for found in reading.inspection_of(answer).tables]
        # a table that was not reached is asked for again, but for the first, so that there is an end
        done = max(1, reached.index(False)) if False in reached else len(part)
        notes = notes.with_inspection(evidence, part[:done]).with_asked(asked)
        notes.keep(desk, step.number)
        waiting = waiting[done:]
        looked = f"looked at the cells of {_number(total - len(waiting), 'table')}"
        runtime.context.tell(Progress(step.number, looked, total - len(waiting), total))
    return {}


def _holds_rows(info: TableInfo) -> bool:
    return not (info.rows_exact and info.rows == 0)


def take_baseline(state: State, runtime: Runtime[Surroundings]) -> State:
    """Take over what an earlier scan read, to compare with: the one that was named, else the latest."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.expected(desk, step.number)
    if notes.focus != "all" or notes.baseline is not None:
        return {}
    earlier = Pinned(desk, step.number, str(step.args.get("baseline", ""))).take(notes)
    notes.compared_with(earlier).keep(desk, step.number)
    if earlier.run:
        runtime.context.tell(Progress(step.number, f"compared with what run {earlier.run} read"))
    return {}


def count_keys(state: State, runtime: Runtime[Surroundings]) -> State:
    """Count what names propose: values found in the other table, combinations that occur once."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.expected(desk, step.number)
    if notes.counted:
        return {}
    unchanged = Unchanged(desk, step.number, notes.warehouse)
    schema = reading.schema_of(reading.kept_answer(desk, notes.schema))
    again = unchanged.counts(notes, schema.version)
    if again is not None:
        again.keep(desk, step.number)
        runtime.context.tell(Progress(step.number, "every count unchanged since an earlier scan"))
        return {}
    schema, _, asked = notes.questions(desk, runtime.context.memory)
    checks = reading.checks_of(asked.all, reading.names_of(schema))
    ask = reading.through_desk(desk, notes.warehouse, step.number)
    kept = [reading.keys_of(reading.kept_answer(desk, evidence)) for evidence in notes.counts]
    done = dict.fromkeys(fact.check for result in kept for fact in result.checks if fact.reached)
    waiting = [check for check in checks if check not in done]
    for request, _, evidence in reading.counts(
        lambda request: unchanged.answer(request, schema.version) or ask(request), waiting
    ):
        notes = notes.with_counts(evidence).with_asked({evidence: request.model_dump(mode="json")})
        notes.keep(desk, step.number)
    notes.all_counted().keep(desk, step.number)
    runtime.context.tell(Progress(step.number, f"{_number(len(checks), 'possible key')} counted"))
    return {}


def conclude(state: State, runtime: Runtime[Surroundings]) -> State:
    """Write the findings down."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.expected(desk, step.number)
    understood, cited = notes.understood(desk, runtime.context.memory)
    found = findings.collect(understood, cited, focus=notes.focus).items
    if not notes.chosen:
        found = (drafting.nothing_matches(notes.schema),)
    wanting = sum(1 for finding in found if finding.attention)
    desk.step_ended(
        step.number, AGENT, code="ok" if notes.chosen else "no_such_table", report=Report(agent=AGENT, findings=found)
    )
    columns = sum(len(table.columns) for table in understood.tables)
    runtime.context.tell(
        Progress(
            step.number,
            f"{_number(len(notes.chosen), 'table')}, {_number(columns, 'column')}: {_number(len(found), 'finding')}, "
            f"{wanting} {'wants' if wanting == 1 else 'want'} attention",
        )
    )
    return {}


# --- propose -----------------------------------------------------------------------------------------------------


def read_repository(state: State, runtime: Runtime[Surroundings]) -> State:
    """Read what the repository says of its data."""
    desk, step = runtime.context.desk, _step(state, runtime)
    name = f"repository-{step.number}"
    if desk.has(name):
        return {}
    desk.step_started(step.number, AGENT)
    args = {"repository": str(step.args["repository"])}
    read = desk.read("read_catalog", args, agent=AGENT, step=step.number, result=CatalogFiles)
    desk.keep(name, {"evidence": read.evidence.id})
    runtime.context.tell(
        Progress(step.number, f"{_number(len(read.result.files), 'file')} at {read.result.commit[:7]}")
    )
    return {}


def draft_change(state: State, runtime: Runtime[Surroundings]) -> State:
    """Draft the change, or say that there is none to make."""
    desk, step = runtime.context.desk, _step(state, runtime)
    notes = Notes.expected(desk, _scan_before(runtime, step).number)
    kept = cast("dict[str, Any]", desk.kept(f"repository-{step.number}"))
    evidence = str(kept["evidence"])
    files = CatalogFiles.model_validate(desk.content(evidence)[1])
    understood, cited = notes.understood(desk, runtime.context.memory)
    claims = findings.collect(understood, cited, focus=notes.focus)
    place = desk.places.find("repository", str(step.args["repository"]))
    ground = drafting.Ground(
        warehouse=notes.warehouse,
        repository=place.resource,
        branch=f"twokey/{desk.run}-{step.number}",
        files=files,
        repository_evidence=evidence,
        schema_evidence=notes.schema,
    )
    drafted = drafting.draft(understood, claims, ground)
    drafts.keep(desk, step.number, drafted.bodies)
    code = "ok" if drafted.bodies else "nothing_to_do"
    desk.step_ended(step.number, AGENT, code=code, report=Report(agent=AGENT, findings=drafted.findings))
    runtime.context.tell(Progress(step.number, drafted.summary))
    return {}


# --- helpers -----------------------------------------------------------------------------------------------------


def _plan(runtime: Runtime[Surroundings]) -> Plan:
    return Plan.model_validate(runtime.context.desk.kept("plan"))


def _step(state: State, runtime: Runtime[Surroundings]) -> Step:
    return _plan(runtime).steps[state.get("position", 0)]


def _scan_before(runtime: Runtime[Surroundings], step: Step) -> Step:
    """Give the latest scan of the same warehouse before a step; the planner never plans a proposal without one."""
    scans = [
        other
        for other in _plan(runtime).steps
        if other.number < step.number and (other.agent, other.action) == (AGENT, "scan")
    ]
    same = [
        scan for scan in scans if scan.args.get("warehouse") == step.args.get("warehouse", scan.args.get("warehouse"))
    ]
    return (same or scans)[-1]


def _focus(step: Step) -> findings.Focus:
    wanted = step.args.get("focus", "all")
    return cast("findings.Focus", wanted) if wanted in {"sensitivity", "descriptions", "relationships"} else "all"


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
