"""Profiles one table inside DuckDB: counting is pushed down, and only a few thousand different values are fetched.

Rules: counts and ranges are over every row of the sample; only patterns are counted over at most ``MAX_CHECKED``
different values. What differs is told by marks (``duck_marks``). A table of few cells is fetched and counted here,
which is faster and gives the same figures. A table beyond the sample is read once from end to end, its rows chosen
evenly by chance; where that takes too long, the first rows are taken and the result says so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, cast

import numpy as np

from twokey.tools.read.warehouse.duck_columns import (
    LONGEST,
    Column,
    aggregates,
    as_times,
    column_of,
    cut,
    is_marked_by_itself,
    shown,
    take,
)
from twokey.tools.read.warehouse.duck_marks import Marks, mark
from twokey.tools.read.warehouse.duck_session import DuckSession, quote
from twokey.tools.read.warehouse.profile import (
    LOOKED_AT_FIRST,
    MAX_CHECKED,
    Facts,
    Key,
    column_profile,
    count_texts,
    facts_of,
    in_parts,
    looks_like_date,
    looks_like_number,
    plain_number,
)
from twokey.tools.read.warehouse.sampling import margin
from twokey.tools.read.warehouse.sources import StatementFailed
from twokey.tools.read.warehouse.values import ColumnInfo, ColumnProfile, Notice, ProfileResult, TableName

FEW_CELLS: Final = 60_000
"""Cells up to which fetching all is faster than counting in SQL."""
_FEW: Final = 1_000
"""Different values up to which they are all fetched with their counts."""
_FEW_NUMBERS: Final = 40
_VERY_FEW: Final = 100
"""Different values up to which they are fetched from rows that hold them, many columns in one go."""
_EMAIL: Final = "[^@[:space:]]@[A-Za-z0-9-]{1,63}\\.[A-Za-z0-9-]"
_BLANKS: Final = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"

Counted = tuple[Column, Marks]


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
        columns = [column_of(info, whole=self.whole) for info in infos]
        small = self.whole and self._rows is not None and self._rows * len(columns) <= self._subject.few_cells
        if small and all(column.sort != "binary" for column in columns):
            return self._fetched(columns)
        held = self._hold(columns)
        rows, counted = self._count(columns, held)
        if not self.whole:
            for column, total in zip(columns, self._nulls(infos), strict=True):
                column.facts.nulls_total = total
        self._fetch_very_few([each for each in counted if each[0].facts.distinct <= _VERY_FEW], held)
        self._fetch_few([each[0] for each in counted if each[0].facts.distinct > _VERY_FEW], held)
        self._fetch_some(columns, held, rows)
        self._find_ranges(columns, held)
        return [column_profile(column.facts) for column in columns], rows

    # -- few cells: fetch them ----------------------------------------------------------------------------------------

    def _fetched(self, columns: Sequence[Column]) -> tuple[list[ColumnProfile], int]:
        listed = ", ".join(shown(column) for column in columns)
        rows = self._session.rows(f"SELECT {listed} FROM {self._subject.source}")  # noqa: S608 - quoted
        held = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        profiles: list[ColumnProfile] = []
        for column, values in zip(columns, held, strict=True):
            facts = facts_of(column.info.name, column.info.type, values, whole=True, nulls_total=None)
            if column.sort == "time":
                as_times(facts)
            elif column.sort == "text" and facts.length_max == LONGEST:
                self._lengths(facts, column.value, self._subject.source)
            profiles.append(column_profile(facts))
        return profiles, len(rows)

    def _lengths(self, facts: Facts, value: str, source: str) -> None:
        """Count the lengths of texts that were cut when they were fetched."""
        counts = f"min(length({value})), max(length({value})), sum(length({value}))"
        row = self._session.rows(f"SELECT {counts} FROM {source}")[0]  # noqa: S608 - quoted
        facts.length_min, facts.length_max, facts.length_sum = int(row[0]), int(row[1]), int(row[2])

    # -- many cells: count them in place ------------------------------------------------------------------------------

    def _hold(self, columns: Sequence[Column]) -> str:
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

    def _count(self, columns: Sequence[Column], held: str) -> tuple[int, Sequence[Counted]]:
        """Count what the marks tell and what no value that is fetched will; gives the rows, and the marks."""
        rows, marks = mark(self._session, held, [(column.value, is_marked_by_itself(column)) for column in columns])
        # what texts are like is told by the different ones where those are few
        asked = [
            () if column.sort == "text" and marked.distinct <= _FEW else aggregates(column)
            for column, marked in zip(columns, marks, strict=True)
        ]
        counts = ", ".join(count for several in asked for count in several)
        results = iter(self._session.rows(f"SELECT {counts} FROM {held}")[0] if counts else ())  # noqa: S608 - quoted
        again: list[tuple[Column, str]] = []
        for column, marked, several in zip(columns, marks, asked, strict=True):
            row = [next(results) for _ in several]
            take(column, marked, row)
            column.facts.nulls = rows - column.facts.values
            if self.whole:
                column.facts.nulls_total = column.facts.nulls
            if column.sort == "text" and row and row[3]:
                again += [(column, name) for name in _DEARER]
        if again:
            # rarely needed, and dearer than what told that it is
            wanted = ", ".join(_DEARER[name].format(v=column.value) for column, name in again)
            found = self._session.rows(f"SELECT {wanted} FROM {held}")[0]  # noqa: S608 - quoted
            for (column, name), count in zip(again, found, strict=True):
                setattr(column.facts, name, int(count or 0))
        return rows, list(zip(columns, marks, strict=True))

    def _nulls(self, columns: Sequence[ColumnInfo]) -> Sequence[int | None]:
        counts = ", ".join(f"count(*) - count({quote(column.name)})" for column in columns)
        try:
            found = self._session.rows(f"SELECT {counts} FROM {self._subject.source}")  # noqa: S608 - quoted
        except StatementFailed as fault:
            if not fault.timed_out:
                raise
            return [None] * len(columns)
        return [int(value) for value in found[0]]

    def _fetch_very_few(self, counted: Sequence[Counted], held: str) -> None:
        """Fetch all different values of columns that have very few, from rows that hold them."""
        asked = [(column, *marks.groups()) for column, marks in counted if _will_be_fetched(column)]
        if not asked:
            return
        listed = ", ".join(cut(column) for column, _, _ in asked)
        wanted = ", ".join(str(row) for row in sorted({row for _, rows, _ in asked for row in rows}))
        found = self._session.rows(f"SELECT rowid, {listed} FROM {held} WHERE rowid IN ({wanted})")  # noqa: S608 - quoted
        by_row = {row[0]: row for row in found}
        for number, (column, rows, counts) in enumerate(asked, 1):
            groups = [(cast("Key", by_row[row][number]), count) for row, count in zip(rows, counts, strict=True)]
            self._take_all(column, groups, held)

    def _fetch_few(self, columns: Sequence[Column], held: str) -> None:
        """Fetch all different values of columns that have few."""
        for column in columns:
            if _will_be_fetched(column):
                groups = self._session.rows(
                    f"SELECT {cut(column)}, count(*) FROM {held} WHERE {column.value} IS NOT NULL"  # noqa: S608 - quoted
                    f" GROUP BY {column.value}"
                )
                column.facts.distinct = len(groups)
                self._take_all(column, [(cast("Key", value), int(count)) for value, count in groups], held)

    def _take_all(self, column: Column, groups: Sequence[tuple[Key, int]], held: str) -> None:
        """Take all different values of a column, and count of texts what they tell."""
        facts = column.facts
        facts.groups = sorted(groups, key=_order)
        _compare_long(facts)
        if column.sort == "text":
            known: Counter[str] = Counter()
            for value, count in facts.groups:
                known[cast("str", value)] += count  # long ones that begin alike are the same here
            count_texts(facts, known)
            if facts.length_max == LONGEST:
                self._lengths(facts, column.value, held)

    def _fetch_some(self, columns: Sequence[Column], held: str, rows: int) -> None:
        """Fetch values of columns that have many: of rows that lie evenly apart, all columns in one go."""
        many = [
            column
            for column in columns
            if column.facts.values and not _will_be_fetched(column) and column.sort in {"text", "integer"}
        ]
        full = [column for column in many if column.facts.values * 2 > rows]
        step = -(-rows // MAX_CHECKED)
        if full:
            listed = ", ".join(f"{cut(column)} AS v{number}" for number, column in enumerate(full))
            found = self._session.arrays(f"SELECT {listed} FROM {held} WHERE rowid % {step} = 0")  # noqa: S608 - quoted
            for number, column in enumerate(full):
                values = found[f"v{number}"]
                if isinstance(values, np.ma.MaskedArray):
                    values = np.ma.getdata(values)[~np.ma.getmaskarray(values)]
                _take_some(column.facts, values.tolist())
        for column in many:
            if column.facts.values * 2 <= rows:
                step = -(-column.facts.values // MAX_CHECKED)
                found = self._session.rows(
                    f"SELECT v FROM (SELECT {cut(column)} AS v, row_number() OVER () AS n FROM {held}"  # noqa: S608 - quoted
                    f" WHERE {column.value} IS NOT NULL) WHERE n % {step} = 0"
                )
                _take_some(column.facts, [value for (value,) in found])

    def _find_ranges(self, columns: Sequence[Column], held: str) -> None:
        """Work out the range of texts that seem to be numbers or dates where only a part of them was fetched."""
        asked: list[tuple[Column, str, str]] = []
        for column in columns:
            facts = column.facts
            if column.sort == "text" and len(facts.groups) < facts.distinct:
                facts.ranged = True
                texts = _first_texts(facts)
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
    "empty": f"count(*) FILTER (WHERE {{v}} < '!' AND trim({{v}}, {_BLANKS}) = '')",
    "mentions_email": "count(*) FILTER (WHERE contains({v}, '@')"
    f" AND regexp_matches({{v}}, '{_EMAIL.replace('{', '{{').replace('}', '}}')}'))",
}
"""What is counted a second time, in columns where a cheap test found something. Names are fields of ``Facts``."""


def _will_be_fetched(column: Column) -> bool:
    """Whether the different values of a column are few enough, and needed."""
    if column.sort in {"binary", "time"} or not column.facts.values:
        return False
    return column.facts.distinct <= (_FEW if column.sort == "text" else _FEW_NUMBERS)


def _order(group: tuple[Key, int]) -> tuple[int, str]:
    return -group[1], str(group[0])


def _first_texts(facts: Facts) -> Sequence[str]:
    """Give the first few texts that say something."""
    texts = (value for value, _ in facts.groups if isinstance(value, str) and value.strip())
    return list(islice(texts, LOOKED_AT_FIRST))


def _take_some(facts: Facts, values: Sequence[Any]) -> None:
    facts.groups = list(Counter(values).items())
    _compare_long(facts)


def _compare_long(facts: Facts) -> None:
    """Have long numbers compared with the patterns, since they may be cards."""
    if facts.integers and facts.maximum is not None and len(facts.maximum) >= 13:
        facts.counted = None


def _plain_date(text: str) -> str | None:
    return text.strip()[:80] if looks_like_date([text]) else None
