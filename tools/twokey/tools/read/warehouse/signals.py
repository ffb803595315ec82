"""Counts how many values of a column are recognised as what (``recognise``), without keeping one of them.

Rules
- At most ``MOST_VALUES`` different values are looked at, evenly chosen from those that are compared with the patterns;
  each counts with its rows. Numbers with check digits and telephone numbers are looked at in fewer still, and count
  with the share that was looked at.
- Schemes that random numbers pass now and then count only where nearly all values pass the same one.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from twokey.tools.read.warehouse import official_numbers, patterns, recognise
from twokey.tools.read.warehouse.signal_names import SignalName

Item = TypeVar("Item")

MOST_VALUES: Final = 150
_MOST_NUMBERS: Final = 20
_NEARLY_ALL: Final = 0.95
_SOME: Final = 0.5
_LEAST_NUMBERS: Final = 8
_GIVE_UP_AFTER: Final = 5
_EXTENSION: Final = re.compile(r" {0,3}(?:ext|extension|anexo|poste|int|x)[.: ]{0,3}[0-9]{1,6}$", re.IGNORECASE)


def count(groups: Sequence[tuple[str, int]]) -> tuple[int, Mapping[SignalName, int]]:
    """Give the rows that were looked at, and the rows of each signal, for different texts with their rows."""
    chosen = evenly(groups)
    looked = sum(rows for _, rows in chosen)
    found: Counter[SignalName] = Counter()
    figures: list[str] = []
    for text, rows in chosen:
        named = recognise.signals(text)
        for name in named:
            found[name] += rows
        if not named or named == ("digits",):
            figures.append(text)
    if looked:
        _count_numbers(figures, len(chosen), looked, found)
        _count_phones(chosen, looked, found)
    return looked, {name: rows for name, rows in found.items() if rows}


def of_range(minimum: str | None, maximum: str | None, rows: int) -> Mapping[SignalName, int]:
    """Give what a column of numbers may be by its range alone: degrees, ages or years."""
    if minimum is None or maximum is None:
        return {}
    try:
        low, high = float(minimum), float(maximum)
    except ValueError:
        return {}
    whole = "." not in minimum + maximum
    found: dict[SignalName, bool] = {
        "latitude": not whole and -90 <= low <= high <= 90,
        "longitude": not whole and -180 <= low <= high <= 180,
        "age": whole and 0 <= low <= high <= 120,
        "year": whole and 1800 <= low <= high <= 2100,
    }
    return {name: rows for name, fits in found.items() if fits}


def evenly(items: Sequence[Item], most: int = MOST_VALUES) -> Sequence[Item]:
    """Choose so many items that lie evenly apart."""
    if len(items) <= most:
        return items
    step = len(items) / most
    return [items[int(index * step)] for index in range(most)]


def _count_numbers(figures: Sequence[str], values: int, looked: int, found: Counter[SignalName]) -> None:
    """Add what numbers with check digits show."""
    if len(figures) < max(_LEAST_NUMBERS, values * _SOME):
        return
    step = max(1, len(figures) // _MOST_NUMBERS)
    tried = figures[::step][:_MOST_NUMBERS]
    passed: Counter[str] = Counter()
    schemes: Sequence[str] = official_numbers.SCHEMES
    for number, text in enumerate(tried, 1):
        passed.update(official_numbers.numbers(text, schemes))
        # a scheme that fell behind is not asked again: most columns are done after a few values
        schemes = [scheme for scheme in schemes if passed[scheme] >= number * _needed(scheme) - 1]
        if not schemes:
            return
    for scheme in schemes:
        share = passed[scheme] / len(tried)
        if share >= _needed(scheme):
            name = official_numbers.kind_of_number(scheme)
            found[name] = max(found[name], round(looked * share * len(figures) / values))


def _needed(scheme: str) -> float:
    return _NEARLY_ALL if official_numbers.chance(scheme) else _SOME


def _count_phones(groups: Sequence[tuple[str, int]], looked: int, found: Counter[SignalName]) -> None:
    """Add how many are telephone numbers that some country gives out."""
    likely = [
        (text.strip(), rows)
        for text, rows in groups
        if 7 <= len(text) <= 40 and 7 <= patterns.mask(text).count("9") <= 15
    ]
    if len(likely) * 2 < len(groups) or found["coordinate_pair"] or found["latitude"]:
        return
    step = max(1, len(likely) // _MOST_NUMBERS)
    tried = likely[::step][:_MOST_NUMBERS]
    passed = 0
    for number, (text, rows) in enumerate(tried, 1):
        passed += rows if _is_phone(text) else 0
        if number == _GIVE_UP_AFTER and not passed:
            return
    share = passed / sum(rows for _, rows in tried)
    found["phone_number"] = min(looked, round(share * sum(rows for _, rows in likely)))


def _is_phone(text: str) -> bool:
    bare = _EXTENSION.sub("", text)
    return (bare.isdigit() or patterns.is_phone(bare)) and official_numbers.is_phone_number(text)
