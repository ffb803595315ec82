"""The whole review: everything that can be said of the evidence, each with the one who answers for it.

Rules: a function of the operations file and of evidence alone, so that whoever checks a review works it out again; what
cannot be told is said once for each endpoint, with the reason; what wants somebody comes first. Nothing here names a
cause, and nothing proposes a write.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.incident.material import telemetry
from twokey.agents.incident.operations import costs, estate, forecast, load, objectives, retries
from twokey.agents.incident.operations.book import RUNGS, Book, Endpoint, Rung
from twokey.agents.incident.operations.said import Level, Noticed, Said, lasting, when
from twokey.agents.incident.operations.tracks import Measured, Track, measured
from twokey.core.canonical import Json
from twokey.core.values import Finding
from twokey.tools.read.telemetry.operations.values import OperationsResult, RunningResult
from twokey.tools.read.telemetry.values import EventsResult, Stretch, TracesResult

MOST_FINDINGS: Final = 400
MAX_CLAIM: Final = 1_000
PLATFORM: Final = "the platform"
"""Subject of what is about no single endpoint."""
ANSWERS: Final[Mapping[str, Rung]] = {
    "slo_latency": "model",
    "cost": "model",
    "shadow_endpoints": "risk",
    "shadow_keys": "risk",
    "shadow_deployments": "risk",
}
"""Who answers for a kind of finding; for the others it is the platform's owner."""
ORDER: Final[tuple[Level, ...]] = ("act", "watch", "unknown", "fine")
_DAY_US: Final = 86_400_000_000
_MISSING: Final = {
    "slo_latency": ("latency against its objective", ("latency",), "objective.latency_ms"),
    "slo_budget": ("the error budget", ("errors", "requests"), "objective.availability"),
    "queue": ("the queue", ("queue",), ""),
    "concurrency": ("concurrency", ("concurrency",), ""),
    "scaling": ("scaling", ("concurrency",), "capacity.concurrency_per_replica"),
    "cost": ("cost", ("cost",), ""),
    "retries": ("retries", ("retries", "requests"), ""),
    "capacity": ("the load to come", ("requests",), ""),
}
"""What of an endpoint may be said: in words, the metrics it needs, and the number of the operations file it needs."""


@dataclass(frozen=True)
class Ground:
    """The evidence of a review: each answer with its id."""

    window: Stretch
    loads: Mapping[str, tuple[str, OperationsResult]]
    """By the service of the endpoint."""
    history: Mapping[str, tuple[str, OperationsResult]] = field(default_factory=dict[str, tuple[str, OperationsResult]])
    running: tuple[str, RunningResult] | None = None
    events: tuple[str, EventsResult] | None = None
    traces: tuple[str, TracesResult] | None = None
    shortfalls: Sequence[tuple[str, str]] = ()
    """What the source could not read or left out, with the evidence that says so."""


def ground(contents: Mapping[str, Json]) -> Ground | None:
    """Put evidence together (contents by id, in the order in which it was read); ``None`` where there is no load.

    Of two loads of one endpoint the shorter is the window, the longer its history.
    """
    loads: dict[str, tuple[str, OperationsResult]] = {}
    history: dict[str, tuple[str, OperationsResult]] = {}
    others: dict[str, tuple[str, RunningResult | EventsResult | TracesResult]] = {}
    fell: dict[str, str] = {}
    window: Stretch | None = None
    for evidence, content in contents.items():
        result = telemetry(content)
        if result is None:
            continue
        answer = result.answer
        fell |= {f"{one.signal} {one.code}": evidence for one in result.shortfalls}
        if isinstance(answer, RunningResult):
            window = answer.window
            others["running"] = evidence, answer
        elif isinstance(answer, EventsResult):
            others["events"] = evidence, answer
        elif isinstance(answer, TracesResult):
            others["traces"] = evidence, answer
        elif isinstance(answer, OperationsResult):
            for service in {one.service for one in answer.loads}:
                here = loads if window is not None and answer.window == window else history
                here[service] = evidence, answer
    if window is None:
        return None
    running, events, traces = (others.get(name) for name in ("running", "events", "traces"))
    return Ground(
        window=window,
        loads=loads,
        history=history,
        running=(running[0], running[1]) if running and isinstance(running[1], RunningResult) else None,
        events=(events[0], events[1]) if events and isinstance(events[1], EventsResult) else None,
        traces=(traces[0], traces[1]) if traces and isinstance(traces[1], TracesResult) else None,
        shortfalls=tuple((evidence, said) for said, evidence in fell.items()),
    )


def review(book: Book, found: Ground) -> tuple[Noticed, ...]:
    """Say everything that can be said, what wants somebody first."""
    noticed: list[Noticed] = []
    for endpoint in book.endpoints:
        noticed += _endpoint(book, endpoint, found)
    noticed += _platform(book, found)
    noticed.sort(key=lambda one: ORDER.index(one.level))
    return tuple(noticed[:MOST_FINDINGS])


