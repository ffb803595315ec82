"""Databases by their names alone, in Spider's form, made from the databases whose relationships are known."""

from typing import Any

from support.joined_databases import KINDS, Made, database

_KINDS = {int: "number", float: "number", str: "text"}


def in_spiders_form(name: str, made: Made) -> dict[str, Any]:
    """Give one database as an entry of ``tables.json``."""
    tables = list(made.tables)
    columns: list[tuple[int, str]] = [(-1, "*")]
    kinds = ["text"]
    for number, table in enumerate(tables):
        for column in made.tables[table]:
            columns.append((number, column))
            held = {type(value) for value in made.column(table, column) if value is not None}
            kinds.append(_KINDS[held.pop()] if held else "number")
    at = {(tables[number], column): place for place, (number, column) in enumerate(columns) if number >= 0}
    primary = [[at[table, column] for column in key] for table, key in made.keys.items() if key]
    return {
        "db_id": name,
        "table_names_original": tables,
        "column_names_original": [list(column) for column in columns],
        "column_types": kinds,
        "primary_keys": [key[0] if len(key) == 1 else key for key in primary],
        "foreign_keys": [
            [at[child, column], at[parent, target]]
            for child, columns_, parent, targets in made.refers
            for column, target in zip(columns_, targets, strict=True)
        ],
    }


def all_kinds(seed: int) -> list[dict[str, Any]]:
    """Give one database of each kind."""
    return [in_spiders_form(f"{kind} {seed}", database(kind, seed)) for kind in KINDS]
