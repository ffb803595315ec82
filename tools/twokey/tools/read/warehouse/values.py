"""What can be asked of a warehouse and what comes back, as frozen values.

Rules: names of tables and columns come from outside, so they are always text in a list and never a key of a map;
counts are integers, every other number is text; nothing but ``SelectResult`` carries a value of a cell, and a profile
carries one only where few different values repeat in a column that does not look personal.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, StringConstraints, model_validator

from twokey.core.values import Code, Count, Value
from twokey.tools.read.warehouse.signal_names import SignalName

MAX_NAME = 500
"""Longest name of a schema, table or column that is worked with, in characters."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
SchemaName = Annotated[str, StringConstraints(max_length=MAX_NAME)]
Sentence = Annotated[str, StringConstraints(max_length=300)]
Short = Annotated[str, StringConstraints(max_length=100)]
Day = Annotated[str, StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
"""A day of the calendar (UTC), or empty."""
Columns = Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)]


class TableName(Value):
    """A table or view. ``schema_name`` is empty where the warehouse has no schemas."""

    schema_name: SchemaName = ""
    name: Name


class KeyCheck(Value):
    """Do the values of ``child_columns`` occur in ``parent_columns``? Both lists have the same length and order."""

    child: TableName
    child_columns: Columns
    parent: TableName
    parent_columns: Columns

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if len(self.child_columns) != len(self.parent_columns):
            raise ValueError("a key has as many child columns as parent columns")
        return self


class SchemaRequest(Value):
    """All tables and views with their columns and declared keys."""

    op: Literal["schema"] = "schema"


class ProfileRequest(Value):
    """What the values of one table look like; of ``columns`` only, where given."""

    op: Literal["profile"] = "profile"
    table: TableName
    columns: tuple[Name, ...] = ()


class InspectRequest(Value):
    """What is wrong in the cells of some tables, each judged by at most so many of its rows and cells."""

    op: Literal["inspect"] = "inspect"
    tables: Annotated[tuple[TableName, ...], Field(min_length=1, max_length=500)]
    max_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 5_000
    max_cells: Annotated[int, Field(ge=1_000, le=100_000_000)] = 60_000


class ProfilesRequest(Value):
    """What the values of several tables look like, every column. Saves opening the warehouse for each."""

    op: Literal["profiles"] = "profiles"
    tables: Annotated[tuple[TableName, ...], Field(min_length=1, max_length=500)]


class VersionRequest(Value):
    """Whether anything may have changed: a fingerprint, without reading a table."""

    op: Literal["version"] = "version"


class KeysRequest(Value):
    """Exact inclusion of key candidates, by anti-join in the database."""

    op: Literal["keys"] = "keys"
    checks: Annotated[tuple[KeyCheck, ...], Field(min_length=1, max_length=500)]


class SelectRequest(Value):
    """One SELECT statement in the warehouse's own dialect."""

    op: Literal["select"] = "select"
    sql: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1_000


Ask = Annotated[
    SchemaRequest | ProfileRequest | ProfilesRequest | InspectRequest | VersionRequest | KeysRequest | SelectRequest,
    Field(discriminator="op"),
]


class QueryArgs(Value):
    """Arguments of ``query_warehouse``. ``warehouse`` is the name of a place this run may touch."""

    warehouse: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    ask: Ask


class Notice(Value):
    """Something a person should know about a result. ``text`` holds no value of a cell."""

    code: Code
    text: Sentence


class ColumnInfo(Value):
    """One column as it is declared. ``position`` counts from 1; ``type`` is the database's own text."""

    name: Name
    position: Count
    type: Annotated[str, StringConstraints(max_length=200)]
    nullable: bool
    has_default: bool = False
    comment: Annotated[str, StringConstraints(max_length=1000)] = ""


class ForeignKey(Value):
    """A declared reference."""

    columns: tuple[Name, ...]
    parent: TableName
    parent_columns: tuple[Name, ...]


