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
from twokey.agents.catalog.likeness import PART, ROLE, likeness, probes, traits

WORTH_COUNTING: Final = 35
"""Likeness (percent) from which a proposal is counted."""
WITHOUT_VALUES: Final = 66
"""Likeness (percent) that is believed where there is nothing to count."""
BELIEVED: Final = 60
"""Confidence (percent) from which a relationship is claimed."""
SURE_NAME: Final = 85
"""Likeness (percent) that outweighs declared types that differ, where there are no values to compare."""
ONLY_ONE: Final = 24
"""What the only proposal for a column gains, in percent."""
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
    return _without_shortcuts([join for join in best.values() if join.confidence >= BELIEVED])


def _without_shortcuts(found: Sequence[Join]) -> tuple[Join, ...]:
    """Drop what a reference of several columns implies: a column of it that leads where its parent leads anyway."""
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


def by_place(join: Join) -> tuple[str, str]:
    """Name the column a relationship starts from (the first of several)."""
    return join.child, next(iter(join.columns))


def with_orphans(join: Join, counted: Counted | None) -> Join:
    """Put beside a declared reference how many rows break it; databases do not always enforce what they declare."""
    return join if counted is None else _with_counts(join, counted)


def _with_counts(join: Join, counted: Counted) -> Join:
    about = None if counted.looked is None else counted.orphan_rows_about
    return replace(join, orphans=counted.orphan_rows, orphans_about=about, orphan_shapes=counted.orphan_shapes)


def by_names_alone(warehouse: Warehouse, found_keys: Mapping[str, Key]) -> tuple[Join, ...]:
    """Decide without any value: what ``settle`` says where nothing could be counted."""
    return settle(candidates(warehouse, found_keys), {})


def _single(warehouse: Warehouse, found_keys: Mapping[str, Key], taken: set[tuple[str, str]]) -> tuple[Join, ...]:
    parents = [
        (parent, column, found_keys.get(parent.key))
        for parent in warehouse.tables
        for column in keys.referable(parent, found_keys.get(parent.key))
    ]
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
            doubt = (0 if sole else 8) + _own_key(found_keys.get(child.key), column.name)
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


def _composite(
    warehouse: Warehouse,
    found_keys: Mapping[str, Key],
    known: set[tuple[str, tuple[str, ...]]],
    single: Sequence[Join],
) -> tuple[Join, ...]:
    """Propose references to keys of several columns, for columns of the same names that refer nowhere by themselves."""
    explained = {by_place(join) for join in single}
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
            reasons=(*join.reasons, "no values were compared"),
            orphans=None,
        )
    if counted.parent_distinct < max(counted.parent_rows, counted.parent_filled):
        return None  # not a key after all
    looked = counted.distinct if counted.looked is None else counted.looked
    share = counted.present / max(1, looked)
    if share < TOLERATED:
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
