"""What an incident's summary stands on: the answers of ``query_telemetry`` that a run holds, each with its evidence.

Beside them stand those of ``read_catalog`` about commits that a change may be.

Rules: made from stored evidence alone, so that whoever checks a summary stands on the same ground as who wrote it; what
is no such answer is passed over; of several answers of a kind the last counts; everything in it that is a text
is outside text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from pydantic import ValidationError

from twokey.core.canonical import Json
from twokey.core.values import Value
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.commits import CommitRead
from twokey.tools.read.telemetry.changes.grounds import Grounds
from twokey.tools.read.telemetry.values import (
    About,
    AlertsResult,
    EventsResult,
    LogsResult,
    MetricChange,
    MetricsResult,
    OverviewResult,
    Points,
    SeriesResult,
    TelemetryResult,
    TopologyResult,
    TracesResult,
)

Answered = TypeVar("Answered", bound=Value)
TOOL: Final = "query_telemetry"
DEGRADES: Final = ("latency", "errors", "availability")
"""Meanings of metrics in which people feel that something is wrong."""


@dataclass(frozen=True, slots=True)
class Held(Generic[Answered]):
    """An answer, and the evidence that it is."""

    evidence: str
    answer: Answered


@dataclass(frozen=True)
class Material:
    """All that is known about one incident."""

    about: About
    source: str
    ground: str
    """Evidence that says what is looked at: the overview."""
    overview: Held[OverviewResult] | None = None
    metrics: Held[MetricsResult] | None = None
    logs: Held[LogsResult] | None = None
    traces: Held[TracesResult] | None = None
    topology: Held[TopologyResult] | None = None
    events: Held[EventsResult] | None = None
    alerts: Held[AlertsResult] | None = None
    grounds: Held[Grounds] | None = None
    """What the ranking stands on."""
    commits: tuple[Held[CommitRead], ...] = ()
    """Commits that a change may be, as repositories tell of them."""
    series: dict[tuple[str, str], Held[Points]] = field(default_factory=dict[tuple[str, str], Held[Points]])
    """Points by service and metric."""
    unread: tuple[tuple[str, int, str], ...] = ()
    """Signals of which something could not be read: signal, how many records, evidence."""
    contents: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """The evidence as it is kept."""
    earlier: Mapping[str, Mapping[str, Json]] = field(default_factory=dict[str, Mapping[str, Json]])
    """What earlier runs read of incidents that may be alike, by run; it is evidence of this run, and about others."""

    @property
    def title(self) -> str:
        """What the source calls it."""
        return self.about.title

    def change(self, service: str, metric: str) -> MetricChange | None:
        """Give how a metric changed."""
        listed = self.metrics.answer.changes if self.metrics else ()
        return next((one for one in listed if (one.service, one.metric) == (service, metric)), None)

    def names(self) -> frozenset[str]:
        """Give what is called by name anywhere: services, metrics, operations."""
        found: set[str] = {self.about.service}
        if self.overview:
            found |= set(self.overview.answer.services)
        for one in self.metrics.answer.changes if self.metrics else ():
            found |= {one.service, one.metric}
        for line in self.logs.answer.changes if self.logs else ():
            found.add(line.service)
        for operation in self.traces.answer.changes if self.traces else ():
            found |= {operation.service, operation.operation}
        for call in self.topology.answer.calls if self.topology else ():
            found |= {call.caller, call.callee}
        for event in self.events.answer.events if self.events else ():
            found |= {event.service, event.actor}
        return frozenset(name for name in found if name)


def material(contents: Mapping[str, Json]) -> Material | None:
    """Put the answers among ``contents`` (evidence by id, in the order in which it was read) together.

    None where nothing says which incident it is.
    """
    held: dict[str, Held[Value]] = {}
    series: dict[tuple[str, str], Held[Points]] = {}
    unread: dict[str, tuple[int, str]] = {}
    commits: list[Held[CommitRead]] = []
    about: About | None = None
    source = ground = ""
    for evidence, content in contents.items():
        result = telemetry(content)
        if result is None:
            commit = _commit(content)
            commits += [] if commit is None else [Held(evidence, commit)]
            continue
        answer = result.answer
        if result.about is not None and (about is None or isinstance(answer, OverviewResult)):
            about, source, ground = result.about, result.source, evidence
        held[answer.kind] = Held(evidence, answer)
        for one in result.shortfalls:
            if one.count > unread.get(one.signal, (0, ""))[0]:
                unread[one.signal] = one.count, evidence
        if isinstance(answer, SeriesResult):
            series |= {(one.service, one.metric): Held(evidence, one) for one in answer.series}
    if about is None:
        return None
    return Material(
        about=about,
        source=source,
        ground=ground,
        overview=_of(held, "overview", OverviewResult),
        metrics=_of(held, "metrics", MetricsResult),
        logs=_of(held, "logs", LogsResult),
        traces=_of(held, "traces", TracesResult),
        topology=_of(held, "topology", TopologyResult),
        events=_of(held, "events", EventsResult),
        alerts=_of(held, "alerts", AlertsResult),
        grounds=_of(held, "grounds", Grounds),
        commits=tuple(commits),
        series=series,
        unread=tuple((signal, *unread[signal]) for signal in sorted(unread)),
        contents=dict(contents),
    )


def telemetry(content: Json) -> TelemetryResult | None:
    """Give the answer of ``query_telemetry`` that a piece of evidence is; None where it is none."""
    try:
        return TelemetryResult.model_validate(content)
    except ValidationError:
        return None


def _commit(content: Json) -> CommitRead | None:
    try:
        return CatalogFiles.model_validate(content).undone
    except ValidationError:
        return None


def _of(held: Mapping[str, Held[Value]], kind: str, wanted: type[Answered]) -> Held[Answered] | None:
    one = held.get(kind)
    if one is None or not isinstance(one.answer, wanted):
        return None
    return Held(one.evidence, one.answer)
