"""The two steps of an ops review: read what it needs, and say what follows.

Rules: a week is read as a few digests, never as samples; a step that runs again after a crash reads only what it had
not read; what a source does not give (traces, events) is left out and no error; nothing is proposed, unless a ticket
was asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from twokey.agents import drafts
from twokey.agents.incident.house import House
from twokey.agents.incident.operations.book import Book, Endpoint
from twokey.agents.incident.operations.drafting import draft, tracker_of
from twokey.agents.incident.operations.review import Ground, findings, ground, heading, review, shown
from twokey.agents.state import Progress, State, Surroundings
from twokey.core.canonical import Json
from twokey.core.errors import BadInput
from twokey.core.values import Finding, Plan, Report, Step
from twokey.tools.desk import Desk
from twokey.tools.read.telemetry.values import TelemetryResult

AGENT: Final = "incident"
TOOL: Final = "query_telemetry"
READ: Final = "operations-read"
"""What a run has read: a name for each ask, and its evidence."""
HISTORY_US: Final = 28 * 86_400_000_000
"""How far back before the end of the window the load is looked at for a forecast."""
HISTORY_STEP_S: Final = 3_600
MOST_EVENTS: Final = 500
MOST_CHANGES: Final = 100
MOST_NAMES: Final = 20
"""Series of one ask: each ask makes a live source answer all that it is set up for."""


def book_of(runtime: Runtime[Surroundings]) -> Book:
    """Give the operations file; raises ``BadInput`` where the settings name none."""
    book = runtime.context.operations
    if book is None:
        raise BadInput(
            "This workspace has no operations file.",
            next="Write one (docs/ops-review.md shows it), and set operations.file in twokey.toml.",
            code="no_operations",
        )
    return book


def read_by(desk: Desk) -> dict[str, str]:
    """Give what a run has read: evidence by the name of its ask, in the order of reading."""
    kept: Any = desk.kept(READ) if desk.has(READ) else []
    return {str(name): str(evidence) for name, evidence in cast("list[list[str]]", kept)}


def gather_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Read what the review needs."""
    desk, book = runtime.context.desk, book_of(runtime)
    step = _step(desk, state)
    desk.step_started(step.number, AGENT)
    asks = _asks(step, book)
    held = read_by(desk)
    for at, (name, ask) in enumerate(asks.items(), 1):
        if name not in held:
            held[name] = _read(desk, step, ask)
            desk.keep(READ, [list(pair) for pair in held.items()])
        runtime.context.tell(Progress(step.number, f"read {at} of {len(asks)}", at, len(asks)))
    desk.step_ended(step.number, AGENT, code="ok")
    return {}


def _read(desk: Desk, step: Step, ask: dict[str, Any]) -> str:
    reading = desk.read(
        TOOL, {"source": step.args["source"], "ask": ask}, agent=AGENT, step=step.number, result=TelemetryResult
    )
    return reading.evidence.id


def _asks(step: Step, book: Book) -> dict[str, dict[str, Any]]:
    """Give everything that is asked, by name; what is running comes first, since it says which window is meant."""
    start, end = int(step.args["from_us"]), int(step.args["to_us"])
    scope = {"window": {"start_us": start, "end_us": end}}
    asks: dict[str, dict[str, Any]] = {
        "running": {"kind": "running", "scope": scope, "values_of": list(book.register_.key_labels)},
        "events": {"kind": "events", "scope": scope, "before_s": 0, "after_s": 0, "most": MOST_EVENTS},
        "traces": {"kind": "traces", "scope": scope, "most": MOST_CHANGES},
    }
    for at, names in enumerate(_together(_names(endpoint) for endpoint in book.endpoints), 1):
        asks[f"load {at}"] = {"kind": "operations", "scope": scope, "names": names}
    past = {"window": {"start_us": min(start, max(0, end - HISTORY_US)), "end_us": end}}
    requests = (_names(endpoint)[:1] for endpoint in book.endpoints if endpoint.metrics.requests)
    for at, names in enumerate(_together(requests), 1):
        asks[f"past {at}"] = {"kind": "operations", "scope": past, "names": names, "step_s": HISTORY_STEP_S}
    return asks


def _names(endpoint: Endpoint) -> list[dict[str, str]]:
    """Give the series of an endpoint, its requests first."""
    metrics = dict.fromkeys((endpoint.metrics.requests or "", *endpoint.metrics.named()))
    return [{"service": endpoint.service, "metric": metric} for metric in metrics if metric]


def _together(parts: Iterable[list[dict[str, str]]]) -> Iterator[list[dict[str, str]]]:
    """Join what is asked about endpoints into few asks; what belongs to one endpoint stays in one."""
    waiting: list[dict[str, str]] = []
    for part in parts:
        if waiting and len(waiting) + len(part) > MOST_NAMES:
            yield waiting
            waiting = []
        waiting = [*waiting, *part]
    if waiting:
        yield waiting


def review_operations_step(state: State, runtime: Runtime[Surroundings]) -> State:
    """Say what follows from what was read."""
    desk, book = runtime.context.desk, book_of(runtime)
    step = _step(desk, state)
    desk.step_started(step.number, AGENT)
    held = read_by(desk)
    found = findings_of(book, contents(held.values(), lambda name: desk.content(name)[1]), held["running"])
    wanted = sum(finding.attention for finding in found)
    drafted = ticket(desk, step, runtime.context.house or House(), found)
    drafts.keep(desk, step.number, [] if drafted is None else [drafted])
    desk.step_ended(step.number, AGENT, code="ok", report=Report(agent=AGENT, findings=found))
    runtime.context.tell(Progress(step.number, f"{len(found):,} findings, {wanted:,} want somebody"))
    return {}


def ticket(desk: Desk, step: Step, house: House, found: Sequence[Finding]) -> dict[str, Json] | None:
    """Draft the ticket of a review, where one was asked for."""
    if not step.args.get("ticket"):
        return None
    return draft(found, tracker_of(desk, house), shown(int(step.args["from_us"]), int(step.args["to_us"])))


def contents(names: Any, content: Callable[[str], Json]) -> Mapping[str, Json]:
    """Give evidence with its content, in the order of its names."""
    return {str(name): content(str(name)) for name in names}


def findings_of(book: Book, held: Mapping[str, Json], running: str) -> tuple[Finding, ...]:
    """Give the findings of a review: a function of the operations file and of evidence alone."""
    found = ground(held)
    if found is None or not _says_something(found):
        claim = "The telemetry holds nothing of that time" + (f": {heading(found)}." if found else ".")
        return (
            Finding(
                id="f-1",
                subject="the platform",
                kind="ops_nothing",
                claim=claim,
                evidence=(running,),
                confidence=100,
                attention=True,
            ),
        )
    return findings(review(book, found))


def _says_something(found: Ground) -> bool:
    return bool(found.loads) or (found.running is not None and bool(found.running[1].services))


def _step(desk: Desk, state: State) -> Step:
    return Plan.model_validate(desk.kept("plan")).steps[state.get("position", 0)]
