"""Several rows that describe one thing, each from another source: where they disagree, somebody is wrong.

Rules: there must be a column that names the thing and one that names the source, so that both together hardly
repeat, and the sources must agree on most of the other columns far more often than chance. Then the value that most
sources give is taken, and the other cells of the thing are in doubt, blanks included. Without a plurality nothing
is said.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Cell, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH_ROWS: Final = 60
_AGREE: Final = 0.4
_TELLS: Final = 0.4
_LEAST_ROWS: Final = 4
_MOST_DOUBTED: Final = 0.75
_MOST_COLUMNS: Final = 60
_MOST_APART: Final = 0.4
"""Share of the columns on which the sources need not agree."""
_PROBES: Final = 100


def find(grid: Grid, wrong: AbstractSet[Cell] = frozenset()) -> Iterator[Problem]:
    """Give one problem per column on which the sources disagree; cells that are ``wrong`` anyway have no say."""
    if grid.rows < ENOUGH_ROWS or not 4 <= len(grid.columns) <= _MOST_COLUMNS:
        return
    for thing in grid.columns:
        if not _names_things(thing, grid.rows):
            continue
        source = next((column for column in grid.columns if _names_sources(column, thing, grid.rows)), None)
        if source is None:
            continue
        told = [column for column in grid.columns if column not in {thing, source} and not _is_key(column, grid.rows)]
        agreed = _agreed(thing, told)
        if len(agreed) >= 2:
            yield from _problems(grid, thing, agreed, wrong)
            return


def _names_things(column: Column, rows: int) -> bool:
    return column.filled >= 0.95 * rows and 5 <= column.distinct <= rows / _LEAST_ROWS


def _names_sources(source: Column, thing: Column, rows: int) -> bool:
    if source.index == thing.index or source.filled < 0.95 * rows or not 3 <= source.distinct <= rows / _LEAST_ROWS:
        return False
    if source.distinct * thing.distinct < 0.97 * rows:
        return False
    pairs = len(set(zip(thing.codes, source.codes, strict=True)))
    return pairs >= 0.97 * rows


def _is_key(column: Column, rows: int) -> bool:
    return column.distinct >= 0.95 * rows or column.distinct < 2


def _agreed(thing: Column, told: Sequence[Column]) -> list[Column]:
    """Give the columns on which the rows of a thing agree, where those are most of them, else none."""
    probes = [(rows[0], rows[-1]) for rows in list(thing.groups.values())[:_PROBES]]
    agreed: list[Column] = []
    for number, column in enumerate(told, 1):
        codes = column.codes
        alike = sum(codes[one] == codes[other] for one, other in probes)
        if alike >= 0.15 * len(probes) and _agrees(thing, column):
            agreed.append(column)
        if number - len(agreed) > _MOST_APART * len(told):
            return []
    return agreed


def _agrees(thing: Column, column: Column) -> bool:
    """Whether the rows of a thing mostly hold one value, and much more so than any rows do."""
    if column.filled < 0.3 * len(column.codes):
        return False
    kept = total = 0
    for rows in thing.groups.values():
        counts = _counts(column, rows)
        if counts.total() > 1:
            kept += max(counts.values()) - 1
            total += counts.total() - 1
    guess = max(column.counts) / column.filled
    return total >= ENOUGH_ROWS // 2 and kept / total >= _AGREE and (kept / total - guess) / (1 - guess) >= _TELLS


def _counts(column: Column, rows: Sequence[int]) -> Counter[int]:
    counts = Counter([column.codes[row] for row in rows])
    counts.pop(BLANK, None)
    return counts


def _problems(grid: Grid, thing: Column, agreed: Sequence[Column], wrong: AbstractSet[Cell]) -> Iterator[Problem]:
    for column in agreed:
        doubted: list[int] = []
        for rows in thing.groups.values():
            ranked = _counts(column, [row for row in rows if (row, column.index) not in wrong]).most_common(2)
            if not ranked or ranked[0][1] < 2 or (len(ranked) > 1 and ranked[0][1] < 1.5 * ranked[1][1]):
                continue
            doubted += [row for row in rows if column.codes[row] != ranked[0][0]]
        if doubted and len(doubted) <= _MOST_DOUBTED * grid.rows:
            sure = 78 if len(doubted) <= 0.3 * grid.rows else 65
            yield Problem("disagreement", (column.index,), cells_of(column.index, doubted), sure, by=(thing.index,))
