"""Which way code goes through its work, and whether it left it: what follows what in one piece of work, and since when.

Rules:
- a piece of work is a span, a thread of lines that share an id, or the stream of a service's lines; it has an
  operation, and steps in order: lines that were logged, operations that were called. It begins and ends;
- what follows a step is compared before and after (``weighing``); of each operation the step is told after which most
  changed: what comes later changed with it;
- a step that stands, more often than not, beside errors it does not stand without is a sign of failure;
- memory is bounded: times are kept as counts between moments, and at most ``MOST_PAIRS`` pairs are counted.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from twokey.tools.read.telemetry.changes.weighing import BEGIN, END, FEWEST, SHIFTS, Change, Kind, Of, changes
from twokey.tools.read.telemetry.port import Interval

ALIKE: Final = 0.5
"""How much the weaker of two changes after one step adds: what is gone and what is new are nearly the same news."""
MOST_PAIRS: Final = 400_000
_CERTAIN: Final = 0.8
_SELDOM: Final = 0.3

Operation: TypeAlias = tuple[str, str]
"""A service, and the name of an operation; empty for a thread of lines, ``*`` for the stream of a service's lines."""
STREAM: Final = "*"


class Step(NamedTuple):
    """One step: its text, the services that it calls, whether it is an error, and the other service's operation."""

    text: str
    callees: tuple[str, ...] = ()
    bad: bool = False
    calls: Operation | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """``then`` follows ``first`` no more, or newly: so many times of so many, before and after ``since``."""

    service: str
    operation: str
    kind: Kind
    first: str
    then: str
    callees: tuple[str, ...]
    """Services that ``first`` calls, or ``then`` where it is a call that failed: it may be their doing."""
    call_failed: bool
    """``then`` is a call that failed by its status."""
    hidden: bool
    """What was called shows no steps of its own, so that nothing speaks for it."""
    before: Of
    after: Of
    since: float
    strength: float
    failure: bool


@dataclass(slots=True)
class _Seen:
    """How often steps follow each other in one operation, between moments; how often they stand beside errors."""

    pairs: dict[tuple[int, int], list[int]] = field(default_factory=dict[tuple[int, int], list[int]])
    units: int = 0
    failing: int = 0
    beside: dict[int, list[int]] = field(default_factory=dict[int, list[int]])


class Ways:
    """Counts ways as pieces of work come, and tells those that changed."""

    def __init__(self, window: Interval) -> None:
        """Begin with none."""
        self._moments = [window.start + shift * window.seconds for shift in SHIFTS]
        self._seen: defaultdict[Operation, _Seen] = defaultdict(_Seen)
        self._count = 0

    def pair(self, operation: Operation, first: int, then: int, time: float) -> None:
        """Count that a step followed another."""
        self._note(self._seen[operation], first, then, bisect_right(self._moments, time))

    def unit(self, operation: Operation, steps: Sequence[int], bad: Callable[[int], bool], time: float) -> None:
        """Count one whole piece of work; the same step again and again counts as one."""
        seen = self._seen[operation]
        at = bisect_right(self._moments, time)
        fails = any(map(bad, steps))
        seen.units += 1
        seen.failing += fails
        last = BEGIN
        for step in steps:
            if step != last:
                self._note(seen, last, step, at)
            last = step
        self._note(seen, last, END, at)
        for step in set(steps):
            beside = seen.beside.setdefault(step, [0, 0])
            beside[0] += 1
            beside[1] += fails

    def _note(self, seen: _Seen, first: int, then: int, at: int) -> None:
        counts = seen.pairs.get((first, then))
        if counts is None:
            if self._count >= MOST_PAIRS:
                return
            self._count += 1
            counts = seen.pairs[first, then] = [0] * (len(SHIFTS) + 1)
        counts[at] += 1

    def changed(self, step: Callable[[int], Step], resolve: Callable[[int], int]) -> list[Way]:
        """Give what changed most clearly in each operation, after one step: what is gone, and what is new.

        ``resolve`` leads from a step to the one that it has become part of since.
        """
        found: list[Way] = []
        for operation, seen in self._seen.items():
            first, clearest = _clearest(operation, seen, step, resolve)
            found += [self._way(operation, step(first), step(each.then), each) for each in clearest]
        return sorted(found, key=lambda way: (-way.strength, way.service, way.operation, way.first, way.then))

    def _way(self, operation: Operation, first: Step, then: Step, change: Change) -> Way:
        call_failed = then.bad and bool(then.callees)
        called = then if call_failed else first
        return Way(
            service=operation[0],
            operation=operation[1],
            kind=change.kind,
            first=first.text,
            then=then.text,
            callees=called.callees,
            call_failed=call_failed,
            hidden=called.calls is not None and self._is_hidden(called.calls),
            before=change.before,
            after=change.after,
            since=self._moments[change.at],
            strength=change.strength,
            failure=change.failure,
        )

    def _is_hidden(self, operation: Operation) -> bool:
        seen = self._seen.get(operation)
        return seen is None or not seen.beside


def together(strengths: Iterable[float]) -> float:
    """Weigh what changed after one step; the strongest comes first."""
    return sum(strength * ALIKE**at for at, strength in enumerate(strengths))


def _clearest(
    operation: Operation, seen: _Seen, step: Callable[[int], Step], resolve: Callable[[int], int]
) -> tuple[int, list[Change]]:
    after: defaultdict[int, dict[int, list[int]]] = defaultdict(dict)
    known: dict[int, int] = {}
    for (raw_first, raw_then), counts in seen.pairs.items():
        first, then = resolve(raw_first), resolve(raw_then)
        if first != then:
            held = after[first].get(then)
            after[first][then] = counts if held is None else [a + b for a, b in zip(held, counts, strict=True)]
        since = next(at for at, count in enumerate(counts) if count)
        known[then] = min(since, known.get(then, since))
    failures = {each for each in known if step(each).bad}
    failures |= {resolve(each) for each, beside in seen.beside.items() if _is_failure(seen, *beside)}
    best: tuple[int, list[Change]] = (BEGIN, [])
    for first, thens in after.items():
        found = changes(thens, failures, known, stream=operation[1] == STREAM).values()
        clearest = sorted(found, key=lambda each: (-each.strength, each.kind))
        best = max(best, (first, clearest), key=lambda each: together(change.strength for change in each[1]))
    return best


def _is_failure(seen: _Seen, units: int, failing: int) -> bool:
    others = seen.units - units
    return (
        units >= 2 and others >= FEWEST and failing >= _CERTAIN * units and seen.failing - failing <= _SELDOM * others
    )
