"""The read tool ``query_telemetry``: how metrics, logs, traces and events of an incident differ from the usual.

Rules: it reads only telemetry this run was granted, and where it lies comes from the run's places, never from an
argument; what is asked of a server stands in the settings. An answer is a digest (``values``): bounded, with what was
left out counted, and empty where there is nothing. A summary names counts, never a word of what was read.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from twokey.core.canonical import Json
from twokey.core.errors import ToolRetry
from twokey.core.values import ResourceKind
from twokey.tools.contract import Context, Limits, ReadTool
from twokey.tools.read.telemetry.changes.grounds import Grounds
from twokey.tools.read.telemetry.counting import counted
from twokey.tools.read.telemetry.operations.values import (
    OperationsRequest,
    OperationsResult,
    RunningRequest,
    RunningResult,
)
from twokey.tools.read.telemetry.values import (
    About,
    Alert,
    AlertsRequest,
    AlertsResult,
    Answer,
    Call,
    EventsRequest,
    EventsResult,
    GroundsRequest,
    IncidentsRequest,
    IncidentsResult,
    InventoryRequest,
    InventoryResult,
    LogsRequest,
    LogsResult,
    MetricsRequest,
    MetricsResult,
    OverviewRequest,
    OverviewResult,
    SeriesRequest,
    SeriesResult,
    SeriesSeen,
    SignalSeen,
    TelemetryArgs,
    TelemetryResult,
    TopologyRequest,
    TopologyResult,
    TracesRequest,
    TracesResult,
    Unread,
)

if TYPE_CHECKING:
    from twokey.tools.read.telemetry.port import Interval, Telemetry
    from twokey.tools.read.telemetry.sources import Source

MOST_SERVICES: Final = 500
MOST_SHORTFALLS: Final = 100
Item = TypeVar("Item")


class QueryTelemetry(ReadTool[TelemetryArgs, TelemetryResult]):
    """Reads telemetry; ``open_source`` gives the source at a location."""

    name: ClassVar[str] = "query_telemetry"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "telemetry"
    limits: ClassVar[Limits] = Limits(timeout_s=120)
    input_type = TelemetryArgs
    output_type = TelemetryResult

    def __init__(self, open_source: "Callable[[str], Source]") -> None:
        self._open = open_source

    def place_name(self, args: TelemetryArgs) -> str:
        """Give the name of the source."""
        return args.source

    def call(self, args: TelemetryArgs, context: Context) -> TelemetryResult:
        """Read.

        Raises:
            OutsideContract: this run was not granted that source.
            ToolRetry: the source has no such incident, or no alerts.
            TwokeyError: it cannot be read.

        """
        source = self._open(context.places.find(self.kind, args.source).location)
        ask = args.ask
        if isinstance(ask, IncidentsRequest):
            return TelemetryResult(source=args.source, about=None, answer=_incidents(source, ask))
        if isinstance(ask, AlertsRequest):
            return TelemetryResult(source=args.source, about=None, answer=_alerts(source, ask))
        from twokey.tools.read.telemetry import scoping  # noqa: PLC0415 - numpy comes in where it is needed

        telemetry, about = scoping.scoped(source, ask.scope)
        if isinstance(ask, GroundsRequest):
            answer: Answer = _grounds(telemetry, about)
            return TelemetryResult(source=args.source, about=about, answer=answer, shortfalls=_shortfalls(telemetry))
        answer = _Look(telemetry, *scoping.intervals(about)).answer(ask)
        return TelemetryResult(source=args.source, about=about, answer=answer, shortfalls=_shortfalls(telemetry))

    def listed(self, content: Json) -> Json:
        """Give nothing: every name in telemetry is told by whoever wrote it."""
        del content
        return []

    def summary(self, args: TelemetryArgs, result: TelemetryResult) -> str:  # noqa: ARG002 - the contract passes both
        """Say what was read, in numbers."""
        short = f", {len(result.shortfalls)} shortfalls" if result.shortfalls else ""
        return f"{counted(result.answer)}{short} of the telemetry."


class _Look:
    """Looks into one stretch of telemetry."""

    def __init__(self, telemetry: "Telemetry", window: "Interval", baseline: "Interval") -> None:
        self._telemetry = telemetry
        self._window = window
        self._baseline = baseline

    def answer(
        self,
        ask: OverviewRequest
        | MetricsRequest
        | SeriesRequest
        | InventoryRequest
        | LogsRequest
        | TracesRequest
        | TopologyRequest
        | EventsRequest
        | OperationsRequest
        | RunningRequest,
    ) -> Answer:
        """Give the answer of the kind that is asked for."""
        match ask:
            case OverviewRequest():
                return self._overview()
            case MetricsRequest():
                return self._metrics(ask)
            case SeriesRequest():
                return self._points(ask)
            case InventoryRequest():
                return self._inventory(ask)
            case LogsRequest():
                return self._logs(ask)
            case TracesRequest():
                return self._traces(ask)
            case TopologyRequest():
                return self._topology(ask)
            case EventsRequest():
                return self._events(ask)
            case OperationsRequest():
                return self._operations(ask)
            case RunningRequest():
                return self._running(ask)

    def _around(self) -> "Interval":
        from twokey.tools.read.telemetry.port import Interval  # noqa: PLC0415 - numpy comes in where it is needed

        return Interval(
            min(self._window.start, self._baseline.start), max(self._window.end, self._baseline.end)
        )  # what lies between is passed over where it is counted

    def _overview(self) -> OverviewResult:
        services: set[str] = set()
        seen: list[SignalSeen] = []
        for signal in ("metrics", "logs", "traces", "events"):
            before = after = 0
            for service, time, count in self._records(signal):
                services.add(service)
                after += count if time in self._window else 0
                before += count if time in self._baseline else 0
            seen.append(SignalSeen(signal=signal, before=before, after=after))
        edges = self._telemetry.edges()
        services |= {name for edge in edges for name in (edge.caller, edge.callee)}
        seen.append(SignalSeen(signal="topology", before=len(edges), after=len(edges)))
        named, left_out = _first(sorted(services - {""}), MOST_SERVICES)
        return OverviewResult(signals=tuple(seen), services=named, left_out=left_out)

    def _records(self, signal: str) -> "chain[tuple[str, float, int]]":
        around, telemetry = self._around(), self._telemetry
        match signal:
            case "metrics":
                return chain.from_iterable(
                    (
                        (one.service, part.start, int(((one.times >= part.start) & (one.times < part.end)).sum()))
                        for part in (self._window, self._baseline)
                    )
                    for one in telemetry.series(around)
                )
            case "logs":
                return chain((line.service, line.time, 1) for line in telemetry.logs(around))
            case "traces":
                return chain((span.service, span.time, 1) for span in telemetry.spans(around))
            case _:
                return chain((event.service, event.time, 1) for event in telemetry.events(around))

    def _metrics(self, ask: MetricsRequest) -> MetricsResult:
        from twokey.tools.read.telemetry.digests import metrics  # noqa: PLC0415 - numpy comes in where it is needed

        found = metrics.changes(self._telemetry.series(self._around()), self._window, self._baseline)
        kept, left_out = _first(found, ask.most)
        return MetricsResult(changes=kept, left_out=left_out)

    def _points(self, ask: SeriesRequest) -> SeriesResult:
        from twokey.tools.read.telemetry.digests import points  # noqa: PLC0415 - as above

        wanted = {(one.service, one.metric) for one in ask.names}
        named = [one for one in self._telemetry.series(self._around()) if (one.service, one.metric) in wanted]
        return SeriesResult(series=tuple(points.thinned(one, ask.most) for one in named))

    def _inventory(self, ask: InventoryRequest) -> InventoryResult:
        from twokey.tools.read.telemetry.changes.meanings import sense  # noqa: PLC0415 - as above

        kept, left_out = _first(self._telemetry.series(self._around()), ask.most)
        return InventoryResult(
            series=tuple(
                SeriesSeen(
                    service=one.service, metric=one.metric, meaning=sense(one.metric).meaning, samples=len(one.times)
                )
                for one in kept
            ),
            left_out=left_out,
        )

    def _logs(self, ask: LogsRequest) -> LogsResult:
        from twokey.tools.read.telemetry.digests import logs  # noqa: PLC0415 - as above

        found = logs.changes(self._telemetry.logs(self._around()), self._window, self._baseline)
        kept, left_out = _first(found.changes, ask.most)
        return LogsResult(changes=kept, lines_before=found.before, lines_after=found.after, left_out=left_out)

    def _traces(self, ask: TracesRequest) -> TracesResult:
        from twokey.tools.read.telemetry.digests import traces  # noqa: PLC0415 - as above

        found = traces.changes(self._telemetry.spans(self._around()), self._window, self._baseline)
        kept, left_out = _first(found.changes, ask.most)
        return TracesResult(changes=kept, spans_before=found.before, spans_after=found.after, left_out=left_out)

    def _topology(self, ask: TopologyRequest) -> TopologyResult:
        from twokey.tools.read.telemetry.digests import traces  # noqa: PLC0415 - as above

        calls = [Call(caller=one.caller, callee=one.callee, seen_in="topology") for one in self._telemetry.edges()]
        known = {(one.caller, one.callee) for one in calls}
        spans = traces.changes(self._telemetry.spans(self._around()), self._window, self._baseline)
        calls += [
            Call(caller=caller, callee=callee, seen_in="traces")
            for caller, callee in spans.calls
            if (caller, callee) not in known
        ]
        kept, left_out = _first(calls, ask.most)
        return TopologyResult(calls=kept, left_out=left_out)

    def _events(self, ask: EventsRequest) -> EventsResult:
        from twokey.tools.read.telemetry.digests import events  # noqa: PLC0415 - as above
        from twokey.tools.read.telemetry.port import Interval  # noqa: PLC0415 - as above

        around = Interval(max(0.0, self._window.start - ask.before_s), self._window.end + ask.after_s)
        found = events.each_once(self._telemetry.events(around))
        near = sorted(found, key=lambda one: abs(one.at_us / 1_000_000 - self._window.start))[: ask.most]
        kept = tuple(sorted(near, key=lambda one: one.at_us))
        return EventsResult(events=kept, left_out=len(found) - len(kept))

    def _operations(self, ask: OperationsRequest) -> OperationsResult:
        from twokey.tools.read.telemetry.operations.digest import operations  # noqa: PLC0415 - as above

        return operations(self._telemetry, ask, self._window)

    def _running(self, ask: RunningRequest) -> RunningResult:
        from twokey.tools.read.telemetry.operations.running import running  # noqa: PLC0415 - as above

        return running(self._telemetry, ask, self._window)


def _incidents(source: "Source", ask: IncidentsRequest) -> IncidentsResult:
    from twokey.tools.read.telemetry.scoping import about  # noqa: PLC0415 - numpy comes in where it is needed

    kept, left_out = _first(source.incidents(), ask.most)
    return IncidentsResult(incidents=tuple(about(one) for one in kept), left_out=left_out)


def _alerts(source: "Source", ask: AlertsRequest) -> AlertsResult:
    found = source.alerts()
    if found is None:
        raise ToolRetry("That telemetry tells of no alerts.", next="Ask one that has a Prometheus.", code="no_alerts")
    kept, left_out = _first(found, ask.most)
    return AlertsResult(
        alerts=tuple(
            Alert(
                id=f"{one.name}/{one.service}"[:300],
                name=one.name,
                service=one.service,
                severity=one.severity,
                state=one.state,
                since_us=round(one.since * 1_000_000),
                text=one.text,
            )
            for one in kept
        ),
        left_out=left_out,
    )


def _first(found: Sequence[Item], most: int) -> tuple[tuple[Item, ...], int]:
    return tuple(found[:most]), max(0, len(found) - most)


def _shortfalls(telemetry: "Telemetry") -> tuple[Unread, ...]:
    found = telemetry.shortfalls()[:MOST_SHORTFALLS]
    return tuple(Unread(signal=one.signal, code=one.code, count=one.count) for one in found)


def _grounds(telemetry: "Telemetry", about: About) -> Grounds:
    from twokey.tools.read.telemetry import scoping  # noqa: PLC0415 - numpy comes in where it is needed
    from twokey.tools.read.telemetry.changes.gathering import gather  # noqa: PLC0415 - as above
    from twokey.tools.read.telemetry.port import Incident  # noqa: PLC0415 - as above

    window, baseline = scoping.intervals(about)
    return gather(telemetry, Incident(about.id, about.title, about.service, window, baseline))
