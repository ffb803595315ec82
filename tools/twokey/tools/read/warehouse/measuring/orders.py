"""Which dates of a table are never later than others of the same row.

Rules: only where no row that was looked at says otherwise, many rows hold both, and the names say that one comes
after the other; that dates happen to lie so is no rule.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from twokey.tools.read.warehouse.inspection.grid import BLANK
from twokey.tools.read.warehouse.inspection.times import Dates
from twokey.tools.read.warehouse.measured import Order

ENOUGH: Final = 100
_MOST: Final = 15
_FIRST: Final = frozenset(
    """
    start started starts begin began begins created opened issued ordered placed signup hired from valid_from requested
    submitted departure
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_LAST: Final = frozenset(
    """
    end ended ends finish finished finishes closed due until expires expired cancelled canceled terminated resolved
    completed delivered shipped arrival to
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def find(dated: Sequence[Dates]) -> Iterator[Order]:
    """Give each pair of columns that has an order."""
    for first in dated[:_MOST]:
        if first.column.words.isdisjoint(_FIRST) or not first.column.words.isdisjoint(_LAST):
            continue
        for second in dated[:_MOST]:
            if second is first or second.column.words.isdisjoint(_LAST):
                continue
            rows = _rows(first, second)
            if rows >= ENOUGH:
                yield Order(column=first.column.name, later=second.column.name, rows=rows)


def _rows(first: Dates, second: Dates) -> int:
    """Count the rows that hold both; 0 where one of them contradicts, or holds no day that a calendar has."""
    rows = 0
    for one, two in zip(first.column.codes, second.column.codes, strict=True):
        if BLANK in {one, two}:
            continue
        before, after = first.days.get(one), second.days.get(two)
        if before is None or after is None or before > after:
            return 0
        rows += 1
    return rows