def findings(noticed: Sequence[Noticed]) -> tuple[Finding, ...]:
    """Number what was noticed, and say who answers for it."""
    return tuple(
        Finding(
            id=f"f-{at}",
            subject=one.subject,
            kind=f"ops_{one.kind}",
            claim=_sentence(one),
            evidence=one.evidence,
            confidence=100 if one.level == "unknown" else 95,
            attention=one.level in {"act", "watch"},
        )
        for at, one in enumerate(noticed, 1)
    )


def _sentence(one: Noticed) -> str:
    """Say it with who answers, who always has room."""
    answers = f" Answers: {one.owner}{'' if one.then == one.owner else f'; next: {one.then}'}."
    return f"{one.claim[:1].upper()}{one.claim[1:]}"[: MAX_CLAIM - len(answers)] + answers


def _endpoint(book: Book, endpoint: Endpoint, found: Ground) -> Iterator[Noticed]:
    ground_of = found.loads.get(endpoint.service)
    fallback = found.running[0] if found.running else ""
    here = measured(endpoint, ground_of[1], ground_of[0]) if ground_of else Measured(fallback, {})
    past = found.history.get(endpoint.service)
    before = measured(endpoint, past[1], past[0]) if past else here
    track: Track | None = before.tracks.get("requests")
    said: dict[str, tuple[Said | None, str]] = {
        "slo_latency": (objectives.latency(endpoint, here), here.evidence),
        "slo_budget": (objectives.burning(endpoint, here), here.evidence),
        "queue": (load.queue(endpoint, here), here.evidence),
        "concurrency": (load.concurrency(endpoint, here), here.evidence),
        "scaling": (load.scaling(endpoint, here), here.evidence),
        "cost": (costs.cost(endpoint, here, book.currency), here.evidence),
        "retries": (retries.retries(endpoint, here, book.limits.retry_share), here.evidence),
        "capacity": (forecast.forecast(endpoint, track, book.limits.horizon_days), before.evidence),
    }
    for one, evidence in said.values():
        if one is not None:
            yield _noticed(book, endpoint, one, (evidence,))
    unknown = [_why(endpoint, here, kind) for kind, (one, _) in said.items() if one is None]
    if unknown:
        yield _noticed(
            book,
            endpoint,
            ("not_known", "unknown", f"not known of {endpoint.name}: {'; '.join(unknown)}."),
            (here.evidence,),
        )


def _why(endpoint: Endpoint, here: Measured, kind: str) -> str:
    """Say why something of an endpoint cannot be told."""
    what, needed, stated = _MISSING[kind]
    if stated:
        part, _, key = stated.partition(".")
        if getattr(getattr(endpoint, part), key) is None:
            return f"{what} ({stated} is not stated)"
    unnamed = [name for name in needed if getattr(endpoint.metrics, name) is None]
    if unnamed:
        return f"{what} (the operations file names no metric for {' and '.join(unnamed)})"
    absent = [name for name in needed if name not in here.tracks]
    return f"{what} (no samples of {' and '.join(absent)})" if absent else f"{what} (too few samples)"


def _platform(book: Book, found: Ground) -> Iterator[Noticed]:
    days = (found.window.end_us - found.window.start_us) / _DAY_US
    if found.events is not None:
        for one in estate.deployments(book, found.events[1], days):
            yield _noticed(book, None, one, (found.events[0],))
    if found.running is not None:
        evidence, running = found.running
        for one in (
            *estate.endpoints(book, running),
            *estate.keys(book, running),
            *estate.labels(book, running, days),
        ):
            yield _noticed(book, None, one, (evidence,))
    if found.traces is not None:
        one = retries.retried(found.traces[1].changes)
        if one is not None:
            yield _noticed(book, None, one, (found.traces[0],))
    for evidence, said in found.shortfalls:
        yield _noticed(
            book, None, ("shortfall", "unknown", f"the source could not give everything: {said}."), (evidence,)
        )


def _noticed(book: Book, endpoint: Endpoint | None, said: Said, evidence: tuple[str, ...]) -> Noticed:
    """Add who answers: the rung of the kind, and the one above it."""
    kind, level, claim = said
    rung = ANSWERS.get(kind, "platform")
    owner = getattr(book.owners, rung)
    if rung == "model" and endpoint is not None and endpoint.owner is not None:
        owner = endpoint.owner
    above = RUNGS[min(RUNGS.index(rung) + 1, len(RUNGS) - 1)]
    subject = PLATFORM if endpoint is None else endpoint.name
    return Noticed(kind, subject, level, claim, evidence, owner, getattr(book.owners, above))


def heading(found: Ground) -> str:
    """Say what the review looked at."""
    return shown(found.window.start_us, found.window.end_us)


def shown(start_us: int, end_us: int) -> str:
    """Write a stretch of time."""
    return f"{when(start_us)} to {when(end_us)} ({lasting((end_us - start_us) / 1_000_000)})"
