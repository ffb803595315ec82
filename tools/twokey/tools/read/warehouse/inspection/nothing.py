"""Columns that hold a text where a value is missing. Which texts those are, ``absent`` says."""

from collections.abc import Iterator

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Grid


def find(grid: Grid) -> Iterator[Problem]:
    """Give one problem per column that holds such texts."""
    for column in grid.columns:
        if column.nothing:
            rows = column.rows_of(column.nothing)
            yield Problem("missing_as_text", (column.index,), cells_of(column.index, rows), 95)
