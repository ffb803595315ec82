"""Decides whose the bare columns of subqueries are, where the tables around them come into question, too.

Rules: a column belongs to the innermost table that has it. Where a table inside may have it and one outside is known
to, nobody can tell: the column is replaced by a mark that says so. sqlglot gives up on the whole statement there.
"""

from collections.abc import Mapping
from typing import Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from twokey.agents.catalog.lineage.following import around, marked, table_name

LOST: Final = "twokey_whose"
"""What a placeholder that stands for such a column holds."""


def settle(whole: Scope | None, known: Mapping[str, tuple[str, ...]]) -> None:
    """Qualify the bare columns of subqueries, in place. Names have to be normalized, and other meanings marked."""
    for scope in whole.traverse() if whole is not None else ():
        if not scope.can_be_correlated or scope.is_udtf or not isinstance(scope.expression, exp.Select):
            continue
        if scope.pivots or any(join.args.get("using") for join in scope.expression.args.get("joins") or ()):
            continue
        for column in list(scope.columns):
            if not column.table and not marked(column):
                _settle(column, scope, known)


def _settle(column: exp.Column, scope: Scope, known: Mapping[str, tuple[str, ...]]) -> None:
    name = column.name.lower()
    at: Scope | None = scope
    owner: str | None = None
    sure = False
    while at is not None:
        fits = {
            alias: columns is not None
            for alias, (_, source) in at.selected_sources.items()
            if (columns := _columns(source, known)) is None or name in columns
        }
        if owner is None and fits:
            owner, sure = next(iter(fits.items())) if len(fits) == 1 else ("", True)
        elif owner and not sure and any(fits.values()):
            owner = ""
        at = None if sure else around(at)
    if owner:
        column.set("table", exp.to_identifier(owner))
    else:
        _lose(column)


def _lose(column: exp.Column) -> None:
    mark: exp.Expr = exp.Placeholder(this=LOST)
    if isinstance(column.parent, exp.Select) and column.arg_key == "expressions":
        mark = exp.alias_(mark, column.name)
    column.replace(mark)


def _columns(source: exp.Table | Scope, known: Mapping[str, tuple[str, ...]]) -> set[str] | None:
    """Give the names of all columns of a source, as far as they can be told before stars are spelled out."""
    if isinstance(source, exp.Table):
        return set(known.get(table_name(source), ())) or None
    if source.outer_columns:
        return {name.lower() for name in source.outer_columns}
    if not isinstance(source.expression, exp.Query) or source.expression.is_star:
        return None
    return {name.lower() for name in source.expression.named_selects}
