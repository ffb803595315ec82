"""The part of the server connector that every SQLAlchemy dialect shares, on SQLite as the other dialect at hand."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from twokey.core.errors import BadInput, ToolRetry
from twokey.tools.read.warehouse import (
    KeyCheck,
    KeysRequest,
    ProfileRequest,
    SelectRequest,
    TableName,
)
from twokey.tools.read.warehouse.location import Location
from twokey.tools.read.warehouse.server import ServerSource
from twokey.tools.read.warehouse.sources import Bounds


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT DEFAULT 'x', d DATE, dt DATETIME, ti TIME, b BLOB, n NUMERIC, z);
        CREATE TABLE c (id INTEGER REFERENCES a(id), k TEXT UNIQUE);
        CREATE VIEW v AS SELECT id FROM a;
        CREATE VIEW broken AS SELECT nope FROM a;
        INSERT INTO a VALUES (1, 'x', '2026-01-02', '2026-01-02 10:00:00', '10:00:00', x'00ff', 1.5, NULL),
            (2, 'x', '2026-01-03', '2026-01-03 10:00:00', '11:00:00', NULL, 2, 7);
        INSERT INTO c VALUES (1, 'p'), (9, 'q');
        """
    )
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture
def source(url: str) -> Iterator[ServerSource]:
    with ServerSource(Location("server", url), Bounds()) as opened:
        yield opened


def test_schema_is_reflected_without_a_catalog_of_its_own(source: ServerSource) -> None:
    answer = source.schema()
    assert [(t.table.schema_name, t.table.name, t.is_view, bool(t.problem)) for t in answer.tables] == [
        ("main", "a", False, False),
        ("main", "broken", True, True),
        ("main", "c", False, False),
        ("main", "v", True, False),
    ]
    assert [(c.name, c.type) for c in answer.tables[0].columns] == [
        ("id", "INTEGER"),
        ("t", "TEXT"),
        ("d", "DATE"),
        ("dt", "DATETIME"),
        ("ti", "TIME"),
        ("b", "BLOB"),
        ("n", "NUMERIC"),
        ("z", "NullType"),
    ]  # fmt: skip - one list of columns
    assert answer.tables[0].primary_key == ("id",)
    assert answer.tables[2].foreign_keys[0].parent == TableName(schema_name="main", name="a")
    assert [n.code for n in answer.notices] == ["not_read_only"]


def test_values_of_every_type_are_counted(source: ServerSource) -> None:
    columns = {c.name: c for c in source.profile(ProfileRequest(table=TableName(name="a"))).columns}
    assert not [c.problem for c in columns.values() if c.problem]
    assert (columns["d"].minimum, columns["n"].maximum, columns["b"].binaries) == ("2026-01-02", "2", 1)
    assert [t.text for t in columns["t"].top] == ["x"]


def test_keys_and_select_work_without_postgresql(source: ServerSource) -> None:
    check = KeyCheck(
        child=TableName(name="c"), child_columns=("id",), parent=TableName(name="a"), parent_columns=("id",)
    )
    fact = source.keys(KeysRequest(checks=(check,))).checks[0]
    assert (fact.present, fact.orphans, fact.problem) == (1, 1, "")
    answer = source.select(SelectRequest(sql="SELECT k FROM c WHERE k LIKE '%' ORDER BY k", max_rows=1))
    assert (answer.rows, answer.truncated) == ((("p",),), True)
    with pytest.raises(ToolRetry, match="refused"):
        source.select(SelectRequest(sql="DELETE FROM c"))


def test_a_large_table_is_read_from_its_start(url: str) -> None:
    with ServerSource(Location("server", url), Bounds(sample_rows=1, sample_cells=1)) as source:
        answer = source.profile(ProfileRequest(table=TableName(name="a"), columns=("id", "z")))
    assert (answer.rows, answer.sampled, answer.sampling) == (2, 1, "first")
    assert [c.nulls_total for c in answer.columns] == [0, 1]


def test_a_database_without_tables_is_bad_input(tmp_path: Path) -> None:
    with ServerSource(Location("server", f"sqlite:///{tmp_path}/none.db"), Bounds()) as source, pytest.raises(BadInput):
        source.schema()
