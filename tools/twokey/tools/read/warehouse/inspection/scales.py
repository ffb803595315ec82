"""Numbers that are off the scale of their column: of another unit, of another sign, or standing for nothing.

Rules: what is doubted must stand apart from everything else in its column, and be explained. Few whole numbers that
follow each other closely are a scale, off which lies what is far beyond its end. A group of numbers is of another unit
where one factor that units have leads it into the midst of the others. Numbers that all are positive and near each
other have no negative mirror images. An end of the column that repeats, while its values hardly do, is a placeholder.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log, sqrt
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Code, Conversion, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid

Items = Sequence[tuple[float, int]]
"""Numbers and their codes."""

ENOUGH: Final = 100
NEARLY_ALL: Final = 0.8
_MOST: Final = 0.1
_FEW_VALUES: Final = 25
_SHARE: Final = 0.01
_FACTORS: Final[tuple[float, ...]] = (
    *(10.0, 100.0, 1000.0, 1024.0, 1e6, 12.0, 60.0, 3600.0, 24.0, 7.0, 2.54, 2.2046226, 1.609344, 3.2808399),
    *(3.785411784, 4.184, 10.7639104, 28.349523, 1.35962, 3.6, 4.54609),
)
_NO_ANSWER: Final = frozenset(
    {
        7.0,
        8.0,
        9.0,
        77.0,
        88.0,
        97.0,
        98.0,
        99.0,
        997.0,
        998.0,
        999.0,
        9999.0,
        -1.0,
        -2.0,
        -7.0,
        -8.0,
        -9.0,
        -77.0,
        -88.0,
        -99.0,
    }
)
"""Numbers that stand for no answer on scales of questionnaires."""
_SCALES: Final = (100.0, 0.01, 1000.0, 0.001, 1024.0, 1 / 1024)
_LEAST_GAP: Final = 1.15
_NEIGHBOURS: Final = 6
_WIDER: Final = 1.5
"""A factor is told from what differs anyway where it is wider than nine of ten numbers are."""
_FARTHEST: Final = 1.22
"""Distance of two distributions, times the root of how many are few, that one in ten samples of the same exceeds."""
_LEAST_GROUP: Final = 6
_LEAST_VALUES: Final = 30
_ENDS: Final = 0.06
_ONES: Final = 0.03
_CODES: Final = frozenset(
    {"id", "ids", "code", "key", "no", "num", "nr", "index", "number", "phone", "zip", "postcode"}
)


def find(grid: Grid) -> Iterator[Problem]:
    """Give the faults of each column that mostly holds numbers."""
    for column in grid.columns:
        if column.filled < ENOUGH or column.numeric < NEARLY_ALL * column.filled or not _CODES.isdisjoint(column.words):
            continue
        numbers = sorted((number, code) for code, number in enumerate(column.numbers) if number is not None)
        yield from _of_column(column, numbers)


def _of_column(column: Column, numbers: Items) -> Iterator[Problem]:
    thousands = _thousands(column, numbers)
    if thousands:
        yield _problem("format_break", column, thousands, 85, "thousands")
    numbers = [item for item in numbers if item[1] not in thousands]
    frequent = [item for item in numbers if column.counts[item[1]] >= max(3, _SHARE * column.filled)]
    kept = sum(column.counts[code] for _, code in frequent)
    if frequent and kept >= 0.9 * column.numeric and len(numbers) <= 4 * _FEW_VALUES:
        yield from _few_values(column, numbers, frequent)
        return
    if len(numbers) < _LEAST_VALUES:
        return
    zeros = _repeated_end(column, numbers)
    if zeros:
        yield _problem("placeholder", column, zeros, 82, "")
    rest = [item for item in numbers if item[1] not in zeros]
    mirrored = _mirrored(column, rest)
    if mirrored:
        yield _problem("outlier", column, mirrored, 78, "sign")
    yield from _other_units(column, [item for item in rest if item[1] not in mirrored])


def _problem(code: Code, column: Column, codes: set[int], confidence: int, detail: str) -> Problem:
    return Problem(code, (column.index,), cells_of(column.index, column.rows_of(codes)), confidence, detail)


def _cells(column: Column, items: Items) -> int:
    return sum(column.counts[code] for _, code in items)


def _thousands(column: Column, numbers: Items) -> set[int]:
    """Give whole numbers whose thousands are set off by a point: ``17.907`` among five digits."""
    pointed = [(number, code) for number, code in numbers if "." in column.texts[code]]
    if not pointed or _cells(column, pointed) > _MOST * column.numeric:
        return set()
    whole = sorted(number for number, code in numbers if "." not in column.texts[code])
    if len(whole) < 20 or whole[len(whole) // 20] < 1000:
        return set()
    if any(len(column.texts[code].partition(".")[2]) != 3 for _, code in pointed):
        return set()
    inside = all(whole[0] <= 1000 * number <= whole[-1] * 1.5 for number, _ in pointed)
    return {code for _, code in pointed} if inside else set()


def _few_values(column: Column, numbers: Items, frequent: Items) -> Iterator[Problem]:
    rare = [item for item in numbers if item not in frequent and column.counts[item[1]] <= 0.05 * column.filled]
    scaled = _scaled(column, rare, frequent)
    if scaled:
        yield scaled
        return
    candidates = [item for item in numbers if column.counts[item[1]] <= 0.04 * column.filled]
    off = _off_scale(column, numbers, candidates)
    if off:
        yield _problem("outlier", column, off, 80, "scale")


def _scaled(column: Column, rare: Items, frequent: Items) -> Problem | None:
    """Give rare numbers that each are a frequent one times one factor."""
    everything = [*frequent, *rare]
    for factor in _SCALES:
        pairs = [
            (number, code, other, whole)
            for number, code in everything
            for other, whole in frequent
            if number
            and other
            and abs(number - other * factor) <= 1e-6 * abs(number)
            and 4 * column.counts[code] <= column.counts[whole]
        ]
        codes = {code for _, code, _, _ in pairs}
        sources = {whole for _, _, _, whole in pairs}
        if len(codes) < 2 or codes & sources:
            continue
        kept = [number for number, code in frequent if code not in codes]
        if not kept or any(min(kept) <= number <= max(kept) for number, *_ in pairs):
            continue
        share = sum(column.counts[code] for code in sources) / max(1, sum(column.counts[c] for _, c in frequent))
        cells = cells_of(column.index, column.rows_of(codes))
        if share >= 0.5 and len(cells) <= _MOST * column.filled:
            text = f"{1 / factor:.12g}"
            conversion = Conversion("", "", text, len(cells))
            return Problem("unit_mismatch", (column.index,), cells, 82, "scale", conversions=(conversion,))
    return None


def _off_scale(column: Column, numbers: Items, candidates: Items) -> set[int]:
    """Give numbers far beyond the end of a scale of whole numbers."""
    doubted = {code for _, code in candidates}
    scale = [item for item in numbers if item[1] not in doubted]
    if not 3 <= len(scale) <= _FEW_VALUES or any(number != int(number) for number, _ in scale):
        return set()
    if _cells(column, scale) < 0.85 * column.numeric:
        return set()
    # rare values that go on where the scale ends belong to it
    low, high = scale[0][0], scale[-1][0]
    near = sorted(number for number, _ in candidates)
    while following := [number for number in near if high < number <= high + 1.5]:
        high = max(following)
    while before := [number for number in near if low - 1.5 <= number < low]:
        low = min(before)
    if any(after - number > 2 for (number, _), (after, _) in pairwise(scale)):
        return set()
    least, most = low - max(2, high - low), high + max(2, high - low)
    known = {number for number, _ in scale}
    far = {
        code
        for number, code in candidates
        if (number > high + 2 and number in _NO_ANSWER)
        or (number < 0 <= low and number in _NO_ANSWER)
        or (not least <= number <= most and number / 10 in known)
    }
    return far if sum(column.counts[code] for code in far) <= _MOST * column.filled else set()


def _repeated_end(column: Column, numbers: Items) -> set[int]:
    """Give the smallest and the greatest number where they repeat as no other does and stand apart."""
    counted: Counter[float] = Counter()
    for number, code in numbers:
        counted[number] += column.counts[code]
    ordered = sorted(counted)
    if len(ordered) < _LEAST_VALUES:
        return set()
    usual = sorted(counted.values())[int(len(counted) * 0.95)]
    quarter, middle, upper = (ordered[int(len(ordered) * share)] for share in (0.25, 0.5, 0.75))
    spread = max(upper - quarter, 1e-9)
    found: set[float] = set()
    for number, beside in ((ordered[0], ordered[1]), (ordered[-1], ordered[-2])):
        count = counted[number]
        if count < max(4, 2 * usual) or count > _ENDS * column.filled:
            continue
        apart = abs(number - beside)
        if number > beside:
            is_end = _is_repdigit(number) and number > 1.5 * beside and apart > spread
        else:
            least = 0.01 if count >= 8 * usual else 0.04
            is_end = number in {0, -1} and beside >= max(least * middle, 20 * abs(number), 1e-9)
            is_end |= number == 1 and beside >= max(least * middle, 100) and count <= _ONES * column.filled
        if is_end:
            found.add(number)
    return {code for number, code in numbers if number in found}


def _is_repdigit(number: float) -> bool:
    text = f"{abs(number):.0f}"
    return number == int(number) and len(text) >= 3 and len(set(text)) == 1 and text[0] == "9"


def _mirrored(column: Column, numbers: Items) -> set[int]:
    """Give negative numbers whose absolute values lie among the others, which are positive and near each other."""
    split = bisect_left(numbers, (0.0, -1))
    negative, positive = numbers[:split], numbers[split:]
    if not negative or not positive:
        return set()
    cells = _cells(column, negative)
    if len(positive) < len(negative):
        return _mirrored(column, sorted((-number, code) for number, code in numbers if number))
    if cells > 0.05 * column.filled or len(positive) < 20:
        return set()
    low = positive[len(positive) // 20][0]
    high = positive[-1 - len(positive) // 20][0]
    if low <= 0 or high > 3 * low:
        return set()
    return {code for number, code in negative if 0.9 * low <= -number <= 1.1 * high}


def _other_units(column: Column, numbers: Items) -> Iterator[Problem]:
    """Give a group of numbers that one factor leads into the midst of the others."""
    positive = [item for item in numbers if item[0] > 0]
    if len(positive) < 30 or len(positive) < 0.8 * len(numbers):
        return
    total = _cells(column, positive)
    for upper in (True, False):
        group = _outer_group(column, positive, total, upper=upper)
        if group is None:
            continue
        outer, main = group
        factor = _factor(_all(column, outer), _all(column, main))
        if factor is None:
            continue
        codes = {code for _, code in outer}
        cells = cells_of(column.index, column.rows_of(codes))
        conversion = Conversion("", "", f"{1 / factor:.6g}", len(cells))
        yield Problem("unit_mismatch", (column.index,), cells, 80, "scale", conversions=(conversion,))


def _outer_group(column: Column, ordered: Items, total: int, *, upper: bool) -> tuple[Items, Items] | None:
    """Split off the numbers beyond the widest gap (as a ratio) within the outer tenth of the cells."""
    items = list(reversed(ordered)) if upper else list(ordered)
    reached, at = 0, 0
    best = 1.0
    for place, ((number, code), (following, _)) in enumerate(pairwise(items), 1):
        reached += column.counts[code]
        if reached > _MOST * total:
            break
        ratio = max(number, following) / min(number, following)
        if ratio > best and place >= _LEAST_GROUP:
            best, at = ratio, place
    if not at or best < _LEAST_GAP:
        return None
    # at the end of a long tail there are gaps, too: this one has to be wider than those beside it
    inner = items[at : at + _NEIGHBOURS]
    beside = max((abs(a - b) for (a, _), (b, _) in pairwise(inner)), default=0.0)
    ratios = max((max(a, b) / min(a, b) for (a, _), (b, _) in pairwise(inner)), default=1.0)
    gap = abs(items[at - 1][0] - items[at][0])
    if gap < 3 * beside or log(best) < 3 * log(ratios):
        return None
    return items[:at], items[at:]


def _all(column: Column, items: Items) -> Sequence[float]:
    """Give the numbers of all cells, in order; what repeats very often counts for a hundred cells."""
    return sorted(number for number, code in items for _ in range(min(100, column.counts[code])))


def _factor(group: Sequence[float], values: Sequence[float]) -> float | None:
    """Give the factor that makes the outer numbers lie as the others do, best of all, where one does."""
    above = group[0] > values[-1]
    far = _FARTHEST / sqrt(len(group))
    width = values[int(len(values) * 0.95)] / values[int(len(values) * 0.05)]
    best: tuple[float, float] | None = None
    for known in _FACTORS:
        if known < _WIDER * width:
            continue
        factor = known if above else 1 / known
        apart = _distance([number / factor for number in group], values)
        if apart <= far and (best is None or apart < best[0]):
            best = (apart, factor)
    return None if best is None else best[1]


def _distance(some: Sequence[float], others: Sequence[float]) -> float:
    """Give the greatest distance of two distributions (Kolmogorov and Smirnov); both are in order."""
    apart = 0.0
    for at, number in enumerate(some):
        place = bisect_left(others, number) / len(others)
        apart = max(apart, abs(place - at / len(some)), abs(place - (at + 1) / len(some)))
    return apart
