"""Which columns refer to which: declared references, and those that names, types and values together show.

Rules
- Names propose, values decide: a proposal whose values are not found in the other table is dropped, however well it
  is named; values alone propose nothing, because small integers occur everywhere.
- One column refers to one place. A column of the key it would refer to, or of another family of types, does not count.
- Where there are no values (an empty table, a column of NULLs) only a name that leaves no doubt is believed, and the
  reasons say that nothing could be counted.
- Pure: ``candidates`` says what to count, somebody counts (op ``keys``), ``settle`` decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from twokey.agents.catalog import keys, names, types
from twokey.agents.catalog.facts import Column, Family, Join, Key, Table, Warehouse
from twokey.agents.catalog.likeness import likeness

WORTH_COUNTING: Final = 35
"""Likeness (percent) from which a proposal is counted."""
WITHOUT_VALUES: Final = 66
"""Likeness (percent) that is believed where there is nothing to count."""
BELIEVED: Final = 60
"""Confidence (percent) from which a relationship is claimed."""
TOLERATED: Final = 0.9
"""Share of different values that must be found in the other table. What is missing is reported as orphans."""
MAX_TARGETS: Final = 3
"""Proposals per column that are counted."""

_GROUPS: Final[Mapping[Family, str]] = {
    "integer": "number",
    "decimal": "number",
    "text": "text",
    "uuid": "text",
    "date": "date",
    "timestamp": "date",
    "time": "time",
    "boolean": "boolean",
    "binary": "binary",
    "json": "json",
}
_REFERRING: Final = frozenset({"number", "text", ""})


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


def candidates(warehouse: Warehouse, found_keys: Mapping[str, Key], known: Iterable[Join] = ()) -> tuple[Join, ...]:
    """Give the references that names and types propose for columns without a known one, best first per column.

    ``found_keys`` maps the key of a table to what identifies its rows; ``confidence`` of what comes back is likeness.
    """
    taken = {(join.child, column) for join in known for column in join.columns if len(join.columns) == 1}
    single = _single(warehouse, found_keys, taken)
    return (*single, *_composite(warehouse, found_keys, {(join.child, join.columns) for join in known}, single))


def settle(proposed: Sequence[Join], counted: Mapping[Join, Counted]) -> tuple[Join, ...]:
    """Decide which proposals are relationships. Where something was not counted, its name alone must convince."""
    judged = [result for join in proposed if (result := _judge(join, counted.get(join))) is not None]
    best: dict[tuple[str, tuple[str, ...]], Join] = {}
    for join in judged:
        place = (join.child, join.columns)
        if place not in best or _rank(join) > _rank(best[place]):
            best[place] = join
    return tuple(join for join in best.values() if join.confidence >= BELIEVED)


def with_orphans(join: Join, counted: Counted | None) -> Join:
    """Put beside a declared reference how many rows break it; databases do not always enforce what they declare."""
    return join if counted is None else replace(join, orphans=counted.orphan_rows)


def by_names_alone(warehouse: Warehouse, found_keys: Mapping[str, Key]) -> tuple[Join, ...]:
    """Decide without any value: what ``settle`` says where nothing could be counted."""
    return settle(candidates(warehouse, found_keys), {})


def _single(warehouse: Warehouse, found_keys: Mapping[str, Key], taken: set[tuple[str, str]]) -> tuple[Join, ...]:
    parents = [
        (parent, column, found_keys.get(parent.key))
        for parent in warehouse.tables
        for column in keys.referable(parent, found_keys.get(parent.key))
    ]
    by_column: dict[tuple[str, str], list[Join]] = defaultdict(list)
    for child, column in warehouse.columns():
        if (child.key, column.name) in taken or _group(column) not in _REFERRING:
            continue
        for parent, target, key in parents:
            sole = key is not None and key.columns == (target,)
            found = likeness(child, column.name, parent, target, sole_key=sole)
            if found.score < WORTH_COUNTING or not _compatible(column, parent.by_name[target]):
                continue
            score = found.score - (0 if sole else 8) - _own_key(found_keys.get(child.key), column.name)
            by_column[child.key, column.name].append(
                Join(child.key, (column.name,), parent.key, (target,), confidence=score, reasons=(found.reason,))
            )
    return tuple(
        join for found in by_column.values() for join in sorted(found, key=lambda item: -item.confidence)[:MAX_TARGETS]
    )


def _own_key(key: Key | None, column: str) -> int:
    """Doubt a column that identifies its own table: it refers elsewhere only where one table extends another."""
    return 12 if key is not None and key.columns == (column,) else 0


def _composite(
    warehouse: Warehouse,
    found_keys: Mapping[str, Key],
    known: set[tuple[str, tuple[str, ...]]],
    single: Sequence[Join],
) -> tuple[Join, ...]:
    """Propose references to keys of several columns, for columns of the same names that refer nowhere by themselves."""
    explained = {(join.child, join.columns[0]) for join in single}
    found: list[Join] = []
    for parent in warehouse.tables:
        key = found_keys.get(parent.key)
        if key is None or len(key.columns) < 2:
            continue
        wanted = [names.expanded(name) for name in key.columns]
        for child in warehouse.tables:
            if child.key == parent.key:
                continue
            by_words = {names.expanded(column.name): column for column in child.columns}
            mine = [by_words[words] for words in wanted if words in by_words]
            columns = tuple(column.name for column in mine)
            if len(mine) < len(wanted) or (child.key, columns) in known:
                continue
            if all((child.key, name) in explained for name in columns) or found_keys.get(child.key) == key:
                continue
            if all(_compatible(one, parent.by_name[other]) for one, other in zip(mine, key.columns, strict=True)):
                reason = "called like the columns of the key"
                found.append(Join(child.key, columns, parent.key, key.columns, confidence=85, reasons=(reason,)))
    return tuple(found)


def _judge(join: Join, counted: Counted | None) -> Join | None:
    if counted is None or counted.filled == 0 or counted.parent_distinct == 0:
        if join.confidence < WITHOUT_VALUES:
            return None
        return replace(
            join,
            confidence=min(80, join.confidence - 5),
            reasons=(*join.reasons, "no values to compare yet"),
            orphans=None,
        )
    if counted.parent_distinct < max(counted.parent_rows, counted.parent_filled):
        return None  # not a key after all
    share = counted.present / counted.distinct
    if share < TOLERATED:
        return None
    telling = min(1.0, counted.distinct / 20)
    sure = join.confidence + (100 - join.confidence) * (0.35 + 0.45 * telling) * (1 if share == 1 else 0.4)
    found = f"{counted.present:,} of {counted.distinct:,} different values are found there"
    return replace(join, confidence=min(98, round(sure)), reasons=(*join.reasons, found), orphans=counted.orphan_rows)


def _rank(join: Join) -> tuple[int, int, str]:
    return (join.confidence, -(join.orphans or 0), join.parent)


def _group(column: Column) -> str:
    return _GROUPS.get(types.meaning(column), "")


def _compatible(child: Column, parent: Column) -> bool:
    one, other = _group(child), _group(parent)
    return not one or not other or one == other


def parents_of(table: Table, joins: Iterable[Join]) -> Mapping[str, Join]:
    """Give, for each column of a table, the reference it takes part in; references of one column come first."""
    found: dict[str, Join] = {}
    for join in sorted(joins, key=lambda item: len(item.columns)):
        if join.child == table.key:
            for column in join.columns:
                found.setdefault(column, join)
    return found
