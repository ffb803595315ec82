"""Profiles one table inside DuckDB: counting is pushed down, and only a few thousand different values are fetched.

Rules: counts and ranges are over every row of the sample; only patterns are counted over at most ``MAX_CHECKED``
different values. A table of few cells is fetched and counted here, which is faster and gives the same figures. A table
beyond the sample is read once from end to end, its rows chosen evenly by chance; where that takes too long, the first
rows are taken and the result says so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from twokey.tools.read.warehouse.duck_session import DuckSession, quote
from twokey.tools.read.warehouse.profile import (
    MAX_CHECKED,
    Facts,
    Key,
    column_profile,
    facts_of,
    in_parts,
    looks_like_date,
    looks_like_number,
    number_text,
    plain_number,
)
from twokey.tools.read.warehouse.sampling import margin
from twokey.tools.read.warehouse.sources import StatementFailed
from twokey.tools.read.warehouse.values import ColumnInfo, ColumnProfile, Notice, ProfileResult, TableName

Sort = Literal["integer", "number", "boolean", "time", "text", "binary"]
"""What the values of a column are, as far as counting goes."""

FEW_CELLS: Final = 60_000
"""Cells up to which fetching all is faster than counting in SQL: every aggregate costs DuckDB a tenth of a
millisecond, whatever it counts."""
_FEW: Final = 1_000
"""Different values up to which they are all fetched with their counts."""
_FEW_NUMBERS: Final = 40
_LONGEST: Final = 4096
_INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_TIMES: Final = {"DATE": "date", "TIMESTAMP": "datetime", "TIME": ""}
_EMAIL: Final = "[^@[:space:]]@[A-Za-z0-9-]{1,63}\\.[A-Za-z0-9-]"
_BLANKS: Final = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is profiled. ``source`` is SQL that can stand after FROM; ``numbered``: its rows have a ``rowid``.

    Up to ``few_cells`` cells are fetched, beyond that they are counted in place.
    """

    table: TableName
    columns: Sequence[ColumnInfo]
    source: str
    numbered: bool
    few_cells: int = FEW_CELLS


@dataclass(slots=True)
class _Column:
    """A column while it is counted."""

    info: ColumnInfo
    sort: Sort
    value: str
    """SQL of the value in the form that is counted."""
    facts: Facts
    roughly: int = 0
    """Different values, by estimate."""


def profile_table(session: DuckSession, subject: Subject) -> ProfileResult:
    """Profile one table; a column that cannot be read carries its problem."""
    bounds = session.bounds
    limit = bounds.rows_for(len(subject.columns))
    notices: list[Notice] = []
    rows: int | None = None
    try:
        rows = int(session.rows(f"SELECT count(*) FROM {subject.source}")[0][0])  # noqa: S608 - quoted
    except StatementFailed as fault:
        notices.append(Notice(code="not_counted", text=f"The rows could not be counted: {fault.reason}."))
    work = _Work(session, subject, rows, limit)
    at_most = min(limit, rows if rows is not None else limit)
    profiles, sampled = in_parts(subject.columns, bounds.columns_for(at_most), work.part)
    sampling: Literal["all", "spread", "first"] = "all" if work.whole else "spread" if work.spread else "first"
    return ProfileResult(
        table=subject.table,
        rows=rows,
        rows_exact=rows is not None,
        sampled=sampled,
        sampling=sampling,
        margin=margin(sampling, sampled, rows),
        columns=tuple(profiles),
        notices=tuple(notices),
    )


def profile_rows(
    table: TableName, columns: Sequence[tuple[ColumnInfo, Sequence[Key | None]]], rows: int
) -> ProfileResult:
    """Profile a whole table of texts that was fetched already: columns with their values."""
    return ProfileResult(
        table=table,
        rows=rows,
        rows_exact=True,
        sampled=rows,
        sampling="all",
        margin=0,
        columns=tuple(
            column_profile(facts_of(info.name, info.type, values, whole=True, nulls_total=None))
            for info, values in columns
        ),
    )


