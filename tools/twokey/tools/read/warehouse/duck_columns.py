"""A column while DuckDB counts it: what sort its values are, the SQL that counts them, and where the results belong.

Rules: names of columns are always quoted; texts are cut before they are fetched; times are fetched as text. What a
declared type is not known for is counted as the text that DuckDB makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from twokey.tools.read.warehouse.duck_marks import Marks, Numbers
from twokey.tools.read.warehouse.duck_session import quote
from twokey.tools.read.warehouse.profile import Facts, number_text
from twokey.tools.read.warehouse.values import ColumnInfo

Sort = Literal["integer", "number", "boolean", "time", "text", "binary"]
"""What the values of a column are, as far as counting goes."""

LONGEST: Final = 4096
"""Characters of a text that are fetched."""
_INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_OF_A_MACHINE: Final = (_INTEGERS - {"HUGEINT", "UHUGEINT"}) | {"FLOAT", "DOUBLE"}
"""Types whose values NumPy holds as they are."""
_TIMES: Final = {"DATE": "date", "TIMESTAMP": "datetime", "TIME": ""}


@dataclass(slots=True)
class Column:
    """A column while it is counted."""

    info: ColumnInfo
    sort: Sort
    value: str
    """SQL of the value in the form that is counted."""
    facts: Facts


def column_of(info: ColumnInfo, *, whole: bool) -> Column:
    """Begin with a column; ``whole`` where every row of the table is counted."""
    sort = sort_of(info.type)
    name = quote(info.name)
    value = f"CAST({name} AS VARCHAR)" if sort == "text" and info.type != "VARCHAR" else name
    return Column(info, sort, value, Facts(info.name, info.type, whole=whole))


def shown(column: Column) -> str:
    """Give the value as it is fetched: times as text, long texts cut."""
    return f"CAST({column.value} AS VARCHAR)" if column.sort == "time" else cut(column)


def cut(column: Column) -> str:
    """Give the value with long texts cut; where none is known to be long, as it is, because cutting costs."""
    longest = column.facts.length_max
    if column.sort != "text" or (longest is not None and longest <= LONGEST):
        return column.value
    return f"left({column.value}, {LONGEST})"


def has_row_ids(columns: Sequence[ColumnInfo]) -> bool:
    """Whether ``rowid`` means the number of a row in a table of these columns, and is not one of them."""
    return all(column.name.lower() != "rowid" for column in columns)


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


def is_marked_by_itself(column: Column) -> bool:
    """Whether NumPy holds the numbers of a column as they are, so that its marks (``duck_marks``) tell all of them."""
    return column.info.type in _OF_A_MACHINE


def aggregates(column: Column) -> list[str]:
    """Give the SQL aggregates that the marks of a column leave open, in the order in which ``take`` reads them."""
    value = column.value
    if column.sort == "boolean" or is_marked_by_itself(column):
        return []
    if column.sort == "text":
        return measures_of_texts(column)
    if column.sort == "binary":
        length = f"octet_length({value})"
        return [f"min({length})", f"max({length})", f"sum({length})"]
    ends = [f"min({value})", f"max({value})"]
    if column.sort == "integer":
        return [*ends, f"count_if({value} IN (0, 1))"]
    count = f"count({value})"
    if not column.info.type.startswith(("DECIMAL", "TIME ")) and column.info.type != "TIME":
        finite = f"FILTER (WHERE isfinite({value}))"
        ends, count = [f"{end} {finite}" for end in ends], f"{count} {finite}"
    if column.sort == "time":
        ends = [f"CAST({end} AS VARCHAR)" for end in ends]
    return [*ends, count]


def measures_of_texts(column: Column) -> list[str]:
    """Give the SQL aggregates that measure texts: lengths, and whether some may be blank or hold an address."""
    value = column.value
    length = f"length({value})"
    odd = f"bool_or({value} < '!' OR contains({value}, '@'))"
    return [f"min({length})", f"max({length})", f"sum({length})", odd]


def take(column: Column, marks: Marks, row: Sequence[Any]) -> None:
    """Put the marks of a column, and the results of ``aggregates``, where they belong."""
    facts, sort = column.facts, column.sort
    values = facts.values = marks.values
    facts.distinct = marks.distinct
    if sort == "text":
        facts.texts = facts.lengths = values
        take_measures(facts, row)
    elif sort == "binary":
        facts.binaries = facts.lengths = values
        facts.length_min, facts.length_max, facts.length_sum = row[0], row[1], int(row[2] or 0)
    elif sort == "boolean":
        facts.booleans = values
        facts.counted = {"boolean": values}
    else:
        numbers = marks.numbers
        low, high, counted = (numbers.least, numbers.greatest, _third(sort, numbers)) if numbers is not None else row
        if low is not None and high is not None:
            in_form = _as_time if sort == "time" else number_text
            facts.minimum, facts.maximum = in_form(low), in_form(high)
        if sort == "integer":
            facts.integers = values
            facts.counted = {"integer": values, "number": values, "boolean": int(counted or 0)}
        elif sort == "number":
            facts.numbers, facts.not_finite = values, values - int(counted)
            facts.counted = {"number": values}
        else:
            facts.texts, facts.not_finite, facts.ranged = values, values - int(counted), True
            facts.counted = _pattern_of_times(facts)


def _third(sort: Sort, numbers: Numbers) -> int:
    """Give what ``aggregates`` counts beside the ends."""
    return numbers.zeros_and_ones if sort == "integer" else numbers.finite


def take_measures(facts: Facts, row: Sequence[Any]) -> None:
    """Put the lengths of texts where they belong; none where ``row`` is empty."""
    if row:
        facts.length_min, facts.length_max, facts.length_sum = row[0], row[1], int(row[2] or 0)


def as_times(facts: Facts) -> None:
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


def _as_time(value: object) -> str:
    return str(value)[:80]
