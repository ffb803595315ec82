"""Which further checks a table is worth: values that are never missing, unique, in range, in order, on time; and units.

Rules
- A check is proposed where the data hold it without exception today *and* there is a reason why they will tomorrow:
  what a column means. That no row lacks a note so far is none; that each invoice belongs to a subscription is one.
- What is counted on a sample is not proposed as true of the table. Below ``ENOUGH`` rows nothing is.
- A check that the project cannot run is not written (``packages``), and freshness only where the rhythm of arrivals
  supports it and today's rows are on time.
- A unit is told by the name of a column of numbers, or by values that all carry the same one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog import inert, keys, names, types
from twokey.agents.catalog.facts import Column, Profile, Table
from twokey.agents.catalog.phrases import TIMES, UNITS, is_deed, place
from twokey.agents.catalog.understanding import About, Understanding
from twokey.tools.read.warehouse import Arrivals, Inspected, Order

ENOUGH: Final = 100
_MANY: Final = 1_000
"""Rows from which a lowest number says where numbers end, if the name does too."""
_LATER: Final = frozenset(
    """
    ended finished closed paid cancelled canceled deleted resolved delivered shipped expired completed refunded returned
    approved rejected archived churned verified confirmed activated deactivated terminated removed left due end until
    last next first birth birthday dob
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""What a row may still wait for, or may never have."""
_COUNTED: Final = frozenset(
    """
    count counts number total quantity qty seats logins errors rows size views clicks visits orders sessions retries
    attempts invoices contacts tickets items users calls events messages downloads uploads stock
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_CHANCES: Final = frozenset({"prob", "proba", "probability", "likelihood", "propensity", "score", "p"})
_OPEN: Final = frozenset(
    {"delta", "diff", "difference", "change", "balance", "net", "growth", "offset", "min", "adjustment"}
)
UNIT_NAMES: Final = {
    "cents": "cent",
    "bytes": "byte",
    "kilobytes": "kilobyte",
    "megabytes": "megabyte",
    "gigabytes": "gigabyte",
    "terabytes": "terabyte",
    "milliseconds": "millisecond",
    "microseconds": "microsecond",
    "seconds": "second",
    "minutes": "minute",
    "hours": "hour",
    "days": "day",
    "weeks": "week",
    "months": "month",
    "years": "year",
    "kilograms": "kilogram",
    "kilometres": "kilometer",
    "centimetres": "centimeter",
    "millimetres": "millimeter",
    "miles": "mile",
    "percent": "percent",
    "US dollars": "USD",
    "euros": "EUR",
    "pounds sterling": "GBP",
    "kilowatt-hours": "kilowatt_hour",
    "degrees Celsius": "degree_Celsius",
}
"""Units as pint names them, and currencies by their ISO 4217 codes."""
_SIGNED: Final = frozenset({"cents", "US dollars", "euros", "pounds sterling", "degrees Celsius", "percent"})
_UNSURE: Final = frozenset({"us", "sec", "mm"})
"""Words that mean other things too."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check or unit. ``cells``: it rests on what the rows measure, not on the profile."""

    column: str | None
    kind: str
    claim: str
    confidence: int
    cells: bool = False


def checks(understanding: Understanding, table: Table) -> Iterator[Check]:
    """Give what a table is worth beyond keys, relationships and lists of values."""
    key = understanding.keys.get(table.key)
    alone = key.columns[0] if key is not None and len(key.columns) == 1 else None
    found = understanding.inspections.get(table.key)
    unique = keys.unique_columns(table)
    for about in understanding.of(table):
        column = about.column
        if not inert.speakable(column.name):
            continue
        if key is None or column.name not in key.columns:
            yield from _never_null(understanding, table, about)
        if column.name != alone and column.name in unique and about.join is None:
            yield from _unique(table, column, about)
        yield from _range(table, about)
        yield from _unit(table, about, found)
    if found is not None and found.sampling == "all":
        for order in found.measured.orders:
            yield from _order(table, order)
    arrivals = on_time(table, found)
    if arrivals is not None:
        yield _fresh(table, arrivals)


