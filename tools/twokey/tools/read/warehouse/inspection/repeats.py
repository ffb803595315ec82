"""Rows that say the same as another one.

Rules: columns that differ in every row (keys, times of loading) are left out of the comparison; what remains must be
enough to tell things apart. Repeated rows are counted; their cells are not wrong by themselves.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem
from twokey.tools.read.warehouse.inspection.grid import Grid

ENOUGH_ROWS: Final = 20
_LEAST_COLUMNS: Final = 4
_MOST: Final = 0.2


def find(grid: Grid) -> Iterator[Problem]:
    """Give at most one problem."""
    if grid.rows < ENOUGH_ROWS:
        return
    compared = [column for column in grid.columns if column.distinct < grid.rows or column.filled < grid.rows]
    compared = [column for column in compared if column.distinct > 1]
    if len(compared) < _LEAST_COLUMNS:
        return
    if max(column.distinct for column in compared) < 0.2 * grid.rows:
        return  # everything repeats, so equal rows are no surprise
    rows = Counter(zip(*(column.codes for column in compared), strict=True))
    repeated = sum(count - 1 for count in rows.values())
    if 0 < repeated <= _MOST * grid.rows:
        whole = len(compared) == len(grid.columns)
        columns = tuple(column.index for column in compared[:16])
        yield Problem("duplicate_rows", columns, frozenset(), 95 if whole else 75, rows=repeated, claims=False)
