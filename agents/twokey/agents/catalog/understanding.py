"""What is understood of a warehouse: keys, relationships, sensitivity, accepted values, descriptions.

Rules: a pure function of facts and counts, so the same evidence gives the same understanding whenever it is read
again; what to count is asked first (``questions``), and nothing is claimed of a relationship that was not counted
unless there was nothing to count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from twokey.agents.catalog import accepted, describe, inert, joins, keys, proposals, sensitivity
from twokey.agents.catalog.accepted import Accepted
from twokey.agents.catalog.describe import Description, Surround
from twokey.agents.catalog.facts import Column, Join, Key, Table, Warehouse
from twokey.agents.catalog.joins import Counted
from twokey.agents.catalog.judgement import Judgement
from twokey.agents.catalog.named import about_people
from twokey.tools.read.warehouse import Inspected

KEY_ROWS = 30
"""Rows from which a combination of columns without repetition is called the key."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What has to be counted. ``whole`` are columns, alone or together, in which all rows of a table may differ."""

    joins: tuple[Join, ...]
    whole: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def all(self) -> tuple[Join, ...]:
        """Everything as relationships to count: a combination is compared with itself."""
        return (*self.joins, *(Join(table, columns, table, columns) for table, columns in self.whole))


@dataclass(frozen=True, slots=True)
class About:
    """What is understood of one column."""

    column: Column
    judgement: Judgement
    join: Join | None
    accepted: Accepted | None
    description: Description | None
    nothing: tuple[tuple[str, int], ...]
    """Texts that stand for a missing value, with their rows."""


@dataclass(frozen=True)
class Understanding:
    """What is understood of the chosen tables."""

    warehouse: Warehouse
    chosen: tuple[str, ...]
    keys: Mapping[str, Key]
    joins: tuple[Join, ...]
    descriptions: Mapping[str, Description]
    columns: Mapping[tuple[str, str], About]
    inspections: Mapping[str, Inspected] = field(default_factory=dict[str, Inspected])
    """What the read tool found wrong in the cells of a table, by its key."""

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The chosen tables, in the order of the warehouse."""
        wanted = frozenset(self.chosen)
        return tuple(table for table in self.warehouse.tables if table.key in wanted)

    def of(self, table: Table) -> tuple[About, ...]:
        """What is understood of the columns of one table, in its order."""
        return tuple(self.columns[table.key, column.name] for column in table.columns)


def questions(warehouse: Warehouse, chosen: Sequence[str]) -> Questions:
    """Say what to count: references declared or proposed by the chosen tables, and combinations that may be keys."""
    wanted = frozenset(chosen)
    known = tuple(join for join in joins.declared(warehouse) if join.child in wanted)
    found = keys.of_all(warehouse, {})
    likely = {
        table.key: key
        for table in warehouse.tables
        if table.key not in found and (key := keys.likely_key(table, warehouse.tables)) is not None
    }
    proposed = tuple(join for join in proposals.candidates(warehouse, found | likely, known) if join.child in wanted)
    referring: dict[str, list[str]] = {}
    for join in (*known, *proposed):
        referring.setdefault(join.child, []).extend(join.columns)
    whole = [
        (table.key, columns)
        for table in warehouse.tables
        if table.key in wanted and table.key not in found
        for columns in (
            [likely[table.key].columns]
            if table.key in likely
            else keys.combinations_to_try(table, tuple(dict.fromkeys(referring.get(table.key, ()))))
        )
    ]
    together = proposals.of_several(warehouse, found, [item for item in whole if len(item[1]) > 1], (*known, *proposed))
    return Questions((*known, *proposed, *(join for join in together if join.child in wanted)), tuple(whole))


def understand(
    warehouse: Warehouse, chosen: Sequence[str], counts: Mapping[Join, Counted], asked: Questions | None = None
) -> Understanding:
    """Work out what is understood, given what was counted for ``questions(...).all`` (``asked``, where it is known)."""
    asked = asked or questions(warehouse, chosen)
    combined: dict[str, Key] = {}
    for table, columns in asked.whole:
        counted = counts.get(Join(table, columns, table, columns))
        if table not in combined and counted is not None and _all_differ(counted):
            likely = keys.likely_key(warehouse.by_key[table], warehouse.tables)
            known = likely if likely is not None and likely.columns == columns else None
            combined[table] = known or Key(columns, declared=False, confidence=80)
    found = keys.of_all(warehouse, combined)
    settled = tuple(joins.with_orphans(join, counts.get(join)) for join in asked.joins if join.declared) + joins.settle(
        [join for join in asked.joins if not join.declared], counts
    )
    settled = tuple(join for join in settled if _can_be_told(warehouse, join))
    descriptions: dict[str, Description] = {}
    abouts: dict[tuple[str, str], About] = {}
    wanted = frozenset(chosen)
    for table in warehouse.tables:
        if table.key not in wanted:
            continue
        refers = joins.parents_of(table, settled)
        key = found.get(table.key)
        text = describe.table(table, key, refers, warehouse.by_key)
        if text is not None:
            descriptions[table.key] = text
        around = _Around(warehouse, table, key, refers, about_people(table))
        for column in table.columns:
            abouts[table.key, column.name] = around.about(column)
    return Understanding(warehouse, tuple(chosen), found, settled, descriptions, abouts)


def _can_be_told(warehouse: Warehouse, join: Join) -> bool:
    tables = (warehouse.by_key[join.child].name, warehouse.by_key[join.parent].name)
    return all(inert.speakable(name) for name in (*tables, *join.columns, *join.targets))


def _all_differ(counted: Counted) -> bool:
    every = counted.parent_rows == counted.parent_filled == counted.parent_distinct
    return every and counted.parent_sure and counted.parent_rows >= KEY_ROWS


@dataclass(frozen=True, slots=True)
class _Around:
    """One table with what its columns are judged by."""

    warehouse: Warehouse
    table: Table
    key: Key | None
    refers: Mapping[str, Join]
    people: bool

    def about(self, column: Column) -> About:
        """Understand one column."""
        key, join = self.key, self.refers.get(column.name)
        judgement = sensitivity.judge(self.table, column, reference=join is not None, people=self.people)
        alone = key is not None and key.columns == (column.name,)
        values = None if join is not None or alone else accepted.accepted(column, judgement)
        nothing = accepted.stands_for_nothing(column, judgement)
        row = describe.row_of(self.table, key, refers=key is not None and key.columns[0] in self.refers)
        surround = Surround(self.warehouse.by_key, key, join, judgement, values, nothing, row)
        return About(
            column=column,
            judgement=judgement,
            join=join,
            accepted=values,
            description=describe.column(self.table, column, surround),
            nothing=nothing,
        )
