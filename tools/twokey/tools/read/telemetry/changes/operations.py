"""How operations changed in traces: what got slow by itself, which calls wait on their way, what fails, what repeats.

Rules:
- the time of an operation is its own: what the spans below it took is taken off. A span that calls another service
  times that call: the difference to the other side's span is the way between them (network, queue), and belongs to
  the pair of services;
- before is what lies before the window. A pair of services that was not seen before is compared with the usual way
  between services in the same window;
- a span failed by its status; it fails by itself where no span below it failed;
- at most ``MOST_SPANS`` spans are kept; memory does not grow beyond.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from twokey.tools.read.telemetry.changes.shares import more, shifted, slower, usual_ratio
from twokey.tools.read.telemetry.port import Span

MOST_SPANS: Final = 500_000
_LOOP: Final = 3
"""Calls of one operation by one span that make a loop."""
_SLOW: Final = 1.0
"""Strength from which an operation is slow."""
_MANY_SLOW: Final = 0.3
_FEWEST: Final = 2
_FAILED: Final = frozenset({"error", "fail", "failed", "failure", "fault", "status_code_error", "exception", "timeout"})


@dataclass(slots=True)
class Timing:
    """Milliseconds before and in the window, and what they come to."""

    before: list[float] = field(default_factory=list[float])
    after: list[float] = field(default_factory=list[float])
    times: list[float] = field(default_factory=list[float])
    """When those of the window began."""
    strength: float = 0.0

    def since(self) -> float | None:
        """Give when it began to be slow: the first call above twice what was usual, where enough are."""
        limit = 2 * (median(self.before) if len(self.before) >= _FEWEST else 0.0) + 1
        slow = [time for time, took in zip(self.times, self.after, strict=True) if took > limit]
        return min(slow) if slow and len(slow) >= _MANY_SLOW * len(self.after) else None


@dataclass(slots=True)
class OperationCount:
    """One operation of one service."""

    service: str
    operation: str
    own: Timing = field(default_factory=Timing)
    calls_before: int = 0
    calls_after: int = 0
    errors_before: int = 0
    errors_after: int = 0
    retries: int = 0
    shift: float = 0.0
    since: float | None = None
    first_slow: bool = False


@dataclass(slots=True)
class ServiceSpans:
    """What the spans of one service come to."""

    before: int = 0
    after: int = 0
    errors_before: int = 0
    errors_after: int = 0
    """Spans that failed by themselves."""
    errors: float = 0.0
    mix: float = 0.0


@dataclass(slots=True)
class Operations:
    """All spans that were read. ``ways`` are pairs of caller and callee."""

    before: int = 0
    after: int = 0
    counts: dict[tuple[str, str], OperationCount] = field(default_factory=dict[tuple[str, str], OperationCount])
    ways: dict[tuple[str, str], Timing] = field(default_factory=dict[tuple[str, str], Timing])
    services: dict[str, ServiceSpans] = field(default_factory=dict[str, ServiceSpans])
    left_out: bool = False


def failed(status: str | None) -> bool:
    """Whether a span's status says that it failed: a word, OpenTelemetry's code 2, or an HTTP status from 500."""
    if status is None:
        return False
    text = status.strip().lower()
    return text in _FAILED or text == "2" or (len(text) == 3 and text.isdigit() and text >= "500")


def read_spans(spans: Iterable[Span], start: float) -> Operations:
    """Compare the spans from ``start`` with those before."""
    found = Operations()
    kept: list[Span] = []
    for each in spans:
        if len(kept) >= MOST_SPANS:
            found.left_out = True
            break
        kept.append(each)
    by_id = {(each.trace, each.id): each for each in kept}
    below: defaultdict[tuple[str, str], float] = defaultdict(float)
    crossing: set[tuple[str, str]] = set()
    failing_below: set[tuple[str, str]] = set()
    for each in kept:
        if each.parent is None:
            continue
        above = by_id.get((each.trace, each.parent))
        if above is None:
            continue
        key = (each.trace, each.parent)
        below[key] += each.milliseconds
        if failed(each.status):
            failing_below.add(key)
        if above.service != each.service:
            crossing.add(key)
            way = found.ways.setdefault((above.service, each.service), Timing())
            _note(way, max(0.0, above.milliseconds - each.milliseconds), each.time, start)
    for each in kept:
        _count(found, each, start, below, crossing, failing_below)
    _loops(found, kept, by_id, start)
    _weigh(found)
    return found


def _note(timing: Timing, took: float, time: float, start: float) -> None:
    if time >= start:
        timing.after.append(took)
        timing.times.append(time)
    else:
        timing.before.append(took)


def _count(
    found: Operations,
    span: Span,
    start: float,
    below: dict[tuple[str, str], float],
    crossing: set[tuple[str, str]],
    failing_below: set[tuple[str, str]],
) -> None:
    key, name = (span.trace, span.id), (span.service, span.operation)
    count = found.counts.get(name)
    if count is None:
        count = found.counts[name] = OperationCount(*name)
    service = found.services.setdefault(span.service, ServiceSpans())
    bad = failed(span.status)
    alone = bad and key not in failing_below
    if span.time >= start:
        found.after += 1
        service.after += 1
        service.errors_after += alone
        count.calls_after += 1
        count.errors_after += bad
    else:
        found.before += 1
        service.before += 1
        service.errors_before += alone
        count.calls_before += 1
        count.errors_before += bad
    if key not in crossing:
        _note(count.own, max(0.0, span.milliseconds - below.get(key, 0.0)), span.time, start)


def _loops(found: Operations, spans: list[Span], by_id: dict[tuple[str, str], Span], start: float) -> None:
    """Count traces of the window in which one span calls an operation over and over, more often than any did before."""
    calls: Counter[tuple[str, str, str, str]] = Counter()
    for each in spans:
        if each.parent is not None and (each.trace, each.parent) in by_id:
            calls[each.trace, each.parent, each.service, each.operation] += 1
    most: defaultdict[tuple[str, str], int] = defaultdict(lambda: _LOOP - 1)
    loops = [(key, count) for key, count in calls.items() if count >= _LOOP]
    for (trace, parent, *name), count in loops:
        if by_id[trace, parent].time < start:
            most[name[0], name[1]] = max(most[name[0], name[1]], count)
    looping: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for (trace, parent, *name), count in loops:
        if by_id[trace, parent].time >= start and count > most[name[0], name[1]]:
            looping[name[0], name[1]].add(trace)
    for name, traces in looping.items():
        found.counts[name].retries = len(traces) if found.before else 0


def _weigh(found: Operations) -> None:
    of_service: defaultdict[str, list[OperationCount]] = defaultdict(list)
    for count in found.counts.values():
        of_service[count.service].append(count)
        count.own.strength = slower(count.own.before, count.own.after)
        if count.own.strength >= _SLOW:
            count.since = count.own.since()
    for name, counts in of_service.items():
        ratio = usual_ratio([(each.calls_before, each.calls_after) for each in counts])
        for each in counts:
            each.shift = shifted(each.calls_before, each.calls_after, ratio)
        service = found.services[name]
        service.errors = more(service.errors_before, service.errors_after, found.before, found.after)
        service.mix = sum(sorted(abs(each.shift) for each in counts)[-3:])
    started = [count.since for count in found.counts.values() if count.since is not None]
    for count in found.counts.values():
        count.first_slow = count.since is not None and count.since == min(started)
    ways = [median(way.after) for way in found.ways.values() if len(way.after) >= _FEWEST]
    usual = median(ways) if ways else None
    for way in found.ways.values():
        way.strength = slower(way.before, way.after, usual)
