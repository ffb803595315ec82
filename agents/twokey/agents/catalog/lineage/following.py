"""Follows columns through the parts of one statement that sqlglot has qualified, down to the tables that it reads.

Rules: every part is read once, after those that it builds on, so that work grows with the length of the statement; it
is counted, and too much of it ends in ``TooMuchError``. A column is looked up where it is written and then around it,
never the other way. What cannot be said for sure comes with a reason, and without the columns that it might be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, ScopeType, find_all_in_scope, walk_in_scope

from twokey.agents.catalog.lineage.template import UNKNOWN

MAX_WORK: Final = 1_000_000
"""Nodes that are looked at and columns that are passed on, for one statement."""
_CLAUSES: Final = ("where", "prewhere", "having", "group", "qualify", "connect")
_ALIAS: Final = "twokey_alias"
_ROW: Final = "twokey_row"
_COMPUTED: Final = "its template computes a part of it"
_WHOLE_ROW: Final = "it uses a whole row, or a part of one"
_WHOSE: Final = "it does not say whose column it is"
_NOT_FOLLOWED: Final = "a part of it could not be followed"
_STARS: Final = "it comes from all columns of a table whose columns are not known"
_TWICE: Final = "two columns that it could be have one name"
_OUTSIDE: Final = "it could be a column of a table whose columns are not known, or of one around it"
_EITHER: Final = "it could be a column of a table or one that the statement makes itself"


class TooMuchError(ValueError):
    """A statement needs more work than is spent on one."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A column of a table that a statement reads, both as resolved, in lower case."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Value:
    """Where the values of a column come from; ``lost`` says why that is not all, where it is not."""

    refs: frozenset[Ref] = frozenset()
    lost: str = ""


@dataclass(slots=True)
class _Output:
    """The columns of one part. A name that is not among them is one of ``star``'s, or ``rest``."""

    names: dict[str, Value] = field(default_factory=dict[str, Value])
    order: list[Value] = field(default_factory=list[Value])
    star: exp.Table | Scope | None = None
    rest: Value = Value(lost=_NOT_FOLLOWED)
    closed: bool = True
    """Whether ``names`` are all."""

    def add(self, name: str, value: Value) -> None:
        self.order.append(value)
        self.names[name] = Value(value.refs, _TWICE) if name in self.names else value


def table_name(table: exp.Table) -> str:
    """Give the name of a table, with its schema as far as it is written, in lower case; none of what is no table."""
    if not isinstance(table.this, exp.Identifier):
        return ""
    return ".".join(part.name for part in table.parts).lower()


def mark(query: exp.Expr) -> None:
    """Note at columns that are written bare what else they may mean: a column made beside them, or a whole row.

    Has to be done before sqlglot qualifies a statement, which gives most columns to a table.
    """
    for select in query.find_all(exp.Select):
        rows = set(_aliases(select))
        made: set[str] = set()
        for projection in select.expressions:
            _mark(projection, made, rows, "here")
            if isinstance(projection, exp.Alias):
                made.add(projection.alias.lower())
        for clause in _CLAUSES:
            _mark(select.args.get(clause), made, rows, "group" if clause == "group" else "here")
        for join in find_all_in_scope(select, exp.Join):
            _mark(join.args.get("on"), set(), rows, "here")
        for part in _ordering(select):
            _mark(part, made, rows, "order" if isinstance(part, exp.Column) else "here")


def _mark(part: exp.Expr | None, made: set[str], rows: set[str], where: str) -> None:
    for column in find_all_in_scope(part, exp.Column) if part is not None else ():
        name = column.name.lower()
        if column.table:
            continue
        if name in made:
            column.meta[_ALIAS] = where
        if name in rows:
            column.meta[_ROW] = True


def marked(column: exp.Column) -> bool:
    """Tell whether a column may mean something else than a column of a table."""
    return _ALIAS in column.meta or _ROW in column.meta


def _aliases(select: exp.Select) -> Iterator[str]:
    """Give the names of the tables that can be seen from a SELECT: its own, and those of the ones it is a value in."""
    at: exp.Expr | None = select
    while at is not None:
        if isinstance(at, exp.Select):
            sources = [at.args.get("from_"), *(at.args.get("joins") or ())]
            yield from (str(source.this.alias_or_name).lower() for source in sources if source is not None)
        if isinstance(at, exp.CTE) or (isinstance(at, exp.Subquery) and isinstance(at.parent, exp.From | exp.Join)):
            return
        at = at.parent


