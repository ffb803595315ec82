"""Everything that is measured of the rows of one table.

Rules: a function of the rows and of the moment it is asked at; nothing here calls anything wrong, and nothing that is
given holds a value of a column that may be personal.
"""

from datetime import date, timedelta
from typing import Final, Literal

from twokey.tools.read.warehouse.inspection.grid import Grid
from twokey.tools.read.warehouse.inspection.times import Dates, dates_of
from twokey.tools.read.warehouse.measured import Measured
from twokey.tools.read.warehouse.measuring import arrivals, orders, outcomes, spreads

MAX_SPREADS: Final = 300
"""Columns of one table whose numbers are described."""


def measured(grid: Grid, now_us: int, sampling: Literal["all", "spread", "first"]) -> Measured:
    """Measure the rows of a table; of ``first`` rows nothing is said that depends on the newest ones."""
    dated: list[Dates] = [found for column in grid.columns if (found := dates_of(column)) is not None]
    dates = {found.column.index for found in dated}
    numbers = [column for column in grid.columns if column.index not in dates]
    described = [found for column in numbers if (found := spreads.spread(column)) is not None]
    return Measured(
        spreads=tuple(described[:MAX_SPREADS]),
        arrivals=() if sampling == "first" else tuple(arrivals.find(dated, now_us)),
        orders=tuple(orders.find(dated)),
        outcomes=tuple(outcomes.find(grid, dated)),
    )


def late_from(found: Measured, today: date) -> date | None:
    """Give the first later day on which rows that are on time today are late, if none came; ``None`` where none are."""
    left = [
        (each.warn_after - each.age) // (24 if each.unit == "hour" else 1)
        for each in found.arrivals
        if each.age <= each.warn_after
    ]
    return today + timedelta(days=min(left) + 1) if left else None
