"""A storm: one incident that many people report at once.

Rules
- Tickets are gone through once, in the order they were made; what is held is the last ``MOST_HELD`` tickets of the
  window, so that memory does not grow with a backlog.
- A ticket joins the storm whose members, made within the window, it is most like, if it is like enough; likeness is
  measured in words, in characters and in signs, against how common each is among the tickets seen so far.
- That two people write within minutes of each other where a ticket comes twice a day is a sign by itself: likeness
  counts ``SURGE`` more for each halving of the usual time between tickets, up to a bound. It does not count for tickets
  of one author, who may clear a desk.
- A storm is at least ``LEAST`` tickets that came so fast as chance brings once in a thousand times, where one in five
  of the usual tickets would be alike (Poisson). Alike tickets that come one by one over a morning are work as ever.
- A storm is over when nobody reported it for the usual time between tickets, a quarter of an hour at least; who comes
  later is found by likeness alone (``duplicates``).
- The first ticket of a storm stands for it, and the others are linked to it; no ticket is in two storms. A ticket that
  belongs to none is named nowhere.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import exp, log2
from statistics import median
from typing import Final

from twokey.tools.retrieval.spaces import Space, Vector, of_runs, of_terms
from twokey.tools.retrieval.words import terms_of

WINDOW_S: Final = 4 * 3_600
LEAST: Final = 3
MOST_HELD: Final = 300
MOST_IN_ONE: Final = 500
"""Tickets of one storm; the next begin another."""
LIKE_ENOUGH: Final = 0.3
"""Mean likeness from which two tickets of one window are taken for one thing."""
CHANCE: Final = 0.001
_ALIKE_ANYWAY: Final = 0.2
_MOST_COMPARED: Final = 50
"""Tickets of one storm that are looked at for how fast they came."""
SURGE: Final = 0.05
MOST_HALVINGS: Final = 6.0
_SHORTEST_PAUSE_S: Final = 900
_UNKNOWN_GAP_S: Final = 3_600
"""The usual time between tickets, before any was seen."""
_GAPS: Final = 200
"""Times between tickets of which the usual one is the median."""
HALF_LIFE: Final = 5_000
"""Tickets after which what was learnt of words counts half."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is looked at of a ticket. ``made`` is in seconds since 1970."""

    number: int
    key: str
    made: int
    title: str
    body: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Storm:
    """Tickets that report one thing, without their texts; the first of them stands for all."""

    first: Report
    others: tuple[Report, ...]

    @property
    def reports(self) -> tuple[Report, ...]:
        """All of them, in order."""
        return (self.first, *self.others)


@dataclass(slots=True)
class _Open:
    reports: list[Report] = field(default_factory=list["Report"])


@dataclass(slots=True)
class _Held:
    storm: _Open
    report: Report
    vectors: tuple[Vector, ...]


