"""Every detector over the rows of one table, and what remains of what they found.

Rules: detectors run in the order of how much they explain. A problem whose cells an earlier one of the same columns
already explains is dropped, so that one fault is told once. Exceptions that follow another column are no faults.
What would call more than half of a table wrong for reasons of agreement is not told.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from twokey.tools.read.warehouse.inspection import (
    agreement,
    codes,
    contained,
    cut,
    domains,
    entities,
    extremes,
    forms,
    misplaced,
    nothing,
    repeats,
    scales,
    shortened,
    slips,
    spilled,
    sums,
    times,
    units,
)
from twokey.tools.read.warehouse.inspection.found import Cell, Problem
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

Detector = Callable[[Grid], Iterable[Problem]]

_BY_CELL: Final[tuple[Detector, ...]] = (
    units.find,
    nothing.find,
    spilled.find,
    misplaced.find,
    forms.find,
    codes.find,
    cut.find,
    extremes.find,
    scales.find,
)
_TOGETHER: Final[tuple[Callable[[Grid, AbstractSet[Cell]], Iterable[Problem]], ...]] = (
    sums.find,
    domains.find,
)
_EXPLAINED: Final = 0.6
_LEAST_FOLLOWERS: Final = 4
_FOLLOW: Final = 0.6
_FEW: Final = 20
"""Different values of a column that others may follow."""


def inspect(grid: Grid, now_us: int) -> list[Problem]:
    """Give the problems of a table, the most explaining first."""
    found: list[Problem] = [problem for detector in _BY_CELL for problem in detector(grid)]
    found += times.find(grid, now_us)
    found = _told_once(found)
    sure = {cell for problem in found for cell in problem.cells}
    sources = list(entities.find(grid, sure))
    covered = {problem.columns for problem in sources}
    held = contained.containments(grid)
    contradicted = [problem for problem in agreement.find(grid) if problem.columns not in covered]
    contradicted = contained.confirmed(held, contradicted)
    doubted = [*slips.find(grid), *shortened.find(grid), *_but_misplaced(contradicted, sources), *sources]
    wrong = {cell for problem in (*found, *doubted) for cell in problem.cells}
    doubted += contained.contradicted(held, wrong)
    for together in _TOGETHER:
        wrong |= {cell for problem in doubted for cell in problem.cells}
        doubted += together(grid, wrong)
    doubted = [_without_followers(grid, problem, wrong) for problem in doubted]
    return _told_once([*found, *doubted, *repeats.find(grid)])


def _but_misplaced(contradicted: Iterable[Problem], sources: Iterable[Problem]) -> list[Problem]:
    """Leave out what is contradicted only because its row is filed under another thing."""
    rows = {row for problem in sources if problem.detail == entities.MISPLACED for row, _ in problem.cells}
    if not rows:
        return list(contradicted)
    return [
        replace(problem, cells=frozenset(cell for cell in problem.cells if cell[0] not in rows))
        for problem in contradicted
    ]


def _told_once(problems: Sequence[Problem]) -> list[Problem]:
    """Tell each fault once: cells of a problem that others of its columns mostly explain go to the last of those."""
    kept: list[Problem] = []
    explained: set[Cell] = set()
    for problem in problems:
        if not problem.claims:
            kept.append(problem)
        elif problem.cells:
            left = problem.cells - explained
            if len(left) > (1 - _EXPLAINED) * len(problem.cells):
                kept.append(problem)
            elif left:
                at = max(at for at, other in enumerate(kept) if not other.cells.isdisjoint(problem.cells))
                kept[at] = replace(kept[at], cells=kept[at].cells | left)
            explained |= problem.cells
    return kept


def _without_followers(grid: Grid, problem: Problem, wrong: set[Cell]) -> Problem:
    """Leave out exceptions that follow another column: most rows of one of its values are such exceptions."""
    if len(problem.cells) < _LEAST_FOLLOWERS:
        return problem
    rows = {row for row, _ in problem.cells}
    excused: set[int] = set()
    for other in grid.columns:
        if other.index not in problem.columns and 2 <= other.distinct <= max(_FEW, grid.rows // 50):
            excused |= _followers(other, rows, wrong)
    if not excused:
        return problem
    return replace(problem, cells=frozenset(cell for cell in problem.cells if cell[0] not in excused))


def _followers(other: Column, rows: set[int], wrong: set[Cell]) -> set[int]:
    right = [row for row in rows if (row, other.index) not in wrong]
    counts = Counter([other.codes[row] for row in right])
    led = {
        code
        for code, count in counts.items()
        if count >= _LEAST_FOLLOWERS and code != BLANK and count >= _FOLLOW * other.counts[code]
    }
    return {row for row in right if other.codes[row] in led}
