"""Telemetry that a test holds in memory, behind the production port."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from twokey.tools.read.telemetry.port import Edge, Event, Incident, Interval, LogRecord, Series, Shortfall, Span


@dataclass
class Recorded:
    """``values`` holds (time, value) pairs by service and metric."""

    values: Mapping[tuple[str, str], Sequence[tuple[float, float]]] = field(
        default_factory=dict[tuple[str, str], Sequence[tuple[float, float]]]
    )
    traced: Sequence[Span] = ()

    def incidents(self) -> tuple[Incident, ...]:
        return ()

    def series(self, within: Interval) -> tuple[Series, ...]:
        found: list[Series] = []
        for (service, metric), pairs in sorted(self.values.items()):
            inside = sorted(pair for pair in pairs if pair[0] in within)
            if inside:
                times, values = zip(*inside, strict=True)
                found.append(Series(service, metric, np.array(times, np.float64), np.array(values, np.float64)))
        return tuple(found)

    def logs(self, within: Interval) -> Iterator[LogRecord]:
        del within
        return iter(())

    def spans(self, within: Interval) -> Iterator[Span]:
        return (span for span in self.traced if span.time in within)

    def events(self, within: Interval) -> tuple[Event, ...]:
        del within
        return ()

    def edges(self) -> tuple[Edge, ...]:
        return ()

    def shortfalls(self) -> tuple[Shortfall, ...]:
        return ()
