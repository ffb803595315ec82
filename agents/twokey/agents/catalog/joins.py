"""Which columns refer to which: declared references, and those that names, types and values together show.

Rules
- Names propose, values decide: a proposal whose values are not found in the other table is dropped, however well it
  is named; values alone propose nothing, because small integers occur everywhere.
- One column refers to one place. A column of the key it would refer to, or of another family of types, does not count.
- Where there are no values (an empty table, a column of NULLs) only a name that leaves no doubt is believed, and the
  reasons say that nothing could be counted.
- Pure: ``proposals`` says what to count, somebody counts (op ``keys``), ``settle`` decides.
- What a column refers to is where that leads in the end: not a table that only extends another one, or copies it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from twokey.agents.catalog.facts import Join, Key, Table, Warehouse
from twokey.agents.catalog.proposals import WITHOUT_VALUES, by_place, candidates

BELIEVED: Final = 60
"""Confidence (percent) from which a relationship is claimed."""
TOLERATED: Final = 0.9
"""Share of different values that must be found in the other table. What is missing is reported as orphans."""
SURE: Final = 85
"""Likeness (percent) from which a name leaves no doubt."""
TOLERATED_BY_NAME: Final = 0.8
"""Share of different values, and of rows, that must be found where the name leaves no doubt."""
ROOT_TOLERANCE: Final = 15
"""Likeness (percent) by which the table that another one extends may be behind it, and still be what is meant."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for one proposal. Distinct values, and rows."""

    filled: int
    """Child rows that hold a value."""
    distinct: int
    present: int
    """Different child values that are found in the parent."""
    orphan_rows: int
    parent_rows: int
    parent_distinct: int
    parent_filled: int = 0
    """Parent rows that hold a value."""
    looked: int | None = None
    """Different child values that were looked for, where there were too many for all; the rest is estimated."""
    orphans_most: int = 0
    """Different child values that the parent lacks, at most; exact where all were looked for."""
    orphan_rows_about: int = 0
    """Such rows in the whole table, estimated where not all were looked for."""
    orphan_shapes: tuple[str, ...] = ()
    """Masked forms of such values."""
    parent_sure: bool = True
    """Whether all parent values were compared, so that one that occurs twice cannot have been missed."""


def declared(warehouse: Warehouse) -> tuple[Join, ...]:
    """Give the references that the database declares, those to tables in view."""
    return tuple(
        Join(
            child=table.key,
            columns=key.columns,
            parent=key.table,
            targets=key.targets,
            declared=True,
            confidence=99,
            reasons=("declared in the database",),
        )
        for table in warehouse.tables
        for key in table.foreign_keys
        if key.table in warehouse.by_key and len(key.columns) == len(key.targets) > 0
    )


def settle(proposed: Sequence[Join], counted: Mapping[Join, Counted]) -> tuple[Join, ...]:
    """Decide which proposals are relationships. Where something was not counted, its name alone must convince."""
    judged = [(join, result) for join in proposed if (result := _judge(join, counted.get(join))) is not None]
    leads = {(by_place(join), (join.parent, join.targets[0])) for join, _ in judged if len(join.columns) == 1}
    likely = {(join.child, join.columns, join.parent): join.confidence for join, _ in judged}
    best: dict[tuple[str, tuple[str, ...]], Join] = {}
    for join, result in judged:
        place = (join.child, join.columns)
        held = best.get(place)
        if held is not None:
            ours, theirs = likely[*place, join.parent], likely[*place, held.parent]
            here, there = (join.parent, join.targets[0]), (held.parent, held.targets[0])
            # what refers to the other one itself is not where the column leads in the end
            ahead = (there, here) in leads and ours >= theirs - ROOT_TOLERANCE
            behind = (here, there) in leads and theirs >= ours - ROOT_TOLERANCE
            if behind or (not ahead and _rank(result) <= _rank(held)):
                continue
        best[place] = result
    return _without_shortcuts(_one_way([join for join in best.values() if join.confidence >= BELIEVED]))


