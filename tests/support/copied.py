"""A SQLite database copied into PostgreSQL: tables, keys and rows."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg

_TYPES: Final = {"INTEGER": "bigint", "INT": "bigint", "REAL": "double precision", "DATETIME": "timestamp"}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def type_of(declared: str, held: str) -> str:
    """Give PostgreSQL's word for a type of SQLite; where none is declared, for what the column holds."""
    declared = declared or held
    base, _, rest = declared.upper().partition("(")
    if base in {"NVARCHAR", "VARCHAR"}:
        return f"varchar({rest}" if rest else "text"
    return _TYPES.get(base, declared)


def _held(here: sqlite3.Connection, table: str, column: str) -> str:
    rows = here.execute(f"SELECT DISTINCT upper(typeof({quoted(column)})) FROM {quoted(table)}").fetchall()
    kinds = {kind for (kind,) in rows} - {"NULL"}
    return kinds.pop() if len(kinds) == 1 else "REAL" if kinds == {"INTEGER", "REAL"} else "TEXT"


def copy(source: Path, target: str) -> None:
    """Copy every table of the file ``source`` into the empty database at ``target``, a SQLAlchemy URL."""
    url = target.replace("postgresql+psycopg://", "postgresql://", 1)
    with closing(sqlite3.connect(source)) as here, psycopg.connect(url) as there:
        names = [name for (name,) in here.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for name in names:
            columns: list[tuple[Any, ...]] = here.execute(f"PRAGMA table_info({quoted(name)})").fetchall()
            key = [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]
            held = [_held(here, name, column[1]) for column in columns]
            parts = [
                f"{quoted(column[1])} {type_of(column[2], kind)}{' NOT NULL' * column[3]}"
                for column, kind in zip(columns, held, strict=True)
            ]
            parts += [f"PRIMARY KEY ({listed(key)})"] if key else []
            there.execute(f"CREATE TABLE {quoted(name)} ({', '.join(parts)})".encode())
            with there.cursor().copy(f"COPY {quoted(name)} FROM STDIN".encode()) as rows:
                for row in here.execute(f"SELECT * FROM {quoted(name)}"):
                    rows.write_row(row)
        for name in names:
            found: dict[int, list[tuple[Any, ...]]] = {}
            for row in here.execute(f"PRAGMA foreign_key_list({quoted(name)})"):
                found.setdefault(row[0], []).append(row)
            for foreign in found.values():
                here_columns, there_columns = [str(row[3]) for row in foreign], [str(row[4]) for row in foreign]
                there.execute(
                    f"ALTER TABLE {quoted(name)} ADD FOREIGN KEY ({listed(here_columns)})"
                    f" REFERENCES {quoted(foreign[0][2])} ({listed(there_columns)}) NOT VALID".encode()
                )
        there.commit()
