"""Values that occur elsewhere, but not where they stand: a postal code of another city, a rate of another state.

Rules: a column has domains where the rows of nearly each value of another column hold only a few of its values, which
cover nearly all of them, and other rows hold others. A cell is doubted where it is next to alone in its group, where at
least two columns say so, and where these do not contradict most other cells of the row as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Cell, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH_ROWS: Final = 400
_LEAST_GROUP: Final = 25
_MOST_IN_DOMAIN: Final = 8
_COVERS: Final = 0.92
_BY_CHANCE: Final = 0.35
_MOST_COLUMNS: Final = 30
_MOST_GROUPS: Final = 2_000
_LEAST_LEFTS: Final = 2
_LEAST_DOUBTED: Final = 3
_MOST_DOUBTED: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Doubt:
    left: int
    right: int
    rows: frozenset[int]


def find(grid: Grid, wrong: AbstractSet[Cell]) -> Iterator[Problem]:
    """Give one problem per column; cells that are ``wrong`` anyway neither speak nor are spoken of."""
    if grid.rows < ENOUGH_ROWS:
        return
    columns = grid.columns[:_MOST_COLUMNS]
    lefts = [
        column
        for column in columns
        if 4 <= column.distinct <= min(_MOST_GROUPS, grid.rows // _LEAST_GROUP * 3) and column.filled >= 0.9 * grid.rows
    ]
    rights = [
        column for column in columns if 8 <= column.distinct <= grid.rows // 10 and column.filled >= 0.9 * grid.rows
    ]
    doubts = [doubt for left in lefts for doubt in _of_left(left, rights, wrong)]
    per_cell: defaultdict[Cell, list[int]] = defaultdict(list)
    for doubt in doubts:
        for row in doubt.rows:
            per_cell[row, doubt.right].append(doubt.left)
    told: defaultdict[int, set[int]] = defaultdict(set)
    by: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for (row, right), against in per_cell.items():
        if len(against) >= _LEAST_LEFTS:
            told[right].add(row)
            by[right].update(against)
    for right, rows in told.items():
        if _LEAST_DOUBTED <= len(rows) <= _MOST_DOUBTED * grid.rows:
            names = tuple(left for left, _ in by[right].most_common(3))
            yield Problem("dependency", (right,), cells_of(right, rows), 74, "domain", by=names)


def _of_left(left: Column, rights: list[Column], wrong: AbstractSet[Cell]) -> Iterator[_Doubt]:
    groups = {code: rows for code, rows in left.groups.items() if len(rows) >= _LEAST_GROUP}
    if len(groups) < 4 or sum(map(len, groups.values())) < 0.7 * left.filled:
        return
    largest = sorted(groups.values(), key=len)[len(groups) // 2 :][:6]
    for right in rights:
        if right.index == left.index or not _is_narrow(largest, right):
            continue
        rows = _alone(left, right, groups, wrong)
        if rows:
            yield _Doubt(left.index, right.index, frozenset(rows))


def _is_narrow(samples: list[list[int]], right: Column) -> bool:
    """Whether a few groups hold few values each, and others than the whole."""
    narrow = 0
    for rows in samples:
        counts = Counter([right.codes[row] for row in rows])
        counts.pop(BLANK, None)
        few = counts.most_common(_MOST_IN_DOMAIN)
        inside = sum(right.counts[code] for code, count in few if count >= 0.04 * len(rows))
        covered = sum(count for _, count in few if count >= 0.04 * len(rows))
        narrow += covered >= _COVERS * len(rows) and inside <= _BY_CHANCE * right.filled and len(few) >= 2
    return narrow >= 0.8 * len(samples)


def _alone(left: Column, right: Column, groups: Mapping[int, list[int]], wrong: AbstractSet[Cell]) -> set[int]:
    found: set[int] = set()
    kept = total = 0
    for rows in groups.values():
        counts = Counter([right.codes[row] for row in rows])
        counts.pop(BLANK, None)
        domain = {code for code, count in counts.most_common(_MOST_IN_DOMAIN) if count >= max(3, 0.04 * len(rows))}
        kept += sum(counts[code] for code in domain)
        total += counts.total()
        few = {code for code, count in counts.items() if code not in domain and count <= max(1, 0.02 * len(rows))}
        if few:
            found.update(row for row in rows if right.codes[row] in few)
    if kept < _COVERS * total:
        return set()
    return {row for row in found if (row, left.index) not in wrong and (row, right.index) not in wrong}
