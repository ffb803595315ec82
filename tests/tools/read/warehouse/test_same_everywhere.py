"""The same data gives the same profile, wherever it lies and however it is counted."""

import csv
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from sqlalchemy import create_engine

from twokey.tools.read.warehouse import ColumnProfile, ProfileRequest, TableName, duck_profile
from twokey.tools.read.warehouse.duck import DuckSource
from twokey.tools.read.warehouse.location import parse
from twokey.tools.read.warehouse.sources import Bounds

Ask = Callable[..., Any]
Row = tuple[Any, ...]

COLUMNS: Final = {
    "id": "BIGINT",
    "amount": "DOUBLE PRECISION",
    "few": "BIGINT",
    "name": "VARCHAR",
    "mail": "VARCHAR",
    "status": "VARCHAR",
    "day": "VARCHAR",
    "figure": "VARCHAR",
    "mixed": "VARCHAR",
    "absent": "VARCHAR",
    "card": "BIGINT",
}
COUNTED: Final = {
    *("values", "nulls", "nulls_total", "empty", "distinct", "distinct_exact", "unique", "texts", "integers"),
    *("numbers", "not_finite", "minimum", "maximum", "length_min", "length_max", "length_avg", "mentions_email"),
    *("top", "top_complete", "personal", "checked", "patterns"),
}


def made(seed: int, count: int) -> list[Row]:
    """Rows of every kind, with what is missing, blank, odd and not ASCII."""
    pick = random.Random(seed)  # noqa: S311 - made-up data
    odd = [
        "",
        "  ",
        "n/a",
        "Ünal",
        "a\tb",
        'it\'s "so"',
        "write to x@y.example",
        "+49 30 1234567",
        "DE89370400440532013000",
    ]
    return [
        (
            number,
            None if pick.random() < 0.1 else pick.randrange(-500, 500) / 8,
            pick.randrange(3),
            pick.choice(["Ana", "Ben", "Ünal", None]) and f"Ana {pick.randrange(40)}",
            f"u{number}@mail.example",
            pick.choice(["open", "paid", "lost"]),
            f"2026-{1 + pick.randrange(12):02d}-{1 + pick.randrange(28):02d}",
            f"{pick.randrange(9_000)}.{pick.randrange(10)}0",
            pick.choice(odd),
            None,
            4_111_111_111_111_111 + pick.randrange(5),
        )
        for number in range(count)
    ]


def in_sqlite(path: Path, rows: Sequence[Row]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{name} {type_}' for name, type_ in COLUMNS.items())})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        connection.commit()


def in_duckdb(path: Path, rows: Sequence[Row]) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{name} {type_}' for name, type_ in COLUMNS.items())})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(COLUMNS))})", [list(row) for row in rows])


def counted(columns: Sequence[ColumnProfile], but: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    return [
        {"name": column.name, **column.model_dump(include=COUNTED - but)} for column in columns if not column.problem
    ]


TABLE: Final = ProfileRequest(table=TableName(name="t"))


@pytest.mark.parametrize("seed", [1, 2])
def test_sqlite_and_duckdb_and_both_ways_of_counting_agree(ask: Ask, tmp_path: Path, seed: int) -> None:
    rows = made(seed, 400)
    in_sqlite(tmp_path / "t.db", rows)
    in_duckdb(tmp_path / "t.duckdb", rows)
    expected = counted(ask(tmp_path / "t.db", TABLE).columns)
    assert len(expected) == len(COLUMNS)
    assert counted(ask(tmp_path / "t.duckdb", TABLE).columns) == expected
    with DuckSource(parse(str(tmp_path / "t.duckdb")), Bounds()) as source:
        # the same through SQL, as tables of many cells are counted
        session = source._session  # pyright: ignore[reportPrivateUsage] - the way below the public one
        described = source._described()[0]  # pyright: ignore[reportPrivateUsage] - as above
        subject = duck_profile.Subject(TABLE.table, described.columns, "main.t", numbered=True, few_cells=0)
        in_place = duck_profile.profile_table(session, subject)
    assert counted(in_place.columns) == expected


def test_a_text_file_agrees_with_the_same_texts_in_a_database(ask: Ask, tmp_path: Path) -> None:
    rows = [tuple("" if cell is None else str(cell) for cell in row) for row in made(3, 300)]
    folder = tmp_path / "files"
    folder.mkdir()
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([tuple(COLUMNS), *rows])
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{name} TEXT' for name in COLUMNS)})")
        texts = [tuple(cell or None for cell in row) for row in rows]
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(COLUMNS))})", texts)
        connection.commit()
    assert counted(ask(folder, TABLE).columns) == counted(ask(tmp_path / "t.db", TABLE).columns)


