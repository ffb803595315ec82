"""Made-up tables for ``bench catalog``: mixed types, one cell in twenty dirty, the same bytes every time.

Rules: everything comes from the numbers of a table and a row through DuckDB's ``hash``, so nothing is random, nobody is
real, and no table says again what another one said.
Dirt is what warehouses have: missing values, missing values written as text, typos, other formats, outliers.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

_FIRST: Final = "['Ana','Ben','Carla','Dora','Emil','Fritz','Gina','Hans','Ida','Jon','Karin','Leo','Mara','Nils']"
_LAST: Final = "['Abel','Berg','Clarke','Dietz','Ekman','Falk','Garcia','Huber','Ivanov','Jensen','Klein','Lopez']"
_TOWNS: Final = "['Berlin','Madrid','Oslo','Porto','Graz','Lyon','Gent','Turin','Bergen','Malmo','Zurich','Leeds']"


@dataclass(frozen=True, slots=True)
class Made:
    """A warehouse that was made."""

    path: Path
    tables: int
    columns: int


def _pick(values: str, salt: int) -> str:
    return f"{values}[1 + (hash(i, t, {salt}) % len({values}))::INTEGER]"


def _number(salt: int, below: int) -> str:
    return f"(hash(i, t, {salt}) % {below})::BIGINT"


def _dirty(value: str, salt: int, dirt: str) -> str:
    """Give ``value``, in one row of twenty ``dirt`` instead."""
    return f"CASE WHEN hash(i, t, {salt}, 1) % 20 = 0 THEN {dirt} ELSE {value} END"


def _columns(parent: str) -> dict[str, str]:
    """SQL of thirty columns over the numbers ``i`` of a row and ``t`` of its table."""
    name = f"{_pick(_FIRST, 1)} || ' ' || {_pick(_LAST, 2)}"
    email = f"lower({_pick(_FIRST, 1)}) || i || '@mail' || {_number(3, 40)} || '.example'"
    day = f"(DATE '2021-01-01' + {_number(4, 1500)}::INTEGER)"
    return {
        "id": "i",
        f"{parent}_id": _dirty(_number(5, 10_000), 5, "NULL"),
        "customer_name": _dirty(name, 6, "''"),
        "email": _dirty(email, 7, f"replace({email}, '@', ' at ')"),
        "phone": _dirty(f"'+49 30 ' || (1000000 + {_number(8, 8_999_999)})", 8, "'unknown'"),
        "street": _dirty(f"{_pick(_LAST, 9)} || ' Street ' || {_number(9, 200)}", 9, "NULL"),
        "city": _dirty(_pick(_TOWNS, 10), 10, f"upper({_pick(_TOWNS, 10)})"),
        "postal_code": _dirty(f"lpad({_number(11, 99_999)}::VARCHAR, 5, '0')", 11, "'?'"),
        "country": _dirty("['DE','ES','NO','PT','AT','FR'][1 + (hash(i, t, 12) % 6)::INTEGER]", 12, "'Germany'"),
        "birth_date": _dirty(f"(DATE '1940-01-01' + {_number(13, 25_000)}::INTEGER)", 13, "DATE '1900-01-01'"),
        "created_at": f"TIMESTAMP '2024-01-01' + to_seconds({_number(14, 50_000_000)})",
        "updated_at": _dirty(f"TIMESTAMP '2025-01-01' + to_seconds({_number(15, 9_000_000)})", 15, "NULL"),
        "signup_day": _dirty(f"{day}::VARCHAR", 16, f"strftime({day}, '%d/%m/%Y')"),
        "status": _dirty("['open','paid','closed','lost'][1 + (hash(i, t, 17) % 4)::INTEGER]", 17, "'opne'"),
        "plan": "['free','basic','pro'][1 + (hash(i, t, 18) % 3)::INTEGER]",
        "is_active": "hash(i, t, 19) % 3 > 0",
        "amount": _dirty(f"({_number(20, 100_000)} / 100)::DECIMAL(12, 2)", 20, "9999999.99"),
        "currency": _dirty("['EUR','USD','NOK'][1 + (hash(i, t, 21) % 3)::INTEGER]", 21, "'euro'"),
        "quantity": _dirty(_number(22, 50), 22, "-1"),
        "weight_kg": _dirty(f"({_number(23, 8_000)} / 100)::DOUBLE", 23, f"({_number(23, 8_000)} * 10)::DOUBLE"),
        "discount": f"({_number(24, 100)} / 100)::DOUBLE",
        "score": _dirty(_number(25, 101), 25, "NULL"),
        "url": f"'https://shop.example/item/' || {_number(26, 5_000)}",
        "ip_address": f"'10.' || {_number(27, 256)} || '.' || {_number(28, 256)} || '.' || {_number(29, 256)}",
        "reference": f"'AB-' || (10000 + {_number(30, 89_999)})",
        "token": "md5(i || '-' || t)",
        "note": _dirty(f"'Called about order ' || {_number(31, 90_000)} || ', will call again'", 31, "NULL"),
        "source": "['web','shop','phone','partner','fair'][1 + (hash(i, t, 32) % 5)::INTEGER]",
        "visits": _number(33, 3_000),
        "latitude": f"(47 + {_number(34, 80_000)} / 10000)::DOUBLE",
    }


def _select(number: int, rows: int) -> str:
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in _columns(f"table_{max(0, number - 1):03d}").items())
    numbered = f"SELECT i, {number} AS t FROM range({rows}) r(i)"  # noqa: S608 - nothing in it comes from outside
    return f"SELECT {listed} FROM ({numbered})"  # noqa: S608 - as above


def warehouse(path: Path, *, tables: int, rows: int = 10_000) -> Made:
    """Make a DuckDB database with so many tables of thirty columns; each but the first refers to the one before."""
    with duckdb.connect(str(path), config={"threads": "1"}) as connection:
        for number in range(tables):
            connection.execute(f"CREATE TABLE table_{number:03d} AS {_select(number, rows)}")
    return Made(path, tables, len(_columns("x")))


def large_file(folder: Path, *, rows: int = 50_000, columns: int = 15) -> Path:
    """Make a folder with one CSV file of so many rows and columns."""
    folder.mkdir()
    names = ", ".join(f'"{name}"' for name in list(_columns("shop"))[:: 30 // columns][:columns])
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {names} FROM ({_select(0, rows)})) TO '{folder / 'large.csv'}'")  # noqa: S608 - as above
    return folder


def small_files(folder: Path, *, files: int, rows: int = 50, columns: int = 15) -> Path:
    """Make a folder with so many CSV files of few rows."""
    folder.mkdir()
    names = ", ".join(f'"{name}"' for name in list(_columns("shop"))[:: 30 // columns][:columns])
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t AS {_select(0, files * rows)}")
        for number in range(files):
            part = f"SELECT {names} FROM t LIMIT {rows} OFFSET {number * rows}"  # noqa: S608 - as above
            connection.execute(f"COPY ({part}) TO '{folder / f'small_{number:03d}.csv'}'")
    return folder


def many_tables(path: Path, *, tables: int, rows: int = 20, columns: int = 10) -> Path:
    """Make a SQLite database with so many tables of few rows."""
    names = list(_columns("shop"))[:: 30 // columns][:columns]
    listed = ", ".join(f'"{name}"' for name in names)
    with duckdb.connect() as source, closing(sqlite3.connect(path)) as connection:
        made = f"SELECT {', '.join(f'CAST({name} AS VARCHAR)' for name in names)} FROM ({_select(0, rows)})"  # noqa: S608 - as above
        found = source.execute(made).fetchall()
        for number in range(tables):
            connection.execute(f"CREATE TABLE table_{number:04d} ({listed})")
            connection.executemany(f"INSERT INTO table_{number:04d} VALUES ({', '.join('?' * columns)})", found)  # noqa: S608 - as above
        connection.commit()
    return path
