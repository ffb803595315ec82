"""Numbers that cannot be, or that stand far from all others.

Rules: a range counts where it follows from what the column is called (a percentage, a latitude, an age) and nearly all
cells keep it. Far off means far on the scale of the column itself, by robust figures (median and quartiles) and with a
gap around it; columns with long tails have no outliers. A placeholder is a number such as ``-999`` that repeats, where
no neighbouring number does.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import log10
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Conversion, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid

ENOUGH: Final = 50
_NEARLY_ALL: Final = 0.95
_MOST: Final = 0.01
_LEAST_VALUES: Final = 15
_WIDE: Final = 3
"""Quartiles so far apart are those of amounts, which have long tails and are booked back with a sign."""
_GAP: Final = 0.35
"""How far an outlier lies from all other numbers, as a share of how far these reach."""
_RANGES: Final[tuple[tuple[frozenset[str], float, float], ...]] = (
    (frozenset({"pct", "percent", "percentage"}), 0, 100),
    (frozenset({"lat", "latitude"}), -90, 90),
    (frozenset({"lon", "lng", "longitude"}), -180, 180),
    (frozenset({"age"}), 0, 130),
    (frozenset({"humidity"}), 0, 100),
    (frozenset({"port"}), 0, 65_535),
    (frozenset({"month"}), 1, 12),
    (frozenset({"hour"}), 0, 24),
    (frozenset({"minute"}), 0, 60),
    (
        frozenset({"weight", "height", "length", "width", "distance", "duration", "size", "speed", "wind", "rain"}),
        0,
        1e15,
    ),
    (frozenset({"quantity", "qty", "count", "counts", "population", "area", "volume"}), 0, 1e15),
)
_PLACEHOLDERS: Final = frozenset(
    {-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0}
)
_SCALES: Final = (10.0, 100.0, 1000.0, 1024.0)
_CODES: Final = frozenset({"id", "ids", "code", "key", "no", "num", "year", "index"})


def find(grid: Grid) -> Iterator[Problem]:
    """Give the faults of each column of numbers."""
    for column in grid.columns:
        if column.filled < ENOUGH or column.numeric < _NEARLY_ALL * column.filled:
            continue
        numbers = {code: number for code, number in enumerate(column.numbers) if number is not None}
        placeholders = set(_placeholders(column, numbers))
        if placeholders:
            yield _problem("placeholder", column, placeholders, 85)
        rest = {code: number for code, number in numbers.items() if code not in placeholders}
        outside = _outside(column, rest)
        if outside:
            yield _problem("impossible_range", column, outside, 88)
        if not _CODES.isdisjoint(column.words):
            continue
        far = _far_off(column, {code: number for code, number in rest.items() if code not in outside})
        if far:
            yield _far_problem(column, rest, far)


def _outside(column: Column, numbers: dict[int, float]) -> set[int]:
    for names, low, high in _RANGES:
        if not names.isdisjoint(column.words):
            wrong = {code for code, number in numbers.items() if not low <= number <= high}
            return wrong if sum(column.counts[code] for code in wrong) <= 0.05 * column.filled else set()
    return set()


def _placeholders(column: Column, numbers: dict[int, float]) -> Iterator[int]:
    """Give the placeholders: they repeat, and lie beyond everything else that does."""
    likely = {code for code, number in numbers.items() if number in _PLACEHOLDERS and column.counts[code] >= 3}
    if not likely:
        return
    others = sorted(number for code, number in numbers.items() if code not in likely)
    if len(others) < 5:
        return
    low, high = others[0], others[-1]
    span = max(high - low, 1.0)
    for code in likely:
        number = numbers[code]
        if (
            number < 0 <= low and (number <= -9 or column.counts[code] <= 0.2 * column.filled)
        ) or number > high + 2 * span:
            yield code


def _far_off(column: Column, numbers: dict[int, float]) -> set[int]:
    """Give numbers that are few, far beyond the quartiles, and alone there."""
    ordered = sorted((number, column.counts[code]) for code, number in numbers.items())
    if len(ordered) < _LEAST_VALUES:
        return set()
    if ordered[0][0] == 0 and sum(count for number, count in ordered if number == 0) > 0.2 * column.filled:
        # many have none of it, written as 0 or 0.0; the others are judged among themselves
        ordered = [(number, count) for number, count in ordered if number != 0]
        if not ordered:
            return set()
    low, middle, high = (_quantile(ordered, share) for share in (0.25, 0.5, 0.75))
    positive = ordered[0][0] > 0
    spread = max(high - low, abs(middle) * 0.02, 1e-9)
    far = {
        code
        for code, number in numbers.items()
        if (number > high + 12 * spread or number < low - 12 * spread)
        and not (positive and _is_tail(number, low, high))
    }
    if not far or sum(column.counts[code] for code in far) > _MOST * column.filled:
        return set()
    if low > 0 and high > _WIDE * low:
        far = {code for code in far if not _is_tail(abs(numbers[code]), low, high)}
    kept = [number for code, number in numbers.items() if code not in far]
    gap = max(3 * spread, _GAP * (max(kept) - min(kept)))
    return {code for code in far if min(abs(numbers[code] - min(kept)), abs(numbers[code] - max(kept))) > gap}


def _is_tail(number: float, low: float, high: float) -> bool:
    """Whether a positive number lies within a long tail on the scale of its logarithm."""
    width = max(log10(high) - log10(low), 0.15)
    return number > 0 and abs(log10(number) - log10(high if number > high else low)) <= 3.5 * width


def _quantile(ordered: Sequence[tuple[float, int]], share: float) -> float:
    sums: list[int] = []
    total = 0
    for _, count in ordered:
        total += count
        sums.append(total)
    return ordered[bisect_left(sums, share * total)][0]


def _far_problem(column: Column, numbers: dict[int, float], far: set[int]) -> Problem:
    """Call it a mismatch of units where all that is far off is so by one factor that units have."""
    ordered = sorted((number, column.counts[code]) for code, number in numbers.items() if code not in far)
    middle, low, high = _quantile(ordered, 0.5), ordered[0][0], ordered[-1][0]
    if middle > 0 and low > 0 and len(far) >= 3:
        for scale in _SCALES:
            for factor in (scale, 1 / scale):
                if all(low <= numbers[code] / factor <= high for code in far):
                    cells = cells_of(column.index, column.rows_of(far))
                    text = f"{1 / factor:.12g}"
                    conversion = Conversion("", "", text, len(cells))
                    return Problem("unit_mismatch", (column.index,), cells, 75, "scale", conversions=(conversion,))
    return _problem("outlier", column, far, 70)


def _problem(code: str, column: Column, codes: set[int], confidence: int) -> Problem:
    return Problem(code, (column.index,), cells_of(column.index, column.rows_of(codes)), confidence)  # type: ignore[arg-type]