def _ordering(query: exp.Expr) -> Iterator[exp.Expr]:
    """Give what rows are told apart by where only some of them are kept."""
    distinct = query.args.get("distinct")
    kept = distinct.args.get("on") if isinstance(distinct, exp.Distinct) else None
    if kept is not None:
        yield from kept.expressions
    if kept is not None or query.args.get("limit") is not None or query.args.get("offset") is not None:
        order = query.args.get("order")
        yield from (getattr(item, "this", item) for item in (order.expressions if order is not None else ()))
        yield from (part for key in ("limit", "offset") if (part := query.args.get(key)) is not None)


class Following:
    """What one statement makes, and what decides its rows. ``known`` gives the columns of tables."""

    def __init__(self, whole: Scope, known: Mapping[str, tuple[str, ...]]) -> None:
        self._known = known
        self._left = MAX_WORK
        self._done: dict[int, _Output] = {}
        rows: set[Ref] = set()
        self.lost = ""
        """Why not all of what decides the rows is known, where it is not."""
        for scope in whole.traverse():
            self._done[id(scope.expression)] = output = _Output()
            self._fill(output, scope)
            for value in self._deciding(scope, output):
                rows |= value.refs
                self.lost = self.lost or value.lost
        self.values: Mapping[str, Value] = self._done[id(whole.expression)].names
        self.rows = frozenset(rows)

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise TooMuchError

    # -- what a part makes --------------------------------------------------------------------------------------------

    def _fill(self, output: _Output, scope: Scope) -> None:
        query = scope.expression
        if isinstance(query, exp.Select):
            for projection in query.expressions:
                if projection.is_star:
                    self._star(output, projection, scope)
                else:
                    output.add(projection.alias_or_name.lower(), self._value(projection, scope))
        elif isinstance(query, exp.SetOperation):
            self._union(output, query, scope)
        elif isinstance(query, exp.UDTF):
            output.closed, output.rest = False, self._value(query, scope)
        else:
            inner = self._done.get(id(query.unnest()))
            output.closed = False
            if inner is not None:
                output.names, output.order, output.star = inner.names, inner.order, inner.star
                output.rest, output.closed = inner.rest, inner.closed

    def _star(self, output: _Output, projection: exp.Expr, scope: Scope) -> None:
        """Take in all columns of a table whose columns are not known; one such table can be told, several cannot."""
        sources = scope.selected_sources
        star = projection.this if isinstance(projection, exp.Column) else projection
        if isinstance(projection, exp.Column):
            found = [sources[projection.table][1]] if projection.table in sources else []
        else:
            found = [source for _, source in sources.values()]
        plain = not any(value for value in star.args.values()) and not scope.pivots
        output.star = found[0] if output.closed and len(found) == 1 and plain else None
        output.closed, output.rest = False, Value(lost=_STARS)

    def _union(self, output: _Output, query: exp.SetOperation, scope: Scope) -> None:
        left, right = (
            self._done.get(id(each.expression), _Output(closed=False)) for each in scope.set_operation_scopes
        )
        names = [name.lower() for name in query.named_selects]
        same = len(left.order) == len(right.order) == len(names)
        if not (left.closed and right.closed and same) or query.args.get("by_name"):
            output.closed, output.rest = False, Value(lost=_STARS)
            return
        for name, one, other in zip(names, left.order, right.order, strict=True):
            output.add(name, self._together([one, other]))

    def _together(self, values: list[Value]) -> Value:
        refs: set[Ref] = set()
        lost = ""
        for value in values:
            self._spend(1 + len(value.refs))
            refs |= value.refs
            lost = lost or value.lost
        return Value(frozenset(refs), lost)

    # -- what decides the rows ----------------------------------------------------------------------------------------

    def _deciding(self, scope: Scope, output: _Output) -> Iterator[Value]:
        query: Any = scope.expression
        if isinstance(query, exp.UDTF):
            yield output.rest
            return
        parts = [query.args.get(clause) for clause in _CLAUSES]
        if isinstance(query, exp.Select):
            for join in find_all_in_scope(query, exp.Join):
                parts += [join.args.get("on"), join.args.get("match_condition")]
        for part in parts:
            if isinstance(part, exp.Expr):
                yield self._value(part, scope)
        for part in _ordering(query):
            if isinstance(part, exp.Column) and not part.table and part.name.lower() in output.names:
                yield output.names[part.name.lower()]
            else:
                yield self._value(part, scope)

    # -- where a value comes from -------------------------------------------------------------------------------------

    def _value(self, part: exp.Expr, scope: Scope) -> Value:
        """Give what an expression is computed from; of queries inside it, what they select."""
        if scope.pivots:
            return Value(lost="it turns rows into columns")
        found: list[Value] = []
        parted: set[int] = set()
        for node in walk_in_scope(part):
            self._spend(1)
            if isinstance(node, exp.Dot) and isinstance(node.this, exp.Paren):
                parted |= {id(column) for column in node.this.find_all(exp.Column)}
                found.append(Value(lost=_WHOLE_ROW))
            elif isinstance(node, exp.TableColumn):
                found.append(Value(lost=_WHOLE_ROW))
            elif isinstance(node, exp.Placeholder):
                found.append(Value(lost=_OUTSIDE))
            elif isinstance(node, exp.Column) and id(node) not in parted:
                found.append(self._column(node, scope))
            elif isinstance(node, exp.Query) and node is not part and not isinstance(node, exp.Table):
                found += self._selected(node)
        return self._together(found)

    def _selected(self, query: exp.Query) -> list[Value]:
        inner = query.unnest()
        if isinstance(query.parent, exp.Exists) or (isinstance(query, exp.Subquery) and id(inner) not in self._done):
            return []
        output = self._done.get(id(inner))
        if output is None:
            return [Value(lost=_NOT_FOLLOWED)]
        return [*output.order] if output.closed else [*output.order, output.rest]

    def _column(self, column: exp.Column, scope: Scope) -> Value:
        name = column.name.lower()
        if name == UNKNOWN or column.table.lower() == UNKNOWN:
            return Value(lost=_COMPUTED)
        made, row = column.meta.get(_ALIAS), column.meta.get(_ROW)
        if made is None and row is None:
            return self._named(column, name, scope)
        sources = [self._columns(source) for _, source in scope.selected_sources.values()]
        if made != "order" and any(columns is not None and name in columns for columns in sources):
            return self._named(column, name, scope)
        if made is None:
            return Value(lost=_WHOLE_ROW)
        own = self._done[id(scope.expression)].names.get(name, Value(lost=_NOT_FOLLOWED))
        if made != "here" or all(columns is not None for columns in sources):
            return own
        # A table whose columns are not known may have one of this name, which would go first.
        if not own.lost and self._named(column, name, scope).refs <= own.refs:
            return own
        return Value(lost=own.lost or _EITHER)

    def _named(self, column: exp.Column, name: str, scope: Scope) -> Value:
        at: Scope | None = scope
        while at is not None and column.table:
            source = self._source(column.table, at)
            if source is not None:
                return self._from(source, name)
            at = around(at)
        return Value(lost=_WHOSE) if column.table else self._bare(name, scope)

    def _source(self, table: str, scope: Scope) -> exp.Table | Scope | None:
        found = scope.selected_sources.get(table)
        if found is not None:
            return found[1]
        if scope.is_udtf or table in scope.semi_or_anti_join_tables:
            return scope.sources.get(table)
        return None

    def _bare(self, name: str, scope: Scope) -> Value:
        """Give the column that a bare name is: of the one table that has it, or the one that may."""
        only: exp.Table | Scope | None = None
        at: Scope | None = scope
        while at is not None:
            sources = [source for _, source in at.selected_sources.values()]
            fits = [each for each in sources if (columns := self._columns(each)) is None or name in columns]
            if len(fits) == 1:
                return self._from(fits[0], name)
            if fits:
                return Value(lost=_WHOSE)
            only = only or (sources[0] if len(sources) == 1 else None)
            at = around(at)
        return Value(lost=_WHOSE) if only is None else self._from(only, name)

    def _columns(self, source: exp.Table | Scope) -> set[str] | None:
        """Give the names of all columns of a source; none where they are not known."""
        if isinstance(source, exp.Table):
            return set(self._known.get(table_name(source), ())) or None
        output = self._done.get(id(source.expression))
        return set(output.names) if output is not None and output.closed else None

    def _from(self, source: exp.Table | Scope, name: str) -> Value:
        while isinstance(source, Scope):
            self._spend(1)
            output = self._done.get(id(source.expression))
            if output is None:
                return Value(lost=_NOT_FOLLOWED)
            if name in output.names or output.star is None:
                return output.names.get(name, output.rest)
            source = output.star
        table = table_name(source)
        if source.args.get("pivots") or not table:
            return Value(lost=_NOT_FOLLOWED)
        return Value(lost=_COMPUTED) if table == UNKNOWN else Value(frozenset({Ref(table, name)}))


def around(scope: Scope) -> Scope | None:
    """Give the part around this one whose tables can be seen from it; those that it stands beside cannot."""
    at = scope
    while at.parent is not None and at.scope_type in {ScopeType.DERIVED_TABLE, ScopeType.CTE, ScopeType.SET_OPERATION}:
        at = at.parent
    return at.parent if at.scope_type in {ScopeType.SUBQUERY, ScopeType.UDTF} else None