# --- missing values and repetition ---------------------------------------------------------------------------------


def _never_null(understanding: Understanding, table: Table, about: About) -> Iterator[Check]:
    profile = about.column.profile
    if profile is None or not profile.complete or profile.rows < ENOUGH or profile.nulls or profile.blanks:
        return
    if about.nothing or (about.accepted is not None and not about.accepted.holds):
        return
    why = _why_filled(understanding, about)
    if why is not None:
        name = place(table, about.column.name)
        declared = "" if about.column.nullable else "the table declares it, "
        claim = f"{name} is never missing: {declared}{why}, and none of {profile.rows:,} rows lacks it."
        yield Check(about.column.name, "never_null", claim, 80 if about.column.nullable else 92)


def _why_filled(understanding: Understanding, about: About) -> str | None:
    """Say why a value will not be missing tomorrow either; None where nothing says so."""
    column, kind = about.column, about.judgement.kind
    words = set(names.words(column.name))
    if about.join is not None:
        parent = understanding.warehouse.by_key[about.join.parent]
        return f"each row belongs to one of {inert.prose(parent.name, 80)}"
    if kind == "moment" and not words & _LATER:
        return "it says when something happened"
    if about.accepted is not None:
        return "it is always one of a few known values"
    if types.meaning(column) not in {"integer", "decimal"}:
        return None
    if words & _CHANCES and kind == "measure":
        return "each row is scored"
    if kind == "measure" and (words & _COUNTED or _measuring_unit(column) is not None):
        return "what is counted or measured is 0 where there is none"
    return "it is a sum that each row has" if kind == "amount" and not column.nullable else None


def _unique(table: Table, column: Column, about: About) -> Iterator[Check]:
    profile = column.profile
    declared = (column.name,) in table.unique_sets
    counted = profile is not None and profile.unique and profile.complete and profile.rows >= ENOUGH
    if not declared and not (counted and about.judgement.kind == "key"):
        return
    name = place(table, column.name)
    why = (
        "it is declared so" if declared else f"its name is one of a key, and no two of {_filled(profile):,} rows agree"
    )
    yield Check(column.name, "unique_values", f"{name} never holds a value twice: {why}.", 95 if declared else 75)


def _filled(profile: Profile | None) -> int:
    return 0 if profile is None else profile.rows - profile.nulls


# --- numbers -------------------------------------------------------------------------------------------------------


def _range(table: Table, about: About) -> Iterator[Check]:
    bounds = bounds_of(about)
    if bounds is None:
        return
    name, profile = place(table, about.column.name), about.column.profile
    if bounds == (0, 1):
        claim = f"{name} holds numbers from 0 to 1, as its name says: a probability or score."
    else:
        least = "" if profile is None else f", and the least number is {inert.prose(_plain(profile.lowest or ''))}"
        claim = f"{name} is never negative: its name says that it counts or measures{least}."
    yield Check(about.column.name, "range", claim, 85)


def _plain(number: str) -> str:
    """Write a whole number in one way, whatever the database writes."""
    return number.removesuffix(".0")


def bounds_of(about: About) -> tuple[int, int | None] | None:
    """Give the least and the greatest number that a column can hold by what it means; None where that is open."""
    column, profile = about.column, about.column.profile
    if profile is None or about.join is not None or about.judgement.kind in {"key", "flag", "moment", "coordinate"}:
        return None
    if types.meaning(column) not in {"integer", "decimal"} or profile.lowest is None or profile.highest is None:
        return None
    low, high = _number(profile.lowest), _number(profile.highest)
    words = set(names.words(column.name))
    if low is None or high is None or low < 0 or profile.rows < ENOUGH or words & _OPEN:
        return None
    if not (profile.complete or profile.rows >= _MANY) or about.accepted is not None:
        return None
    if words & _CHANCES:
        return (0, 1) if high <= 1 and profile.distinct > 20 else None
    return (0, None) if words & _COUNTED or _measuring_unit(column) is not None else None


