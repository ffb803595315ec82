"""Which references names and types propose; whether they are relationships is for the values to say.

Rules: values do not count here; a column of the key it would refer to, or of another family of types, proposes nothing;
at most ``MAX_TARGETS`` places per column. Tables that have the same columns are copies of each other: the one with the
shortest name is meant, and they do not refer to each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from twokey.agents.catalog import keys, names, types
from twokey.agents.catalog.facts import Column, Family, Join, Key, Table, Warehouse
from twokey.agents.catalog.likeness import PART, ROLE, likeness, probes, traits

WORTH_COUNTING: Final = 35
"""Likeness (percent) from which a proposal is counted."""
WITHOUT_VALUES: Final = 66
"""Likeness (percent) that is believed where there is nothing to count."""
SURE_NAME: Final = 85
"""Likeness (percent) that outweighs declared types that differ, where there are no values to compare."""
ONLY_ONE: Final = 24
"""What the only proposal for a column gains, in percent."""
COPY_DOUBT: Final = 15
"""Doubt (percent) of a table that has the columns of another one under a longer name."""
FEWEST_COPIED: Final = 3
"""Columns from which tables that have the same ones are copies, or parts, of each other."""
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


def candidates(warehouse: Warehouse, found_keys: Mapping[str, Key], known: Iterable[Join] = ()) -> tuple[Join, ...]:
    """Give the references that names and types propose for columns without a known one, best first per column.

    ``found_keys`` maps the key of a table to what identifies its rows; ``confidence`` of what comes back is likeness.
    """
    known = tuple(known)
    taken = {(join.child, column) for join in known for column in join.columns if len(join.columns) == 1}
    single = _single(warehouse, found_keys, taken)
    several = [(table, key.columns) for table, key in found_keys.items() if len(key.columns) > 1]
    return (*single, *of_several(warehouse, found_keys, several, (*known, *single)))


def by_place(join: Join) -> tuple[str, str]:
    """Name the column a relationship starts from (the first of several)."""
    return join.child, next(iter(join.columns))


def _single(warehouse: Warehouse, found_keys: Mapping[str, Key], taken: set[tuple[str, str]]) -> tuple[Join, ...]:
    parents = [
        (parent, column, found_keys.get(parent.key))
        for parent in warehouse.tables
        for column in keys.referable(parent, found_keys.get(parent.key))
    ]
    copies = _copies(warehouse)
    index: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, (parent, target, _) in enumerate(parents):
        for trait in {*traits(parent, target), ("table", parent.key)}:
            index[trait].add(number)
    by_column: dict[tuple[str, str], list[Join]] = defaultdict(list)
    for child, column in warehouse.columns():
        if (child.key, column.name) in taken or _group(column) not in _REFERRING:
            continue
        met = {number for probe in {*probes(column.name), ("table", child.key)} for number in index.get(probe, ())}
        for parent, target, key in (parents[number] for number in sorted(met)):
            sole = key is not None and key.columns == (target,)
            found = likeness(child, column.name, parent, target, sole_key=sole)
            if column.name == target and parent.key in copies.get(child.key, ()):
                continue
            doubt = (0 if sole else 8) + _own_key(found_keys.get(child.key), column.name)
            doubt += COPY_DOUBT if parent.key != next(iter(copies.get(parent.key, (parent.key,)))) else 0
            if not _compatible(column, parent.by_name[target]):
                if column.profile is not None or found.score < SURE_NAME:
                    continue
                doubt += 12
            if found.score - doubt >= WORTH_COUNTING:
                by_column[child.key, column.name].append(
                    Join(child.key, (column.name,), parent.key, (target,), False, found.score - doubt, (found.reason,))
                )
    for (key, name), found in _last_resort(warehouse, found_keys, by_column, taken).items():
        by_column[key, name].append(found)
    return tuple(
        join
        for (key, name), found in by_column.items()
        for join in _best(found, own=bool(_own_key(found_keys.get(key), name)))
    )


def _copies(warehouse: Warehouse) -> Mapping[str, Sequence[str]]:
    """Give, for each table that has the same columns as others, all of these; the one of the shortest name first."""
    alike: dict[frozenset[str], list[Table]] = defaultdict(list)
    for table in warehouse.tables:
        if len(table.columns) >= FEWEST_COPIED:
            alike[frozenset(table.by_name)].append(table)
    found: dict[str, Sequence[str]] = {}
    for tables in alike.values():
        if len(tables) > 1:
            ordered = [table.key for table in sorted(tables, key=lambda table: (len(table.name), table.key))]
            found.update(dict.fromkeys(ordered, ordered))
    return found


def _best(found: Sequence[Join], *, own: bool) -> list[Join]:
    """Give the proposals worth counting. The only place a column can mean is a little likelier for being the only one.

    That helps columns that say they refer somewhere, not those that identify their ``own`` table.
    """
    ordered = sorted(found, key=lambda item: -item.confidence)[:MAX_TARGETS]
    name, reason = ordered[0].columns[0:1], ordered[0].reasons[0]
    refers = reason in {ROLE, PART} or any(len(names.stem(part)) < len(names.words(part)) for part in name)
    if len(ordered) == 1 and refers and not own and ordered[0].confidence < WITHOUT_VALUES:
        return [replace(ordered[0], confidence=min(WITHOUT_VALUES, ordered[0].confidence + ONLY_ONE))]
    return ordered


def _own_key(key: Key | None, column: str) -> int:
    """Doubt a column that identifies its own table: it refers elsewhere only where one table extends another."""
    return 25 if key is not None and key.columns == (column,) else 0


def _last_resort(
    warehouse: Warehouse,
    found_keys: Mapping[str, Key],
    known: Mapping[tuple[str, str], Sequence[Join]],
    taken: set[tuple[str, str]],
) -> dict[tuple[str, str], Join]:
    """Propose the only table there is to refer to, for the columns of a key of several that nothing else explains."""
    found: dict[tuple[str, str], Join] = {}
    alone = [
        (parent, key.columns[0])
        for parent in warehouse.tables
        if (key := found_keys.get(parent.key)) is not None and len(key.columns) == 1
    ]
    if len(alone) != 1:
        return found
    ((parent, target),) = alone
    for table in warehouse.tables:
        key = found_keys.get(table.key)
        if table.key == parent.key or key is None or len(key.columns) < 2:
            continue
        own = set(names.entity(table.name))
        for name in key.columns:
            place, stem = (table.key, name), names.stem(name)
            keyed = len(stem) < len(names.words(name)) and not own > set(stem)
            if place in known or place in taken or not keyed or name in parent.by_name:
                continue
            if not _compatible(table.by_name[name], parent.by_name[target]):
                continue
            reason = "part of a key, and there is no other table to refer to"
            found[place] = Join(table.key, (name,), parent.key, (target,), False, WITHOUT_VALUES, (reason,))
    return found


def of_several(
    warehouse: Warehouse,
    found_keys: Mapping[str, Key],
    whole: Iterable[tuple[str, tuple[str, ...]]],
    others: Sequence[Join],
) -> tuple[Join, ...]:
    """Propose references to keys of several columns, for columns of the same names that refer nowhere by themselves.

    ``whole`` are such keys, and combinations that may be keys, with their tables; ``found_keys`` what identifies the
    rows of a table, and ``others`` the references that are known or proposed.
    """
    explained = {by_place(join) for join in others if len(join.columns) == 1}
    known = {(join.child, join.columns) for join in others if len(join.columns) > 1}
    by_words = {
        table.key: {names.expanded(column.name): column for column in table.columns} for table in warehouse.tables
    }
    found: list[Join] = []
    for table, key in whole:
        parent = warehouse.by_key[table]
        wanted = [names.expanded(name) for name in key]
        for child in warehouse.tables:
            if set(child.by_name) == set(parent.by_name):
                continue  # the table itself, or a copy
            mine = [by_words[child.key][words] for words in wanted if words in by_words[child.key]]
            columns = tuple(column.name for column in mine)
            if len(mine) < len(wanted) or (child.key, columns) in known:
                continue
            if all((child.key, name) in explained for name in columns):
                continue
            own = found_keys.get(child.key)
            if own is not None and own.columns == key:
                continue
            if all(_compatible(one, parent.by_name[other]) for one, other in zip(mine, key, strict=True)):
                reason = "called like the columns of the key"
                found.append(Join(child.key, columns, parent.key, key, confidence=85, reasons=(reason,)))
    return tuple(found)


def _group(column: Column) -> str:
    return _GROUPS.get(types.meaning(column), "")


def _compatible(child: Column, parent: Column) -> bool:
    one, other = _group(child), _group(parent)
    return not one or not other or one == other
