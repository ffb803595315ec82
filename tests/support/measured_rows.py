"""Rows made into what a scan knows of them: the profile and the measures of a table, without a warehouse."""

from collections.abc import Mapping, Sequence
from typing import Any

from support.inspected_rows import NOW_US, grid
from twokey.agents.catalog import reading, types
from twokey.agents.catalog.baseline import Then
from twokey.agents.catalog.facts import Column, Table
from twokey.tools.read.warehouse import Measured
from twokey.tools.read.warehouse.measuring.table import measured
from twokey.tools.read.warehouse.profile import column_profile, facts_of

Cells = Sequence[Any]


def measures(columns: Mapping[str, Cells]) -> Measured:
    """What the rows of a table measure."""
    texts = {name: [None if cell is None else str(cell) for cell in cells] for name, cells in columns.items()}
    return measured(grid(texts), NOW_US, "all")


def table(columns: Mapping[str, Cells], *, name: str = "t", nullable: bool = True) -> Table:
    """A table of these rows, all of which were looked at."""
    rows = len(next(iter(columns.values())))
    made: list[Column] = []
    for column, cells in columns.items():
        declared = "TEXT" if any(isinstance(cell, str) for cell in cells) else "REAL"
        facts = facts_of(column, declared, list(cells), whole=True, nulls_total=None)
        shown = reading.profile_of(column_profile(facts), complete=True)
        made.append(Column(column, declared, types.family(declared), nullable=nullable, profile=shown))
    return Table(key=name, schema="", name=name, columns=tuple(made), rows=rows, rows_exact=True)


def then(columns: Mapping[str, Cells]) -> Then:
    """The same rows as a baseline."""
    found = table(columns)
    return Then(
        rows=found.rows,
        rows_exact=True,
        columns={column.name: column.profile for column in found.columns if column.profile is not None},
        measured=measures(columns),
        profile_evidence="e-profile",
        cells_evidence="e-cells",
    )
