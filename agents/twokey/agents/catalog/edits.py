"""What a person may want changed in one dbt property file, as frozen values.

A *node* is addressed by ``NodeName``: a model, seed or snapshot by its name, a source table by (source, table). A
``column`` of None means the node itself. Texts are taken as they are; whether they may be written is decided by the
editor (see ``properties`` for the codes of refusals).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from twokey.agents.catalog.vetting import JsonLike, NodeName

Kind: TypeAlias = Literal["models", "seeds", "snapshots"]


@dataclass(frozen=True, slots=True)
class SetDescription:
    """Give a node or column its description.

    A description that is missing or blank is filled. One that a person wrote stays, and the edit is refused with
    ``exists``, unless ``replace``. Jinja in ``text`` is broken by blanks (``{{`` becomes ``{ {``), never written.
    """

    node: NodeName
    column: str | None
    text: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class AddDataType:
    """Give a column its ``data_type``, as the warehouse spells it. A different one is refused unless ``replace``."""

    node: NodeName
    column: str
    type: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class AddTests:
    """Add generic tests to a node or column. A test with the same name and arguments is not added twice.

    ``tests`` holds ``"not_null"``, ``"unique"``, ``{"accepted_values": {"values": ["a", "b"]}}``,
    ``{"relationships": {"to": relation("customers"), "field": "id"}}`` or other generic tests in that form. Whether
    the arguments stand under ``arguments`` is decided by the file and its conventions, not by the edit.
    """

    node: NodeName
    column: str | None
    tests: Sequence[JsonLike]


@dataclass(frozen=True, slots=True)
class AddMeta:
    """Add entries to ``meta`` (sensitivity, owner, ...). A key with another value is refused unless ``replace``."""

    node: NodeName
    column: str | None
    items: Mapping[str, JsonLike]
    replace: bool = False


@dataclass(frozen=True, slots=True)
class AddTags:
    """Add tags that are not there yet."""

    node: NodeName
    column: str | None
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class AddFreshness:
    """Say by which column a source table is seen to be loaded, and after how long without a row it is late.

    ``loaded_at`` is the name of a column of times, or of dates where ``is_date``, which dbt then reads as the moment
    their day begins. The counts are of ``period``. A table that says something of its freshness is left as it is.
    """

    node: tuple[str, str]
    loaded_at: str
    is_date: bool
    period: Literal["hour", "day"]
    warn_after: int
    error_after: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it should stand. ``quote`` writes ``quote: true``, for names that are no plain SQL identifier."""

    name: str
    description: str | None = None
    data_type: str | None = None
    tests: Sequence[JsonLike] = ()
    meta: Mapping[str, JsonLike] = field(default_factory=dict[str, JsonLike])
    tags: Sequence[str] = ()
    quote: bool = False


@dataclass(frozen=True, slots=True)
class AddColumn:
    """Make sure that a node lists a column with at least this content.

    It goes behind the column ``after`` where that is listed, before all others where ``after`` is empty, else behind
    the last one.

    A column of that name is filled where it lacks something; a different description or data type is refused with
    ``exists``. A column whose name differs in case only is refused with ``other_case`` unless ``column.quote``.
    """

    node: NodeName
    column: Column
    after: str | None = None


@dataclass(frozen=True, slots=True)
class AddNode:
    """Make sure that the file documents a node with at least this content.

    ``kind`` is the section of a node that is no source table. ``schema`` and ``database`` belong to the source,
    ``identifier`` to the table; they are written where the source or table is new, and refused with ``other_schema``
    where an existing source says something else. ``source_description`` is for a new source.
    """

    node: NodeName
    kind: Kind = "models"
    description: str | None = None
    columns: Sequence[Column] = ()
    tests: Sequence[JsonLike] = ()
    meta: Mapping[str, JsonLike] = field(default_factory=dict[str, JsonLike])
    tags: Sequence[str] = ()
    schema: str | None = None
    database: str | None = None
    identifier: str | None = None
    source_description: str | None = None


Edit: TypeAlias = SetDescription | AddDataType | AddTests | AddMeta | AddTags | AddFreshness | AddColumn | AddNode


@dataclass(frozen=True, slots=True)
class Conventions:
    """What to write where a file shows no habit of its own.

    ``tests_key``: dbt 1.8 and later say ``data_tests``. ``test_arguments``: dbt Core 1.10.5 and later, and Fusion,
    want the arguments of a test under ``arguments``. ``column_meta``: where meta and tags of a column stand, beside
    the other properties (dbt Core's schema) or under ``config`` (Fusion, dbt Core 1.10 and later). ``node_meta``: the
    same for nodes, where ``config`` fits both.
    """

    tests_key: Literal["data_tests", "tests"] = "data_tests"
    test_arguments: bool = True
    column_meta: Literal["beside", "config"] = "beside"
    node_meta: Literal["beside", "config"] = "config"
