"""A column while DuckDB counts it: what sort its values are, the SQL that counts them, and where the results belong.

Rules: names of columns are always quoted; texts are cut before they are fetched; times are fetched as text. What a
declared type is not known for is counted as the text that DuckDB makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from twokey.tools.read.warehouse.duck_marks import Marks
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
    """Give the value with long texts cut."""
    return f"left({column.value}, {LONGEST})" if column.sort == "text" else column.value


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


def aggregates(column: Column) -> list[str]:
    """Give the SQL aggregates over a column that is no text, in the order in which ``take`` reads them."""
    value = column.value
    if column.sort == "boolean":
        return [f"count({value})"]
    if column.sort == "binary":
        length = f"octet_length({value})"
        return [f"count({value})", f"min({length})", f"max({length})", f"sum({length})"]
    counts = [f"count({value})", f"min({value})", f"max({value})"]
    if column.sort == "integer":
        return [*counts, f"count_if({value} IN (0, 1))"]
    if not column.info.type.startswith(("DECIMAL", "TIME ")) and column.info.type != "TIME":
        finite = f"FILTER (WHERE isfinite({value}))"
        counts = [counts[0], *(f"{end} {finite}" for end in counts[1:]), f"{counts[0]} {finite}"]
    else:
        counts.append(counts[0])
    if column.sort == "time":
        counts[1:3] = [f"CAST({end} AS VARCHAR)" for end in counts[1:3]]
    return counts


def take(column: Column, row: Sequence[Any]) -> None:
    """Put the results of ``aggregates`` where they belong."""
    facts, sort = column.facts, column.sort
    values = facts.values = int(row[0])
    if sort == "binary":
        facts.binaries = facts.lengths = values
        facts.length_min, facts.length_max, facts.length_sum = row[1], row[2], int(row[3] or 0)
    elif sort == "boolean":
        facts.booleans = values
        facts.counted = {"boolean": values}
    else:
        if row[1] is not None:
            in_form = _as_time if sort == "time" else number_text
            facts.minimum, facts.maximum = in_form(row[1]), in_form(row[2])
        if sort == "integer":
            facts.integers = values
            facts.counted = {"integer": values, "number": values, "boolean": int(row[3] or 0)}
        elif sort == "number":
            facts.numbers, facts.not_finite = values, values - int(row[3])
            facts.counted = {"number": values}
        else:
            facts.texts, facts.not_finite, facts.ranged = values, values - int(row[3]), True
            facts.counted = _pattern_of_times(facts)


def take_marks(column: Column, marks: Marks) -> None:
    """Put what the marks of a column of texts say where it belongs; of other columns how many values differ."""
    facts = column.facts
    facts.distinct = marks.distinct
    if column.sort == "text":
        facts.values = facts.texts = facts.lengths = marks.values
        facts.length_sum = marks.characters
        if marks.values:
            facts.length_min, facts.length_max = marks.shortest, marks.longest


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
