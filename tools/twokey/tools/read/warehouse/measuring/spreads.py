"""How the numbers of a column lie, in at most ``CUTS`` steps.

Rules: only where nearly all cells are numbers; nothing is given of a column that looks personal by its name, by its
numbers (long ones that lie scattered, as those of people do) or by what some of its texts look like.
"""

from collections.abc import Iterable
from typing import Final

from twokey.tools.read.warehouse import patterns
from twokey.tools.read.warehouse.inspection.grid import Column
from twokey.tools.read.warehouse.measured import Spread
from twokey.tools.read.warehouse.profile import looks_personal, scattered
from twokey.tools.read.warehouse.values import ColumnProfile

CUTS: Final = 32
"""Steps between one number and the next: each holds about 3 % of the rows."""
ENOUGH: Final = 30
"""Numbers below which nothing is said."""
_NEARLY_ALL: Final = 0.95
_LONG: Final = 7
"""Digits from which a number may be that of a telephone or card."""
_LOOKED_AT: Final = 60
_EXACT: Final = 2**53
"""Whole numbers below this are exact as floating-point numbers."""


def spread(column: Column) -> Spread | None:
    """Describe the numbers of a column; ``None`` where it has too few, and where they may be personal."""
    if column.numeric < max(ENOUGH, _NEARLY_ALL * column.filled):
        return None
    known = [(number, code) for code, number in enumerate(column.numbers) if number is not None and column.counts[code]]
    if _may_be_personal(column, min(known)[0], max(known)[0]):
        return None
    known.sort()
    rows, before = column.numeric, 0
    merged: dict[float, int] = {}
    for number, code in known:
        before += column.counts[code]
        merged[number] = before
    whole = len(merged) <= CUTS
    kept = list(merged.items()) if whole else _evenly(merged.items(), rows)
    return Spread(
        column=column.name,
        rows=rows,
        whole=whole,
        upto=tuple(_as_text(number) for number, _ in kept),
        rows_upto=tuple(count for _, count in kept),
    )


def _evenly(merged: Iterable[tuple[float, int]], rows: int) -> list[tuple[float, int]]:
    """Keep the first number at or beyond each step."""
    kept: list[tuple[float, int]] = []
    step = 1
    for number, upto in merged:
        if upto * CUTS >= step * rows:
            kept.append((number, upto))
            step = upto * CUTS // rows + 1
    return kept


def _as_text(number: float) -> str:
    """Write a number in one way, however a database writes it."""
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else repr(number)


def _may_be_personal(column: Column, low: float, high: float) -> bool:
    if looks_personal(column.name, ColumnProfile(name=column.name, type="")):
        return True
    if low.is_integer() and high.is_integer() and scattered(int(low), int(high), column.distinct):
        return True
    if not column.is_text:
        return False
    step = max(1, column.distinct // _LOOKED_AT)
    long = [text for text in column.texts[::step] if sum(map(str.isdigit, text.partition(".")[0])) >= _LONG]
    found, _ = patterns.examine([(text, 1) for text in long]) if long else ({}, {})
    return any(found.get(name, 0) for name in ("phone", "card", "iban", "ip", "secret", "email"))
