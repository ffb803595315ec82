"""Reads rows of one table through DuckDB, to look at their cells.

Rules: rows come in the order of the table, spread over it where it has row numbers, else from its beginning; texts are
cut, binaries are left out. What is read stays inside the read tool.
"""

from collections.abc import Sequence

from twokey.tools.read.warehouse.duck_columns import sort_of
from twokey.tools.read.warehouse.duck_session import DuckSession, quote
from twokey.tools.read.warehouse.inspection.grid import MAX_TEXT
from twokey.tools.read.warehouse.sources import Most, Sampled
from twokey.tools.read.warehouse.values import ColumnInfo, TableName


def sample_cells(
    session: DuckSession, table: TableName, columns: Sequence[ColumnInfo], source: str, most: Most, *, numbered: bool
) -> Sampled:
    """Sample ``source`` (SQL text); ``numbered`` where its rows have numbers. Raises ``StatementFailed``."""
    rows = int(session.rows(f"SELECT count(*) FROM {source}")[0][0])  # noqa: S608 - quoted
    limit = most.rows_of(len(columns))
    spread = numbered and rows > limit
    values = ", ".join(_cut(column) for column in columns)
    where = f"WHERE rowid % {-(-rows // limit)} = 0" if spread else f"LIMIT {limit}"
    found = session.rows(f"SELECT {values} FROM {source} {where}") if columns else []  # noqa: S608 - quoted
    return Sampled(
        table=table,
        names=[column.name for column in columns],
        columns=list(zip(*found, strict=True)) if found else [()] * len(columns),
        rows=rows,
        sampled=len(found),
        sampling="all" if rows <= limit else "spread" if spread else "first",
    )


def _cut(column: ColumnInfo) -> str:
    """Give a column as it is where it holds numbers or booleans, else as text that is cut; binaries are left out."""
    sort = sort_of(column.type)
    if sort == "binary":
        return "NULL"
    if sort in {"integer", "number", "boolean"}:
        return quote(column.name)
    return f"left(CAST({quote(column.name)} AS VARCHAR), {MAX_TEXT})"
