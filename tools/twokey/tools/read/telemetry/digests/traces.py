"""How the operations in traces changed: how often they were called, how long they took by themselves, how they failed.

Rules: the time that an operation takes by itself is its own without that of the spans right below it, and never less
than nothing. It is slow from the first ``RUN`` calls in a row that take longer than ``SLOW`` times the usual and longer
than any but 2 % before. Retries are counted where one parent calls one operation more often in one trace than any did
before, and at least ``RETRIES`` times. A failed status is any that says error, or starts with 4 or 5 and is a number.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from twokey.tools.read.telemetry.port import Interval, Span
from twokey.tools.read.telemetry.values import OperationChange

SLOW: Final = 2.0
RUN: Final = 3
FEWEST: Final = 8
RETRIES: Final = 3
MOST_OPERATIONS: Final = 20_000
_FAILED: Final = frozenset({"error", "failed", "failure", "exception", "status_code_error", "fault"})
Key = tuple[str, str]


@dataclass(slots=True)
class _Calls:
    """Calls of one operation in one stretch: times, own milliseconds."""

    times: list[float] = field(default_factory=list[float])
    own: list[float] = field(default_factory=list[float])
    errors: int = 0
    traces: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])


@dataclass(frozen=True, slots=True)
class Spans:
    """What was found: changes, the strongest first; who calls whom; how many spans were read, and how many no more."""

    changes: list[OperationChange]
    calls: list[tuple[str, str]]
    before: int
    after: int
    rest: int


def changes(spans: Iterable[Span], window: Interval, baseline: Interval) -> Spans:
    """Compare the operations."""
    every = [span for span in spans if span.time in window or span.time in baseline]
    below: dict[tuple[str, str], float] = defaultdict(float)
    services: dict[tuple[str, str], str] = {}
    for span in every:
        services[span.trace, span.id] = span.service
        if span.parent is not None:
            below[span.trace, span.parent] += span.milliseconds
    found: dict[Key, tuple[_Calls, _Calls]] = {}
    edges: set[tuple[str, str]] = set()
    before = after = rest = 0
    for span in every:
        in_window = span.time in window
        before, after = before + (not in_window), after + in_window
        caller = services.get((span.trace, span.parent)) if span.parent is not None else None
        if caller is not None and caller != span.service:
            edges.add((caller, span.service))
        key = span.service, span.operation
        if key not in found and len(found) >= MOST_OPERATIONS:
            rest += 1
            continue
        calls = found.setdefault(key, (_Calls(), _Calls()))[in_window]
        calls.times.append(span.time)
        calls.own.append(max(0.0, span.milliseconds - below.get((span.trace, span.id), 0.0)))
        calls.errors += _failed(span.status)
        parent = span.trace, span.parent or ""
        calls.traces[parent] = calls.traces.get(parent, 0) + 1
    made = [_change(key, *calls) for key, calls in found.items()]
    slow = [change.slow_from_us for _, change in made if change.slow_from_us is not None]
    first = min(slow, default=None)
    named = [
        (strength, change.model_copy(update={"first_slow": first is not None and change.slow_from_us == first}))
        for strength, change in made
    ]
    named.sort(key=lambda pair: (-pair[0], pair[1].service, pair[1].operation))
    return Spans([change for strength, change in named if strength > 0], sorted(edges), before, after, rest)


def _change(key: Key, before: _Calls, after: _Calls) -> tuple[float, OperationChange]:
    usual, now = _median(before.own), _median(after.own)
    slow_from = _slow_from(before, after)
    usually = max(before.traces.values(), default=0)
    retries = sum(1 for count in after.traces.values() if count >= RETRIES and count > usually)
    failing = after.errors / max(1, len(after.times)) - before.errors / max(1, len(before.times))
    slower = (now / max(usual, 0.001) if usual is not None else 1.0) if now is not None else 0.0
    strength = 10 * max(0.0, failing) + (min(slower, 100.0) if slow_from is not None else 0.0) + min(retries, 10)
    if not before.times or not after.times:  # it appeared, or is gone
        strength += 1.0
    return strength, OperationChange(
        service=key[0],
        operation=key[1],
        calls_before=len(before.times),
        calls_after=len(after.times),
        self_before_us=round(usual * 1000) if usual is not None else None,
        self_after_us=round(now * 1000) if now is not None else None,
        errors_before=before.errors,
        errors_after=after.errors,
        slow_from_us=round(slow_from * 1_000_000) if slow_from is not None else None,
        first_slow=False,
        retries=retries,
    )


def _slow_from(before: _Calls, after: _Calls) -> float | None:
    if len(before.own) < FEWEST:
        return None
    bound = max(SLOW * float(np.median(before.own)), float(np.quantile(before.own, 0.98)))
    run: list[float] = []
    for at, own in sorted(zip(after.times, after.own, strict=True)):
        run = [*run, at] if own > bound else []
        if len(run) == RUN:
            return run[0]
    return None


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _failed(status: str | None) -> bool:
    told = (status or "").strip().lower()
    return told in _FAILED or (len(told) == 3 and told.isdigit() and told[0] in "45")