class Watch:
    """Looks at tickets as they come."""

    def __init__(self, window_s: int = WINDOW_S, like_enough: float = LIKE_ENOUGH, half_life: int = HALF_LIFE) -> None:
        self._half_life = half_life
        self._window_s = window_s
        self._like_enough = like_enough
        self._held: deque[_Held] = deque()
        self._spaces = (Space(), Space(), Space())
        self._texts = 0
        self._gaps: deque[int] = deque(maxlen=_GAPS)
        self._last: int | None = None

    def see(self, report: Report) -> Iterator[Storm]:
        """Take the next ticket; gives storms that are over."""
        yield from self._let_go(report.made - self._window_s)
        gap = None if self._last is None else report.made - self._last
        self._last = report.made
        terms = terms_of(report.title, report.body)
        vectors = (of_terms(terms.words), of_runs(terms.runs), of_terms(terms.signs))
        storm = self._nearest(report, vectors) or _Open()
        storm.reports.append(replace(report, body=""))
        self._held.append(_Held(storm, report, vectors))
        for space, vector in zip(self._spaces, vectors, strict=True):
            space.count(vector, 1)
        if gap is not None and len(storm.reports) == 1:
            self._gaps.append(gap)  # of those alone: a storm does not make storms usual
        self._texts += 1
        if self._texts >= self._half_life:
            for space in self._spaces:
                space.frequencies[:] = space.frequencies // 2
            self._texts //= 2

    def end(self) -> Iterator[Storm]:
        """Give the storms that are still open."""
        yield from self._let_go(1 << 62)

    def now(self) -> tuple[Storm, ...]:
        """Give the storms as they are at this moment, the largest first."""
        storms = {id(held.storm): held.storm for held in self._held}
        found = [_storm(storm) for storm in storms.values() if self._is_storm(storm)]
        return tuple(sorted(found, key=lambda storm: (-len(storm.others), storm.first.made, storm.first.number)))

    def _surge(self, report: Report, other: Report) -> float:
        """Say what nearness in time adds to the likeness of two tickets."""
        if report.author and report.author == other.author:
            return 0.0
        halvings = log2(self._usual_s() / max(report.made - other.made, 1))
        return SURGE * min(MOST_HALVINGS, max(0.0, halvings))

    def _usual_s(self) -> float:
        return max(1.0, float(median(self._gaps))) if self._gaps else _UNKNOWN_GAP_S

    def _is_storm(self, storm: _Open) -> bool:
        times = [report.made for report in storm.reports[:_MOST_COMPARED]]
        pace = _ALIKE_ANYWAY / self._usual_s()
        return any(
            _chance(after - before, pace * max(times[after] - times[before], 1)) < CHANCE
            for before in range(len(times))
            for after in range(before + LEAST - 1, len(times))
        )

    def _nearest(self, report: Report, vectors: tuple[Vector, ...]) -> _Open | None:
        pause = max(self._usual_s(), _SHORTEST_PAUSE_S)
        near = [
            held
            for held in self._held
            if report.made - held.storm.reports[-1].made <= pause and len(held.storm.reports) < MOST_IN_ONE
        ]
        if not near:
            return None
        words, runs, signs = (
            space.likeness(vector, [held.vectors[at] for held in near], self._texts)
            for at, (space, vector) in enumerate(zip(self._spaces, vectors, strict=True))
        )
        alike = (words + runs) / 2 + signs / 4
        sums: dict[int, list[float]] = {}
        for held, value in zip(near, alike.tolist(), strict=True):
            more = self._surge(report, held.report)
            sums.setdefault(id(held.storm), []).append(value + more)
        best, value = max(
            ((key, _of_nearest(values)) for key, values in sums.items()), key=lambda item: (item[1], item[0])
        )
        if value < self._like_enough:
            return None
        return next(held.storm for held in near if id(held.storm) == best)

    def _let_go(self, before: int) -> Iterator[Storm]:
        while self._held and (self._held[0].report.made < before or len(self._held) >= MOST_HELD):
            held = self._held.popleft()
            is_over = all(other.storm is not held.storm for other in self._held)
            if is_over and self._is_storm(held.storm):
                yield _storm(held.storm)


def storms(reports: Iterable[Report]) -> Iterator[Storm]:
    """Find the storms among tickets that come in the order in which they were made."""
    watch = Watch()
    for report in reports:
        yield from watch.see(report)
    yield from watch.end()


def _chance(least: int, expected: float) -> float:
    """Give the chance of ``least`` events or more where ``expected`` are (Poisson)."""
    term, below = exp(-expected), 0.0
    for number in range(least):
        below += term
        term *= expected / (number + 1)
    return max(0.0, 1 - below)


def _of_nearest(values: list[float]) -> float:
    """Give the mean of the two likest members: one look-alike alone carries a storm less far."""
    top = sorted(values, reverse=True)[:2]
    return sum(top) / len(top)


def _storm(storm: _Open) -> Storm:
    return Storm(storm.reports[0], tuple(storm.reports[1:]))
