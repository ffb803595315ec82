"""What a built sample workspace tells about itself: where things lie, and what is true of them.

Rules: frozen; every statement is checked against the files by a test, so later jobs may measure themselves against it.
The values name rows and places; they are for tests and ``eval``, and no agent may read them.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

DirtKind: TypeAlias = Literal[
    "units_mix",  # the same quantity in another unit
    "misspelt_category",  # a known category, spelt wrongly
    "missing_as_text",  # "N/A" or "-" where NULL was meant
    "impossible_date",  # text of the shape of a date that no calendar has
    "orphan",  # refers to a row that does not exist
    "personal_in_text",  # an e-mail address inside free text
    "credential",  # something that looks like a credential inside a cell
    "column_name_with_space",  # structural: no rows
    "stale_table",  # structural: no rows, no column; nothing has been written for over a year
]

DataClass: TypeAlias = Literal["EMAIL", "PHONE", "PERSON_NAME"]

Person: TypeAlias = tuple[str, tuple[str, ...]]
"""Name and groups of a principal."""


@dataclass(frozen=True)
class Planted:
    """One kind of dirt in one column (or table), and the SQLite rowids of the cells that carry it, ascending."""

    table: str
    column: str | None
    kind: DirtKind
    rowids: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many cells carry it; 0 for structural dirt."""
        return len(self.rowids)


@dataclass(frozen=True)
class Personal:
    """A column that holds personal data of ``data_class`` in ``rows`` of its cells (text around it counts too)."""

    table: str
    column: str
    data_class: DataClass
    rows: int


@dataclass(frozen=True)
class Relation:
    """``child.child_column`` refers to ``parent.parent_column``; ``declared`` where SQLite knows the key."""

    child: str
    child_column: str
    parent: str
    parent_column: str
    declared: bool


@dataclass(frozen=True)
class TicketTruth:
    """What a careful person would say of a ticket."""

    id: str
    kind: Literal["bug", "feature", "question"]
    duplicate_of: str | None
    trait: Literal["storm", "injection", "security", "language", "empty"] | None


@dataclass(frozen=True)
class Canary:
    """A private-looking value that must never occur in a log, a card or a message; all of it is invented.

    ``places`` are the files that hold it, relative to the folder of the sample.
    """

    kind: Literal["credential", "email", "phone"]
    value: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """A sample workspace on disk.

    ``warehouse`` is a SQLite file, ``repo`` a git repository with a dbt project (branch ``main``, at ``commit``),
    ``tickets`` and ``runbooks`` are folders of Markdown, ``telemetry`` is a folder of incident bundles.
    """

    folder: Path
    seed: int
    now: datetime
    warehouse: Path
    repo: Path
    commit: str
    tickets: Path
    runbooks: Path
    telemetry: Path
    people: tuple[Person, ...]
    planted: tuple[Planted, ...]
    personal: tuple[Personal, ...]
    relations: tuple[Relation, ...]
    ticket_truth: tuple[TicketTruth, ...]
    canaries: tuple[Canary, ...]