def _measuring_unit(column: Column) -> str | None:
    """Give the unit of a quantity that is never negative; money and degrees may be."""
    unit = _unit_word(column)
    return None if unit is None or UNITS[unit] in _SIGNED else UNITS[unit]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _unit_word(column: Column) -> str | None:
    found = [word for word in names.words(column.name) if word in UNITS and word not in _UNSURE]
    return found[-1] if len(found) == 1 else None


def _unit(table: Table, about: About, found: Inspected | None) -> Iterator[Check]:
    unit = unit_of(about, found)
    if unit is None:
        return
    name, by_values = place(table, about.column.name), _by_values(about.column, found)
    why = "all values carry it" if by_values is not None else "its name says so"
    claim = f"The unit of {name} is {unit.replace('_', ' ')}: {why}."
    yield Check(about.column.name, "unit", claim, 90, cells=by_values is not None)


def unit_of(about: About, found: Inspected | None) -> str | None:
    """Give the unit of a column, as pint names it or as ISO 4217 does; None where none is told."""
    column = about.column
    if about.join is not None or about.judgement.kind in {"key", "flag", "moment"}:
        return None
    by_values = _by_values(column, found)
    if by_values is not None:
        return by_values
    word = _unit_word(column)
    if word is None or types.meaning(column) not in {"integer", "decimal"}:
        return None
    before = names.words(column.name)[:-1]
    if UNITS[word] in TIMES and any(is_deed(each) for each in before):
        return None  # ``paid_days`` may count days or say on which
    return UNIT_NAMES.get(UNITS[word])


def _by_values(column: Column, found: Inspected | None) -> str | None:
    """Give the unit that all values carry, where they differ in its spelling only."""
    for problem in found.problems if found is not None and found.sampling == "all" else ():
        if problem.code == "unit_mismatch" and problem.columns == (column.name,) and problem.detail == "spellings":
            given = {item.given for item in problem.conversions if item.cells}
            wanted = {item.wanted for item in problem.conversions if item.cells}
            if given == wanted and len(wanted) == 1:
                return next(iter(wanted)) or None
    return None


# --- dates ---------------------------------------------------------------------------------------------------------


def _order(table: Table, order: Order) -> Iterator[Check]:
    if not (inert.speakable(order.column) and inert.speakable(order.later)):
        return
    first, second = place(table, order.column), inert.prose(order.later, 80)
    claim = f"{first} is never later than {second}: so it is in all {order.rows:,} rows that hold both."
    yield Check(order.column, "date_order", claim, 82, cells=True)


def order_of(found: Inspected | None, column: str) -> Order | None:
    """Give the order that a column of dates has with another one."""
    orders = found.measured.orders if found is not None and found.sampling == "all" else ()
    return next((order for order in orders if order.column == column), None)


def on_time(table: Table, found: Inspected | None) -> Arrivals | None:
    """Give the arrivals that freshness can be told by: of the first column that has them, where rows are on time."""
    for arrivals in found.measured.arrivals if found is not None else ():
        column = table.by_name.get(arrivals.column)
        if column is None or not inert.speakable(column.name) or column.family not in {"timestamp", "date"}:
            continue
        regular = arrivals.gap_longest <= 4 * max(1, arrivals.gap_long)
        if regular and arrivals.age <= arrivals.warn_after:
            return arrivals
    return None


def _fresh(table: Table, arrivals: Arrivals) -> Check:
    unit, name = arrivals.unit, place(table, arrivals.column)
    claim = (
        f"Rows of {inert.prose(table.name)} arrive regularly by {name}: of the gaps between {arrivals.times:,} "
        f"{unit}s with rows the longest is {_units(arrivals.gap_longest, unit)}. It is late after "
        f"{_units(arrivals.warn_after, unit)} without a row, and something is wrong after "
        f"{_units(arrivals.error_after, unit)}."
    )
    return Check(None, "freshness", claim, 80, cells=True)


def _units(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
