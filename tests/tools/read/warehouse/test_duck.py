"""DuckDB files, and folders of CSV and Parquet files, as warehouses."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from twokey.core.errors import BadInput, EnvironmentFault, ToolRetry
from twokey.tools.read.warehouse import (
    InspectRequest,
    KeyCheck,
    KeysRequest,
    ProfileRequest,
    SchemaRequest,
    SelectRequest,
    TableName,
)
from twokey.tools.read.warehouse.duck import DuckSource
from twokey.tools.read.warehouse.location import parse
from twokey.tools.read.warehouse.sources import Bounds

Ask = Callable[..., Any]

EMAIL = "ana.planted@example.com"
OUTSIDE = "outside-planted"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    outside = tmp_path / "outside.csv"
    outside.write_text(f"a\n{OUTSIDE}\n")
    connection = duckdb.connect(str(path))
    for statement in (
        "CREATE SCHEMA sales",
        "CREATE TYPE mood AS ENUM ('new', 'active', 'gone')",
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, email VARCHAR UNIQUE, status mood DEFAULT 'new')",
        "COMMENT ON TABLE customer IS 'People who bought'",
        "COMMENT ON COLUMN customer.status IS 'Where they stand'",
        (
            "CREATE TABLE orders (id BIGINT, customer_id INTEGER REFERENCES customer(id), total DECIMAL(10, 2), d DATE,"
            " ts TIMESTAMP, tags VARCHAR[], item STRUCT(a INTEGER), raw BLOB, rate DOUBLE, paid BOOLEAN, u UUID,"
            " big HUGEINT, note VARCHAR, card BIGINT, wait INTERVAL, t TIME)"
        ),
        (
            f"INSERT INTO customer SELECT i, CASE i WHEN 7 THEN '{EMAIL}' ELSE 'user' || i || '@example.com' END,"
            " (['new', 'active', 'gone'])[1 + i % 3] FROM range(1, 301) r(i)"
        ),
        (
            "INSERT INTO orders SELECT i, 1 + i % 250, i * 1.25, DATE '2026-01-01' + i::INTEGER,"
            " TIMESTAMP '2026-01-01' + to_hours(i), ['a'], {'a': 1}, '\\x00\\xFF'::BLOB,"
            " CASE i WHEN 3 THEN 'nan'::DOUBLE WHEN 4 THEN 'inf'::DOUBLE ELSE i END, i % 2 = 0, uuid(),"
            " 2::HUGEINT ** 100,"
            " CASE WHEN i = 9 THEN 'write to bob@example.org now' ELSE 'item ' || i END, 4111111111111111,"
            " to_days(3), TIME '10:00' FROM range(1, 501) r(i)"
        ),
        "CREATE VIEW sales.good AS SELECT id, total FROM orders",
        "CREATE VIEW sales.broken AS SELECT CAST(email AS INTEGER) AS n, id FROM customer",
        f"CREATE VIEW sales.outside AS SELECT * FROM read_csv('{outside}')",
        "CREATE TABLE empty_one (a INTEGER)",
    ):
        connection.execute(statement)
    connection.close()
    return path


def test_schema_lists_tables_views_keys_and_comments(ask: Ask, shop: Path) -> None:
    answer = ask(shop, SchemaRequest())
    assert [(t.table.schema_name, t.table.name, t.is_view, t.rows) for t in answer.tables] == [
        ("main", "customer", False, 300),
        ("main", "empty_one", False, 0),
        ("main", "orders", False, 500),
        ("sales", "broken", True, None),
        ("sales", "good", True, None),
        ("sales", "outside", True, None),
    ]
    customer, _, orders, broken, good, outside = answer.tables
    assert [(c.name, c.type.partition("(")[0], c.nullable, c.has_default) for c in customer.columns] == [
        ("id", "INTEGER", False, False),
        ("email", "VARCHAR", True, False),
        ("status", "ENUM", True, True),
    ]
    assert (customer.primary_key, customer.unique, customer.comment) == (("id",), (("email",),), "People who bought")
    assert customer.columns[2].comment == "Where they stand"
    assert [(k.columns, k.parent.name, k.parent_columns) for k in orders.foreign_keys] == [
        (("customer_id",), "customer", ("id",))
    ]
    assert broken.problem == "the database refused it (ConversionException)"
    assert outside.problem == "the database refused it (PermissionException)"
    assert not good.problem


def test_profile_reads_every_type_and_shows_nothing_personal(ask: Ask, shop: Path) -> None:
    answer = ask(shop, ProfileRequest(table=TableName(name="orders")))
    assert (answer.rows, answer.sampled, answer.sampling) == (500, 500, "all")
    by_name = {c.name: c for c in answer.columns}
    assert not [c.name for c in answer.columns if c.problem]
    assert (by_name["id"].unique, by_name["id"].minimum, by_name["id"].maximum) == (True, "1", "500")
    assert (by_name["total"].minimum, by_name["total"].maximum, by_name["total"].numbers) == ("1.25", "625.00", 500)
    assert (by_name["d"].minimum, by_name["d"].maximum, by_name["d"].patterns.date) == ("2026-01-02", "2027-05-16", 500)
    assert (by_name["ts"].minimum, by_name["ts"].patterns.datetime) == ("2026-01-01 01:00:00", 500)
    assert (by_name["rate"].not_finite, by_name["rate"].maximum) == (2, "500.0")
    assert (by_name["paid"].booleans, by_name["paid"].patterns.boolean) == (500, 500)
    assert [t.text for t in by_name["paid"].top] == ["false", "true"]
    assert (by_name["u"].patterns.uuid, by_name["u"].unique) == (500, True)
    assert (by_name["raw"].binaries, by_name["raw"].length_max) == (500, 2)
    assert by_name["big"].maximum == str(2**100)
    assert (by_name["note"].mentions_email, by_name["note"].personal) == (1, True)
    assert (by_name["card"].patterns.card, by_name["card"].personal, by_name["card"].minimum) == (500, True, None)
    assert by_name["tags"].distinct == by_name["item"].distinct == 1
    customer = ask(
        shop, ProfileRequest(table=TableName(schema_name="main", name="customer"), columns=("email", "status"))
    )
    email, status = customer.columns
    assert (email.patterns.email, email.personal, email.top) == (300, True, ())
    assert [(t.text, t.count) for t in status.top] == [("active", 100), ("gone", 100), ("new", 100)]
    assert EMAIL not in customer.model_dump_json()
    assert "bob" not in answer.model_dump_json()
    empty = ask(shop, ProfileRequest(table=TableName(name="empty_one")))
    assert (empty.rows, empty.columns[0].values, empty.columns[0].distinct_exact) == (0, 0, True)


def test_a_large_table_is_sampled_and_a_column_that_fails_stands_alone(ask: Ask, shop: Path) -> None:
    bounds = Bounds(sample_rows=100, sample_cells=100)
    answer = ask(shop, ProfileRequest(table=TableName(name="orders"), columns=("id", "total", "note", "d")), bounds)
    assert (answer.rows, answer.sampled, answer.sampling) == (500, 100, "spread")
    assert all(c.nulls_total == 0 and not c.distinct_exact for c in answer.columns)
    view = ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="good")), bounds)
    assert (view.rows, view.sampled, view.sampling, view.margin) == (500, 100, "spread", 878)
    broken = ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="broken")))
    assert [(c.name, bool(c.problem), c.values) for c in broken.columns] == [("n", True, 0), ("id", False, 300)]


def test_keys_and_select(ask: Ask, shop: Path) -> None:
    orders, customer = TableName(name="orders"), TableName(schema_name="main", name="customer")
    checks = (
        KeyCheck(child=orders, child_columns=("customer_id",), parent=customer, parent_columns=("id",)),
        KeyCheck(child=customer, child_columns=("id", "email"), parent=customer, parent_columns=("id", "email")),
        KeyCheck(child=customer, child_columns=("id",), parent=orders, parent_columns=("id",)),
        KeyCheck(child=customer, child_columns=("email",), parent=orders, parent_columns=("item",)),
    )
    first, same, inside, wrong = ask(shop, KeysRequest(checks=checks)).checks
    assert (first.child_distinct, first.present, first.orphans, first.parent_rows) == (250, 250, 0, 300)
    assert (same.child_distinct, same.orphans) == (300, 0)
    assert (inside.orphans, inside.orphan_rows) == (0, 0)
    assert wrong.problem
    answer = ask(
        shop, SelectRequest(sql="SELECT o.paid, count(*), sum(total), max(ts) FROM orders o GROUP BY 1 ORDER BY 1")
    )
    assert answer.rows == (
        (False, 250, "78125.00", "2026-01-21T19:00:00"),
        (True, 250, "78437.50", "2026-01-21T20:00:00"),
    )
    nested = ask(shop, SelectRequest(sql="SELECT tags, item, d, t, raw FROM orders LIMIT 1"))
    assert nested.rows[0][:2] == ('["a"]', '{"a": 1}')
    assert nested.rows[0][4] == "<2 bytes>"


ATTACKS = (
    "SELECT 1; DELETE FROM customer",
    "DELETE FROM customer",
    "COPY customer TO '/tmp/planted.csv'",
    "COPY (SELECT 1) TO '/tmp/planted.csv' (USE_TMP_FILE false)",
    "EXPORT DATABASE '/tmp/planted'",
    "ATTACH '/tmp/planted.db' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "CREATE TEMP MACRO lower(x) AS 'pwn'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_parquet('/tmp/x.parquet')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM query('DELETE FROM customer')",
    "SELECT getenv('HOME')",
    "SELECT current_setting('home_directory')",
    "SELECT nextval('s')",
    "SELECT * FROM range(10)",
    "SUMMARIZE customer",
    "DESCRIBE customer",
    "CALL pragma_version()",
    "CHECKPOINT",
    "SELECT * FROM df",
    "FORCE INSTALL httpfs FROM community",
    "SELECT * FROM 'https://example.com/x.csv'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "COPY FROM DATABASE shop TO other",
    "SET VARIABLE x = 1",
    "SELECT getvariable('x')",
    "PREPARE p AS DELETE FROM customer",
    "PIVOT customer ON status",
    "EXPLAIN ANALYZE DELETE FROM customer",
)


def test_a_statement_that_could_do_more_than_read_is_refused(ask: Ask, shop: Path) -> None:
    before = shop.read_bytes()
    for sql in ATTACKS:
        with pytest.raises(ToolRetry) as refused:
            ask(shop, SelectRequest(sql=sql))
        assert refused.value.code == "statement_refused", sql
    assert shop.read_bytes() == before
    with pytest.raises(ToolRetry, match="PermissionException"):
        ask(shop, SelectRequest(sql="SELECT a FROM sales.outside"))


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM customer",
        "COPY customer TO '/tmp/planted.csv'",
        "ATTACH '/tmp/planted.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM df",
    ],
)
def test_the_connection_itself_refuses_what_the_checker_would(shop: Path, sql: str) -> None:
    df = [1]
    with DuckSource(parse(str(shop)), Bounds()) as source, pytest.raises(duckdb.Error):
        source._session.connection.execute(sql).fetchall()  # pyright: ignore[reportPrivateUsage] - the wall behind the public one
    assert df == [1]


def test_a_statement_ends_at_its_deadline(ask: Ask, shop: Path) -> None:
    sql = "SELECT count(*) FROM orders a, orders b, orders c, orders d WHERE a.rate + b.rate + c.rate + d.rate = 0.5"
    with pytest.raises(ToolRetry) as slow:
        ask(shop, SelectRequest(sql=sql), Bounds(statement_s=0.3))
    assert slow.value.code == "query_timeout"
    with pytest.raises(ToolRetry, match="time for this call"):
        ask(shop, SchemaRequest(), Bounds(call_s=0))
    with pytest.raises(ToolRetry, match="time for this call"):
        ask(shop, ProfileRequest(table=TableName(name="orders")), Bounds(call_s=0))
    with pytest.raises(ToolRetry, match="has no table"):
        ask(shop, ProfileRequest(table=TableName(name="duckdb_tables")))
    with pytest.raises(ToolRetry, match="has no column"):
        ask(shop, ProfileRequest(table=TableName(name="orders"), columns=("nope",)))


def test_a_file_that_cannot_be_opened_is_explained(ask: Ask, shop: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(shop.read_bytes()[:12] + os.urandom(20_000))
    with pytest.raises(BadInput) as bad:
        ask(damaged, SchemaRequest())
    assert bad.value.code == "not_a_database"
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    with pytest.raises(BadInput) as nothing:
        ask(f"duckdb:///{empty}", SchemaRequest())
    assert nothing.value.code == "empty_warehouse"


def test_a_file_in_use_is_explained(ask: Ask, shop: Path) -> None:
    import subprocess
    import sys

    script = f"import duckdb, sys; c = duckdb.connect({str(shop)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(EnvironmentFault) as busy:
            ask(shop, SchemaRequest())
        assert busy.value.code == "warehouse_busy"
        writer.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    rows = "".join(
        f"{i:05d},{f'user{i}@example.com' * (i != 5)},{['new', 'gone'][i % 2]},{i / 4},2026-01-{1 + i % 28:02d}\n"
        for i in range(400)
    )
    (folder / "people.csv").write_text("id,email,status,score,seen\n" + rows)
    (folder / "odd [1]*'x.csv").write_text('"a ""b""",c\n1,"multi\nline"\n')
    (folder / "tabs.tsv").write_text("a\tb\n1\t2\n")
    (folder / "latin.csv").write_bytes("name,city\nx,Zürich\n".encode("latin-1"))
    (folder / "zip.csv.gz").write_bytes(gzip.compress(b"k,v\n1,one\n2,two\n"))
    connection = duckdb.connect()
    connection.execute(f"COPY (SELECT i AS id, i * 2 AS v FROM range(400) r(i)) TO '{folder}/visits.parquet'")
    connection.close()
    (folder / "empty.csv").touch()
    (folder / "notes.txt").write_text("no table")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "hidden.csv").write_text("a\n1\n")
    (tmp_path / "outside.csv").write_text(f"a\n{OUTSIDE}\n")
    (folder / "leads_out.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "dangling.csv").symlink_to(tmp_path / "nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    return folder


def test_files_of_a_folder_are_tables(ask: Ask, folder: Path) -> None:
    answer = ask(folder, SchemaRequest())
    assert {t.table.name: t.problem for t in answer.tables} == {
        "dangling": "the link leads nowhere",
        "empty": "the file is empty",
        "latin": "",
        "leads_out": "the link leads out of the folder",
        "odd [1]*'x": "",
        "people": "",
        "pipe": "it is no regular file",
        "tabs": "",
        "visits": "",
        "zip": "",
    }
    tables = {t.table.name: t for t in answer.tables}
    assert [(c.name, c.type) for c in tables["people"].columns] == [
        ("id", "VARCHAR"),
        ("email", "VARCHAR"),
        ("status", "VARCHAR"),
        ("score", "DOUBLE"),
        ("seen", "DATE"),
    ]
    assert (tables["people"].rows, tables["people"].rows_exact) == (400, False)
    assert (tables["visits"].rows, tables["visits"].rows_exact) == (400, True)
    assert tables["zip"].rows is None
    assert [c.name for c in tables["odd [1]*'x"].columns] == ['a "b"', "c"]
    assert OUTSIDE not in answer.model_dump_json()


def test_csv_values_are_profiled_as_the_text_they_are(ask: Ask, folder: Path) -> None:
    number, email, status, score, seen = ask(folder, ProfileRequest(table=TableName(name="people"))).columns
    assert (number.patterns.integer, number.length_min, number.minimum, number.maximum) == (400, 5, "0", "399")
    assert [(s.text, s.count) for s in number.shapes] == [("99999", 400)]
    assert (email.nulls, email.patterns.email, email.mentions_email, email.personal) == (1, 399, 399, True)
    assert [(t.text, t.count) for t in status.top] == [("gone", 200), ("new", 200)]
    assert (score.patterns.number, score.minimum, score.maximum) == (400, "0.0", "99.75")
    assert (seen.patterns.date, seen.minimum, seen.maximum) == (400, "2026-01-01", "2026-01-28")
    for name in ("odd [1]*'x", "tabs", "latin", "zip", "visits"):
        answer = ask(folder, ProfileRequest(table=TableName(name=name)))
        assert answer.rows
        assert not [c.problem for c in answer.columns if c.problem]


def test_ranges_are_exact_where_more_values_differ_than_are_compared(ask: Ask, tmp_path: Path) -> None:
    lines = "".join(f"{i},2026-01-01 {i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d},w{i}\n" for i in range(30_000))
    (tmp_path / "long.csv").write_text("n,t,w\n" + lines)
    number, moment, word = ask(tmp_path, ProfileRequest(table=TableName(name="long"))).columns
    assert (number.minimum, number.maximum, number.checked, number.distinct) == ("0", "29999", 2000, 30_000)
    assert (moment.minimum, moment.maximum) == ("2026-01-01 00:00:00", "2026-01-01 08:19:59")
    assert (word.minimum, word.maximum) == (None, None)


def test_a_file_beyond_the_sample_is_sampled_from_end_to_end(ask: Ask, folder: Path) -> None:
    bounds = Bounds(sample_rows=100, sample_cells=100)
    visits = ask(folder, ProfileRequest(table=TableName(name="visits")), bounds)
    assert (visits.rows, visits.sampled, visits.sampling, visits.margin) == (400, 100, "spread", 850)
    again = ask(folder, ProfileRequest(table=TableName(name="visits")), bounds)
    assert again == visits
    people = ask(folder, ProfileRequest(table=TableName(name="people")), bounds)
    assert (people.rows, people.sampled, people.sampling) == (400, 100, "spread")


def test_keys_hold_across_files_of_different_kinds(ask: Ask, folder: Path) -> None:
    (folder / "child.csv").write_text("id\n1\n2\n999\n\n")
    child, parent = TableName(name="child"), TableName(name="visits")
    check = KeyCheck(child=child, child_columns=("id",), parent=parent, parent_columns=("id",))
    fact = ask(folder, KeysRequest(checks=(check,))).checks[0]
    assert (fact.problem, fact.child_distinct, fact.present, fact.orphans) == ("", 3, 2, 1)


def test_select_over_files_is_typed_and_stays_in_the_folder(ask: Ask, folder: Path, tmp_path: Path) -> None:
    answer = ask(
        folder, SelectRequest(sql="SELECT p.status, sum(v.v) FROM people p JOIN visits v ON v.id = p.id GROUP BY 1")
    )
    assert sorted(answer.rows) == [("gone", 80000), ("new", 79600)]
    for sql in (
        "SELECT * FROM leads_out",
        "SELECT * FROM hidden",
        f"SELECT * FROM read_csv('{tmp_path}/outside.csv')",
        f"SELECT * FROM '{tmp_path}/outside.csv'",
        f"COPY people TO '{folder}/people.csv' (USE_TMP_FILE false)",
        "SELECT * FROM people; COPY people TO 'x'",
    ):
        with pytest.raises(ToolRetry) as refused:
            ask(folder, SelectRequest(sql=sql))
        assert refused.value.code == "statement_refused", sql
    with pytest.raises(ToolRetry, match="has no table"):
        ask(folder, ProfileRequest(table=TableName(name="leads_out")))


def test_two_files_of_one_name_keep_their_endings(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "a.tsv").write_text("x\n1\n")
    assert [t.table.name for t in ask(tmp_path, SchemaRequest()).tables] == ["a.csv", "a.tsv"]


def test_a_file_that_goes_away_is_a_fault_of_the_environment(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    place = parse(str(folder))
    (folder / "a.csv").unlink()
    folder.rmdir()
    with pytest.raises(FileNotFoundError), DuckSource(place, Bounds()) as source:
        source.schema()
    with pytest.raises(BadInput, match="There is no file or folder"):
        ask(folder, SchemaRequest())


@pytest.mark.parametrize("text", ["", "one column\n", "a,a,A\n1,2,3\n", "a;b\n1;2\n", "a\r\n1\r\n", "\ufeffa,b\n1,2\n"])
def test_odd_csv_files_are_read_or_explained(ask: Ask, tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.csv").write_text(text)
    table = ask(tmp_path, SchemaRequest()).tables[0]
    assert table.problem or table.columns
    if not table.problem:
        profile = ask(tmp_path, ProfileRequest(table=table.table))
        assert [c.name for c in profile.columns] == [c.name for c in table.columns]
        assert profile.rows == int(text.count("\n") > 1)


def test_a_broken_parquet_file_does_not_stop_the_others(ask: Ask, folder: Path) -> None:
    (folder / "bad.parquet").write_bytes(b"PAR1" + os.urandom(500) + b"PAR1")
    tables = {t.table.name: t for t in ask(folder, SchemaRequest()).tables}
    assert tables["bad"].problem.startswith("the file cannot be read")
    assert not tables["people"].problem
    with pytest.raises(ToolRetry, match="did not succeed"):
        ask(folder, ProfileRequest(table=TableName(name="bad")))


def test_one_file_is_a_warehouse_of_one_table(ask: Ask, folder: Path) -> None:
    assert [t.table.name for t in ask(folder / "people.csv", SchemaRequest()).tables] == ["people"]


def test_a_folder_without_tables_is_bad_input(ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as nothing:
        ask(tmp_path, SchemaRequest())
    assert nothing.value.code == "empty_warehouse"


def test_every_public_table_is_read(ask: Ask, data: Path) -> None:
    answer = ask(data / "columns" / "tables", SchemaRequest())
    assert (len(answer.tables), sum(len(t.columns) for t in answer.tables)) == (188, 2237)
    assert not [t.problem for t in answer.tables if t.problem]
    widest = max(answer.tables, key=lambda t: len(t.columns))
    profile = ask(data / "columns" / "tables", ProfileRequest(table=widest.table))
    assert len(profile.columns) == len(widest.columns)
    assert not [c.problem for c in profile.columns if c.problem]


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("information_schema", "tables"),
        ("pg_catalog", "pg_class"),
        ("main", "sqlite_master"),
        ("", "duckdb_settings"),
        ("sales", 'good"; DROP TABLE orders; --'),
        ("temp", "_sample"),
    ],
)
def test_what_is_not_in_the_list_of_tables_is_not_described(ask: Ask, shop: Path, schema: str, name: str) -> None:
    table = TableName(schema_name=schema, name=name)
    with pytest.raises(ToolRetry) as caught:
        ask(shop, ProfileRequest(table=table))
    assert caught.value.code == "no_such_table"
    (inspected,) = ask(shop, InspectRequest(tables=(table,))).tables
    assert "has no table" in inspected.problem


def test_a_view_that_may_not_be_read_has_the_columns_of_the_list(ask: Ask, shop: Path) -> None:
    outside = ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="outside")))
    assert [(column.name, bool(column.problem)) for column in outside.columns] == [("a", True)]
    assert [notice.code for notice in outside.notices] == ["not_counted"]
