"""What `bench catalog` measures is what it says: those tables, read by the product's own way, beside a floor."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from twokey.channels import bench_catalog, bench_tables
from twokey.channels.bench_catalog import QUICK, Sizes

KEYS = {
    *("fields_per_s", "summarize_fields_per_s", "vs_summarize", "small_vs_summarize"),
    *("end_to_end_3000_s", "rescan_speedup", "rss_mb", "thousand_tables_s", "thousand_tables_rss_mb"),
}


def contents(path: Path) -> Sequence[object]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT md5(string_agg(t::VARCHAR ORDER BY id)) FROM table_000 t").fetchall()


def test_the_tables_are_mixed_dirty_and_the_same_every_time(tmp_path: Path):
    first = bench_tables.warehouse(tmp_path / "a.duckdb", tables=2, rows=2_000)
    bench_tables.warehouse(tmp_path / "b.duckdb", tables=1, rows=2_000)
    assert (first.tables, first.columns) == (2, 30)
    assert contents(tmp_path / "a.duckdb") == contents(tmp_path / "b.duckdb")
    with duckdb.connect(str(first.path), read_only=True) as connection:
        types = connection.execute("SELECT count(DISTINCT data_type) FROM duckdb_columns()").fetchall()[0][0]
        dirty = "count_if(status = 'opne'), count_if(contains(email, ' at ')), count_if(note IS NULL), count_if(quantity = -1)"
        shares = connection.execute(f"SELECT {dirty} FROM table_001").fetchall()[0]
    assert types >= 6
    assert all(70 <= share <= 130 for share in shares), "one in twenty of 2,000"


def test_every_figure_is_there_beside_its_floor():
    found = bench_catalog.measure(Sizes(tables=2, rows=60, large=200, files=2, many=3, tries=1))
    assert set(found) >= KEYS
    assert found["end_to_end_fields"] == 60
    assert found["vs_summarize"] == pytest.approx(found["fields_per_s"] / found["summarize_fields_per_s"], rel=0.1)
    assert sum(found["stages_s"].values()) == pytest.approx(found["end_to_end_3000_s"], rel=0.01)
    assert found["rescan_speedup"] > 0
    assert 0 < found["thousand_tables_rss_mb"] <= found["rss_mb"]


def test_the_sizes_are_those_of_the_contract():
    assert (Sizes().tables * 30, Sizes().rows, Sizes().large, Sizes().files) == (3_000, 10_000, 50_000, 400)
    assert QUICK.rows == Sizes().rows
    assert (QUICK.large, QUICK.many) == (Sizes().large, Sizes().many) == (50_000, 1_000)


def test_a_file_whose_dirt_misleads_the_floor_is_read_as_texts(tmp_path: Path):
    # DuckDB reads the first 196 of these files by the types that it guesses, and guesses wrong in the next
    folder = bench_tables.small_files(tmp_path / "small", files=197)
    for path in sorted(folder.iterdir())[:196]:
        path.unlink()
    (path,) = folder.iterdir()
    with duckdb.connect() as connection, pytest.raises(duckdb.ConversionException):
        connection.execute(f"SUMMARIZE SELECT * FROM '{path}'")
    _, floor = bench_catalog.beside(folder, tries=1)
    assert floor > 0
