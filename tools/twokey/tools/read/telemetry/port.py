"""The telemetry port: what was measured, logged, traced and done, wherever it is kept.

Rules:
- times are seconds since 1970 in UTC; an ``Interval`` includes its start and excludes its end;
- a source that has nothing of a kind gives nothing: empty is not an error. What it has and could not read, or left out
  because there was too much, stands in ``shortfalls``;
- every answer is bounded by the source itself; series come with their samples sorted by time, one sample per time;
- a missing sample has no entry: nothing is filled in, and nothing here is a NaN or an infinity;
- names, messages and texts are outside text: they are bounded by the source, and whoever shows them treats them as
  foreign. Nothing read here is an instruction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Signal: TypeAlias = Literal["metrics", "logs", "traces", "topology", "events"]

MAX_NAME: Final = 300
"""Characters of the name of a service, a metric or an operation; what is longer is cut."""
MAX_TEXT: Final = 2_000
"""Characters of a message or a text; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time: ``start`` included, ``end`` excluded, seconds since 1970 in UTC."""

    start: float
    end: float

    def __post_init__(self) -> None:
        """Refuse a stretch that ends before it starts (``ValueError``)."""
        if not self.start <= self.end:
            raise ValueError("an interval ends before it starts")

    def __contains__(self, time: float) -> bool:
        """Whether the time lies within."""
        return self.start <= time < self.end

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Incident:
    """What is looked into: the service whose alert fired, when it went wrong, and when it was well."""

    id: str
    title: str
    service: str
    window: Interval
    baseline: Interval
    """What the window is compared with: before it, or after it where there is nothing before."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric of one service: ``values[i]`` was measured at ``times[i]``; times rise strictly."""

    service: str
    metric: str
    times: Floats
    values: Floats


class LogRecord(NamedTuple):
    """One line of a log. ``level`` in lower case, empty where there is none."""

    time: float
    service: str
    level: str
    message: str


class Span(NamedTuple):
    """One piece of work in a trace. ``time`` is its start; ``parent`` is None for a root, ``status`` where unknown."""

    time: float
    trace: str
    id: str
    parent: str | None
    service: str
    operation: str
    milliseconds: float
    status: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done or said: a deploy, a page, an acknowledgement, a message."""

    time: float
    kind: str
    service: str
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class Edge:
    """``caller`` calls ``callee``."""

    caller: str
    callee: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What of a signal could not be read or was left out.

    ``code`` is one of ``malformed`` (``count`` records that are no records), ``too_much`` (reading stopped at a bound;
    ``count`` is that bound), ``unreadable`` (the file or the answer as a whole; ``count`` is 1).
    """

    signal: Signal
    code: Literal["malformed", "too_much", "unreadable"]
    count: int


class Telemetry(Protocol):
    """One source of telemetry."""

    def incidents(self) -> tuple[Incident, ...]:
        """Give the incidents it knows of by itself: one for a bundle, none for a live source."""
        ...

    def series(self, within: Interval) -> tuple[Series, ...]:
        """Give every series with samples in ``within``, sorted by service and metric."""
        ...

    def logs(self, within: Interval) -> Iterator[LogRecord]:
        """Give the lines of ``within``; they come as they are stored, which need not be by time."""
        ...

    def spans(self, within: Interval) -> Iterator[Span]:
        """Give the spans that start in ``within``, in no certain order."""
        ...

    def events(self, within: Interval) -> tuple[Event, ...]:
        """Give the events of ``within``, by time."""
        ...

    def edges(self) -> tuple[Edge, ...]:
        """Give who calls whom, sorted; empty where the source does not know."""
        ...

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give what fell short in what was read last of each kind (an iterator counts once it is used up)."""
        ...
