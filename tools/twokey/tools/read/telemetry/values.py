"""What ``query_telemetry`` is asked and answers.

Rules: an answer is a digest: how things were before and what changed, never samples or lines as a whole; counts and
times are integers, every other number is decimal text with ``DIGITS`` significant digits. Names, titles, messages and
templates are outside text, whoever wrote them: they are cut to a bound and stand in lists, never as a key. Every list
is bounded, the strongest or the first entries are kept, and ``left_out`` says how many are not given. What could not
be read stands in ``shortfalls``. Nothing found is an empty list.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from twokey.core.values import Count, Instant, Value
from twokey.tools.read.telemetry.changes.grounds import Grounds
from twokey.tools.read.telemetry.operations.values import (
    OperationsRequest,
    OperationsResult,
    RunningRequest,
    RunningResult,
)
from twokey.tools.read.telemetry.terms import (
    DAY_US,
    DIGITS,
    MAX_STRETCH_US,
    Figure,
    Name,
    Scope,
    SeriesName,
    Stretch,
    Text,
    figure,
)

__all__ = ["DAY_US", "DIGITS", "MAX_STRETCH_US", "Figure", "Name", "Scope", "SeriesName", "Stretch", "Text", "figure"]

MAX_LISTED: Final = 500
MAX_POINTS: Final = 1_000
MAX_NAMED: Final = 20
Permille = Annotated[int, Field(ge=0, le=1_000)]
Most = Annotated[int, Field(ge=1, le=MAX_LISTED)]
Signal = Literal["metrics", "logs", "traces", "topology", "events"]
"""The kinds of telemetry, as in ``port``."""
Meaning = Literal["latency", "errors", "availability", "saturation", "traffic", "other"]
"""What a metric says about a service."""


class IncidentsRequest(Value):
    """The incidents that the source knows, the latest first."""

    kind: Literal["incidents"] = "incidents"
    most: Most = 50


class OverviewRequest(Value):
    """What there is to look at: signals with their counts, services."""

    kind: Literal["overview"] = "overview"
    scope: Scope = Scope()


class MetricsRequest(Value):
    """How each metric of each service changed, the strongest change first."""

    kind: Literal["metrics"] = "metrics"
    scope: Scope = Scope()
    most: Most = 200


class SeriesRequest(Value):
    """Points of some series over baseline and window; fewer than were measured, with the extremes kept."""

    kind: Literal["series"] = "series"
    scope: Scope = Scope()
    names: Annotated[tuple[SeriesName, ...], Field(min_length=1, max_length=MAX_NAMED)]
    most: Annotated[int, Field(ge=8, le=MAX_POINTS)] = 200
    """Points of one series at most."""


class InventoryRequest(Value):
    """Which series there are over baseline and window."""

    kind: Literal["inventory"] = "inventory"
    scope: Scope = Scope()
    most: Most = MAX_LISTED


class LogsRequest(Value):
    """How the lines of each service changed, by what they have in common; the strongest change first."""

    kind: Literal["logs"] = "logs"
    scope: Scope = Scope()
    most: Most = 100


class TracesRequest(Value):
    """How each operation of each service changed, the strongest change first."""

    kind: Literal["traces"] = "traces"
    scope: Scope = Scope()
    most: Most = 100


class TopologyRequest(Value):
    """Who calls whom."""

    kind: Literal["topology"] = "topology"
    scope: Scope = Scope()
    most: Most = MAX_LISTED


class EventsRequest(Value):
    """What was done and said around the window, by time, each once."""

    kind: Literal["events"] = "events"
    scope: Scope = Scope()
    before_s: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] = 24 * 3600
    """How long before the window, in seconds."""
    after_s: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] = 24 * 3600
    most: Most = 200


class AlertsRequest(Value):
    """The alerts that fire now, the latest first."""

    kind: Literal["alerts"] = "alerts"
    most: Most = 100


class GroundsRequest(Value):
    """What a ranking of suspects stands on: how each service changed, from every source."""

    kind: Literal["grounds"] = "grounds"
    scope: Scope = Scope()


Ask = Annotated[
    IncidentsRequest
    | OverviewRequest
    | MetricsRequest
    | SeriesRequest
    | InventoryRequest
    | LogsRequest
    | TracesRequest
    | TopologyRequest
    | EventsRequest
    | AlertsRequest
    | GroundsRequest
    | OperationsRequest
    | RunningRequest,
    Field(discriminator="kind"),
]


class TelemetryArgs(Value):
    """Arguments of ``query_telemetry``. ``source`` is the name of a place this run may touch."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    ask: Ask


class About(Value):
    """An incident as its source describes it."""

    id: Annotated[str, StringConstraints(max_length=200)]
    title: Annotated[str, StringConstraints(max_length=500)]
    service: Name
    window: Stretch
    baseline: Stretch


class Unread(Value):
    """What of a signal fell short; the codes are those of the port's ``Shortfall``."""

    signal: Signal
    code: Literal["malformed", "too_much", "unreadable"]
    count: Count


class IncidentsResult(Value):
    """The incidents that the source knows."""

    kind: Literal["incidents"] = "incidents"
    incidents: tuple[About, ...]
    left_out: Count = 0


class SignalSeen(Value):
    """How much there is of a signal in the baseline and in the window: samples, lines, spans, edges, events."""

    signal: Signal
    before: Count
    after: Count


