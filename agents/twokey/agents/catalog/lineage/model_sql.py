"""Reads off one SELECT which columns each of its columns is computed from, and which decide its rows.

Rules: sqlglot parses and qualifies, nothing is run. Columns of the tables below come from what is known of them; where
that is not enough to say whose a column is, the column is a gap. Input is bounded in size, depth and in the columns
that stars stand for before sqlglot spells them out; what cannot be parsed is one gap that says so, in our words.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from twokey.agents.catalog.lineage import correlated, following
from twokey.agents.catalog.lineage.following import Following, Ref, TooMuchError, table_name
from twokey.agents.catalog.lineage.template import UNKNOWN

MAX_COLUMNS: Final = 2_000
MAX_WIDTH: Final = 30_000
"""Columns that all parts of a statement have together."""
MAX_SELECTS: Final = 1_000
MAX_DEPTH: Final = 150

# What sqlglot cannot resolve it warns of; here that is a gap, which is counted.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Read:
    """What one statement says: per column of its result where the values come from, and what decides the rows."""

    values: Mapping[str, frozenset[Ref]]
    rows: frozenset[Ref]
    tables: frozenset[str]
    unknown: Mapping[str, str]
    """Columns that could not be followed (``*`` for all of them, or for what decides the rows), and why."""


def read(sql: str, known: Mapping[str, tuple[str, ...]], dialect: str | None) -> Read:
    """Read one statement. ``known`` gives the columns of tables by their names in lower case."""
    try:
        return _read(sql, known, dialect)
    except RecursionError:
        return _nothing("its SQL is nested too deeply")
    except (SqlglotError, ValueError):
        return _nothing("its SQL could not be parsed")


def _nothing(reason: str, tables: frozenset[str] = frozenset()) -> Read:
    return Read({}, frozenset(), tables, {"*": reason})


def _read(sql: str, known: Mapping[str, tuple[str, ...]], dialect: str | None) -> Read:
    statements = [item for item in sqlglot.parse(sql, dialect=dialect) if item is not None]
    queries = [item for item in statements if isinstance(item, exp.Query)]
    if len(statements) != 1 or len(queries) != 1:
        return _nothing("it is not one SELECT")
    query = queries[0]
    if any(_depth(node) > MAX_DEPTH for node in query.find_all(exp.Column, exp.Literal)):
        return _nothing("its SQL is nested too deeply")
    if sum(1 for _ in query.find_all(exp.Select)) > MAX_SELECTS:
        return _nothing("it has too many parts")
    scope = build_scope(normalize_identifiers(query, dialect=dialect))
    tables = _tables(scope)
    if query.find(exp.Columns) is not None:
        return _nothing("it selects columns by a pattern", tables)
    try:
        if _width(scope, known) > MAX_WIDTH:
            return _nothing("it has too many columns", tables)
        following.mark(query)
        correlated.settle(scope, known)
        return _followed(query, known, tables, dialect)
    except OptimizeError:
        return _nothing("the columns of a table that it reads are not known", tables)
    except TooMuchError:
        return _nothing("it needs too much work", tables)


def _followed(
    query: exp.Query, known: Mapping[str, tuple[str, ...]], tables: frozenset[str], dialect: str | None
) -> Read:
    # sqlglot wants all names of a schema to have as many parts; those of templates have one.
    schema: dict[str, object] = {
        name: dict.fromkeys(known[name], "text") for name in tables if known.get(name) and "." not in name
    }
    whole: Any = qualify(
        query,
        dialect=dialect,
        schema=schema,
        # What sqlglot puts in place of an alias doubles with every step; ``Following`` looks aliases up instead.
        expand_alias_refs=False,
        validate_qualify_columns=False,
        allow_partial_qualification=True,
        identify=False,
        quote_identifiers=False,
    )
    if whole.is_star:
        return _nothing("it selects all columns of a table whose columns are not known", tables)
    names = [select.alias_or_name.lower() for select in whole.selects]
    if len(names) > MAX_COLUMNS:
        return _nothing("it has too many columns", tables)
    if not all(names) or len(set(names)) != len(names):
        return _nothing("two of its columns have one name, or one has none", tables)
    scope = build_scope(whole)
    if scope is None:
        return _nothing("it is not one SELECT", tables)
    found = Following(scope, known)
    unknown = {name: value.lost for name, value in found.values.items() if value.lost}
    if found.lost:
        unknown["*"] = found.lost
    return Read({name: value.refs for name, value in found.values.items()}, found.rows, tables, unknown)


def _tables(whole: Scope | None) -> frozenset[str]:
    """Give the names of the tables that are read, which a part of the statement may share a name with."""
    found = {
        table_name(source)
        for scope in (whole.traverse() if whole is not None else ())
        for source in scope.sources.values()
        if isinstance(source, exp.Table)
    }
    return frozenset(found - {"", UNKNOWN})


def _width(whole: Scope | None, known: Mapping[str, tuple[str, ...]]) -> int:
    """Count the columns of all parts, stars spelled out; stops where there are too many."""
    widths: dict[int, int] = {}
    total = 0
    for scope in whole.traverse() if whole is not None else ():
        query: Any = scope.expression
        if isinstance(query, exp.Select):
            width = sum(_projected(item, scope, known, widths) for item in query.expressions)
        elif isinstance(query, exp.SetOperation):
            width = max(widths.get(id(each.expression), 1) for each in scope.set_operation_scopes)
        else:
            width = widths.get(id(query.unnest()), 1)
        widths[id(query)] = width
        total += width
        if total > MAX_WIDTH:
            break
    return total


def _projected(item: exp.Expr, scope: Scope, known: Mapping[str, tuple[str, ...]], widths: Mapping[int, int]) -> int:
    if not item.is_star:
        return 1
    table = item.table if isinstance(item, exp.Column) else ""
    total = 0
    for name, source in scope.sources.items():
        if (table and name != table) or (not table and name not in dict(scope.references)):
            continue
        if isinstance(source, Scope):
            total += widths.get(id(source.expression), 1)
        else:
            total += len(known.get(table_name(source), ())) or 1
    return total


def _depth(node: exp.Expr) -> int:
    depth = 0
    above = node.parent
    while above is not None and depth <= MAX_DEPTH:
        depth += 1
        above = above.parent
    return depth
