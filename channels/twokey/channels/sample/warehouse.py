"""The sample warehouse as a SQLite file.

Rules: one transaction, fixed page size, compacted at the end, so that the same SQLite library writes the same bytes;
declared foreign keys hold; the tables of dbt are built by running the SQL of the sample's own dbt models over the
(dirty) sources, so columns and values are what ``dbt build`` would give, dirt carried over included.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from twokey.channels.sample import dirt, tables
from twokey.channels.sample.values import DataClass, Personal, Planted

_PERSONAL: Final[tuple[tuple[str, str, DataClass, str], ...]] = (
    ("customers", "full_name", "PERSON_NAME", "full_name IS NOT NULL"),
    ("customers", "contact", "EMAIL", "contact LIKE '%@%'"),
    ("customers", "phone", "PHONE", "phone IS NOT NULL"),
    ("customers", "notes", "EMAIL", "notes LIKE '%@%'"),
    ("employees", "display_name", "PERSON_NAME", "display_name IS NOT NULL"),
    ("employees", "login", "EMAIL", "login LIKE '%@%'"),
    ("invoices", "sent_to", "EMAIL", "sent_to LIKE '%@%'"),
    ("support_contacts", "reached_via", "EMAIL", "reached_via LIKE '%@%'"),
    ("support_contacts", "reached_via", "PHONE", "reached_via NOT LIKE '%@%'"),
    ("churn_features", "contact", "EMAIL", "contact LIKE '%@%'"),
)


def build(
    path: Path, *, seed: int, now: datetime, models: Mapping[str, str]
) -> tuple[tuple[Planted, ...], tuple[Personal, ...]]:
    """Write the database to ``path`` and tell what dirt and what personal data it holds.

    ``models`` maps the name of a table to the rendered SELECT that fills it, in the order to run them.
    """
    sources = tables.build(seed, now)
    planted = dirt.plant(sources, seed)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA page_size = 4096")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("BEGIN")
        for table in sources.values():
            database.execute(table.ddl)
            places = ", ".join("?" * len(table.columns))
            database.executemany(f"INSERT INTO {table.name} VALUES ({places})", table.rows)  # noqa: S608 - our own names
        for name, select in models.items():
            database.execute(f"CREATE TABLE {name} AS {select}")
        personal = tuple(_personal(database))
        database.execute("COMMIT")
        database.execute("VACUUM")
    return planted, personal


def _personal(database: sqlite3.Connection) -> list[Personal]:
    found: list[Personal] = []
    for table, column, data_class, condition in _PERSONAL:
        (rows,) = database.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()  # noqa: S608 - constants above
        found.append(Personal(table, column, data_class, rows))
    return found
