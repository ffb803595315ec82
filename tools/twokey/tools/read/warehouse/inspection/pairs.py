"""Which columns may tell which, by a cheap look at a few pairs of rows; and columns that tell only two by two.

Rules: keys and measures tell nothing, keys are not told. Two columns together are tried where no single one tells a
column, where each of them alone makes it likelier than chance, and where together they still repeat often enough.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations
from typing import Final

from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH_ROWS: Final = 200
_PROBES: Final = 48
_MORE_THAN_CHANCE: Final = 0.05
_BEST: Final = 4
_MOST_COLUMNS: Final = 30
_LEAST_REPEATS: Final = 5
"""Rows per combination of values, on average."""


def may_tell(column: Column, rows: int) -> bool:
    """Whether a column may determine others."""
    if not 2 <= column.distinct <= 0.6 * rows or column.filled < 0.5 * rows:
        return False
    return not (column.numeric > 0.9 * column.filled and any("." in text for text in column.texts[:50]))


def may_be_told(column: Column, rows: int) -> bool:
    """Whether a column may be determined by others."""
    return 2 <= column.distinct <= 0.6 * rows and column.filled >= 0.3 * rows


def probes_of(left: Column) -> list[tuple[int, int]]:
    """Give pairs of rows that agree on ``left``, from as many groups as possible."""
    groups = list(left.groups.values())
    if not groups:
        return []
    step = max(1, len(groups) // _PROBES)
    each = max(1, _PROBES // len(groups))
    pairs = [(rows[at], rows[-1 - at]) for rows in groups[::step] for at in range(min(each, len(rows) // 2))]
    return pairs[:_PROBES]


def alike(probes: Sequence[tuple[int, int]], right: Column) -> float:
    """Give the share of pairs that agree on ``right``, blanks apart; 0 where there are too few to say."""
    codes = right.codes
    both = [(codes[a], codes[b]) for a, b in probes if codes[a] != BLANK and codes[b] != BLANK]
    return sum(a == b for a, b in both) / len(both) if len(both) >= 8 else 0.0


def pairs_of(grid: Grid, told: AbstractSet[int]) -> list[tuple[Column, int]]:
    """Give pairs of columns as one column each (``parts`` names them) and the index of what they may tell."""
    if grid.rows < ENOUGH_ROWS:
        return []
    lefts = [column for column in grid.columns if may_tell(column, grid.rows)][:_MOST_COLUMNS]
    lefts = [column for column in lefts if column.distinct <= grid.rows / (2 * _LEAST_REPEATS)]
    probes = {column.index: probes_of(column) for column in lefts}
    made: list[tuple[Column, int]] = []
    for right in grid.columns[:_MOST_COLUMNS]:
        if right.index in told or not may_be_told(right, grid.rows) or right.distinct > grid.rows / _LEAST_REPEATS:
            continue
        chance = sum((count / right.filled) ** 2 for count in right.counts)
        ranked = sorted(
            ((alike(probes[left.index], right), left) for left in lefts if left.index != right.index),
            key=lambda item: (-item[0], item[1].index),
        )
        best = [left for share, left in ranked[:_BEST] if share >= chance + _MORE_THAN_CHANCE * (1 - chance)]
        for one, other in combinations(best, 2):
            both = _together(len(grid.columns) + len(made), one, other)
            if both.distinct <= grid.rows / _LEAST_REPEATS:
                made.append((both, right.index))
    return made


def _together(index: int, one: Column, other: Column) -> Column:
    """Give two columns as one; a row where either is blank is blank."""
    known: dict[tuple[int, int], int] = {}
    counts: list[int] = []
    codes: list[int] = []
    for pair in zip(one.codes, other.codes, strict=True):
        if BLANK in pair:
            codes.append(BLANK)
            continue
        code = known.setdefault(pair, len(counts))
        if code == len(counts):
            counts.append(0)
        counts[code] += 1
        codes.append(code)
    return Column(index, "", [""] * len(counts), counts, codes, parts=(one.index, other.index))
