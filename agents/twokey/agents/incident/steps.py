"""The incident agent's three steps: read what is known, tell it, and draft what is done about it.

Rules:
- every answer that was read is evidence; a step that runs again after a crash reads only what it had not read;
- what is told is a function of that evidence and of the settings alone (``summary.summarize``), so that the reviewer
  comes to the same sentences by itself;
- a source that has nothing, and a runbook folder that cannot be read, keep nobody from telling the rest.
"""

import contextlib
from dataclasses import replace
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from twokey.agents import drafts
from twokey.agents.incident import drafting, following
from twokey.agents.incident.house import House
from twokey.agents.incident.material import Material, material
from twokey.agents.incident.past_reading import NOTE, earlier_runs, note
from twokey.agents.incident.reading import KINDS, asks, series_ask
from twokey.agents.incident.summary import Summary, summarize, taking_back
from twokey.agents.incident.summary.linking import facts_of
from twokey.agents.incident.summary.rewriting import as_document, rewritten
from twokey.agents.incident.summary.said import as_finding
from twokey.agents.incident.summary.story import tell
from twokey.agents.incident.suspicion import suspected
from twokey.agents.state import Progress, State, Surroundings
from twokey.core.canonical import Json
from twokey.core.errors import BadInput, ToolRetry, TwokeyError
from twokey.core.values import Plan, Report, Step
from twokey.tools.desk import Desk
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.runbooks import RunbooksResult
from twokey.tools.read.telemetry.values import TelemetryResult

AGENT: Final = "incident"
PROSE: Final = "incident-prose"
"""What a model made of the sentences, for people to read."""
READ: Final = "incident-evidence"
"""What a run has read, in order: the name of each part, and its evidence."""
EARLIER: Final = "incident-earlier"
"""Evidence of earlier runs that this one took over, by run."""


def _step(desk: Desk, state: State) -> Step:
    return Plan.model_validate(desk.kept("plan")).steps[state.get("position", 0)]


def house_of(runtime: Runtime[Surroundings]) -> House:
    """Give what the settings say about incidents."""
    return runtime.context.house or House()


class _Reading:
    """Reads, and remembers what was read already."""

    def __init__(self, desk: Desk, step: Step) -> None:
        self._desk = desk
        self._step = step
        kept = desk.kept(READ) if desk.has(READ) else []
        self._kept = cast("list[list[Any]]", kept)

    def has(self, part: str) -> bool:
        """Tell whether a part was read before."""
        return any(name == part for name, *_ in self._kept)

    def telemetry(self, part: str, ask: dict[str, Any]) -> None:
        """Ask the source of telemetry."""
        args = {"source": self._step.args["telemetry"], "ask": ask}
        self._read(part, "query_telemetry", args, TelemetryResult)

    def runbooks(self, part: str, place: str, ask: dict[str, Any]) -> None:
        """Ask the runbooks."""
        self._read(part, "search_runbooks", {"runbooks": place, "ask": ask}, RunbooksResult)

    def commit(self, part: str, args: dict[str, Any]) -> None:
        """Ask a repository for a commit."""
        self._read(part, "read_catalog", args, CatalogFiles)

    def _read(self, part: str, tool: str, args: dict[str, Any], result: Any) -> None:
        if self.has(part):
            return
        reading = self._desk.read(tool, args, agent=AGENT, step=self._step.number, result=result)
        self._kept.append([part, reading.evidence.id, args])
        self._desk.keep(READ, cast("Json", self._kept))

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Give what was read of the telemetry, with what was asked."""
        return [
            (evidence, asked) for name, evidence, asked in self._kept if not name.startswith(("runbooks", "commit"))
        ]


def earlier_of(desk: Desk) -> dict[str, dict[str, Json]]:
    """Give what was taken over from earlier runs."""
    kept = cast("dict[str, list[str]]", desk.kept(EARLIER)) if desk.has(EARLIER) else {}
    return {run: {name: desk.content(name)[1] for name in names} for run, names in kept.items()}


def evidence_of(desk: Desk) -> dict[str, Json]:
    """Give what a run has read, in order."""
    kept = cast("list[list[Any]]", desk.kept(READ)) if desk.has(READ) else []
    return {str(evidence): desk.content(str(evidence))[1] for _, evidence, _ in kept}


def material_of(desk: Desk) -> Material:
    """Put together what a run has read.

    Raises:
        BadInput: nothing says which incident it is.

    """
    found = material(evidence_of(desk))
    if found is None:
        raise BadInput(
            "The telemetry does not say which incident this is.",
            next="Name the incident by its id, or the folder of its bundle.",
            code="no_incident",
        )
    return replace(found, earlier=earlier_of(desk))


def gather_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Read the telemetry of the incident, and what runbooks say about it."""
    desk, step = runtime.context.desk, _step(runtime.context.desk, state)
    desk.step_started(step.number, AGENT)
    read, scope = _Reading(desk, step), step.args.get("scope", {})
    for at, ask in enumerate(asks(scope), 1):
        read.telemetry(ask["kind"], ask)
        runtime.context.tell(Progress(step.number, f"{ask['kind']} read", at, len(KINDS)))
    with contextlib.suppress(ToolRetry):  # a bundle has no alerts
        read.telemetry("alerts", {"kind": "alerts"})
    more = series_ask(material_of(desk), scope)
    if more is not None:
        read.telemetry("series", more)
    house = house_of(runtime)
    if house.deployed:
        _ask_commits(read, house, material_of(desk), runtime, step)
    if house.runbooks:
        _ask_runbooks(read, house, material_of(desk), runtime, step)
    if not desk.has(EARLIER):
        now = facts_of(material_of(desk))
        desk.keep(EARLIER, cast("Json", earlier_runs(desk, now, agent=AGENT, step=step.number)))
        desk.keep(NOTE, note(now, read.told()))
    desk.step_ended(step.number, AGENT, code="ok")
    return {}


