"""How well relationships are found, measured with the answers hidden."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.named_databases import all_kinds

from twokey.agents.catalog.evaluate_joins import on_names, on_warehouse
from twokey.core.errors import BadInput


def test_chinook_with_its_keys_hidden(data: Path, tmp_path: Path):
    copy = tmp_path / "chinook.sqlite"
    shutil.copy(data / "joins" / "chinook.sqlite", copy)
    result = on_warehouse(str(copy))
    assert (result["precision"], result["recall"], result["f1"]) == (1.0, 1.0, 1.0)
    assert (result["declared"], result["missed"], result["extra"]) == (11, [], [])
    assert "Employee.ReportsTo -> Employee.EmployeeId" in result["found"]
    assert json.loads(json.dumps(result)) == result


def made(path: Path, *statements: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return str(path)


def test_misses_and_extras_are_named(tmp_path: Path):
    """A reference no name speaks of is missed, one not declared is extra; values that do not fit make neither."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
    warehouse = made(
        tmp_path / "shop.db",
        "CREATE TABLE customers (customer_id INTEGER PRIMARY KEY)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, zz INTEGER REFERENCES customers, customer_id INTEGER, "
        "old_customer_id INTEGER)",
        f"{numbers} INSERT INTO customers SELECT 1000 + i FROM n",
        f"{numbers} INSERT INTO orders SELECT i, 1000 + i, 1000 + i, i FROM n",
    )
    result = on_warehouse(warehouse)
    assert result["missed"] == ["orders.zz -> customers.customer_id"]
    assert result["extra"] == ["orders.customer_id -> customers.customer_id"]
    assert (result["precision"], result["recall"], result["f1"]) == (0.0, 0.0, 0.0)


def test_there_must_be_something_to_compare_with(tmp_path: Path):
    with pytest.raises(BadInput, match="declares no foreign keys"):
        on_warehouse(made(tmp_path / "a.db", "CREATE TABLE a (id INTEGER PRIMARY KEY)"))
    with pytest.raises(BadInput):
        on_warehouse(str(tmp_path / "none.db"))


def database(**changes: Any) -> dict[str, Any]:
    """A library in Spider's form."""
    columns = [
        [-1, "*"],
        [0, "Reader_ID"],
        [0, "Name"],
        [1, "Title_ID"],
        [1, "Title"],
        [2, "Loan_ID"],
        [2, "Reader_ID"],
        [2, "Title_ID"],
        [2, "Recommended_by"],
        [3, "Loan_ID"],
        [3, "Line_No"],
        [3, "Fine"],
    ]
    kinds = ["text" if name in {"*", "Name", "Title"} else "number" for _, name in columns]
    base: dict[str, Any] = {
        "db_id": "library",
        "table_names": ["not", "read"],
        "table_names_original": ["Readers", "Titles", "Loans", "Loan_Lines"],
        "column_names_original": columns,
        "column_types": kinds,
        "primary_keys": [1, 3, 5, [9, 10]],
        "foreign_keys": [[6, 1], [7, 3], [8, 1], [9, 5]],
    }
    return base | changes


def in_file(folder: Path, body: Any) -> Path:
    path = folder / "tables.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def test_names_alone(tmp_path: Path):
    result = on_names(in_file(tmp_path, [database()]))
    assert result["databases"] == 1
    assert result["missed"] == ["library:Loans.Recommended_by -> library:Readers.Reader_ID"]
    assert result["extra"] == []
    assert (result["precision"], result["recall"]) == (1.0, 0.75)


def test_the_answer_does_not_reach_the_detector(tmp_path: Path):
    known = on_names(in_file(tmp_path, [database()]))
    blind = on_names(in_file(tmp_path, [database(foreign_keys=[])]))
    assert sorted(known["found"] + known["extra"]) == sorted(blind["found"] + blind["extra"])
    assert (blind["recall"], blind["f1"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    "body",
    [{}, [1], [{"db_id": "x"}], [database(column_names_original=[["a", 1]])], "text"],
    ids=["map", "number", "lacking", "columns", "string"],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, body: Any):
    with pytest.raises(BadInput):
        on_names(in_file(tmp_path, body))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    for path in (tmp_path / "bad.json", tmp_path / "none.json"):
        with pytest.raises(BadInput):
            on_names(path)


def test_indexes_that_lead_nowhere_are_passed_over(tmp_path: Path):
    odd = database(primary_keys=[1, 99], foreign_keys=[[6, 99], [6, 1]], column_types=[])
    assert on_names(in_file(tmp_path, [odd]))["declared"] == 1


def test_what_cannot_be_read_is_judged_by_its_names(tmp_path: Path):
    warehouse = made(
        tmp_path / "a.db",
        "CREATE TABLE a (a_id INTEGER PRIMARY KEY)",
        "CREATE TABLE b (b_id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a)",
        "CREATE VIEW broken AS SELECT nope FROM gone",
    )
    result = on_warehouse(warehouse)
    assert result["tables"] == 3
    assert result["declared"] == 1


def test_a_file_beyond_all_measure_is_refused(tmp_path: Path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(BadInput, match="64 MiB"):
        on_names(path)


def test_a_list_of_databases_of_every_kind(tmp_path: Path):
    databases = all_kinds(1)
    assert len(databases) >= 30
    result = on_names(in_file(tmp_path, databases))
    assert result["databases"] == len(databases)
    assert result["precision"] >= 0.9
    assert result["recall"] >= 0.9


ODD: list[dict[str, Any]] = [
    {"db_id": "bare", "table_names_original": [], "column_names_original": [], "column_types": []},
    {"db_id": "star", "table_names_original": ["t"], "column_names_original": [[-1, "*"]], "column_types": ["text"]},
    database(column_types=[None] * 12),
    database(column_types=["others", "NUMBER", "", "boolean", "time"]),
    database(primary_keys=[], foreign_keys=[]),
    database(primary_keys=[[1, 3], [], 5, -1, 99]),
    database(primary_keys=None, foreign_keys=None),
    database(foreign_keys=[[6, -1], [-1, 1], [0, 0], [6, 6], [6, 99]]),
    database(table_names_original=["Same", "Same", "Same", "Same"]),
    database(column_names_original=[[0, "id"]] * 12),
    database(column_names_original=[[9, "id"], [-5, ""], [0, ""], [1, " "], [2, "\u0000"], [3, "x" * 5_000]]),
    database(table_names_original=["", " ", "\u202e", "a" * 5_000]),
    database(db_id="", extra={"anything": [1, 2]}),
    database(table_names_original=["Readers"]),
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_databases_are_scored_or_refused_with_a_sentence(tmp_path: Path, odd: dict[str, Any]):
    """Alone, and beside one that is in order: whatever stands in the file, there is an answer."""
    for body in ([odd], [odd, database()]):
        result = on_names(in_file(tmp_path, body))
        assert result["databases"] == len(body)
        assert 0 <= result["f1"] <= 1