class _Work:
    """The profile of one table under way."""

    def __init__(self, session: DuckSession, subject: Subject, rows: int | None, limit: int) -> None:
        self._session = session
        self._subject = subject
        self._rows = rows
        self._limit = limit
        self.whole = rows is not None and rows <= limit
        self.spread = rows is not None and not self.whole

    def part(self, infos: Sequence[ColumnInfo]) -> tuple[list[ColumnProfile], int]:
        """Profile some columns together; gives the profiles and the rows seen."""
        columns = [_column(info, whole=self.whole) for info in infos]
        small = self.whole and self._rows is not None and self._rows * len(columns) <= self._subject.few_cells
        if small and all(column.sort != "binary" for column in columns):
            return self._fetched(columns)
        held = self._hold(columns)
        rows = self._count(columns, held)
        if not self.whole:
            for column, total in zip(columns, self._nulls(infos), strict=True):
                column.facts.nulls_total = total
        self._count_different(columns, held)
        self._fetch_few(columns, held)
        self._fetch_some(columns, held, rows)
        self._find_ranges(columns, held)
        return [column_profile(column.facts) for column in columns], rows

    # -- few cells: fetch them ----------------------------------------------------------------------------------------

    def _fetched(self, columns: Sequence[_Column]) -> tuple[list[ColumnProfile], int]:
        listed = ", ".join(_shown(column) for column in columns)
        rows = self._session.rows(f"SELECT {listed} FROM {self._subject.source}")  # noqa: S608 - quoted
        held = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        profiles: list[ColumnProfile] = []
        for column, values in zip(columns, held, strict=True):
            facts = facts_of(column.info.name, column.info.type, values, whole=True, nulls_total=None)
            if column.sort == "time":
                _as_times(facts)
            elif column.sort == "text" and facts.length_max == _LONGEST:
                self._lengths(facts, column.value)
            profiles.append(column_profile(facts))
        return profiles, len(rows)

    def _lengths(self, facts: Facts, value: str) -> None:
        """Count the lengths of texts that were cut when they were fetched."""
        counts = f"min(length({value})), max(length({value})), sum(length({value}))"
        row = self._session.rows(f"SELECT {counts} FROM {self._subject.source}")[0]  # noqa: S608 - quoted
        facts.length_min, facts.length_max, facts.length_sum = int(row[0]), int(row[1]), int(row[2])

    # -- many cells: count them in place ------------------------------------------------------------------------------

    def _hold(self, columns: Sequence[_Column]) -> str:
        """Give what is counted: the table itself, or a sample of it that is held in memory."""
        subject = self._subject
        if self.whole and subject.numbered:
            return subject.source
        listed = ", ".join(f"{column.value} AS c{number}" for number, column in enumerate(columns))
        for number, column in enumerate(columns):
            column.value = f"c{number}"
        create = f"CREATE OR REPLACE TEMP TABLE _sample AS SELECT {listed} FROM {subject.source}"  # noqa: S608 - quoted
        first = create if self.whole else f"{create} LIMIT {self._limit}"
        if not self.spread or self._rows is None:
            self._session.rows(first)
        elif subject.numbered:
            self._session.rows(f"{create} WHERE rowid % {-(-self._rows // self._limit)} = 0")
        else:
            try:
                self._session.rows(f"{create} USING SAMPLE reservoir({self._limit} ROWS) REPEATABLE (1)")
            except StatementFailed as fault:
                if not fault.timed_out:
                    raise
                self.spread = False
                self._session.rows(first)
        return "temp.main._sample"

    def _count(self, columns: Sequence[_Column], held: str) -> int:
        """Count everything that one pass can count; gives the rows."""
        counts = ["count(*)"]
        for column in columns:
            counts += _aggregates(column)
        row = self._session.rows(f"SELECT {', '.join(counts)} FROM {held}")[0]  # noqa: S608 - quoted
        rows, results = int(row[0]), iter(row[1:])
        again: list[tuple[_Column, str]] = []
        for column in columns:
            blank, at_sign = _take(column, [next(results) for _ in _aggregates(column)])
            column.facts.nulls = rows - column.facts.values
            if self.whole:
                column.facts.nulls_total = column.facts.nulls
            if blank:
                again.append((column, "empty"))
            if at_sign:
                again.append((column, "mentions_email"))
        if again:
            # rarely needed, and dearer than what told that it is
            asked = ", ".join(_DEARER[name].format(v=column.value) for column, name in again)
            found = self._session.rows(f"SELECT {asked} FROM {held}")[0]  # noqa: S608 - quoted
            for (column, name), count in zip(again, found, strict=True):
                setattr(column.facts, name, int(count or 0))
        return rows

    def _nulls(self, columns: Sequence[ColumnInfo]) -> Sequence[int | None]:
        counts = ", ".join(f"count(*) - count({quote(column.name)})" for column in columns)
        try:
            found = self._session.rows(f"SELECT {counts} FROM {self._subject.source}")  # noqa: S608 - quoted
        except StatementFailed as fault:
            if not fault.timed_out:
                raise
            return [None] * len(columns)
        return [int(value) for value in found[0]]

    def _count_different(self, columns: Sequence[_Column], held: str) -> None:
        """Count different values exactly where they will not all be fetched."""
        asked = [column for column in columns if column.facts.values and not _will_be_fetched(column)]
        if asked:
            counts = ", ".join(f"count(DISTINCT {column.value})" for column in asked)
            for column, count in zip(asked, self._session.rows(f"SELECT {counts} FROM {held}")[0], strict=True):  # noqa: S608 - quoted
                column.facts.distinct = int(count)

    def _fetch_few(self, columns: Sequence[_Column], held: str) -> None:
        """Fetch all different values of columns that have few."""
        for column in columns:
            if column.facts.values and _will_be_fetched(column):
                groups = self._session.rows(
                    f"SELECT {_cut(column)}, count(*) FROM {held} WHERE {column.value} IS NOT NULL"  # noqa: S608 - quoted
                    f" GROUP BY {column.value}"
                )
                column.facts.distinct = len(groups)
                column.facts.groups = sorted(((cast("Key", value), int(count)) for value, count in groups), key=_order)
                _compare_long(column.facts)

    def _fetch_some(self, columns: Sequence[_Column], held: str, rows: int) -> None:
        """Fetch values of columns that have many: of rows that lie evenly apart, all columns in one go."""
        many = [
            column
            for column in columns
            if column.facts.values and not _will_be_fetched(column) and column.sort in {"text", "integer"}
        ]
        full = [column for column in many if column.facts.values * 2 > rows]
        step = -(-rows // MAX_CHECKED)
        if full:
            listed = ", ".join(_cut(column) for column in full)
            found = self._session.rows(f"SELECT {listed} FROM {held} WHERE rowid % {step} = 0")  # noqa: S608 - quoted
            for column, values in zip(full, zip(*found, strict=True), strict=True):
                _take_some(column.facts, values)
        for column in many:
            if column.facts.values * 2 <= rows:
                step = -(-column.facts.values // MAX_CHECKED)
                found = self._session.rows(
                    f"SELECT v FROM (SELECT {_cut(column)} AS v, row_number() OVER () AS n FROM {held}"  # noqa: S608 - quoted
                    f" WHERE {column.value} IS NOT NULL) WHERE n % {step} = 0"
                )
                _take_some(column.facts, [value for (value,) in found])

    def _find_ranges(self, columns: Sequence[_Column], held: str) -> None:
        """Work out the range of texts that seem to be numbers or dates where only a part of them was fetched."""
        asked: list[tuple[_Column, str, str]] = []
        for column in columns:
            facts = column.facts
            if column.sort == "text" and len(facts.groups) < facts.distinct:
                facts.ranged = True
                texts = [value for value, _ in facts.groups if isinstance(value, str) and value.strip()]
                if looks_like_number(texts):
                    asked.append((column, f"TRY_CAST({column.value} AS DOUBLE)", "isfinite"))
                elif looks_like_date(texts):
                    asked.append((column, f"TRY_CAST({column.value} AS TIMESTAMP)", "isfinite"))
        if not asked:
            return
        counts = ", ".join(
            f"arg_min({column.value}, {cast_}) FILTER (WHERE {sound}({cast_})),"
            f" arg_max({column.value}, {cast_}) FILTER (WHERE {sound}({cast_})), count({cast_})"
            for column, cast_, sound in asked
        )
        found = iter(self._session.rows(f"SELECT {counts} FROM {held}")[0])  # noqa: S608 - quoted
        for column, cast_, _ in asked:
            low, high, count = next(found), next(found), int(next(found))
            facts = column.facts
            if low is not None and count * 100 >= max(1, facts.values - facts.empty) * 95:
                in_form = plain_number if cast_.endswith("DOUBLE)") else _plain_date
                facts.minimum, facts.maximum = in_form(str(low)), in_form(str(high))


_DEARER: Final = {
    "empty": f"count_if(trim({{v}}, {_BLANKS}) = '')",
    "mentions_email": f"count_if(regexp_matches({{v}}, '{_EMAIL.replace('{', '{{').replace('}', '}}')}'))",
}
"""What is counted a second time, in columns where a cheap test found something. Names are fields of ``Facts``."""


def _column(info: ColumnInfo, *, whole: bool) -> _Column:
    sort = sort_of(info.type)
    name = quote(info.name)
    value = f"CAST({name} AS VARCHAR)" if sort == "text" and info.type != "VARCHAR" else name
    return _Column(info, sort, value, Facts(info.name, info.type, whole=whole))


def _shown(column: _Column) -> str:
    """Give the value as it is fetched: times as text, long texts cut."""
    return f"CAST({column.value} AS VARCHAR)" if column.sort == "time" else _cut(column)


def _cut(column: _Column) -> str:
    return f"left({column.value}, {_LONGEST})" if column.sort == "text" else column.value


def _will_be_fetched(column: _Column) -> bool:
    """Whether the different values of a column are few enough, and needed."""
    if column.sort in {"binary", "time"}:
        return False
    return column.roughly <= (_FEW if column.sort == "text" else _FEW_NUMBERS)


def _order(group: tuple[Key, int]) -> tuple[int, str]:
    return -group[1], str(group[0])


def _take_some(facts: Facts, values: Sequence[Any]) -> None:
    counter = Counter(values)
    counter.pop(None, None)
    facts.groups = list(counter.items())
    _compare_long(facts)


def _compare_long(facts: Facts) -> None:
    """Have long numbers compared with the patterns, since they may be cards."""
    if facts.integers and facts.maximum is not None and len(facts.maximum) >= 13:
        facts.counted = None


def _as_times(facts: Facts) -> None:
    """Count times that were fetched as text like those that were counted in place."""
    known = [(str(value), count) for value, count in facts.groups]
    finite = [value for value, _ in known if not value.endswith("infinity")]
    facts.not_finite = sum(count for value, count in known if value.endswith("infinity"))
    facts.minimum, facts.maximum = (min(finite)[:80], max(finite)[:80]) if finite else (None, None)
    facts.lengths = facts.length_sum = facts.empty = facts.mentions_email = 0
    facts.length_min = facts.length_max = None
    facts.groups = ()
    facts.ranged = True
    facts.counted = _pattern_of_times(facts)


def _pattern_of_times(facts: Facts) -> dict[str, int]:
    pattern = _TIMES.get(facts.type.split(" ")[0], "datetime" if facts.type.startswith("TIMESTAMP") else "")
    return {pattern: facts.values} if pattern else {}


def _plain_date(text: str) -> str | None:
    return text.strip()[:80] if looks_like_date([text]) else None


def sort_of(declared: str) -> Sort:
    """Give what kind of values a declared type has."""
    base = declared.partition("(")[0].split(" ")[0].upper()
    if declared.endswith("]"):
        return "text"
    if base in _INTEGERS:
        return "integer"
    if base in {"FLOAT", "DOUBLE", "DECIMAL"}:
        return "number"
    if base == "BOOLEAN":
        return "boolean"
    if base in _TIMES or base.startswith("TIMESTAMP"):
        return "time"
    return "binary" if base in {"BLOB", "GEOMETRY"} else "text"


def _aggregates(column: _Column) -> list[str]:
    """SQL aggregates over one column, in the order ``_take`` reads them."""
    value = column.value
    both = [f"count({value})", f"approx_count_distinct({value})"]
    if column.sort == "integer":
        return [*both, f"min({value})", f"max({value})", f"count_if({value} IN (0, 1))"]
    if column.sort == "number" and column.info.type.startswith("DECIMAL"):
        return [*both, f"min({value})", f"max({value})", f"count({value})"]
    if column.sort == "number":
        finite = f"FILTER (WHERE isfinite({value}))"
        return [*both, f"min({value}) {finite}", f"max({value}) {finite}", f"count({value}) {finite}"]
    if column.sort == "boolean":
        return both
    if column.sort == "time" and column.info.type.startswith(("DATE", "TIMESTAMP")):
        finite = f"FILTER (WHERE isfinite({value}))"
        ends = [f"CAST(min({value}) {finite} AS VARCHAR)", f"CAST(max({value}) {finite} AS VARCHAR)"]
        return [*both, *ends, f"count({value}) {finite}"]
    if column.sort == "time":
        return [*both, f"CAST(min({value}) AS VARCHAR)", f"CAST(max({value}) AS VARCHAR)", f"count({value})"]
    length = f"octet_length({value})" if column.sort == "binary" else f"length({value})"
    lengths = [f"min({length})", f"max({length})", f"sum({length})"]
    if column.sort == "binary":
        return [*both, *lengths]
    return [*both, *lengths, f"count_if({value} < '!')", f"count_if(contains({value}, '@'))"]


def _take(column: _Column, row: Sequence[Any]) -> tuple[int, int]:
    """Put the results of ``_aggregates`` where they belong; gives how many may be blank, and may hold an address."""
    facts, sort = column.facts, column.sort
    values, column.roughly = int(row[0]), int(row[1])
    facts.values = facts.distinct = values
    if sort in {"integer", "number", "time"} and row[2] is not None:
        facts.minimum, facts.maximum = (
            (str(row[2])[:80], str(row[3])[:80]) if sort == "time" else (number_text(row[2]), number_text(row[3]))
        )
    if sort == "integer":
        facts.integers = values
        facts.counted = {"integer": values, "number": values, "boolean": int(row[4] or 0)}
    elif sort == "number":
        facts.numbers, facts.not_finite = values, values - int(row[4])
        facts.counted = {"number": values}
    elif sort == "boolean":
        facts.booleans = values
        facts.counted = {"boolean": values}
    elif sort == "time":
        facts.texts, facts.not_finite, facts.ranged = values, values - int(row[4]), True
        facts.counted = _pattern_of_times(facts)
    else:
        facts.lengths, facts.length_sum = values, int(row[4] or 0)
        facts.length_min, facts.length_max = row[2], row[3]
        if sort == "binary":
            facts.binaries = values
        else:
            facts.texts = values
            return int(row[5] or 0), int(row[6] or 0)
    return 0, 0
