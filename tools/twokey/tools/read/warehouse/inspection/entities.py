"""Several rows that describe one thing, each from another source: where they disagree, somebody is wrong.

Rules: there must be a column that names the thing and one that names the source, so that both together hardly
repeat, and the sources must agree on most of the other columns far more often than chance. Then the value that most
sources give is taken, and the other cells of the thing are in doubt, blanks included. Without a plurality nothing
is said.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Cell, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH_ROWS: Final = 60
MISPLACED: Final = "misplaced"
"""Detail of a problem whose rows say what is said of another thing."""
_AGREE: Final = 0.4
_TELLS: Final = 0.4
_LEAST_ROWS: Final = 4
_MOST_DOUBTED: Final = 0.75
_MOST_COLUMNS: Final = 60
_MOST_APART: Final = 0.4
"""Share of the columns on which the sources need not agree."""
_PROBES: Final = 100
_LEAST_SAME: Final = 3
_NEARLY_ALL: Final = 0.7


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
    usual = {column.index: _usual(thing, column, wrong) for column in agreed}
    misplaced = _misplaced(thing, agreed, usual)
    if misplaced:
        by = tuple(column.index for column in agreed[:3])
        yield Problem("disagreement", (thing.index,), cells_of(thing.index, misplaced), 80, MISPLACED, by=by)
    for column in agreed:
        told = usual[column.index]
        doubted = [
            row
            for row, code in enumerate(thing.codes)
            if code in told and column.codes[row] != told[code] and row not in misplaced
        ]
        if doubted and len(doubted) <= _MOST_DOUBTED * grid.rows:
            sure = 78 if len(doubted) <= 0.3 * grid.rows else 65
            yield Problem("disagreement", (column.index,), cells_of(column.index, doubted), sure, by=(thing.index,))


def _usual(thing: Column, column: Column, wrong: AbstractSet[Cell]) -> Mapping[int, int]:
    """Give what most sources say of each thing, where there is a plurality."""
    found: dict[int, int] = {}
    for code, rows in thing.groups.items():
        ranked = _counts(column, [row for row in rows if (row, column.index) not in wrong]).most_common(2)
        if ranked and ranked[0][1] >= 2 and (len(ranked) == 1 or ranked[0][1] >= 1.5 * ranked[1][1]):
            found[code] = ranked[0][0]
    return found


def _misplaced(thing: Column, agreed: Sequence[Column], usual: Mapping[int, Mapping[int, int]]) -> set[int]:
    """Give rows that say of their thing what is said of another one: then the thing is wrong, and nothing else."""
    if len(agreed) < _LEAST_SAME:
        return set()
    things: dict[tuple[int, int], set[int]] = {}
    for column, told in usual.items():
        for code, value in told.items():
            things.setdefault((column, value), set()).add(code)
    found: set[int] = set()
    for row, code in enumerate(thing.codes):
        apart = [column for column in agreed if usual[column.index].get(code, BLANK) != column.codes[row] != BLANK]
        if len(apart) >= _LEAST_SAME and len(apart) >= _NEARLY_ALL * len(agreed):
            same = Counter(
                other for column in apart for other in things.get((column.index, column.codes[row]), set[int]())
            )
            if same and max(same.values()) >= max(_LEAST_SAME, _NEARLY_ALL * len(apart)):
                found.add(row)
    return found
