"""Decides whether a text is one harmless SELECT, and gives it back rewritten from its syntax tree.

Rules: everything that is not known to be harmless is refused: statements, clauses, functions, types, tables and columns
alike. What runs is the text written from the tree that was checked, without comments, so that nothing the checker and
the database read differently is ever sent. A table must be one that the schema result lists; a column must belong to
it or be named in the statement itself, which also closes PostgreSQL's ``table.function`` notation.

This is one wall of several; behind it the connection itself is read-only.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from twokey.core.errors import ToolRetry

# Its warnings repeat the statement as it was written, which is nobody's to print on a terminal.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

Tables = Mapping[tuple[str, str], frozenset[str]]
"""Schema and name of each table that may be read, with its columns."""


class StatementRefused(ToolRetry):
    """The statement is not one that may run here. Nothing was sent to the database."""

    default_code = "statement_refused"


_CLAUSES: Final[tuple[type[exp.Expr], ...]] = (
    exp.Select,
    exp.From,
    exp.Join,
    exp.Where,
    exp.Group,
    exp.Having,
    exp.Order,
    exp.Ordered,
    exp.Limit,
    exp.Offset,
    exp.Fetch,
    exp.With,
    exp.CTE,
    exp.TableAlias,
    exp.Table,
    exp.Alias,
    exp.Column,
    exp.Identifier,
    exp.Star,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Between,
    exp.In,
    exp.Like,
    exp.ILike,
    exp.SimilarTo,
    exp.Glob,
    exp.Escape,
    exp.Is,
    exp.Case,
    exp.If,
    exp.Cast,
    exp.TryCast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Paren,
    exp.Subquery,
    exp.Union,
    exp.Except,
    exp.Intersect,
    exp.Distinct,
    exp.Window,
    exp.WindowSpec,
    exp.Exists,
    exp.Tuple,
    exp.Interval,
    exp.Var,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.IntDiv,
    exp.Neg,
    exp.DPipe,
    exp.Filter,
    exp.WithinGroup,
    exp.Any,
    exp.All,
    exp.Qualify,
    exp.IgnoreNulls,
    exp.RespectNulls,
    exp.Cube,
    exp.Rollup,
    exp.GroupingSets,
    exp.RegexpLike,
    exp.RegexpILike,
    exp.AtTimeZone,
    exp.JSONPath,
    exp.JSONPathKey,
    exp.JSONPathRoot,
    exp.JSONPathSubscript,
)  # fmt: skip - an allow-list reads better as a paragraph
_FUNCTIONS: Final[tuple[type[exp.Expr], ...]] = (
    exp.Count,
    exp.Sum,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Variance,
    exp.VariancePop,
    exp.Median,
    exp.PercentileCont,
    exp.PercentileDisc,
    exp.Quantile,
    exp.ApproxQuantile,
    exp.ApproxDistinct,
    exp.CountIf,
    exp.LogicalAnd,
    exp.LogicalOr,
    exp.AnyValue,
    exp.ArgMax,
    exp.ArgMin,
    exp.Mode,
    exp.Corr,
    exp.CovarPop,
    exp.CovarSamp,
    exp.GroupConcat,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Abs,
    exp.Ceil,
    exp.Floor,
    exp.Round,
    exp.Sign,
    exp.Sqrt,
    exp.Cbrt,
    exp.Pow,
    exp.Exp,
    exp.Ln,
    exp.Log,
    exp.Trunc,
    exp.Greatest,
    exp.Least,
    exp.Coalesce,
    exp.Nullif,
    exp.Length,
    exp.Lower,
    exp.Upper,
    exp.Initcap,
    exp.Trim,
    exp.Substring,
    exp.Left,
    exp.Right,
    exp.Concat,
    exp.ConcatWs,
    exp.Replace,
    exp.StrPosition,
    exp.StartsWith,
    exp.EndsWith,
    exp.Reverse,
    exp.SplitPart,
    exp.Ascii,
    exp.Contains,
    exp.RegexpReplace,
    exp.RegexpExtract,
    exp.Date,
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.Extract,
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.CurrentTime,
    exp.DateDiff,
    exp.DateAdd,
    exp.DateSub,
    exp.TimestampAdd,
    exp.TimestampDiff,
    exp.TimestampSub,
    exp.TimeToStr,
    exp.StrToTime,
    exp.StrToDate,
    exp.TsOrDsToDate,
    exp.TsOrDsToTimestamp,
    exp.TsOrDsAdd,
    exp.TsOrDsDiff,
    exp.TsOrDsToDateStr,
    exp.UnixToTime,
    exp.TimeToUnix,
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Week,
    exp.Quarter,
    exp.DayOfWeek,
    exp.DayOfMonth,
    exp.DayOfYear,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.LastDay,
    exp.DateStrToDate,
    exp.StrToUnix,
    exp.Typeof,
    exp.JSONExtract,
    exp.JSONExtractScalar,
    exp.Translate,
    exp.Unicode,
    exp.Hex,
    exp.Time,
    exp.Timestamp,
    exp.IsNan,
    exp.IsInf,
    exp.Nvl2,
    exp.SafeDivide,
)  # fmt: skip - as above
_NAMED_FUNCTIONS: Final = {
    "sqlite": frozenset({"julianday", "total", "instr", "char", "ifnull", "sign"}),
    "duckdb": frozenset({"isodow", "isfinite", "list_count", "bit_length", "octet_length"}),
    "postgres": frozenset({"bit_length", "octet_length", "char_length", "character_length", "btrim", "cardinality"}),
}
_ALLOWED: Final = frozenset(_CLAUSES + _FUNCTIONS)
_SYSTEM_PREFIXES: Final = ("pg_", "sqlite_", "duckdb_", "information_schema", "sys.", "mysql.")
_REFUSED_TYPES: Final = frozenset(
    {exp.DType.USERDEFINED, exp.DType.OBJECT, exp.DType.XML, exp.DType.UNKNOWN, exp.DType.NAME}
)
_NEXT: Final = "Write one SELECT over the tables of the schema result, with plain functions."


def checked(sql: str, *, dialect: str, tables: Tables) -> str:
    """Give the statement to run instead of ``sql``.

    ``dialect`` is sqlglot's name of the SQL dialect.

    Raises:
        StatementRefused: it is no single SELECT, or uses something that is not known to be harmless.

    """
    if "\0" in sql:
        raise _refused("it holds a NUL character")
    try:
        statements = [statement for statement in parse(sql, read=dialect) if statement is not None]
    except (SqlglotError, RecursionError) as error:
        raise _refused("it cannot be read as SQL of this database") from error
    if len(statements) != 1:
        raise _refused(f"it holds {len(statements)} statements instead of one")
    statement = statements[0]
    if not isinstance(statement, exp.Select | exp.Union | exp.Except | exp.Intersect):
        raise _refused("it is no SELECT")
    nodes = list(statement.walk())
    _check_nodes(nodes, dialect)
    _check_names(nodes, tables)
    return statement.sql(dialect=dialect, comments=False)


def _refused(why: str) -> StatementRefused:
    return StatementRefused(f"The statement is refused: {why}.", next=_NEXT)


def _check_nodes(nodes: Iterable[exp.Expr], dialect: str) -> None:
    named = _NAMED_FUNCTIONS.get(dialect, frozenset[str]())
    for node in nodes:
        if isinstance(node, exp.Anonymous):
            if not isinstance(node.this, str) or node.this.lower() not in named:
                raise _refused("it calls a function that is not on the list of harmless ones")
            continue
        if type(node) not in _ALLOWED:
            kind = "a function" if isinstance(node, exp.Func) else "a clause"
            raise _refused(f"it uses {kind} that is not on the list of harmless ones ({type(node).__name__})")
        if isinstance(node, exp.DataType) and node.this in _REFUSED_TYPES:
            raise _refused("it converts to a type that is not on the list of harmless ones")


def _check_names(nodes: Iterable[exp.Expr], tables: Tables) -> None:
    nodes = list(nodes)
    own = {node.alias.lower() for node in nodes if isinstance(node, exp.CTE)}
    if any(name.startswith(_SYSTEM_PREFIXES) for name in own):
        raise _refused("it gives a name that belongs to the database itself")
    by_name: dict[str, set[str]] = {}
    for (_, name), columns in tables.items():
        by_name.setdefault(name.lower(), set()).update(column.lower() for column in columns)
    schemas = {(schema.lower(), name.lower()) for schema, name in tables}
    aliases: dict[str, set[str]] = {}
    readable: set[str] = set()
    for node in nodes:
        if not isinstance(node, exp.Table):
            continue
        name, schema = node.name.lower(), node.db.lower()
        if node.catalog or not isinstance(node.this, exp.Identifier) or name.startswith(_SYSTEM_PREFIXES):
            raise _refused("it reads something that is no table of the schema result")
        if not schema and name in own:
            aliases.setdefault(node.alias_or_name.lower(), set()).add("*")
            continue
        if (schema, name) not in schemas if schema else name not in by_name:
            raise _refused("it reads a table that the schema result does not list")
        readable |= by_name[name]
        aliases.setdefault(node.alias_or_name.lower(), set()).update(by_name[name])
    _check_columns(nodes, aliases, readable)


def _check_columns(nodes: list[exp.Expr], aliases: Mapping[str, set[str]], readable: set[str]) -> None:
    given = {node.alias.lower() for node in nodes if isinstance(node, exp.Alias)}
    for node in nodes:
        if isinstance(node, exp.TableAlias):
            given |= {column.name.lower() for column in node.columns}
    for node in nodes:
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            continue
        name, qualifier = node.name.lower(), node.table.lower()
        of_table = aliases.get(qualifier)
        known = readable | given if of_table is None or "*" in of_table else of_table
        if name not in known:
            raise _refused("it names a column that none of its tables has")