class OverviewResult(Value):
    """What there is to look at."""

    kind: Literal["overview"] = "overview"
    signals: tuple[SignalSeen, ...]
    services: tuple[Name, ...]
    left_out: Count = 0
    """Services that are not given."""


class MetricChange(Value):
    """One metric of one service: the window against the baseline."""

    service: Name
    metric: Name
    meaning: Meaning
    samples_before: Count
    samples_after: Count
    before: Figure | None
    """Median of the baseline; none where there is no sample."""
    after: Figure | None
    """Median of the window; from the onset on, where there is one."""
    extreme: Figure | None
    """The sample of the window that is farthest from the baseline."""
    extreme_us: Instant | None = None
    deviation: Figure
    """How unusual the window is, in robust standard deviations of the baseline; negative where it fell."""
    abnormal: Permille
    """Share of the window's samples that are unusual."""
    onset_us: Instant | None
    """When it began to be unusual; none where it did not."""
    gap_s: Count
    """The longest stretch without a sample that is longer than usual for it, in seconds; 0 where there is none."""


class MetricsResult(Value):
    """Changes of metrics, the strongest first."""

    kind: Literal["metrics"] = "metrics"
    changes: tuple[MetricChange, ...]
    left_out: Count = 0


class Point(Value):
    """One sample."""

    at_us: Instant
    value: Figure


class Points(Value):
    """Samples of one series; ``samples`` is how many were measured."""

    service: Name
    metric: Name
    samples: Count
    points: tuple[Point, ...]


class SeriesResult(Value):
    """Points of the series that were named and exist."""

    kind: Literal["series"] = "series"
    series: tuple[Points, ...]


class SeriesSeen(Value):
    """One series and how many samples it has."""

    service: Name
    metric: Name
    meaning: Meaning
    samples: Count


class InventoryResult(Value):
    """Which series there are."""

    kind: Literal["inventory"] = "inventory"
    series: tuple[SeriesSeen, ...]
    left_out: Count = 0


class LogChange(Value):
    """Lines of one service that have a template in common: the window against the baseline."""

    service: Name
    level: Annotated[str, StringConstraints(max_length=40)]
    template: Text
    """What the lines have in common, ``<*>`` where they differ."""
    before: Count
    after: Count
    first_us: Instant | None
    """When the first of them came in the window."""
    change: Literal["new", "burst", "vanished", "other"]
    example: Text
    """One of them, with values masked."""


class LogsResult(Value):
    """Changes of log lines, the strongest first; ``lines_before`` and ``lines_after`` are all that were read."""

    kind: Literal["logs"] = "logs"
    changes: tuple[LogChange, ...]
    lines_before: Count
    lines_after: Count
    left_out: Count = 0


class OperationChange(Value):
    """One operation of one service: the window against the baseline. Times are microseconds."""

    service: Name
    operation: Name
    calls_before: Count
    calls_after: Count
    self_before_us: Count | None
    """Median of the time that it took by itself, without what it called."""
    self_after_us: Count | None
    errors_before: Count
    errors_after: Count
    slow_from_us: Instant | None
    """When it began to take longer by itself."""
    first_slow: bool
    """It was the first of all operations to get slow."""
    retries: Count
    """Traces of the window in which one caller calls it over and over, more often than before."""


class TracesResult(Value):
    """Changes of operations, the strongest first; ``spans_before`` and ``spans_after`` are all that were read."""

    kind: Literal["traces"] = "traces"
    changes: tuple[OperationChange, ...]
    spans_before: Count
    spans_after: Count
    left_out: Count = 0


class Call(Value):
    """``caller`` calls ``callee``, as the source states it or as its traces show it."""

    caller: Name
    callee: Name
    seen_in: Literal["topology", "traces"]


class TopologyResult(Value):
    """Who calls whom."""

    kind: Literal["topology"] = "topology"
    calls: tuple[Call, ...]
    left_out: Count = 0


class EventSeen(Value):
    """Something that was done or said. ``copies`` is how often the source holds it."""

    at_us: Instant
    kind: Name
    service: Name
    actor: Name
    text: Text
    cut: bool = False
    copies: Annotated[int, Field(ge=1)] = 1


class EventsResult(Value):
    """What was done and said, by time."""

    kind: Literal["events"] = "events"
    events: tuple[EventSeen, ...]
    left_out: Count = 0


class Alert(Value):
    """An alert that fires, or is about to. ``id`` is the source's own."""

    id: Name
    name: Name
    service: Name
    severity: Name
    state: Literal["firing", "pending"]
    since_us: Instant
    text: Text


class AlertsResult(Value):
    """The alerts that fire now, the latest first."""

    kind: Literal["alerts"] = "alerts"
    alerts: tuple[Alert, ...]
    left_out: Count = 0


Answer = Annotated[
    IncidentsResult
    | OverviewResult
    | MetricsResult
    | SeriesResult
    | InventoryResult
    | LogsResult
    | TracesResult
    | TopologyResult
    | EventsResult
    | AlertsResult
    | Grounds
    | OperationsResult
    | RunningResult,
    Field(discriminator="kind"),
]


class TelemetryResult(Value):
    """The answer, of the kind that was asked for; ``about`` is what it looks at, where it looks at a stretch."""

    source: str
    about: About | None
    answer: Answer
    shortfalls: tuple[Unread, ...] = ()
