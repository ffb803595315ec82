"""Columns whose value occurs within that of another one: the brand in the name of a product, the year in a date.

Rules: it must be so in nearly all rows, and not by chance: in other rows the value is mostly not there. Where a row
breaks it and the longer text holds another value of the column, the short one is wrong; where it holds none, and the
short one is a usual value, the long one is.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Cell, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH: Final = 60
DETAIL: Final = "contained"
_HOLDS: Final = 0.92
_BY_CHANCE: Final = 0.6
_PROBES: Final = 40
_MOST_COLUMNS: Final = 40
_MOST_TEXT: Final = 200
_LEAST: Final = 3
"""Characters of what holds a word or number, with the blanks around it."""
_MOST_LOST: Final = 7
_LIKELY: Final = 0.85
_LEAST_KNOWN: Final = 15
_MOST_WORDS: Final = 2.2
_USUAL: Final = 3
_PARTS: Final = re.compile(r"[^\W\d_]+|[0-9]+")


@dataclass(frozen=True, eq=False)
class Containment:
    """Two columns of which nearly always one contains the other's value; ``apart`` are the rows where it does not."""

    short: "_Parts"
    long: "_Parts"
    apart: Mapping[tuple[int, int], Sequence[int]]

    def confirms(self, row: int) -> bool:
        """Whether the value of a row occurs in the longer text."""
        pair = self.short.column.codes[row], self.long.column.codes[row]
        return BLANK not in pair and pair not in self.apart


def containments(grid: Grid) -> list[Containment]:
    """Find which columns contain which."""
    if grid.rows < ENOUGH:
        return []
    columns = [column for column in grid.columns[:_MOST_COLUMNS] if column.filled >= 0.5 * grid.rows]
    texts = [column for column in columns if column.distinct >= 3 and column.is_text]
    rows = range(0, grid.rows, max(1, grid.rows // _PROBES))
    parts = {column.index: _Parts(column) for column in texts}
    here = {index: [known.of_row(row) for row in rows] for index, known in parts.items()}
    half = grid.rows // 2 + 1
    elsewhere = {index: [known.of_row((row + half) % grid.rows) for row in rows] for index, known in parts.items()}
    found: list[Containment] = []
    for short in texts:
        if short.most > 0.8 * short.filled or short.distinct > 0.6 * short.filled or not _is_short(parts[short.index]):
            continue
        for long in texts:
            if long.index == short.index or long.distinct < short.distinct:
                continue
            if _is_likely(here[short.index], here[long.index], elsewhere[long.index]):
                held = _held(parts[short.index], parts[long.index])
                if held is not None:
                    found.append(held)
    return found


def confirmed(held: Sequence[Containment], problems: Sequence[Problem]) -> list[Problem]:
    """Leave out cells that a longer text of their row bears out, where what contradicts them is in doubt, too."""
    doubted = {cell for problem in problems for cell in problem.cells}
    known: defaultdict[int, list[Containment]] = defaultdict(list)
    for one in held:
        known[one.short.column.index].append(one)
    return [replace(problem, cells=_in_doubt(problem, known, doubted)) for problem in problems]


def _in_doubt(
    problem: Problem, known: Mapping[int, Sequence[Containment]], doubted: AbstractSet[Cell]
) -> frozenset[Cell]:
    (column, *_) = problem.columns
    if column not in known:
        return problem.cells
    return frozenset(
        (row, index)
        for row, index in problem.cells
        if not (
            any((row, other) in doubted for other in problem.by) and any(one.confirms(row) for one in known[column])
        )
    )


def contradicted(held: Sequence[Containment], wrong: AbstractSet[Cell]) -> Iterator[Problem]:
    """Give one problem per column that another contradicts; cells that are ``wrong`` anyway are left aside."""
    for one in held:
        if one.apart:
            yield from _contradicted(one, wrong)


class _Parts:
    """The words and numbers of each text of a column, with blanks around each; made when first asked for."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._known: dict[int, str] = {}

    def of(self, code: int) -> str:
        known = self._known.get(code)
        if known is None:
            text = self.column.texts[code][:_MOST_TEXT].casefold()
            known = self._known[code] = f" {' '.join(_PARTS.findall(text))} "
        return known

    def of_row(self, row: int) -> str:
        code = self.column.codes[row]
        return "" if code == BLANK else self.of(code)


def _is_short(parts: _Parts) -> bool:
    """Whether the values are names of one or two words, and no sentences."""
    some = range(0, parts.column.distinct, max(1, parts.column.distinct // _PROBES))
    return sum(parts.of(code).count(" ") - 1 for code in some) <= _MOST_WORDS * len(some)


def _is_likely(mine: Sequence[str], theirs: Sequence[str], others: Sequence[str]) -> bool:
    """Whether a value is in the longer text of its row in nearly all rows of a sample, and mostly not in other rows."""
    hits = known = chance = 0
    for short, long, other in zip(mine, theirs, others, strict=True):
        if len(short) < _LEAST or len(long) < _LEAST:
            continue
        known += 1
        if short in long:
            hits += 1
        elif known - hits > _MOST_LOST:
            return False
        chance += short in other
    return known >= _LEAST_KNOWN and hits >= _LIKELY * known and chance <= _BY_CHANCE * known


def _held(short: _Parts, long: _Parts) -> Containment | None:
    pairs: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for row, pair in enumerate(zip(short.column.codes, long.column.codes, strict=True)):
        if BLANK not in pair:
            pairs[pair].append(row)
    apart = {pair: rows for pair, rows in pairs.items() if not _is_in(short.of(pair[0]), long.of(pair[1]))}
    lost = sum(map(len, apart.values()))
    return Containment(short, long, apart) if lost <= (1 - _HOLDS) * sum(map(len, pairs.values())) else None


def _is_in(short: str, long: str) -> bool:
    return not short.isspace() and short in long


def _contradicted(held: Containment, wrong: AbstractSet[Cell]) -> Iterator[Problem]:
    short, long = held.short, held.long
    usual = {short.of(code) for code, count in enumerate(short.column.counts) if count >= _USUAL}
    usual = {word for word in usual if not word.isspace()}
    shorter: set[int] = set()
    longer: set[int] = set()
    for (mine, theirs), rows in held.apart.items():
        free = [row for row in rows if (row, short.column.index) not in wrong and (row, long.column.index) not in wrong]
        word, text = short.of(mine), long.of(theirs)
        if any(other in text for other in usual if other != word):
            shorter.update(free)
        elif word in usual:
            longer.update(free)
    for column, other, rows in ((short.column, long.column, shorter), (long.column, short.column, longer)):
        if rows:
            yield Problem("dependency", (column.index,), cells_of(column.index, rows), 80, DETAIL, by=(other.index,))
