"""The same rows give the same answer from every kind of warehouse."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, text

from twokey.core.errors import BadInput
from twokey.tools.read.warehouse import Inspected, InspectRequest, TableName
from twokey.tools.read.warehouse.reading import read_file
from twokey.tools.read.warehouse.sources import Bounds, Most

Ask = Callable[..., Any]

ROWS = [
    (n, f"{n % 40} {'kg' if n % 10 else 'g'}", ["red", "green", "blue"][n % 3], n % 50 / 2, f"2025-01-{n % 28 + 1:02}")
    for n in range(400)
]
ROWS[7] = (7, "n/a", "geren", 9000.0, "2025-02-30")
CREATE = "CREATE TABLE items (id INTEGER, weight TEXT, colour TEXT, level DOUBLE PRECISION, due TEXT)"
EXPECTED = {
    "unit_mismatch": ("weight",),
    "missing_as_text": ("weight",),
    "misspelt_values": ("colour",),
    "impossible_dates": ("due",),
    "outlier": ("level",),
}


def request(**changes: Any) -> InspectRequest:
    return InspectRequest(tables=(TableName(name="items"),), **changes)


def seen(table: Inspected) -> dict[str, tuple[str, ...]]:
    return {problem.code: problem.columns for problem in table.problems}


def sqlite_file(folder: Path, name: str = "shop.db") -> Path:
    with closing(sqlite3.connect(folder / name)) as connection:
        connection.execute(CREATE)
        connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", ROWS)
        connection.execute("CREATE TABLE raw (a BLOB, b INTEGER)")
        connection.executemany("INSERT INTO raw VALUES (?, ?)", [(b"\x00\xff", n) for n in range(60)])
        connection.execute("CREATE VIEW broken AS SELECT * FROM nowhere")
        connection.commit()
    return folder / name


def duckdb_file(folder: Path) -> Path:
    with closing(duckdb.connect(str(folder / "shop.duckdb"))) as connection:
        connection.execute(CREATE)
        connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", ROWS)
        connection.execute("CREATE TABLE raw AS SELECT 'x'::BLOB AS a, i AS b, [i] AS c FROM range(60) t(i)")
    return folder / "shop.duckdb"


def csv_folder(folder: Path) -> Path:
    lines = [",".join(map(str, row)) for row in ROWS]
    (folder / "items.csv").write_text("\n".join(["id,weight,colour,level,due", *lines]), encoding="utf-8")
    (folder / "raw.csv").write_text("a,b\n" + "\n".join(f"x,{n}" for n in range(60)), encoding="utf-8")
    return folder


@pytest.mark.parametrize("made", [sqlite_file, duckdb_file, csv_folder])
def test_files(ask: Ask, tmp_path: Path, made: Callable[[Path], Path]) -> None:
    """Several tables in one call; one that is not there costs itself only."""
    tables = tuple(TableName(name=name) for name in ("items", "nothing", "raw"))
    items, nothing, raw = ask(made(tmp_path), InspectRequest(tables=tables)).tables
    assert seen(items) == EXPECTED
    assert (items.rows, items.sampled, items.sampling, items.problem) == (400, 400, "all", "")
    assert "has no table" in nothing.problem
    assert (raw.sampled, raw.problems) == (60, ())


@pytest.mark.postgresql
def test_a_server(ask: Ask, empty_postgresql_url: str) -> None:
    engine = create_engine(empty_postgresql_url)
    with engine.begin() as connection:
        connection.execute(text(CREATE))
        named = [dict(zip("abcde", row, strict=True)) for row in ROWS]
        connection.execute(text("INSERT INTO items VALUES (:a, :b, :c, :d, :e)"), named)
        connection.execute(text("CREATE TABLE bare ()"))
    engine.dispose()
    tables = (TableName(name="items"), TableName(name="nothing"), TableName(name="bare"))
    items, nothing, bare = ask(empty_postgresql_url, InspectRequest(tables=tables)).tables
    assert seen(items) == EXPECTED
    assert "has no table" in nothing.problem
    assert (bare.sampled, bare.problems) == (0, ())
    (part,) = ask(empty_postgresql_url, request(max_rows=100)).tables
    assert part.sampling == "spread"
    assert part.sampled <= 100


@pytest.mark.parametrize("made", [sqlite_file, duckdb_file, csv_folder])
def test_a_part_of_a_table_is_spread_over_it_and_said_so(
    ask: Ask, tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    (items,) = ask(made(tmp_path), request(max_rows=100)).tables
    assert (items.rows, items.sampling) == (400, "spread")
    assert 80 <= items.sampled <= 100


def test_the_first_rows_where_nothing_else_is_cheap(ask: Ask, tmp_path: Path) -> None:
    path = csv_folder(tmp_path) / "items.parquet"
    with closing(duckdb.connect()) as connection:
        connection.execute(f"COPY (SELECT * FROM '{tmp_path / 'items.csv'}') TO '{path}' (FORMAT parquet)")
    (items,) = ask(path, request(max_rows=100)).tables
    assert (items.sampling, items.sampled) == ("first", 100)
    path = sqlite_file(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW seen AS SELECT * FROM items")
    (view, broken) = ask(
        path, InspectRequest(tables=(TableName(name="seen"), TableName(name="broken")), max_rows=100)
    ).tables
    assert (view.sampling, view.sampled) == ("first", 100)
    assert "it reads a table that does not exist" in broken.problem


def test_tables_beyond_the_time_of_a_call_are_not_reached(ask: Ask, tmp_path: Path) -> None:
    (items,) = ask(sqlite_file(tmp_path), request(), Bounds(call_s=0.0)).tables
    assert (items.reached, items.problems) == (False, ())


def test_rows_are_bounded_by_cells() -> None:
    assert Most(rows=5_000, cells=60_000).rows_of(30) == 2_000
    assert Most(rows=5_000, cells=60_000).rows_of(1) == 5_000
    assert Most(rows=5_000, cells=60_000).rows_of(10_000) == 100
    assert Most(rows=5_000, cells=60_000).rows_of(0) == 5_000
    with pytest.raises(ValidationError):
        InspectRequest(tables=())


def test_one_file_is_read_as_a_table(tmp_path: Path) -> None:
    csv_folder(tmp_path)
    assert read_file(tmp_path / "items.csv", 1_000).sampled == 400
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match="holds no table"):
        read_file(tmp_path / "empty.csv", 1_000)
