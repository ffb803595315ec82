"""What identifies a row: declared keys first, else what the values and names show.

Rules: a column is called a key only where every row was looked at, or the database declares it; among several
candidates the name decides, and a unique column that is not named like a key is reported as unique, not as the key.
Fractions, dates, long texts and money are never keys, however unique.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from twokey.agents.catalog import names, types
from twokey.agents.catalog.facts import Column, Key, Table, Warehouse

_KEYABLE: Final = frozenset({"integer", "text", "uuid"})
_MAX_KEY_LENGTH: Final = 64
_FEW_ROWS: Final = 10
_ENOUGH: Final = 50
"""Confidence (percent) from which a column is called the key."""
MAX_COMBINATIONS: Final = 12


def primary_key(table: Table, others: Iterable[Table] = ()) -> Key | None:
    """Give the key of a table, or None where nothing can be said.

    ``others`` are the tables beside it: a column named after one of them is a reference before it is a key.
    """
    if table.primary_key:
        return Key(table.primary_key, declared=True, confidence=99)
    return _best(table, others, _is_unique)


def likely_key(table: Table, others: Iterable[Table] = ()) -> Key | None:
    """Give the column that its name and a sample speak for as the key of a table; its name alone, if there are no rows.

    It is to be counted before it is believed. ``others`` as for ``primary_key``.
    """
    return None if table.primary_key else _best(table, others, _may_be_unique)


def _best(table: Table, others: Iterable[Table], is_unique: Callable[[Column], bool]) -> Key | None:
    foreign = {names.entity(other.name) for other in others if other.key != table.key} - {names.entity(table.name)}
    ranked = sorted(
        (
            (_likely(table, column, foreign) if is_unique(column) else 0, -position, column)
            for position, column in enumerate(table.columns)
        ),
        key=lambda item: item[:2],
        reverse=True,
    )
    if not ranked or ranked[0][0] < _ENOUGH:
        return None
    score, _, column = ranked[0]
    return Key((column.name,), declared=False, confidence=score)


def of_all(warehouse: Warehouse, combined: Mapping[str, Key]) -> dict[str, Key]:
    """Give the key of every table that has one; ``combined`` are keys of several columns that were counted."""
    found = dict(combined)
    for table in warehouse.tables:
        key = primary_key(table, warehouse.tables)
        if key is not None:
            found[table.key] = key
    return found


def unique_columns(table: Table) -> tuple[str, ...]:
    """Give the columns in which no value occurs twice and none is missing, declared or counted over all rows."""
    declared = {names_[0] for names_ in (table.primary_key, *table.unique_sets) if len(names_) == 1}
    return tuple(column.name for column in table.columns if column.name in declared or _is_unique(column))


def referable(table: Table, key: Key | None) -> tuple[str, ...]:
    """Give the single columns that other tables may refer to: the key, and unique columns that are named like one."""
    found = list(key.columns) if key is not None and len(key.columns) == 1 else []
    own = names.entity(table.name)
    for name in unique_columns(table):
        column = table.by_name[name]
        if (
            name not in found
            and types.meaning(column) in _KEYABLE
            and (_is_named_like_key(name) or names.stem(name) == own)
        ):
            found.append(name)
    return tuple(found)


def combinations_to_try(table: Table, references: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Give the pairs and triples of columns that may identify a row of a table without a key.

    ``references`` are the columns that refer elsewhere. Only they, dates and columns named like keys are combined.
    """
    likely = [
        column.name
        for column in table.columns
        if (profile := column.profile) is not None
        and profile.nulls == profile.blanks == 0
        and profile.distinct > 1
        and (
            column.name in references
            or _is_named_like_key(column.name)
            or types.meaning(column) in {"date", "timestamp"}
        )
    ]
    if not set(likely) & set(references) or len(likely) > 6:
        return ()
    pairs = [*combinations(likely, 2), *combinations(likely, 3)]
    return tuple(pairs[:MAX_COMBINATIONS])


def _likely(table: Table, column: Column, foreign: set[tuple[str, ...]]) -> int:
    """Say how sure (percent) it is that a column is the key, by itself."""
    profile = column.profile
    if types.meaning(column) not in _KEYABLE or (profile is not None and profile.longest > _MAX_KEY_LENGTH):
        return 0
    own, stem = names.entity(table.name), names.stem(column.name)
    if not _is_named_like_key(column.name) and stem != own:
        return 0
    if not stem or stem == own or stem == own[-1:]:
        score = 92
    elif stem in foreign:
        score = 60
    else:
        score = 75
    first = column.name == table.columns[0].name
    return score + (3 if first else -5) - (25 if profile is None or profile.rows < _FEW_ROWS else 0)


def _is_unique(column: Column) -> bool:
    profile = column.profile
    return profile is not None and profile.complete and profile.unique and profile.nulls == profile.blanks == 0


def _may_be_unique(column: Column) -> bool:
    """Tell whether a sample shows no value twice and none missing, or there is no row to look at."""
    profile = column.profile
    if profile is None or profile.rows == 0:
        return profile is not None
    return not profile.complete and profile.unique and profile.nulls == profile.blanks == 0


def _is_named_like_key(name: str) -> bool:
    found = names.words(name)
    return bool(found) and found[-1] in names.KEY_WORDS
