"""How operations changed in traces: what got slow by itself, which calls wait on their way, what fails.

Rules:
- the time of an operation is its own: what the spans below it took is taken off. A span that does nothing but call
  another service times that call: the difference to the other side's span is the way between them (network, queue), and
  belongs to the pair of services;
- before is what lies before the window. A pair of services that was not seen before is compared with the usual way
  between services in the same window;
- a span failed by its status; it fails by itself where no span below it failed;
- at most ``MOST_SPANS`` spans are kept; memory does not grow beyond.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from twokey.tools.read.telemetry.changes.shares import more, slower
from twokey.tools.read.telemetry.port import Span

MOST_SPANS: Final = 500_000
_MANY_SLOW: Final = 0.3
_FEWEST: Final = 2
_FAILED: Final = frozenset({"error", "fail", "failed", "failure", "fault", "status_code_error", "exception", "timeout"})
_CODE: Final = 3
"""Digits of an HTTP status."""

Key = tuple[str, str]
"""The trace and the id of a span; or a service and an operation."""


@dataclass(slots=True)
class Timing:
    """Milliseconds before and in the window, when those of the window began, and what they come to as a strength."""

    before: list[float] = field(default_factory=list[float])
    after: list[float] = field(default_factory=list[float])
    times: list[float] = field(default_factory=list[float])
    strength: float = 0.0

    def since(self) -> float | None:
        """Give when it began to be slow: the first call above twice what was usual, where enough are."""
        limit = 2 * (median(self.before) if len(self.before) >= _FEWEST else 0.0) + 1
        slow = [time for time, took in zip(self.times, self.after, strict=True) if took > limit]
        return min(slow) if slow and len(slow) >= _MANY_SLOW * len(self.after) else None


@dataclass(slots=True)
class ServiceSpans:
    """What the spans of one service come to. ``errors_*`` count spans that failed by themselves."""

    before: int = 0
    after: int = 0
    errors_before: int = 0
    errors_after: int = 0
    first_error: float | None = None
    errors: float = 0.0


@dataclass(slots=True)
class Operations:
    """All spans that were read. ``own`` by service and operation, ``ways`` by caller and callee."""

    before: int = 0
    after: int = 0
    own: dict[Key, Timing] = field(default_factory=dict[Key, Timing])
    ways: dict[Key, Timing] = field(default_factory=dict[Key, Timing])
    services: dict[str, ServiceSpans] = field(default_factory=dict[str, ServiceSpans])
    spans: list[Span] = field(default_factory=list[Span])


def failed(status: str | None) -> bool:
    """Whether a span's status says that it failed: a word, OpenTelemetry's code 2, or an HTTP status from 500."""
    if status is None:
        return False
    text = status.strip().lower()
    return text in _FAILED or text == "2" or (len(text) == _CODE and text.isdigit() and text >= "500")


def read_spans(spans: Iterable[Span], start: float) -> Operations:
    """Compare the spans from ``start`` with those before."""
    found = Operations()
    kept = found.spans
    for each in spans:
        if len(kept) >= MOST_SPANS:
            break
        kept.append(each)
    by_id = {(each.trace, each.id): each for each in kept}
    below: defaultdict[Key, float] = defaultdict(float)
    inner: set[Key] = set()
    crossing: set[Key] = set()
    failing_below: set[Key] = set()
    for each in kept:
        key = (each.trace, each.parent or "")
        above = by_id.get(key)
        if above is None:
            continue
        below[key] += each.milliseconds
        if failed(each.status):
            failing_below.add(key)
        if above.service == each.service:
            inner.add(key)
        else:
            crossing.add(key)
    calling = {key for key in crossing - inner if _is_inside(by_id[key], by_id)}
    for each in kept:
        key = (each.trace, each.parent or "")
        if key in calling:
            way = found.ways.setdefault((by_id[key].service, each.service), Timing())
            _note(way, max(0.0, by_id[key].milliseconds - each.milliseconds), each.time, start)
        elif key in crossing and by_id[key].service != each.service:
            found.ways.setdefault((by_id[key].service, each.service), Timing())
    for each in kept:
        key = (each.trace, each.id)
        _count(found, each, start, alone=key not in failing_below)
        if key not in calling:
            own = found.own.setdefault((each.service, each.operation), Timing())
            _note(own, max(0.0, each.milliseconds - below.get(key, 0.0)), each.time, start)
    _weigh(found)
    return found


def _is_inside(span: Span, by_id: Mapping[Key, Span]) -> bool:
    above = by_id.get((span.trace, span.parent or ""))
    return above is not None and above.service == span.service


def _note(timing: Timing, took: float, time: float, start: float) -> None:
    if time >= start:
        timing.after.append(took)
        timing.times.append(time)
    else:
        timing.before.append(took)


def _count(found: Operations, span: Span, start: float, *, alone: bool) -> None:
    service = found.services.setdefault(span.service, ServiceSpans())
    bad = alone and failed(span.status)
    if span.time >= start:
        found.after += 1
        service.after += 1
        service.errors_after += bad
        if bad:
            service.first_error = span.time if service.first_error is None else min(span.time, service.first_error)
    else:
        found.before += 1
        service.before += 1
        service.errors_before += bad


def _weigh(found: Operations) -> None:
    for own in found.own.values():
        own.strength = slower(own.before, own.after)
    for service in found.services.values():
        service.errors = more(service.errors_before, service.errors_after, found.before, found.after)
    ways = [median(way.after) for way in found.ways.values() if len(way.after) >= _FEWEST]
    usual = median(ways) if ways else None
    for way in found.ways.values():
        way.strength = slower(way.before, way.after, usual)
