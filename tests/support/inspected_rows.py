"""Rows of texts, inspected as the read tool does it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from twokey.tools.read.warehouse.inspection.found import Problem
from twokey.tools.read.warehouse.inspection.grid import Grid, column_of
from twokey.tools.read.warehouse.inspection.inspecting import inspect

NOW_US = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1_000_000)


def grid(columns: Mapping[str, Sequence[str | None]], *, typed: Sequence[str] = ()) -> Grid:
    """A table by its columns; ``typed`` are those whose type the database keeps."""
    rows = len(next(iter(columns.values()), ()))
    made = [
        column_of(index, name, cells, is_text=name not in typed) for index, (name, cells) in enumerate(columns.items())
    ]
    return Grid(rows, made)


def problems(columns: Mapping[str, Sequence[str | None]], *, typed: Sequence[str] = ()) -> list[Problem]:
    """What is wrong in a table."""
    return inspect(grid(columns, typed=typed), NOW_US)


def codes(columns: Mapping[str, Sequence[str | None]], *, typed: Sequence[str] = ()) -> list[str]:
    """The codes of what is wrong in a table."""
    return [problem.code for problem in problems(columns, typed=typed)]


def rows_of(problem: Problem) -> list[int]:
    """The rows of a problem, in order."""
    return sorted({row for row, _ in problem.cells})
