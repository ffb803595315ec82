"""Facts about warehouses, made by hand: what a scan would have seen, without a warehouse."""

from typing import Any

from twokey.agents.catalog import types
from twokey.agents.catalog.facts import Column, ForeignKey, Profile, Table, Warehouse


def profile(rows: int = 200, **changes: Any) -> Profile:
    """A profile of ``rows`` different texts that look like nothing."""
    values: dict[str, Any] = {"rows": rows, "distinct": rows, "texts": rows, "checked": rows, "longest": 12}
    return Profile(**(values | changes))


def integers(rows: int = 200, **changes: Any) -> Profile:
    """A profile of whole numbers from 1 up, no two alike."""
    values: dict[str, Any] = {
        "texts": 0,
        "integers": rows,
        "unique": True,
        "lowest": "1",
        "highest": str(rows),
        "longest": 0,
    }
    return profile(rows, **(values | changes))


def few(*values: str, rows: int = 300, **changes: Any) -> Profile:
    """A profile of a few texts that repeat evenly."""
    each = rows // len(values)
    tallies = tuple((value, each) for value in values)
    made: dict[str, Any] = {"distinct": len(values), "frequent": tallies, "whole": True, "texts": rows}
    return profile(rows, **(made | changes))


def column(name: str, declared: str = "TEXT", profile: Profile | None = None, **changes: Any) -> Column:
    """One column."""
    return Column(name, declared, types.family(declared), profile=profile, **changes)


def table(name: str, *columns: Column | str, key: tuple[str, ...] = (), **changes: Any) -> Table:
    """One table; a column given by its name alone is a text that was not looked at."""
    made = tuple(found if isinstance(found, Column) else column(found) for found in columns)
    return Table(key=name, schema="", name=name, columns=made, primary_key=key, **changes)


def warehouse(*tables: Table, dialect: str = "sqlite") -> Warehouse:
    """A warehouse of these tables."""
    return Warehouse(tables, dialect)


def refers(columns: str, parent: str, targets: str) -> ForeignKey:
    """A declared reference; several columns are separated by blanks."""
    return ForeignKey(tuple(columns.split()), parent, tuple(targets.split()))
