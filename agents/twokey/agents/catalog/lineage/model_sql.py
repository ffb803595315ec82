"""Reads off one SELECT which columns each of its columns is computed from, and which decide its rows.

Rules: sqlglot parses and resolves, nothing is run. Columns of the tables below come from what is known of them; where
that is not enough to say whose a column is, the column is a gap. Input is bounded in size and depth; what cannot be
parsed is one gap that says so, in our words.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.lineage import Node, lineage, to_node
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import ensure_schema

from twokey.agents.catalog.lineage.template import UNKNOWN

MAX_COLUMNS: Final = 2_000
MAX_NODES: Final = 20_000
"""Nodes of the expressions that one column may lead through."""
MAX_DEPTH: Final = 150
_CLAUSES: Final = ("where", "having", "group", "qualify")

# What sqlglot cannot resolve it warns of; here that is a gap, which is counted.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A column of a table that a statement reads, both as resolved, in lower case."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Read:
    """What one statement says: per column of its result where the values come from, and what decides the rows."""

    values: Mapping[str, frozenset[Ref]]
    rows: frozenset[Ref]
    tables: frozenset[str]
    unknown: Mapping[str, str]
    """Columns that could not be followed (``*`` for all of them), and why."""


def read(sql: str, known: Mapping[str, tuple[str, ...]], dialect: str | None) -> Read:
    """Read one statement. ``known`` gives the columns of tables by their names in lower case."""
    try:
        return _read(sql, known, dialect)
    except OptimizeError:
        return _nothing("the columns of a table that it reads are not known")
    except (SqlglotError, ValueError):
        return _nothing("its SQL could not be parsed")
    except RecursionError:
        return _nothing("its SQL is nested too deeply")


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
    made = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    tables = frozenset(name for table in query.find_all(exp.Table) if (name := _name(table)) and name not in made)
    # sqlglot wants all names of a schema to have as many parts; those of templates have one.
    schema: dict[str, object] = {
        name: dict.fromkeys(known[name], "text") for name in tables if known.get(name) and "." not in name
    }
    whole: Any = qualify(
        query,
        dialect=dialect,
        schema=schema,
        validate_qualify_columns=False,
        allow_partial_qualification=True,
        identify=False,
        quote_identifiers=False,
    )
    if whole.is_star:
        return _nothing("it selects all columns of a table whose columns are not known", tables)
    names = [select.alias_or_name for select in whole.selects]
    if len(names) > MAX_COLUMNS:
        return _nothing("it has too many columns", tables)
    if not all(names) or len(set(names)) != len(names):
        return _nothing("two of its columns have one name, or one has none", tables)
    values: dict[str, frozenset[Ref]] = {}
    unknown: dict[str, str] = {}
    scope = build_scope(whole)
    followed = lineage(None, whole, schema, dialect=dialect, scope=scope, trim_selects=False, copy=False)
    for name, node in followed.items():
        found, lost = _leaves(node)
        if lost:
            unknown[name.lower()] = lost
        values[name.lower()] = found
    return Read(values, _Rows(schema, dialect).of(scope), tables, unknown)


def _leaves(node: Node) -> tuple[frozenset[Ref], str]:
    """Give the columns that a column comes from; and why not all of them are known, where that is so."""
    found: set[Ref] = set()
    lost = ""
    for count, item in enumerate(node.walk()):
        if count > MAX_NODES:
            return frozenset(found), "it comes from too many places"
        if item.downstream:
            continue
        table = item.expression
        column = item.name.rpartition(".")[2].strip('"`').lower()
        if isinstance(table, exp.Table):
            if column == UNKNOWN:
                lost = "its template computes a part of it"
            elif column == "*":
                lost = "it comes from all columns of a table whose columns are not known"
            else:
                found.add(Ref(_name(table), column))
        elif isinstance(table, exp.Placeholder):
            lost = "it does not say whose column it is"
        elif table.find(exp.Column) is not None:
            lost = "a part of it could not be followed"
    return frozenset(found), lost


class _Rows:
    """Finds the columns of tables that joins, filters and groups name, in every part of a statement."""

    def __init__(self, schema: dict[str, object], dialect: str | None) -> None:
        self._schema = ensure_schema(schema, dialect=dialect)
        self._dialect = dialect

    def of(self, whole: Scope | None) -> frozenset[Ref]:
        found: set[Ref] = set()
        for scope in whole.traverse() if whole is not None else ():
            for column in _deciding(scope.expression):
                found |= self._sources(column, scope)
        return frozenset(found)

    def _sources(self, column: exp.Column, scope: Scope | None) -> frozenset[Ref]:
        """Give what a column comes from, where it is named in a scope or in one around it."""
        while scope is not None:
            source = scope.sources.get(column.table)
            if isinstance(source, Scope):
                return _leaves(to_node(column.name, source, self._dialect, self._schema))[0]
            if isinstance(source, exp.Table):
                return frozenset({Ref(_name(source), column.name.lower())})
            scope = scope.parent
        return frozenset()


def _deciding(query: Any) -> Iterator[exp.Column]:
    parts = [query.args.get(clause) for clause in _CLAUSES]
    parts += [join.args.get("on") for join in query.args.get("joins") or ()]
    for part in parts:
        if isinstance(part, exp.Expr):
            yield from part.find_all(exp.Column)


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()


def _depth(node: exp.Expr) -> int:
    depth = 0
    above = node.parent
    while above is not None and depth <= MAX_DEPTH:
        depth += 1
        above = above.parent
    return depth