class TableInfo(Value):
    """One table or view. ``problem`` says why it cannot be read; what is known of it is given all the same.

    ``rows`` is a count where ``rows_exact``, else the database's own estimate; ``None`` where it has none.
    ``version`` changes whenever the content may have changed (files only; empty where unknown).
    """

    table: TableName
    is_view: bool
    columns: tuple[ColumnInfo, ...]
    primary_key: tuple[Name, ...] = ()
    unique: tuple[tuple[Name, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: Annotated[str, StringConstraints(max_length=1000)] = ""
    rows: Count | None = None
    rows_exact: bool = False
    version: Short = ""
    problem: Sentence = ""


class SchemaResult(Value):
    """Tables in the order of schema and name. ``complete`` is false where a limit cut the list.

    ``version`` is that of the whole warehouse when it was read; empty where unknown.
    """

    op: Literal["schema"] = "schema"
    dialect: Short
    tables: tuple[TableInfo, ...]
    notices: tuple[Notice, ...] = ()
    complete: bool = True
    version: Short = ""


class Patterns(Value):
    """How many of the ``checked`` values fit each pattern of ``patterns.detect``. A value may fit several."""

    integer: Count = 0
    number: Count = 0
    boolean: Count = 0
    date: Count = 0
    datetime: Count = 0
    local_date: Count = 0
    email: Count = 0
    embedded_email: Count = 0
    phone: Count = 0
    url: Count = 0
    uuid: Count = 0
    ip: Count = 0
    postal: Count = 0
    country: Count = 0
    currency: Count = 0
    card: Count = 0
    iban: Count = 0
    secret: Count = 0


class Signal(Value):
    """How many of the values that were looked at are recognised as ``name`` (``signal_names``)."""

    name: SignalName
    count: Count


class Tally(Value):
    """A text and how often it occurs in the sample."""

    text: Annotated[str, StringConstraints(max_length=80)]
    count: Count


class ColumnProfile(Value):
    """What one column holds. Counts are over the rows sampled, but ``nulls_total``, which is over the whole table."""

    name: Name
    type: Annotated[str, StringConstraints(max_length=200)]
    problem: Sentence = ""
    """Why this column could not be read; every count is then 0."""
    values: Count = 0
    """Rows of the sample that are not null."""
    nulls: Count = 0
    nulls_total: Count | None = None
    empty: Count = 0
    """Texts of no characters, or of blanks only."""
    distinct: Count = 0
    distinct_exact: bool = False
    """Whether ``distinct`` (and ``unique``) holds for the whole table and not just for the sample."""
    unique: bool = False
    """At least one value, and no two alike."""
    texts: Count = 0
    integers: Count = 0
    numbers: Count = 0
    """Stored as a fraction, decimal or floating; integers are counted apart."""
    booleans: Count = 0
    binaries: Count = 0
    not_finite: Count = 0
    """NaN and infinities."""
    minimum: Annotated[str, StringConstraints(max_length=80)] | None = None
    """Least number, date or time, as text; ``None`` for other columns and where the values look personal."""
    maximum: Annotated[str, StringConstraints(max_length=80)] | None = None
    length_min: Count | None = None
    """Characters of texts, bytes of binaries."""
    length_max: Count | None = None
    length_avg: Count | None = None
    """Rounded down."""
    checked: Count = 0
    """Values that were compared with the patterns; evenly chosen where there are very many."""
    patterns: Patterns = Patterns()
    looked: Count = 0
    """Rows of the values that the recognisers looked at; a part of the checked ones."""
    signals: tuple[Signal, ...] = ()
    """What they were recognised as, most frequent first; a value may count several times."""
    mentions_email: Count = 0
    """Values of the whole sample, not just of the checked ones, that are or contain an e-mail address."""
    shapes: tuple[Tally, ...] = ()
    """The most frequent masked forms among the checked texts."""
    top: tuple[Tally, ...] = ()
    """Repeated values, most frequent first; only where at most 20 values differ and none looks personal."""
    top_complete: bool = False
    """Whether ``top`` holds every value of the sample."""
    samples: tuple[Annotated[str, StringConstraints(max_length=80)], ...] = ()
    """Redacted traces of values."""
    personal: bool = False
    """Values were withheld: name or content may be personal. A guess for withholding only."""


class ProfileResult(Value):
    """What one table holds. ``sampling``: ``all`` rows, rows ``spread`` over the table, or the ``first`` ones.

    ``margin``: how far a share of the sample may lie from that of the whole table, 19 times out of 20, in hundredths of
    a percent; ``None`` where nothing can be said of it. ``version`` is that of the table when it was read; empty where
    unknown, and where the table changed meanwhile.
    """

    op: Literal["profile"] = "profile"
    table: TableName
    rows: Count | None
    rows_exact: bool
    sampled: Count
    sampling: Literal["all", "spread", "first"]
    margin: Count | None = None
    columns: tuple[ColumnProfile, ...]
    notices: tuple[Notice, ...] = ()
    version: Short = ""


class Profiled(Value):
    """One of several tables: its profile, or the ``problem`` why there is none.

    ``reached`` is false where the time of the call was used up before: ask again.
    """

    table: TableName
    profile: ProfileResult | None = None
    problem: Sentence = ""
    reached: bool = True


class ProfilesResult(Value):
    """Profiles in the order they were asked for."""

    op: Literal["profiles"] = "profiles"
    tables: tuple[Profiled, ...]


class VersionResult(Value):
    """Fingerprint of the whole warehouse: another one, as soon as anything may have changed. Empty where unknown.

    ``day`` is the day on which it was asked for.
    """

    op: Literal["version"] = "version"
    version: Short
    day: Day = ""


class UnitConversion(Value):
    """How cells written in the unit ``given`` become numbers in ``wanted``: times ``factor``, a decimal as text.

    A unit is named as pint names it, a currency by its ISO 4217 code; it is empty for a bare number. ``factor`` is
    empty where no number does it, or where the values do not tell.
    """

    given: Short
    wanted: Short
    factor: Short
    cells: Count


class Problem(Value):
    """One systematic fault of a table: what it is, where, in how many cells, and how sure.

    ``columns`` are those whose cells are doubted, ``by`` those that tell it. ``cells`` and ``rows`` are counts over
    the rows that were looked at. ``shapes`` are masked forms of doubted cells. No value of a cell stands here.
    """

    code: Code
    columns: tuple[Name, ...]
    by: tuple[Name, ...] = ()
    cells: Count = 0
    rows: Count = 0
    newest: Day = ""
    """Day of the newest change, where the table is stale."""
    confidence: Annotated[int, Field(ge=0, le=100)]
    detail: Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,40}$")] = ""
    conversions: tuple[UnitConversion, ...] = ()
    shapes: tuple[Tally, ...] = ()


class Inspected(Value):
    """What is wrong in one table, or the ``problem`` why that could not be found out.

    ``sampling`` as in ``ProfileResult``; ``rows`` is ``None`` where they are not known. ``reached`` is false where the
    time of the call was used up before: ask again.

    Some dates are judged by the day on which they are looked at: ``day``. The same rows give the same answer on every
    later day before ``until`` (empty: for ever). ``version`` is that of the table; empty where unknown, and where the
    table changed while it was read.
    """

    table: TableName
    day: Day = ""
    until: Day = ""
    version: Short = ""
    rows: Count | None = None
    sampled: Count = 0
    sampling: Literal["all", "spread", "first"] = "all"
    problems: tuple[Problem, ...] = ()
    notices: tuple[Notice, ...] = ()
    problem: Sentence = ""
    reached: bool = True


class InspectResult(Value):
    """What is wrong in the tables, in the order they were asked for."""

    op: Literal["inspect"] = "inspect"
    tables: tuple[Inspected, ...]


class KeyFacts(Value):
    """One answered check. A row is *filled* where none of its key columns is null; ``problem`` where it failed.

    Rows are counted exactly. Distinct values are too where the margin is 0; else they are estimated, and the margin
    says how far they may be off, 19 times out of 20, in hundredths of a percent of themselves.
    """

    check: KeyCheck
    child_rows: Count = 0
    child_filled: Count = 0
    child_distinct: Count = 0
    child_margin: Count = 0
    looked: Count | None = None
    """Distinct child values that were looked for in the parent; ``None``: all of them, so that everything is exact."""
    present: Count = 0
    """Distinct child values, of those looked for, that occur in the parent."""
    orphans: Count = 0
    """Distinct child values, of those looked for, that do not."""
    orphans_most: Count = 0
    """Distinct child values that do not occur in the parent: at most so many in the whole table, 19 times out of 20."""
    orphan_rows: Count = 0
    """Rows that were seen to hold such a value."""
    orphan_rows_about: Count = 0
    """Such rows in the whole table, estimated from what was looked for."""
    orphan_shapes: tuple[Tally, ...] = ()
    """The most frequent masked forms of values that do not occur in the parent."""
    parent_rows: Count = 0
    parent_filled: Count = 0
    parent_distinct: Count = 0
    """Equals ``parent_filled`` where none of the values that were compared occurs twice."""
    parent_margin: Count = 0
    problem: Sentence = ""
    reached: bool = True
    """False where the time of the call was used up before: ask again."""


class KeysResult(Value):
    """Answers in the order of the checks. ``version`` is that of the whole warehouse; empty where unknown."""

    op: Literal["keys"] = "keys"
    checks: tuple[KeyFacts, ...]
    version: Short = ""


Cell = StrictBool | StrictInt | StrictStr | None


class SelectResult(Value):
    """Rows of one SELECT. Numbers that are no integer below 2**53 come as text; ``truncated`` where a limit cut."""

    op: Literal["select"] = "select"
    columns: tuple[Annotated[str, StringConstraints(max_length=MAX_NAME)], ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool


Answer = Annotated[
    SchemaResult | ProfileResult | ProfilesResult | InspectResult | VersionResult | KeysResult | SelectResult,
    Field(discriminator="op"),
]


class QueryResult(Value):
    """Result of ``query_warehouse``."""

    warehouse: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    answer: Answer
