"""What a detector found, while it is still in the process: positions of cells, and what to do about them.

Rules: one systematic fault of a column is one problem, however many cells it has. Positions stay in the process; what
leaves it is how many they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

Cell: TypeAlias = tuple[int, int]
"""Row and column, both from 0."""

Code: TypeAlias = Literal[
    "unit_mismatch",
    "missing_as_text",
    "mixed_types",
    "format_break",
    "broken_text",
    "misspelt_values",
    "spelling_variants",
    "dependency",
    "disagreement",
    "spilled_value",
    "impossible_dates",
    "impossible_range",
    "wrong_order",
    "outlier",
    "placeholder",
    "duplicate_rows",
    "stale",
]


@dataclass(frozen=True, slots=True)
class Conversion:
    """How cells written in one unit become another one: multiply by ``factor`` (exact decimal text)."""

    given: str
    wanted: str
    factor: str
    cells: int


@dataclass(frozen=True)
class Problem:
    """One fault. ``detail`` is a code that says which kind of repair helps; ``by`` are columns that tell."""

    code: Code
    columns: tuple[int, ...]
    cells: frozenset[Cell]
    confidence: int
    detail: str = ""
    by: tuple[int, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    rows: int = 0
    """For faults of whole rows or of the table: how many rows; their cells are not wrong by themselves."""
    newest: date | None = None
    """Day of the newest change, where the table is stale."""
    claims: bool = field(default=True)
    """Whether the cells themselves are called wrong."""


def cells_of(column: int, rows: Iterable[int]) -> frozenset[Cell]:
    """Give cells of one column."""
    return frozenset((row, column) for row in rows)
