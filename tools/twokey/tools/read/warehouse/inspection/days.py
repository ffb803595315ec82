"""Reads the texts of a column as days.

Rules: a column is one of dates where nearly all cells are ISO dates, with or without a time, or dates with ``/``, ``.``
or ``-`` in one order of day and month, whichever makes more of them possible. A day that no calendar has is ``None``.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

ENOUGH: Final = 30
NEARLY_ALL: Final = 0.9
_ISO: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].{1,40})?", re.DOTALL)
_LOCAL: Final = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})(?:[T ].{1,40})?", re.DOTALL)
_WHOLE: Final = 10
"""Characters of a day with all of its zeros."""
_TIME: Final = ("T", " ")
_LENGTHS: Final = range(_WHOLE + 2, _WHOLE + 42)
"""Characters of a day with a time behind it."""
_STARTS: Final = ("9-9-9", "9/9/9", "9.9.9")


def days_of(
    texts: Sequence[str], counts: Sequence[int], cells_of_forms: Mapping[str, int]
) -> Mapping[int, int | None] | None:
    """Give the day number of each text that is a date, by its index; ``None`` for a column of other things."""
    filled = sum(counts)
    likely = sum(cells for form, cells in cells_of_forms.items() if form.startswith(_STARTS))
    if likely < NEARLY_ALL * filled:
        return None
    days: dict[int, int | None] = {}
    local: dict[int, tuple[int, int, int]] = {}
    for code, text in enumerate(texts):
        day = _plain_day(text)
        if day is not None:
            days[code] = day
            continue
        iso = _ISO.fullmatch(text)
        if iso is not None:
            days[code] = _iso_day(text) if iso.end(3) == _WHOLE else _day(int(iso[1]), int(iso[2]), int(iso[3]))
            continue
        other = _LOCAL.fullmatch(text)
        if other is not None:
            local[code] = (int(other[1]), int(other[3]), int(other[4]))
    if local:
        days |= {code: _day(*part) for code, part in _in_order(counts, local).items()}
    return None if sum(counts[code] for code in days) < NEARLY_ALL * filled else days


def _in_order(counts: Sequence[int], local: Mapping[int, tuple[int, int, int]]) -> dict[int, tuple[int, int, int]]:
    """Read day and month in the order that makes more of the dates possible."""
    day_first = sum(counts[code] for code, (_, second, _) in local.items() if second <= 12)
    month_first = sum(counts[code] for code, (first, _, _) in local.items() if first <= 12)
    if day_first > month_first:
        return {code: (year, second, first) for code, (first, second, year) in local.items()}
    return {code: (year, first, second) for code, (first, second, year) in local.items()}


def _plain_day(text: str) -> int | None:
    """Read ``YYYY-MM-DD``, with or without a time, as most dates are; ``None`` for what has to be looked at closely."""
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    if len(text) != _WHOLE and (text[_WHOLE : _WHOLE + 1] not in _TIME or len(text) not in _LENGTHS):
        return None
    try:
        return date.fromisoformat(text[:_WHOLE]).toordinal()
    except ValueError:
        return None


def _iso_day(text: str) -> int | None:
    """Read the first ten characters, which are two digits each but for the year of four."""
    try:
        return date.fromisoformat(text[:_WHOLE].replace("/", "-")).toordinal()
    except ValueError:
        return None


def _day(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None
