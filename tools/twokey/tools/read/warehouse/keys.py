"""Exact inclusion of key candidates, by anti-join inside the database.

Rules: only tables and columns of the schema are named, each quoted; the figures of a side are worked out once per
call; a check that fails says why and the next one goes on, until the time of the call is used up.
"""

from collections.abc import Callable, Mapping, Sequence

from twokey.tools.read.warehouse.sources import StatementFailed
from twokey.tools.read.warehouse.values import KeyCheck, KeyFacts, KeysRequest, KeysResult, TableName

QuoteTable = Callable[[TableName], str]
QuoteName = Callable[[str], str]
CountRow = Callable[[str], Sequence[int]]
"""Runs a statement that gives one row of counts; raises ``StatementFailed``."""


def answer_keys(
    request: KeysRequest,
    tables: Mapping[tuple[str, str], Sequence[str]],
    quote_table: QuoteTable,
    quote: QuoteName,
    count: CountRow,
) -> KeysResult:
    """Answer every check of ``request``. ``tables`` maps schema and name to the columns that may be named."""
    sides: dict[tuple[TableName, tuple[str, ...]], tuple[int, int, int]] = {}

    def side(table: TableName, columns: tuple[str, ...]) -> tuple[int, int, int]:
        """Rows, filled rows, distinct filled values."""
        known = (table, columns)
        if known not in sides:
            sql = side_sql(quote_table(table), [quote(column) for column in columns])
            rows, filled, distinct = count(sql)
            sides[known] = (rows, filled, distinct)
        return sides[known]

    def answer(check: KeyCheck) -> KeyFacts:
        for table, columns in ((check.child, check.child_columns), (check.parent, check.parent_columns)):
            there = tables.get((table.schema_name, table.name))
            if there is None or not set(columns) <= set(there):
                return KeyFacts(check=check, problem="the table or a column does not exist")
        try:
            child = side(check.child, check.child_columns)
            parent = side(check.parent, check.parent_columns)
            present, orphan_rows = count(
                inclusion_sql(
                    quote_table(check.child),
                    [quote(column) for column in check.child_columns],
                    quote_table(check.parent),
                    [quote(column) for column in check.parent_columns],
                )
            )
        except StatementFailed as fault:
            return KeyFacts(check=check, problem=fault.reason)
        return KeyFacts(
            check=check,
            child_rows=child[0],
            child_filled=child[1],
            child_distinct=child[2],
            present=present,
            orphans=child[2] - present,
            orphan_rows=orphan_rows,
            parent_rows=parent[0],
            parent_filled=parent[1],
            parent_distinct=parent[2],
        )

    return KeysResult(checks=tuple(answer(check) for check in request.checks))


def side_sql(table: str, columns: Sequence[str]) -> str:
    """Count rows, filled rows and distinct filled values. Arguments are quoted already."""
    filled = _filled(columns)
    return (
        f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {table} WHERE {filled}),"  # noqa: S608 - names are quoted by the dialect
        f" (SELECT count(*) FROM (SELECT DISTINCT {', '.join(columns)} FROM {table} WHERE {filled}) d)"
    )


def inclusion_sql(child: str, child_columns: Sequence[str], parent: str, parent_columns: Sequence[str]) -> str:
    """Count distinct child values that occur in the parent, and child rows that do not. Arguments are quoted already.

    ``IN`` over rows without nulls is two-valued, so its negation counts exactly the orphans.
    """
    key = ", ".join(child_columns) if len(child_columns) == 1 else f"({', '.join(child_columns)})"
    found = f"{key} IN (SELECT {', '.join(parent_columns)} FROM {parent} WHERE {_filled(parent_columns)})"  # noqa: S608 - names are quoted
    filled = _filled(child_columns)
    return (
        f"SELECT (SELECT count(*) FROM (SELECT DISTINCT {', '.join(child_columns)} FROM {child}"  # noqa: S608 - names are quoted by the dialect
        f" WHERE {filled} AND {found}) d), (SELECT count(*) FROM {child} WHERE {filled} AND NOT ({found}))"
    )


def _filled(columns: Sequence[str]) -> str:
    return " AND ".join(f"{column} IS NOT NULL" for column in columns)
