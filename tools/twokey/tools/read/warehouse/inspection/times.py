"""Dates that no calendar has, that lie where no date of the column can, that are in the wrong order, or that stopped.

Rules: a column is one of dates where nearly all cells are ISO dates, with or without a time, or dates with ``/`` in one
order of day and month. Two columns have an order where it holds for nearly all rows that hold both. A table is stale
where its newest change is older than its own rhythm explains; ``now`` comes from the caller.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from statistics import median
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH: Final = 30
_NEARLY_ALL: Final = 0.9
_ISO: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].{1,40})?", re.DOTALL)
_LOCAL: Final = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})(?:[T ].{1,40})?", re.DOTALL)
_CHANGES: Final = frozenset({"updated", "modified", "created", "loaded", "inserted", "ingested", "synced", "changed"})
_STAMPS: Final = frozenset({"timestamp", "ts", "time", "date", "day", "at", "on"})
_FUTURE_DAYS: Final = 366 * 2
_STALE_DAYS: Final = 30
_MOST_PAIRS: Final = 15
_LEAST_DAYS: Final = 10


@dataclass(frozen=True, slots=True)
class Dates:
    """A column of dates: the day number of each text, ``None`` where no calendar has the day; others are absent."""

    column: Column
    days: dict[int, int | None]


def find(grid: Grid, now_us: int) -> Iterator[Problem]:
    """Give the faults of the columns of dates, and of the table's newest change."""
    today = datetime.fromtimestamp(now_us / 1_000_000, tz=UTC).date().toordinal()
    dated = [found for column in grid.columns if (found := dates_of(column)) is not None]
    for dates in dated:
        yield from _impossible(dates, today)
    yield from _orders(dated)
    yield from _stale(dated, today)


def dates_of(column: Column) -> Dates | None:
    """Read a column as dates; ``None`` where it holds something else, or too little."""
    if column.filled < ENOUGH or not any(text[:1].isdigit() for text in column.texts[:3]):
        return None
    likely = sum(
        count
        for form, count in zip(column.forms, column.counts, strict=True)
        if form[:5] in {"9-9-9", "9/9/9", "9.9.9"}
    )
    if likely < _NEARLY_ALL * column.filled:
        return None
    parts: dict[int, tuple[int, int, int]] = {}
    local: dict[int, tuple[int, int, int]] = {}
    for code, text in enumerate(column.texts):
        iso = _ISO.fullmatch(text)
        if iso is not None:
            parts[code] = (int(iso[1]), int(iso[2]), int(iso[3]))
            continue
        other = _LOCAL.fullmatch(text)
        if other is not None:
            local[code] = (int(other[1]), int(other[3]), int(other[4]))
    if local:
        parts |= _in_order(column, local)
    if sum(column.counts[code] for code in parts) < _NEARLY_ALL * column.filled:
        return None
    return Dates(column, {code: _day(*part) for code, part in parts.items()})


def _in_order(column: Column, local: dict[int, tuple[int, int, int]]) -> dict[int, tuple[int, int, int]]:
    """Read day and month in the order that makes more of the dates possible."""
    day_first = sum(column.counts[code] for code, (_, second, _) in local.items() if second <= 12)
    month_first = sum(column.counts[code] for code, (first, _, _) in local.items() if first <= 12)
    if day_first > month_first:
        return {code: (year, second, first) for code, (first, second, year) in local.items()}
    return {code: (year, first, second) for code, (first, second, year) in local.items()}


def _day(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


def _impossible(dates: Dates, today: int) -> Iterator[Problem]:
    """Give days that no calendar has, and days far before or after all others."""
    column = dates.column
    none = {code for code, day in dates.days.items() if day is None}
    known = {code: day for code, day in dates.days.items() if day is not None}
    if not known:
        return
    ordered = sorted(known.items(), key=lambda item: item[1])
    low, high = ordered[len(ordered) // 20][1], ordered[-1 - len(ordered) // 20][1]
    margin = max(3 * (high - low), 3_650)
    far = {code for code, day in known.items() if day < low - margin or day > high + margin}
    if high <= today:
        far |= {code for code, day in known.items() if day > today + _FUTURE_DAYS}
    cells = sum(column.counts[code] for code in far)
    wrong = none | (far if cells <= 0.02 * column.filled else set())
    if wrong:
        rows = column.rows_of(wrong)
        yield Problem("impossible_dates", (column.index,), cells_of(column.index, rows), 92 if none else 80)


def _orders(dated: list[Dates]) -> Iterator[Problem]:
    """Give pairs of columns whose order nearly all rows keep, and the rows that do not."""
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
            ]
            if len(pairs) < ENOUGH:
                continue
            before = [row for row, a, b in pairs if a > b]
            after = [row for row, a, b in pairs if a < b]
            for wrong, right, later in ((before, after, second), (after, before, first)):
                if 0 < len(wrong) <= 0.02 * len(pairs) and len(right) >= 0.5 * len(pairs):
                    columns = (first.column.index, second.column.index)
                    yield Problem("wrong_order", columns, cells_of(later.column.index, wrong), 82)


def _stale(dated: list[Dates], today: int) -> Iterator[Problem]:
    """Give the table's newest change where its own rhythm does not explain how old that is."""
    likely = [dates for dates in dated if not _CHANGES.isdisjoint(dates.column.words)] or [
        dates for dates in dated if not _STAMPS.isdisjoint(dates.column.words)
    ]
    newest: tuple[int, int, float] | None = None
    for dates in likely:
        days = sorted({day for day in dates.days.values() if day is not None and day <= today})
        if len(days) >= 10:
            gap = median([after - before for before, after in pairwise(days)])
            if newest is None or days[-1] > newest[0]:
                newest = (days[-1], dates.column.index, gap)
    if newest is None:
        return
    age = today - newest[0]
    if age > max(_STALE_DAYS, 20 * newest[2]):
        yield Problem("stale", (newest[1],), frozenset(), 70, days=age, claims=False)
