"""Dates that no calendar has, that lie where no date of the column can, that are in the wrong order, or that stopped.

Rules: which columns hold dates, ``days`` says. Two columns have an order where it holds for nearly all rows that hold
both. A table is stale where its newest change is older than its own rhythm explains. ``now`` comes from the caller,
and only its day matters; ``until`` says how long what was found holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import floor
from statistics import median
from typing import Final

from twokey.tools.read.warehouse.inspection.days import ENOUGH
from twokey.tools.read.warehouse.inspection.found import Cell, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid
from twokey.tools.read.warehouse.sources import day_of

_CHANGES: Final = frozenset({"updated", "modified", "created", "loaded", "inserted", "ingested", "synced", "changed"})
_STAMPS: Final = frozenset({"timestamp", "ts", "time", "date", "day", "at", "on"})
_FUTURE_DAYS: Final = 366 * 2
_STALE_DAYS: Final = 30
_MOST_PAIRS: Final = 15
_LEAST_DAYS: Final = 10
_LAST_DAY: Final = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Dates:
    """A column of dates: the day number of each text, ``None`` where no calendar has the day; others are absent."""

    column: Column
    days: Mapping[int, int | None]


def find(grid: Grid, now_us: int) -> Iterator[Problem]:
    """Give the faults of the columns of dates, and of the table's newest change."""
    today = day_of(now_us).toordinal()
    dated = _dated(grid)
    wrong: set[Cell] = set()
    for dates in dated:
        for problem in _impossible(dates, today):
            wrong |= problem.cells
            yield problem
    yield from _orders(dated, wrong)
    yield from _stale(dated, today)


def until(grid: Grid, now_us: int) -> date | None:
    """Give the first later day on which ``find`` may say something else of the same rows; ``None`` where there is none.

    Until then no column of dates ends in the past that does not yet, no date that lies too far ahead comes near
    enough, no change that lies ahead becomes the newest, and nothing grows stale that is not so yet.
    """
    today = day_of(now_us).toordinal()
    dated = _dated(grid)
    turns: list[int] = []
    for dates in dated:
        known = [day for day in dates.days.values() if day is not None]
        if known:
            turns += [_ends(known)[1], *(day - _FUTURE_DAYS for day in known)]
    for dates in _telling(dated):
        turns += [day for day in dates.days.values() if day is not None]
    newest = _newest(dated, today)
    if newest is not None:
        turns.append(newest.last_fresh + 1)
    first = min((turn for turn in turns if today < turn <= _LAST_DAY), default=None)
    return None if first is None else date.fromordinal(first)


def _dated(grid: Grid) -> list[Dates]:
    return [found for column in grid.columns if (found := dates_of(column)) is not None]


def dates_of(column: Column) -> Dates | None:
    """Read a column as dates; ``None`` where it holds something else, or too little."""
    if column.filled < ENOUGH or not any(text[:1].isdigit() for text in column.texts[:3]):
        return None
    if not column.is_text and column.numeric == column.filled:
        return None  # without looking at how each is written
    return None if column.days is None else Dates(column, column.days)


def _impossible(dates: Dates, today: int) -> Iterator[Problem]:
    """Give days that no calendar has, and days far before or after all others."""
    column = dates.column
    none = {code for code, day in dates.days.items() if day is None}
    known = {code: day for code, day in dates.days.items() if day is not None}
    if not known:
        return
    low, high = _ends(known.values())
    margin = max(3 * (high - low), 3_650)
    far = {code for code, day in known.items() if day < low - margin or day > high + margin}
    if high <= today:
        far |= {code for code, day in known.items() if day > today + _FUTURE_DAYS}
    cells = sum(column.counts[code] for code in far)
    wrong = none | (far if cells <= 0.02 * column.filled else set())
    if wrong:
        rows = column.rows_of(wrong)
        yield Problem("impossible_dates", (column.index,), cells_of(column.index, rows), 92 if none else 80)


def _ends(days: Iterable[int]) -> tuple[int, int]:
    """Give the days between which nine of ten different ones lie."""
    ordered = sorted(days)
    return ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]


def _orders(dated: list[Dates], impossible: AbstractSet[Cell]) -> Iterator[Problem]:
    """Give pairs of columns whose order nearly all rows keep, and the rows that do not, ``impossible`` dates apart."""
    for at, first in enumerate(dated[:_MOST_PAIRS]):
        for second in dated[at + 1 : _MOST_PAIRS]:
            if min(first.column.distinct, second.column.distinct) < _LEAST_DAYS:
                continue
            pairs = [
                (row, a, b)
                for row, (one, two) in enumerate(zip(first.column.codes, second.column.codes, strict=True))
                if BLANK not in {one, two}
                and (a := first.days.get(one)) is not None
                and (b := second.days.get(two)) is not None
                and (row, first.column.index) not in impossible
                and (row, second.column.index) not in impossible
            ]
            if len(pairs) < ENOUGH:
                continue
            before = [row for row, a, b in pairs if a > b]
            after = [row for row, a, b in pairs if a < b]
            for wrong, right, later in ((before, after, second), (after, before, first)):
                if 0 < len(wrong) <= 0.02 * len(pairs) and len(right) >= 0.5 * len(pairs):
                    columns = (first.column.index, second.column.index)
                    yield Problem("wrong_order", columns, cells_of(later.column.index, wrong), 82)


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest change of a table: the column that tells it, its day, and the last day on which that is no wonder."""

    column: Column
    day: int
    last_fresh: int


def _telling(dated: list[Dates]) -> list[Dates]:
    """Give the columns whose newest day tells when the table changed."""
    return [dates for dates in dated if not _CHANGES.isdisjoint(dates.column.words)] or [
        dates for dates in dated if not _STAMPS.isdisjoint(dates.column.words)
    ]


def _newest(dated: list[Dates], today: int) -> _Newest | None:
    """Find the newest change and the rhythm of the column that tells it."""
    newest: _Newest | None = None
    for dates in _telling(dated):
        days = sorted({day for day in dates.days.values() if day is not None and day <= today})
        if len(days) >= _LEAST_DAYS and (newest is None or days[-1] > newest.day):
            gap = median([after - before for before, after in pairwise(days)])
            newest = _Newest(dates.column, days[-1], days[-1] + floor(max(_STALE_DAYS, 20 * gap)))
    return newest


def _stale(dated: list[Dates], today: int) -> Iterator[Problem]:
    """Give the table's newest change where its own rhythm does not explain how old that is."""
    newest = _newest(dated, today)
    if newest is not None and today > newest.last_fresh:
        day = date.fromordinal(newest.day)
        yield Problem("stale", (newest.column.index,), frozenset(), 70, newest=day, claims=False)