def _one_way(found: Sequence[Join]) -> list[Join]:
    """Drop references of several columns that two tables make to each other: neither is what the other refers to."""
    several = [join for join in found if len(join.columns) > 1]
    ways = {(join.child, join.parent, frozenset(zip(join.columns, join.targets, strict=True))) for join in several}
    return [
        join
        for join in found
        if len(join.columns) == 1
        or (join.parent, join.child, frozenset(zip(join.targets, join.columns, strict=True))) not in ways
    ]


def _without_shortcuts(found: Sequence[Join]) -> tuple[Join, ...]:
    """Drop what a reference of several columns implies: a column of it that leads where its parent leads anyway."""
    several = {(join.child, join.parent, frozenset(join.columns)) for join in found if len(join.columns) > 1}
    found = [
        join
        for join in found
        if not any(
            (join.child, join.parent) == (child, parent) and columns < set(join.columns)
            for child, parent, columns in several
        )
    ]
    by_column = {by_place(join): join for join in found if len(join.columns) == 1}
    shortcuts: set[tuple[str, str]] = set()
    for join in found:
        if len(join.columns) == 1:
            continue
        for column, target in zip(join.columns, join.targets, strict=True):
            here, there = by_column.get((join.child, column)), by_column.get((join.parent, target))
            if here is not None and there is not None and (here.parent, here.targets) == (there.parent, there.targets):
                shortcuts.add((join.child, column))
    return tuple(join for join in found if len(join.columns) > 1 or by_place(join) not in shortcuts)


def _is_sure(join: Join, counted: Counted) -> bool:
    """Tell whether the name leaves no doubt and few rows are orphans, so that it is they who are wrong."""
    rows = max(counted.orphan_rows, counted.orphan_rows_about)
    return join.confidence >= SURE and rows <= (1 - TOLERATED_BY_NAME) * counted.filled


def with_orphans(join: Join, counted: Counted | None) -> Join:
    """Put beside a declared reference how many rows break it; databases do not always enforce what they declare."""
    return join if counted is None else _with_counts(join, counted)


def _with_counts(join: Join, counted: Counted) -> Join:
    about = None if counted.looked is None else counted.orphan_rows_about
    return replace(join, orphans=counted.orphan_rows, orphans_about=about, orphan_shapes=counted.orphan_shapes)


def by_names_alone(warehouse: Warehouse, found_keys: Mapping[str, Key]) -> tuple[Join, ...]:
    """Decide without any value: what ``settle`` says where nothing could be counted."""
    return settle(candidates(warehouse, found_keys), {})


def _judge(join: Join, counted: Counted | None) -> Join | None:
    if counted is None or counted.filled == 0 or counted.parent_distinct == 0:
        if join.confidence < WITHOUT_VALUES:
            return None
        return replace(
            join,
            confidence=min(80, join.confidence - 5),
            reasons=(*join.reasons, "no values were compared"),
            orphans=None,
        )
    if counted.parent_distinct < max(counted.parent_rows, counted.parent_filled):
        return None  # not a key after all
    looked = counted.distinct if counted.looked is None else counted.looked
    share = counted.present / max(1, looked)
    if share < (TOLERATED_BY_NAME if _is_sure(join, counted) else TOLERATED):
        return None
    telling = min(1.0, looked / 20)
    sure = join.confidence + (100 - join.confidence) * (0.35 + 0.45 * telling) * (1 if share == 1 else 0.4)
    found = f"{counted.present:,} of {looked:,} different values are found there"
    if counted.looked is not None:
        found = (
            f"{counted.present:,} of {looked:,} different values that were looked for are found there; of about "
            f"{counted.distinct:,} in all at most {counted.orphans_most:,} are missing, as far as that tells"
        )
    return _with_counts(replace(join, confidence=min(98, round(sure)), reasons=(*join.reasons, found)), counted)


def _rank(join: Join) -> tuple[int, int, str]:
    return (join.confidence, -(join.orphans or 0), join.parent)


def parents_of(table: Table, joins: Iterable[Join]) -> Mapping[str, Join]:
    """Give, for each column of a table, the reference it takes part in; references of one column come first."""
    found: dict[str, Join] = {}
    for join in sorted(joins, key=lambda item: len(item.columns)):
        if join.child == table.key:
            for column in join.columns:
                found.setdefault(column, join)
    return found