def _ask_commits(read: _Reading, house: House, found: Material, runtime: Runtime[Surroundings], step: Step) -> None:
    """Look up the commit that the suspected change names, where the run may read the repository."""
    story = tell(found, suspected(found), house.owner, house.deployed)
    granted = {place.resource.id for place in runtime.context.desk.places.items if place.resource.kind == "repository"}
    for args in taking_back.asks(story):
        if args["repository"] in granted:
            try:
                read.commit(f"commit {args['repository']}", args)
            except TwokeyError as error:
                runtime.context.tell(Progress(step.number, f"the commit was not read: {error.message}"))


def _ask_runbooks(read: _Reading, house: House, found: Material, runtime: Runtime[Surroundings], step: Step) -> None:
    suspects = suspected(found).suspects[:2]
    text = " ".join(dict.fromkeys((found.about.title, found.about.service, *suspects)))[:2_000].strip()
    try:
        if text:
            read.runbooks("runbooks-search", house.runbooks, {"kind": "search", "text": text})
        read.runbooks("runbooks-documents", house.runbooks, {"kind": "documents"})
    except TwokeyError as error:
        runtime.context.tell(Progress(step.number, f"runbooks were not read: {error.message}"))


def summarize_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Tell what happened."""
    desk, step = runtime.context.desk, _step(runtime.context.desk, state)
    desk.step_started(step.number, AGENT)
    summary = summarize(material_of(desk), house_of(runtime))
    report = Report(agent=AGENT, findings=tuple(as_finding(one, number) for number, one in enumerate(summary.said, 1)))
    prose = rewritten(summary.said, summary.checker, runtime.context.models, desk, step.number)
    desk.keep(PROSE, as_document(prose))
    runtime.context.tell(Progress(step.number, _told(summary)))
    if prose.dropped:
        runtime.context.tell(Progress(step.number, f"{prose.dropped} sentences of the model said something else"))
    desk.step_ended(step.number, AGENT, code="ok", report=report)
    return {}


def _told(summary: Summary) -> str:
    cause = summary.suspicion.cause
    named = "a cause is named" if cause else "no cause found"
    text = f"{len(summary.said)} sentences, {len(summary.story.moments)} moments, {named}"
    return f"{text}; {len(summary.dropped)} sentences were dropped" if summary.dropped else text


def draft_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Draft the ticket and the post-mortem."""
    desk, step = runtime.context.desk, _step(runtime.context.desk, state)
    desk.step_started(step.number, AGENT)
    if step.args.get("looks_only"):
        drafts.keep(desk, step.number, [])
        desk.step_ended(step.number, AGENT, code="ok")
        return {}
    earlier = step.number - 1
    report = Report.model_validate(desk.kept(f"report-{earlier}"))
    found = material_of(desk)
    ground = drafting.read_ground(desk, house_of(runtime), found, agent=AGENT, step=step.number)
    bodies = drafting.drafts(found, report.findings, house_of(runtime), ground)
    source, incident = str(step.args["telemetry"]), found.about.id
    told = True
    if step.args.get("follows"):
        new = following.is_new(desk, source, incident, report.findings)
        bodies, told = following.worth_asking(desk, bodies, report.findings) if new else ([], True)
    if told:  # else the same is looked at once more when people have answered what waits
        following.keep_sight(desk, source, incident, report.findings)
    drafts.keep(desk, step.number, bodies)
    runtime.context.tell(Progress(step.number, drafting.told(bodies)))
    desk.step_ended(step.number, AGENT, code="ok")
    return {}
