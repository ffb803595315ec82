"""What is known of a warehouse, as plain frozen values. Everything the agent claims is worked out from these.

Rules: no tool, file format or framework is known here; where something was not looked at the field is None or empty,
never a guess. Values of cells occur in ``Profile.frequent``, ``lowest`` and ``highest`` only, and are untrusted text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Family = Literal[
    "integer", "decimal", "text", "boolean", "date", "timestamp", "time", "binary", "json", "uuid", "other"
]


@dataclass(frozen=True, slots=True)
class Profile:
    """What the cells of one column look like. Numbers count rows that were looked at, unless said otherwise."""

    rows: int
    """Rows that were looked at."""
    nulls: int = 0
    blanks: int = 0
    """Texts that hold nothing but white space."""
    distinct: int = 0
    """Different values; NULL is not counted."""
    unique: bool = False
    """At least one value, and no two alike."""
    complete: bool = True
    """Whether every row of the table was looked at, so that the numbers are true of the table and not of a sample."""
    lowest: str | None = None
    highest: str | None = None
    longest: int = 0
    """Characters of the longest text."""
    average_length: int = 0
    texts: int = 0
    integers: int = 0
    decimals: int = 0
    booleans: int = 0
    checked: int = 0
    """Values that were compared with patterns."""
    patterns: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many of the checked values look like something (``email``, ``date`` ...; a value may count twice)."""
    looked: int = 0
    """Rows of the values that recognisers looked at."""
    signals: Mapping[str, int] = field(default_factory=dict[str, int])
    """What those values were recognised as (``given_name``, ``street`` ...; a value may count several times)."""
    shapes: tuple[tuple[str, int], ...] = ()
    """The most frequent masked forms of texts."""
    frequent: tuple[tuple[str, int], ...] = ()
    """Repeated values with their counts, most frequent first; empty where they were withheld."""
    whole: bool = False
    """Whether ``frequent`` holds every value."""
    withheld: bool = False
    """Whether the reader kept values back because they may be personal."""

    @property
    def filled(self) -> int:
        """Rows that hold a value other than blanks."""
        return max(0, self.rows - self.nulls - self.blanks)

    def share(self, *patterns: str) -> float:
        """Share of the checked values that fit one of ``patterns``, 0 to 1; the largest, as a value may fit several."""
        most = max((self.patterns.get(pattern, 0) for pattern in patterns), default=0)
        return most / self.checked if self.checked else 0.0

    def signal(self, *names: str) -> float:
        """Share of the values looked at that are recognised as one of ``names``, 0 to 1; together at most 1."""
        return min(1.0, sum(self.signals.get(name, 0) for name in names) / self.looked) if self.looked else 0.0


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``name`` and ``comment`` are outside text."""

    name: str
    declared_type: str = ""
    family: Family = "other"
    nullable: bool = True
    comment: str = ""
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A declared reference: the columns here and, in the same order, the columns of the table they point at."""

    columns: tuple[str, ...]
    table: str
    """Key of the referred table, see ``Table.key``."""
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table or view."""

    key: str
    """How findings and modules name the table: ``table``, or ``schema.table`` where there are several schemas."""
    schema: str
    name: str
    view: bool = False
    comment: str = ""
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    unique_sets: tuple[tuple[str, ...], ...] = ()
    """Declared unique constraints."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    rows: int | None = None
    rows_exact: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


@dataclass(frozen=True)
class Warehouse:
    """All tables that are in view."""

    tables: tuple[Table, ...]
    dialect: str = ""

    @cached_property
    def by_key(self) -> Mapping[str, Table]:
        """The tables by key."""
        return {table.key: table for table in self.tables}

    def columns(self) -> Iterator[tuple[Table, Column]]:
        """Every column with its table."""
        for table in self.tables:
            for column in table.columns:
                yield table, column


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a row: the columns, how that is known, and how sure it is (percent)."""

    columns: tuple[str, ...]
    declared: bool
    confidence: int


@dataclass(frozen=True, slots=True)
class Join:
    """A relationship: columns of ``child`` refer to columns of ``parent``, pairwise."""

    child: str
    columns: tuple[str, ...]
    parent: str
    targets: tuple[str, ...]
    declared: bool = False
    confidence: int = 0
    reasons: tuple[str, ...] = ()
    orphans: int | None = None
    """Child rows whose value was seen not to be in the parent; None where it was not counted."""
    orphans_about: int | None = None
    """Estimate of all such rows, where not every value could be looked for; None where ``orphans`` are all."""
    orphan_shapes: tuple[str, ...] = ()
    """Masked forms of such values, the most frequent first."""
