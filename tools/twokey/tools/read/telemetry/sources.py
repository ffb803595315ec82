"""Where telemetry lies, as ``query_telemetry`` sees it: folders of incident bundles, and sources of the settings.

Rules: a source knows incidents and gives the telemetry in which one is looked into; a folder of several bundles gives
that of the bundle whose incident is named. A live source is put together from parts; one that cannot be asked is told
as a shortfall where another of the same kind answered, and is an error where none did. It is made for one call and is
not shared between threads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.telemetry.bundle import Bundle, find_bundles
from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.firing import Firing
from twokey.tools.read.telemetry.port import (
    Edge,
    Event,
    Incident,
    Interval,
    LogRecord,
    Series,
    Shortfall,
    Signal,
    Span,
    Telemetry,
)

MOST_EVENTS: Final = 50_000


class Source(Protocol):
    """A place of kind ``telemetry``."""

    def incidents(self) -> tuple[Incident, ...]:
        """Give the incidents it knows of by itself, the latest first."""
        ...

    def of(self, incident: str) -> Telemetry | None:
        """Give the telemetry in which an incident is looked into; none where it is not known."""
        ...

    def anytime(self) -> Telemetry | None:
        """Give the telemetry of any stretch of time; none where there is only that of incidents."""
        ...

    def alerts(self) -> tuple[Firing, ...] | None:
        """Give the alerts that fire now; none where it has no alerts."""
        ...


class Bundles:
    """A folder with incident bundles: itself one, or holding some."""

    def __init__(self, folder: Path) -> None:
        """Look for them.

        Raises:
            NotFound: there is none.
            BadInput: there are too many.

        """
        self._folders = find_bundles(folder)
        self._known: tuple[Incident, ...] | None = None
        self._unread = 0
        self._at: dict[str, Bundle] = {}

    def incidents(self) -> tuple[Incident, ...]:
        """Give the incidents of the bundles that can be read, the latest first."""
        if self._known is None:
            found: list[Incident] = []
            for folder in self._folders:
                try:
                    bundle = Bundle(folder)
                except BadInput:
                    if len(self._folders) == 1:
                        raise
                    self._unread += 1
                    continue
                self._at.setdefault(bundle.incident.id, bundle)
                found.append(bundle.incident)
            self._known = tuple(sorted(found, key=lambda one: (-one.window.start, one.id)))
        return self._known

    def of(self, incident: str) -> Telemetry | None:
        """Give the bundle of that incident; the first in order of names where several call themselves so."""
        self.incidents()
        return self._at.get(incident)

    def anytime(self) -> Telemetry | None:
        """Give the bundle where there is one."""
        self.incidents()
        return next(iter(self._at.values())) if len(self._at) == 1 else None

    def alerts(self) -> tuple[Firing, ...] | None:
        """Give none: a bundle is about what is over."""
        return None


class Metrics(Protocol):
    """A part of a live source that has series and alerts."""

    def series(self, within: Interval) -> tuple[Series, ...]: ...
    def alerts(self) -> tuple[Firing, ...]: ...
    def shortfalls(self) -> tuple[Shortfall, ...]: ...


class Lines(Protocol):
    """A part that has lines, and counts what falls short by itself."""

    def logs(self, within: Interval) -> Iterator[LogRecord]: ...
    def shortfalls(self) -> tuple[Shortfall, ...]: ...


class Pages(Protocol):
    """What alerts that were delivered tell: incidents, and when somebody was paged or took over."""

    def incidents(self) -> tuple[Incident, ...]: ...
    def events(self) -> tuple[Event, ...]: ...


LogPart = Callable[[Interval, Tally], Iterator[LogRecord]]
SpanPart = Callable[[Interval, Tally], Iterator[Span]]
EventPart = Callable[[Interval, Tally], Iterator[Event]]
EdgePart = Callable[[Tally], tuple[Edge, ...]]


@dataclass
class Live:
    """A source of the settings, put together from parts; implements ``Source`` and ``Telemetry``."""

    metrics: Metrics | None = None
    lines: Lines | None = None
    log_parts: Sequence[LogPart] = ()
    span_parts: Sequence[SpanPart] = ()
    event_parts: Sequence[EventPart] = ()
    edge_parts: Sequence[EdgePart] = ()
    pages: Pages | None = None
    _tallies: dict[Signal, Tally] = field(default_factory=dict[Signal, Tally])

    def incidents(self) -> tuple[Incident, ...]:
        """Give the incidents that delivered alerts tell of, the latest first."""
        return self.pages.incidents() if self.pages is not None else ()

    def of(self, incident: str) -> Telemetry | None:
        """Give itself, for an incident that it knows."""
        return self if any(one.id == incident for one in self.incidents()) else None

    def anytime(self) -> Telemetry | None:
        """Give itself."""
        return self

    def alerts(self) -> tuple[Firing, ...] | None:
        """Give the alerts that fire now."""
        return self.metrics.alerts() if self.metrics is not None else None

    def series(self, within: Interval) -> tuple[Series, ...]:
        """Give every series of its metrics."""
        return self.metrics.series(within) if self.metrics is not None else ()

    def logs(self, within: Interval) -> Iterator[LogRecord]:
        """Give the lines of every part."""
        tally = self._tally("logs")
        if self.lines is not None:
            try:
                yield from self.lines.logs(within)
            except EnvironmentFault:
                if not self.log_parts:
                    raise
                tally.unreadable = True
        for part in self.log_parts:
            yield from part(within, tally)

    def spans(self, within: Interval) -> Iterator[Span]:
        """Give the spans of every part."""
        tally = self._tally("traces")
        for part in self.span_parts:
            yield from part(within, tally)

    def events(self, within: Interval) -> tuple[Event, ...]:
        """Give the events of every part, by time."""
        tally = self._tally("events")
        found = [event for event in (self.pages.events() if self.pages is not None else ()) if event.time in within]
        for part in self.event_parts:
            try:
                for event in part(within, tally):
                    if len(found) >= MOST_EVENTS:
                        tally.too_much = MOST_EVENTS
                        break
                    found.append(event)
            except EnvironmentFault:
                tally.unreadable = True
        return tuple(sorted(found, key=lambda one: (one.time, one.kind, one.service)))

    def edges(self) -> tuple[Edge, ...]:
        """Give who calls whom, sorted."""
        tally = self._tally("topology")
        found = {edge for part in self.edge_parts for edge in part(tally)}
        return tuple(sorted(found, key=lambda edge: (edge.caller, edge.callee)))

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give what fell short so far."""
        parts = [part.shortfalls() for part in (self.metrics, self.lines) if part is not None]
        parts += [tally.shortfalls() for tally in self._tallies.values()]
        return tuple(shortfall for part in parts for shortfall in part)

    def _tally(self, signal: Signal) -> Tally:
        return self._tallies.setdefault(signal, Tally(signal))
