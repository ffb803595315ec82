"""Values that stand in the wrong column: two cells of a row that changed places, and rows that moved by a column.

Rules: a column is known by what it holds nearly everywhere: a vocabulary, a range of numbers, a form of dates or codes.
A cell is foreign where it is none of that. Two cells changed places where each is foreign and what the other column
holds; a row moved where at least three cells side by side are what the next column holds, two of them being foreign. A
single row that moved is not told, for it may be an odd thing and no lost cell.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Cell, Problem
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

ENOUGH: Final = 50
DETAIL: Final = "columns"
_NEARLY_ALL: Final = 0.85
_MOST_FOREIGN: Final = 0.15
_MOST_VALUES: Final = 400
_MOST_FORMS: Final = 3
_LEAST_CELLS: Final = 3
_MOST_COLUMNS: Final = 60
_LEAST_RUN: Final = 3
_LEAST_ROWS: Final = 2


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a column holds: whether a text may stand in it, and which of its own texts are foreign to it."""

    column: Column
    holds: Callable[[str, str, float | None], bool]
    foreign: frozenset[int]
    ends: tuple[float, float] | None = None
    """The range of a column of numbers."""


def find(grid: Grid) -> Iterator[Problem]:
    """Give one problem per pair of columns that changed places, and one for rows that moved."""
    if grid.rows < ENOUGH or not 3 <= len(grid.columns) <= _MOST_COLUMNS:
        return
    kinds = {kind.column.index: kind for column in grid.columns if (kind := _kind(column)) is not None}
    strange: defaultdict[int, list[int]] = defaultdict(list)
    for index, kind in kinds.items():
        for row in kind.column.rows_of(kind.foreign):
            strange[row].append(index)
    exchanged: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    moved: set[Cell] = set()
    rows_moved = 0
    for row, columns in strange.items():
        if len(columns) < 2:
            continue
        cells = _moved(grid, kinds, row, columns)
        if cells:
            moved |= cells
            rows_moved += 1
            continue
        for at, one in enumerate(columns):
            for other in columns[at + 1 :]:
                if (
                    _are_apart(kinds[one], kinds[other])
                    and _fits(grid, kinds[other], row, one)
                    and _fits(grid, kinds[one], row, other)
                ):
                    exchanged[one, other].add(row)
    for (one, other), rows in sorted(exchanged.items()):
        cells = frozenset((row, column) for row in rows for column in (one, other))
        yield Problem("spilled_value", (one, other), cells, 88, DETAIL, by=(other,))
    if rows_moved >= _LEAST_ROWS:
        columns = tuple(sorted({column for _, column in moved}))
        yield Problem("spilled_value", columns, frozenset(moved), 88, "rows", by=columns[1:2])


def _kind(column: Column) -> _Kind | None:
    if column.filled < ENOUGH or not column.is_text:
        return None
    if column.numeric >= _NEARLY_ALL * column.filled:
        return _numbers(column)
    return _vocabulary(column) or _forms(column)


def _of(column: Column, holds: Callable[[str, str, float | None], bool]) -> _Kind | None:
    foreign = frozenset(
        code
        for code, (text, form, number) in enumerate(zip(column.texts, column.forms, column.numbers, strict=True))
        if not holds(text, form, number) and code not in column.nothing
    )
    cells = sum(column.counts[code] for code in foreign)
    return _Kind(column, holds, foreign) if cells <= _MOST_FOREIGN * column.filled else None


def _numbers(column: Column) -> _Kind | None:
    ordered = sorted(
        (number, count) for number, count in zip(column.numbers, column.counts, strict=True) if number is not None
    )
    low, high = _end(ordered, column.numeric), _end(list(reversed(ordered)), column.numeric)
    margin = 0.25 * (high - low)
    least, most = low - margin, high + margin
    kind = _of(column, lambda _text, _form, number: number is not None and least <= number <= most)
    return None if kind is None else replace(kind, ends=(least, most))


def _end(ordered: Sequence[tuple[float, int]], cells: int) -> float:
    reached = 0
    for number, count in ordered:
        reached += count
        if reached > 0.06 * cells:
            return number
    return ordered[-1][0]


def _vocabulary(column: Column) -> _Kind | None:
    if column.distinct > max(_MOST_VALUES, column.filled // 4) or column.most < _LEAST_CELLS:
        return None
    least = max(_LEAST_CELLS, column.filled // 200, column.filled // (4 * column.distinct))
    words = {text.casefold() for text, count in zip(column.texts, column.counts, strict=True) if count >= least}
    kept = sum(count for text, count in zip(column.texts, column.counts, strict=True) if text.casefold() in words)
    if not 2 <= len(words) <= _MOST_VALUES or kept < _NEARLY_ALL * column.filled:
        return None
    return _of(column, lambda text, _form, _number: text.casefold() in words)


def _forms(column: Column) -> _Kind | None:
    ranked = sorted(column.cells_of_forms.items(), key=lambda item: -item[1])[:_MOST_FORMS]
    usual = {form for form, count in ranked if count >= 0.05 * column.filled and "9" in form}
    kept = sum(count for form, count in ranked if form in usual)
    if kept < _NEARLY_ALL * column.filled:
        return None
    return _of(column, lambda _text, form, _number: form in usual)


def _are_apart(one: _Kind, other: _Kind) -> bool:
    """Whether two columns can be told from each other; ranges that overlap cannot."""
    if one.ends is None or other.ends is None:
        return True
    return one.ends[1] < other.ends[0] or other.ends[1] < one.ends[0]


def _fits(grid: Grid, kind: _Kind, row: int, own: int) -> bool:
    """Whether the cell of a row in the column ``own`` is what another column holds."""
    column = grid.columns[own]
    code = column.codes[row]
    return code != BLANK and kind.holds(column.texts[code], column.forms[code], column.numbers[code])


def _moved(grid: Grid, kinds: dict[int, _Kind], row: int, strange: Sequence[int]) -> set[Cell]:
    """Give the cells of a row that moved by a column, from the first foreign one on."""
    last = len(grid.columns) - 1
    for step, lost in ((1, last), (-1, 0)):
        if grid.columns[lost].codes[row] != BLANK:
            continue
        order = range(strange[0], last) if step == 1 else range(strange[-1], 0, -1)
        run: list[int] = []
        for at in order:
            kind = kinds.get(at + step)
            known = grid.columns[at].codes[row] != BLANK
            if kind is not None and known and not _fits(grid, kind, row, at):
                break
            run.append(at)
        foreign = len(set(run) & set(strange))
        sure = sum(at + step in kinds for at in run)
        if len(run) == len(order) and foreign >= 2 and sure >= _LEAST_RUN:
            return {(row, at) for at in (*run, lost)}
    return set()
