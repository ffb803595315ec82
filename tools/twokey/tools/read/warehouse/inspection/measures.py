"""Units of measure as people write them, and how one becomes another; by pint.

Rules: a word counts as a unit only where it names a quantity of daily work (mass, length, time, volume, area, speed,
temperature, energy, power, data) in full or by a usual abbreviation; physicists' symbols (``pm`` for picometer) do not.
Factors are decimal text of at most 12 digits. The registry takes most of a second to load, so that is done when a
column first shows numbers with such words behind them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_SAID: Final = {
    "g": "gram",
    "m": "meter",
    "l": "liter",
    "s": "second",
    "h": "hour",
    "d": "day",
    "t": "metric_ton",
    "kgs": "kilogram",
    '"': "inch",
    "''": "inch",
    "'": "foot",
    "fl oz": "fluid_ounce",
    "fl. oz": "fluid_ounce",
    "mo": "month",
    "mos": "month",
    "wk": "week",
    "wks": "week",
    "kmh": "kilometer / hour",
    "km/h": "kilometer / hour",
    "sqft": "foot ** 2",
    "sq ft": "foot ** 2",
    "sqm": "meter ** 2",
    "m2": "meter ** 2",
    "°c": "degree_Celsius",
    "°f": "degree_Fahrenheit",
    "kb": "kilobyte",
    "mb": "megabyte",
    "gb": "gigabyte",
    "tb": "terabyte",
    "kw": "kilowatt",
    "kwh": "kilowatt_hour",
    "kj": "kilojoule",
}
"""What pint reads otherwise, or not at all."""
_PREFIXES: Final = frozenset({"", "kilo", "centi", "milli", "deci", "mega", "giga", "tera"})
_CURRENCIES: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "euro": "EUR", "euros": "EUR"} | {
    code.lower(): code for code in ("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "INR", "CNY")
}
_BASES: Final = (
    *("gram", "meter", "second", "liter", "meter ** 2", "meter / second", "degree_Celsius", "joule", "watt", "byte"),
)
_NO_UNIT: Final = frozenset(
    {"point", "points", "count", "counts", "degree", "degrees", "turn", "dozen", "ppm", "page", "nd", "rd", "st", "th"}
)
_MOST_LETTERS: Final = 20
_SHARES: Final = frozenset({"%", "pct", "percent", "per cent"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit by the name pint gives it (a currency by its ISO 4217 code), and the base unit of its kind."""

    name: str
    base: str


@cache
def unit_of(text: str) -> Unit | None:
    """Give the unit that a text names; ``None`` where it names none."""
    word = " ".join(text.casefold().split()).rstrip(".").strip()
    if not word or len(word) > _MOST_LETTERS:
        return None
    if word in _SHARES:
        return Unit("percent", "percent")
    if word in _CURRENCIES:
        return Unit(_CURRENCIES[word], "currency")
    if word not in _SAID and (len(word) < 2 or not word.isalpha() or word in _NO_UNIT):
        return None
    return _of_pint(_SAID.get(word, word), plain=word in _SAID)


def factor(given: Unit, wanted: Unit) -> str:
    """Give what a number in ``given`` is multiplied by to be one in ``wanted``; empty where no number does that."""
    if given == wanted:
        return "1"
    if given.base != wanted.base or given.base in {"currency", "percent", "degree_Celsius"}:
        return ""
    text = f"{_registry().Quantity(1, given.name).to(wanted.name).magnitude:.12g}"
    return text if "e" not in text else f"{float(text):.20f}".rstrip("0")


def base_of(unit: Unit) -> Unit | None:
    """Give the plainest unit of the same kind of quantity."""
    return Unit(unit.base, unit.base) if unit.base in _BASES else None


def _of_pint(word: str, *, plain: bool) -> Unit | None:
    import pint  # noqa: PLC0415 - most of a second, only where a column may hold units

    registry = _registry()
    if not plain and not any(prefix in _PREFIXES for prefix, _, _ in registry.parse_unit_name(word)):
        return None
    try:
        parsed = registry.parse_units(word)
    except (pint.PintError, ValueError, TypeError, AttributeError):
        return None
    base = next((base for base in _BASES if parsed.is_compatible_with(base)), None)
    is_plain_number = parsed.dimensionless and "byte" not in str(parsed) and "bit" not in str(parsed)
    return None if base is None or is_plain_number else Unit(str(parsed), base)


@cache
def _registry() -> Any:
    import pint  # noqa: PLC0415 - as above

    return pint.UnitRegistry()
