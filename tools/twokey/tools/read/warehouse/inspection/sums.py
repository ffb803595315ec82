"""Numbers of a row that belong together: a total and its parts, a product and its factors, a smaller and a greater.

Rules: a sum, product or quotient is believed where it holds in nearly all rows to the last digit written, and says
something there (what is added is not nought). An order is believed where the two are often equal, which by chance
would turn as many round, and hardly ever are. In a row that breaks it, the number is doubted that other rules of the
row contradict, too; then the one that a slip (its sign, its point, a digit) explains; else the result.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Cell, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH: Final = 60
DETAIL: Final = "sum"
_MOST_COLUMNS: Final = 14
_NEARLY_ALL: Final = 0.8
_HOLDS: Final = 0.9
_PROBES: Final = 15
_LEAST_VALUES: Final = 20
_FARTHER: Final = 4
_LEAST_RICH: Final = 2
"""Columns of the three that hold so many values; with fewer, sums come out right by chance."""
_CODES: Final = frozenset({"id", "ids", "code", "key", "no", "nr", "num", "index", "zip", "postcode", "phone", "year"})

Numbers = Sequence[float | None]
Row = tuple[float, float, float]


def _added(a: float, b: float) -> float:
    return a + b


def _multiplied(a: float, b: float) -> float:
    return a * b


def _divided(a: float, b: float) -> float:
    return a / b if b else float("inf")


@dataclass(frozen=True, slots=True)
class _Rule:
    """``compute(one, other)`` is ``result``, give or take ``tolerance``; all three are columns."""

    compute: Callable[[float, float], float]
    one: int
    other: int
    result: int
    tolerance: float
    rounded: tuple[float, float]
    """By how much the two may be off because they were rounded."""

    @property
    def columns(self) -> tuple[int, int, int]:
        return self.one, self.other, self.result

    def holds(self, a: float, b: float, c: float) -> bool:
        """Whether it holds but for what rounding explains."""
        first, second = self.rounded
        if self.compute is _multiplied:
            slack = abs(a) * second + abs(b) * first
        elif self.compute is _divided:
            slack = (first + abs(c) * second) / abs(b) if b else 0.0
        else:
            slack = 0.0
        return abs(self.compute(a, b) - c) <= self.tolerance + slack + 1e-9 * abs(c)


def find(grid: Grid, wrong: AbstractSet[Cell]) -> Iterator[Problem]:
    """Give one problem per column; a row with a number that is ``wrong`` anyway breaks nothing."""
    if grid.rows < ENOUGH:
        return
    columns = [
        column
        for column in grid.columns
        if column.filled >= 0.5 * grid.rows
        and column.distinct >= 3
        and column.numeric >= _NEARLY_ALL * column.filled
        and _CODES.isdisjoint(column.words)
    ][:_MOST_COLUMNS]
    if len(columns) < 2:
        return
    values = {column.index: _values(column) for column in columns}
    yield from _broken(grid, columns, values, wrong)
    yield from _orders(grid, columns, values, wrong)


def _values(column: Column) -> Numbers:
    numbers = column.numbers
    return [None if code == BLANK else numbers[code] for code in column.codes]


def _decimals(column: Column) -> int:
    lengths = Counter(len(text.partition(".")[2]) for text in column.texts[:200])
    return min(6, lengths.most_common(1)[0][0])


def _broken(
    grid: Grid, columns: Sequence[Column], values: Mapping[int, Numbers], wrong: AbstractSet[Cell]
) -> Iterator[Problem]:
    rules = _rules(columns, values, grid.rows)
    if not rules:
        return
    broken: defaultdict[int, list[_Rule]] = defaultdict(list)
    kept: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for rule in rules:
        one, other, result = (values[index] for index in rule.columns)
        for row, (a, b, c) in enumerate(zip(one, other, result, strict=True)):
            if a is None or b is None or c is None:
                continue
            if rule.holds(a, b, c):
                kept[row].update(rule.columns)
            else:
                broken[row].append(rule)
    blamed: defaultdict[int, set[int]] = defaultdict(set)
    by: dict[int, tuple[int, ...]] = {}
    for row, against in broken.items():
        open_ = [rule for rule in against if all((row, index) not in wrong for index in rule.columns)]
        if open_:
            index = _blamed(open_, row, kept[row], values)
            blamed[index].add(row)
            by.setdefault(index, tuple(other for other in open_[0].columns if other != index)[:2])
    for index, rows in blamed.items():
        yield Problem("dependency", (index,), cells_of(index, rows), 78, DETAIL, by=by[index])


def _rules(columns: Sequence[Column], values: Mapping[int, Numbers], rows: int) -> list[_Rule]:
    step = max(1, rows // (4 * _PROBES))
    found: list[_Rule] = []
    known: set[frozenset[int]] = set()
    tolerances = {column.index: 1.01 * 10.0 ** -_decimals(column) for column in columns}
    indexes = [column.index for column in columns]
    rich = {column.index for column in columns if column.distinct >= _LEAST_VALUES}
    for one, other in combinations(indexes, 2):
        for result in indexes:
            if result in {one, other} or len(rich & {one, other, result}) < _LEAST_RICH:
                continue
            if frozenset((one, other, result)) not in known:
                for compute in (_added, _multiplied):
                    rule = _rule(compute, one, other, result, tolerances)
                    if _is_kept(rule, values, step):
                        found.append(rule)
                        known.add(frozenset(rule.columns))
    for one, other, result in permutations(indexes, 3):
        if len(rich & {one, other, result}) >= _LEAST_RICH and frozenset((one, other, result)) not in known:
            rule = _rule(_divided, one, other, result, tolerances)
            if _is_kept(rule, values, step):
                found.append(rule)
                known.add(frozenset(rule.columns))
    return found


def _rule(
    compute: Callable[[float, float], float], one: int, other: int, result: int, tolerances: Mapping[int, float]
) -> _Rule:
    # whole numbers were counted, others may have been rounded in their last digit
    rounded = [0.0 if tolerances[index] > 1 else 0.5 * tolerances[index] for index in (one, other)]
    return _Rule(compute, one, other, result, tolerances[result], (rounded[0], rounded[1]))


def _is_kept(rule: _Rule, values: Mapping[int, Numbers], step: int) -> bool:
    """Whether a rule holds in nearly all rows where it says something; most are given up after a few rows."""
    one, other, result = (values[index] for index in rule.columns)
    compute, tolerance = rule.compute, rule.tolerance
    asked = lost = 0
    for row in range(0, len(one), step):
        a, b, c = one[row], other[row], result[row]
        if a is None or b is None or c is None:
            continue
        asked += 1
        # what is right to the digit needs no look at how it was rounded, and what is far off neither
        apart = abs(compute(a, b) - c)
        lost += apart > tolerance and (apart > abs(c) or not rule.holds(a, b, c))
        if lost > 2 and lost > 0.2 * asked:
            return False
    if asked < _PROBES:
        return False
    asked = held = 0
    neutral = 0.0 if rule.compute is _added else 1.0
    for a, b, c in zip(one, other, result, strict=True):
        if a is None or b is None or c is None or neutral in {a, b} or not c:
            continue
        asked += 1
        held += rule.holds(a, b, c) and abs(c) > 2 * rule.tolerance
    return asked >= ENOUGH and held >= _HOLDS * asked


def _blamed(against: Sequence[_Rule], row: int, kept: Counter[int], values: Mapping[int, Numbers]) -> int:
    """Give the column whose number most rules of a row contradict and fewest bear out."""
    score: Counter[int] = Counter()
    for rule in against:
        score.update(rule.columns)
    score.subtract(kept)
    best = max(score.values())
    likely = [index for index, points in score.items() if points == best]
    if len(likely) == 1:
        return likely[0]
    rule = against[0]
    slips = [index for index in likely if index in rule.columns and _is_slip(rule, index, row, values)]
    if len(slips) == 1:
        return slips[0]
    farthest = sorted((_as_far(values[index], float(values[index][row] or 0)), index) for index in rule.columns)
    if farthest[0][1] in likely and _FARTHER * farthest[0][0] <= farthest[1][0]:
        return farthest[0][1]
    return rule.result if rule.result in likely else likely[0]


def _as_far(numbers: Numbers, number: float) -> int:
    """Give how many numbers of a column lie as far out as one does, on its side."""
    above = sum(other is not None and other >= number for other in numbers)
    return min(above, sum(other is not None and other <= number for other in numbers))


def _is_slip(rule: _Rule, index: int, row: int, values: Mapping[int, Numbers]) -> bool:
    """Whether another sign, or its point elsewhere, would make a number right."""
    given = {column: float(values[column][row] or 0) for column in rule.columns}
    for factor in (-1.0, 10.0, 100.0, 1000.0, 0.1, 0.01, 0.001):
        changed = given | {index: given[index] * factor}
        if rule.holds(changed[rule.one], changed[rule.other], changed[rule.result]):
            return True
    return False


def _orders(
    grid: Grid, columns: Sequence[Column], values: Mapping[int, Numbers], wrong: AbstractSet[Cell]
) -> Iterator[Problem]:
    step = max(1, grid.rows // 80)
    for one, other in permutations(columns, 2):
        small, great = values[one.index], values[other.index]
        if not _seems_ordered(small, great, step):
            continue
        pairs = [
            (row, a, b) for row, (a, b) in enumerate(zip(small, great, strict=True)) if a is not None and b is not None
        ]
        turned = [(row, a, b) for row, a, b in pairs if a > b]
        equal = sum(a == b for _, a, b in pairs)
        if (
            len(pairs) < ENOUGH
            or not 0 < len(turned) <= 0.04 * len(pairs)
            or equal < max(0.03 * len(pairs), len(turned))
        ):
            continue
        free = [item for item in turned if (item[0], one.index) not in wrong and (item[0], other.index) not in wrong]
        above, below = sorted(a for _, a, _ in pairs), sorted(b for _, _, b in pairs)
        blamed = [(row, _rarer(a, b, above, below)) for row, a, b in free]
        cells = frozenset((row, one.index if is_first else other.index) for row, is_first in blamed)
        if cells:
            yield Problem("wrong_order", (one.index, other.index), cells, 78, "numbers")


def _rarer(a: float, b: float, above: Sequence[float], below: Sequence[float]) -> bool:
    """Whether so great a number is rarer in the first column than so small a one in the second."""
    return sum(number >= a for number in above) <= sum(number <= b for number in below)


def _seems_ordered(small: Numbers, great: Numbers, step: int) -> bool:
    """Whether few rows are turned round, although rows put together at random would be."""
    rows = range(0, len(small), step)
    turned = chance = asked = equal = 0
    for row in rows:
        a, b, c = small[row], great[row], great[(row + len(great) // 2) % len(great)]
        if a is None or b is None or c is None:
            continue
        asked += 1
        turned += a > b
        equal += a == b
        chance += a > c
        if turned > 0.1 * len(rows):
            return False
    return asked >= 30 and equal >= 2 and chance >= 0.12 * asked
