"""What values show where the name says nothing, weighed with the values of the columns beside them.

Rules
- Codes of ISO lists (currencies, countries) and of states count alone where nearly all values are of one list and
  enough differ: a column of other short codes does not fall into one by chance.
- What looks like other things too counts only beside what belongs to it: surnames beside given names, names of places
  beside states or streets, ``M`` and ``F`` in a table that holds people. Five digits beside an address, and numbers
  that are dialled, count only where the column has no name at all.
- What is personal by this alone is in doubt, so that a person looks.
"""

from collections.abc import Callable, Mapping
from typing import Final

from twokey.agents.catalog import names
from twokey.agents.catalog.facts import Column, Profile, Table
from twokey.agents.catalog.judgement import MOST, PERSONAL, Judgement, Level
from twokey.agents.catalog.named import kind_of
from twokey.agents.catalog.vocabulary import Kind

_NEARLY_ALL: Final = 0.95
_MANY: Final = 8
"""Different codes that do not belong to one list by chance."""


def by_neighbours(table: Table, column: Column, *, people: bool) -> Judgement | None:
    """Judge a column by its values and those beside it; None where they show nothing."""
    profile = column.profile
    if profile is None or profile.looked == 0:
        return None
    for kind, words, test in _TESTS:
        if test(table, column, profile) or (kind == "gender" and people and _are_gender_letters(profile)):
            personal = kind in PERSONAL
            level: Level = "pii" if personal else _LEVELS.get(kind, "operational")
            return Judgement(level, kind, 75, (words,), doubt=personal)
    return None


_LEVELS: Final[Mapping[Kind, Level]] = {"currency": "public"}


def _are_currencies(_table: Table, _column: Column, profile: Profile) -> bool:
    return profile.share("currency") >= _NEARLY_ALL and profile.distinct >= 3


def _are_states(_table: Table, _column: Column, profile: Profile) -> bool:
    return (
        profile.signal("state_code") >= _NEARLY_ALL
        and profile.share("country") < _NEARLY_ALL
        and profile.distinct >= _MANY
    )


def _are_countries(_table: Table, _column: Column, profile: Profile) -> bool:
    return (
        profile.signal("country_code") >= _NEARLY_ALL
        and profile.distinct >= _MANY
        and (profile.longest == 3 or profile.share("country") >= _NEARLY_ALL)
        and profile.shapes[:1] != ()
        and all(shape.isupper() for shape, _ in profile.shapes)
    )


def _are_surnames(table: Table, column: Column, profile: Profile) -> bool:
    surname = profile.signal("surname")
    return (
        profile.distinct >= _MANY
        and profile.signal("one_word", "words") >= 0.9
        and surname >= 0.6
        and surname > max(profile.signal("city"), profile.signal("state"))
        and any(_holds(other, "given_name", 0.6) for other in table.columns if other is not column)
    )


def _are_postal_codes(table: Table, column: Column, profile: Profile) -> bool:
    return (
        _is_unnamed(column)
        and profile.share("postal") >= _NEARLY_ALL
        and profile.longest in {5, 10}
        and profile.distinct >= _MANY
        and any(_is_of_an_address(other) for other in _next_to(table, column))
    )


def _is_unnamed(column: Column) -> bool:
    """Whether the name is one that programs give where there is none."""
    return all(word.isdigit() or len(word) <= 2 or word in _NO_NAMES for word in names.words(column.name))


_NO_NAMES: Final = frozenset(
    {"col", "column", "var", "field", "unnamed", "attr", "attribute", "value", "columna", "campo"}
)


def _are_phones(_table: Table, column: Column, profile: Profile) -> bool:
    return _is_unnamed(column) and profile.share("phone") >= _MOST_PHONES and profile.signal("phone_number") >= MOST


_MOST_PHONES: Final = 0.8


def _are_cities(table: Table, column: Column, profile: Profile) -> bool:
    return (
        profile.distinct >= _MANY
        and profile.signal("one_word", "words") >= 0.9
        and profile.signal("city") >= max(0.15, profile.signal("given_name"), profile.signal("full_name"))
        and any(_is_of_an_address(other) for other in _next_to(table, column))
    )


def _are_gender_letters(profile: Profile) -> bool:
    return profile.longest == 1 and 2 <= profile.distinct <= 4 and profile.signal("gender") >= 0.9


def _are_genders(table: Table, column: Column, profile: Profile) -> bool:
    return _are_gender_letters(profile) and any(
        _holds(other, "given_name", 0.6) or _holds(other, "full_name", 0.5)
        for other in table.columns
        if other is not column
    )


def _next_to(table: Table, column: Column) -> tuple[Column, ...]:
    """Give the two columns on either side."""
    index = next(index for index, other in enumerate(table.columns) if other is column)
    return tuple(other for other in table.columns[max(0, index - 2) : index + 3] if other is not column)


def _is_of_an_address(column: Column) -> bool:
    profile = column.profile
    if profile is None or profile.looked == 0:
        return False
    return kind_of(column.name) in {"street_address", "city", "state"} or (
        profile.signal("street") >= 0.5 or (profile.signal("state_code") >= _NEARLY_ALL and profile.distinct >= _MANY)
    )


def _holds(column: Column, signal: str, least: float) -> bool:
    return column.profile is not None and column.profile.signal(signal) >= least


_TESTS: Final[tuple[tuple[Kind, str, Callable[[Table, Column, Profile], bool]], ...]] = (
    ("currency", "nearly all values are codes of currencies", _are_currencies),
    ("state", "nearly all values are codes of states", _are_states),
    ("country", "nearly all values are codes of countries", _are_countries),
    ("person_name", "most values are known surnames, beside given names", _are_surnames),
    ("phone", "most values are telephone numbers that some country gives out", _are_phones),
    ("postal_code", "the values have the form of postal codes, beside other parts of addresses", _are_postal_codes),
    ("city", "some values are large cities, beside other parts of addresses", _are_cities),
    ("gender", "the values are letters for gender, beside names of people", _are_genders),
)
"""What is looked for: kind, what a reader is told, test. The first that holds wins."""