@pytest.mark.postgresql
@pytest.mark.parametrize("seed", [4, 5])
def test_postgresql_and_sqlite_agree(ask: Ask, tmp_path: Path, empty_postgresql_url: str, seed: int) -> None:
    rows = made(seed, 300)
    in_sqlite(tmp_path / "t.db", rows)
    engine = create_engine(empty_postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE t ({', '.join(f'{name} {type_}' for name, type_ in COLUMNS.items())})"
        )
        connection.exec_driver_sql(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(COLUMNS))})", rows)
    engine.dispose()
    here, there = ask(tmp_path / "t.db", TABLE), ask(empty_postgresql_url, TABLE)
    assert counted(there.columns) == counted(here.columns)
    assert (there.rows, there.sampled, there.sampling, there.margin) == (300, 300, "all", 0)


ODD: Final = ("u", "e", "d", "n", "day", 'Say "it"', "nothing")
NOT_OF_TEXT: Final = frozenset({"texts", "integers", "numbers", "length_min", "length_max", "length_avg"})
"""What differs because SQLite keeps as text what PostgreSQL has a type for."""


@pytest.mark.postgresql
def test_types_that_only_postgresql_has_are_what_they_read_like(
    ask: Ask, tmp_path: Path, empty_postgresql_url: str
) -> None:
    """As a table, in partitions in another schema, through a view and as a materialized view; and without a row."""
    rows = [
        (
            f"00000000-0000-4000-8000-{number:012d}",
            ("fine", "bad", None)[number % 3],
            f"k{number % 7}",
            f"{number}.250",
            f"2026-01-{1 + number % 28:02d}",
            f"x{number % 5}",
            None,
        )
        for number in range(200)
    ]
    columns = ", ".join('"' + name.replace('"', '""') + '" {}' for name in ODD)
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute(f"CREATE TABLE odd ({columns.format(*['TEXT'] * 7)})")
        connection.execute(f"CREATE TABLE none ({columns.format(*['TEXT'] * 7)})")
        connection.executemany("INSERT INTO odd VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    types = ("uuid", "mood", "shop.code", "numeric(12, 3)", "date", "text", "jsonb")
    engine = create_engine(empty_postgresql_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE SCHEMA shop",
            "CREATE TYPE mood AS ENUM ('fine', 'bad')",
            "CREATE DOMAIN shop.code AS text CHECK (length(VALUE) < 10)",
            f"CREATE TABLE odd ({columns.format(*types)})",
            f"CREATE TABLE none ({columns.format(*types)})",
            f"CREATE TABLE shop.parts ({columns.format(*types)}) PARTITION BY RANGE (n)",
            "CREATE TABLE shop.parts_low PARTITION OF shop.parts FOR VALUES FROM (MINVALUE) TO (90)",
            "CREATE TABLE shop.parts_high PARTITION OF shop.parts FOR VALUES FROM (90) TO (MAXVALUE)",
        ):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO odd VALUES ({', '.join(['%s'] * 7)})", rows)
        for statement in (
            "INSERT INTO shop.parts SELECT * FROM odd",
            'CREATE VIEW "View of ""it""" AS SELECT * FROM odd',
            "CREATE MATERIALIZED VIEW kept AS SELECT * FROM odd",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()

    def told(place: object, name: str, schema: str = "") -> list[dict[str, Any]]:
        answer = ask(place, ProfileRequest(table=TableName(schema_name=schema, name=name)))
        assert [column.name for column in answer.columns] == list(ODD)
        return counted(answer.columns, NOT_OF_TEXT)

    expected = told(tmp_path / "t.db", "odd")
    assert len(expected) == len(ODD)
    for name, schema in (("odd", ""), ('View of "it"', ""), ("kept", "public"), ("parts", "shop")):
        assert told(empty_postgresql_url, name, schema) == expected, name
    assert told(empty_postgresql_url, "none") == told(tmp_path / "t.db", "none")
