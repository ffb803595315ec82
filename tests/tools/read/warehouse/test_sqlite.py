"""A SQLite file as a warehouse."""

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twokey.core.errors import BadInput, EnvironmentFault, ToolRetry
from twokey.tools.read.warehouse import (
    KeyCheck,
    KeysRequest,
    ProfileRequest,
    SchemaRequest,
    SelectRequest,
    TableName,
)
from twokey.tools.read.warehouse.location import parse
from twokey.tools.read.warehouse.sources import Bounds
from twokey.tools.read.warehouse.sqlite import SqliteSource

Ask = Callable[..., Any]

EMAIL = "ana.planted@example.com"
TOKEN = "ghp_PLANTEDplantedPLANTEDplanted123456"


def build(path: Path, script: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(textwrap.dedent(script))
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return build(
        tmp_path / "shop.db",
        f"""
        CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, status TEXT DEFAULT 'new',
            notes TEXT, born TEXT, score REAL, photo BLOB);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer, sku TEXT, line INTEGER,
            amount NUMERIC, placed TEXT, FOREIGN KEY (sku, line) REFERENCES part(sku, line));
        CREATE TABLE part (sku TEXT, line INTEGER, PRIMARY KEY (sku, line)) WITHOUT ROWID;
        CREATE VIEW recent AS SELECT id, amount FROM orders;
        CREATE VIEW broken AS SELECT gone FROM orders;
        CREATE VIEW sneaky AS SELECT load_extension('/tmp/evil') AS x;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO customer SELECT i, CASE i WHEN 7 THEN '{EMAIL}' ELSE 'user' || i || '@example.com' END,
            CASE i % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'active' ELSE 'gone' END,
            CASE i WHEN 9 THEN 'token {TOKEN}' END, date('1990-01-01', '+' || i || ' days'), i / 4.0, x'00ff' FROM n;
        INSERT INTO part VALUES ('a', 1), ('a', 2), ('b', 1);
        INSERT INTO orders VALUES (1, 1, 'a', 1, 9.5, '2026-01-02'), (2, 1, 'a', 2, 3, '2026-01-03'),
            (3, 999, 'b', 9, 12, '2026-01-04'), (4, NULL, 'b', NULL, NULL, NULL);
        """,
    )


def test_schema_lists_tables_keys_and_views_in_order(ask: Ask, shop: Path) -> None:
    answer = ask(shop, SchemaRequest())
    assert [(t.table.name, t.is_view, t.rows, t.rows_exact) for t in answer.tables] == [
        ("broken", True, None, False),
        ("customer", False, 300, True),
        ("orders", False, 4, True),
        ("part", False, 3, True),
        ("recent", True, None, False),
        ("sneaky", True, None, False),
    ]
    tables = {t.table.name: t for t in answer.tables}
    customer, orders, part = tables["customer"], tables["orders"], tables["part"]
    assert [(c.name, c.position, c.type, c.nullable, c.has_default) for c in customer.columns[:3]] == [
        ("id", 1, "INTEGER", False, False),
        ("email", 2, "TEXT", False, False),
        ("status", 3, "TEXT", True, True),
    ]
    assert (customer.primary_key, customer.unique) == (("id",), (("email",),))
    assert part.primary_key == ("sku", "line")
    assert [(k.columns, k.parent.name, k.parent_columns) for k in orders.foreign_keys] == [
        (("customer_id",), "customer", ("id",)),
        (("sku", "line"), "part", ("sku", "line")),
    ]
    assert tables["broken"].problem == "it reads a column that does not exist (SQLITE_ERROR)"
    assert tables["sneaky"].problem.startswith("it does something that is not allowed here")
    assert not tables["recent"].problem
    assert ask(shop, SchemaRequest()) == answer


def test_profile_counts_everything_and_shows_nothing_personal(ask: Ask, shop: Path) -> None:
    answer = ask(shop, ProfileRequest(table=TableName(name="customer")))
    assert (answer.rows, answer.rows_exact, answer.sampled, answer.sampling) == (300, True, 300, "all")
    key, email, status, notes, born, score, photo = answer.columns
    assert (key.unique, key.minimum, key.maximum, key.integers, key.distinct_exact) == (True, "1", "300", 300, True)
    assert (email.patterns.email, email.mentions_email, email.personal, email.top) == (300, 300, True, ())
    assert email.samples == ("u…@e….com",)
    assert [(t.text, t.count) for t in status.top] == [("active", 100), ("gone", 100), ("new", 100)]
    assert (status.top_complete, status.length_min, status.length_max, status.length_avg) == (True, 3, 6, 4)
    assert (notes.values, notes.nulls, notes.nulls_total, notes.personal) == (1, 299, 299, True)
    assert (born.patterns.date, born.minimum, born.personal) == (300, None, True)
    assert (score.numbers, score.minimum, score.maximum) == (300, "0.25", "75.0")
    assert (photo.binaries, photo.length_max, photo.distinct, photo.top) == (300, 2, 1, ())
    orders = ask(shop, ProfileRequest(table=TableName(name="orders"), columns=("placed", "amount")))
    assert [(c.name, c.minimum, c.maximum, c.nulls) for c in orders.columns] == [
        ("placed", "2026-01-02", "2026-01-04", 1),
        ("amount", "3", "12", 1),
    ]
    assert EMAIL not in answer.model_dump_json()
    assert "PLANTED" not in answer.model_dump_json()


def test_keys_count_orphans_exactly(ask: Ask, shop: Path) -> None:
    orders, customer, part = TableName(name="orders"), TableName(name="customer"), TableName(name="part")
    answer = ask(
        shop,
        KeysRequest(
            checks=(
                KeyCheck(child=orders, child_columns=("customer_id",), parent=customer, parent_columns=("id",)),
                KeyCheck(child=orders, child_columns=("sku", "line"), parent=part, parent_columns=("sku", "line")),
                KeyCheck(child=TableName(name="broken"), child_columns=("x",), parent=part, parent_columns=("sku",)),
                KeyCheck(child=TableName(name="sneaky"), child_columns=("x",), parent=part, parent_columns=("sku",)),
            )
        ),
    )
    one, two, broken, sneaky = answer.checks
    assert (one.child_rows, one.child_filled, one.child_distinct) == (4, 3, 2)
    assert (one.present, one.orphans, one.orphan_rows, one.parent_distinct) == (1, 1, 1, 300)
    assert (two.child_filled, two.present, two.orphans, two.parent_rows) == (3, 2, 1, 3)
    assert broken.problem == "the table or a column does not exist"
    assert sneaky.problem == "the table or a column does not exist"


def test_select_gives_canonical_cells(ask: Ask, shop: Path) -> None:
    answer = ask(
        shop,
        SelectRequest(
            sql="SELECT status, count(*) AS n, avg(score) AS mean, max(photo) FROM customer GROUP BY 1 LIMIT 1"
        ),
    )
    assert answer.columns == ("status", "n", "mean", "MAX(photo)")
    assert answer.rows == (("active", 100, "37.375", "<2 bytes>"),)
    cut = ask(shop, SelectRequest(sql="SELECT id FROM customer", max_rows=5))
    assert (len(cut.rows), cut.truncated) == (5, True)
    small = ask(shop, SelectRequest(sql="SELECT email FROM customer"), Bounds(max_bytes=100))
    assert (0 < len(small.rows) < 10, small.truncated) == (True, True)


ATTACKS = (
    "SELECT 1; DELETE FROM customer",
    "DELETE FROM customer",
    "UPDATE customer SET status = 'x'",
    "INSERT INTO part VALUES ('x', 1)",
    "WITH x AS (SELECT 1) DELETE FROM customer",
    "ATTACH DATABASE '/tmp/planted.db' AS other",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "VACUUM INTO '/tmp/planted.db'",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT readfile('/etc/passwd')",
    "SELECT writefile('/tmp/planted', 'x')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple', x'00')",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM zipfile('/tmp/x.zip')",
    "SELECT * FROM fsdir('/')",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA temp_store_directory = '/tmp'",
    "WITH x AS (DELETE FROM customer RETURNING id) SELECT id FROM x",
    "SELECT * FROM pragma_table_info('customer')",
    "SELECT sql FROM sqlite_master",
    "SELECT sql FROM main.sqlite_schema",
    "SELECT * FROM json_each('[1]')",
    "SELECT randomblob(1000000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT printf('%1000000000d', 1)",
    "SELECT rowid FROM customer",
    "SELECT id FROM temp.customer",
    "EXPLAIN SELECT 1",
    "BEGIN",
    "REINDEX",
    "SELECT 1\x00; DELETE FROM customer",
)


def test_a_statement_that_could_do_more_than_read_is_refused(ask: Ask, shop: Path) -> None:
    before = shop.read_bytes()
    for sql in ATTACKS:
        with pytest.raises(ToolRetry) as refused:
            ask(shop, SelectRequest(sql=sql))
        assert refused.value.code == "statement_refused", sql
    assert shop.read_bytes() == before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM customer",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x (a)",
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA table_xinfo(customer)",
        "SELECT load_extension('/tmp/evil.so')",
        "SELECT sql FROM sqlite_master",
        "SELECT name FROM pragma_table_list",
        "SELECT randomblob(8)",
        "BEGIN",
        "SAVEPOINT x",
        "ANALYZE",
        "VACUUM",
        "DETACH DATABASE main",
    ],
)
def test_the_connection_itself_refuses_what_the_checker_would(shop: Path, sql: str) -> None:
    with SqliteSource(parse(str(shop)), Bounds()) as source:
        source.schema()
        with pytest.raises(sqlite3.DatabaseError):
            source._connection.execute(sql).fetchall()  # pyright: ignore[reportPrivateUsage] - the wall behind the public one


def test_a_statement_ends_at_its_deadline(ask: Ask, shop: Path) -> None:
    endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(ToolRetry) as slow:
        ask(shop, SelectRequest(sql=endless), Bounds(statement_s=0.3))
    assert slow.value.code == "query_timeout"
    build(
        shop, "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) FROM n"
    )
    answer = ask(shop, SchemaRequest(), Bounds(peek_s=0.3))
    assert {t.table.name: t.problem for t in answer.tables}["endless"] == "it took too long"
    bounds = Bounds(statement_s=0.3)
    profile = ask(shop, ProfileRequest(table=TableName(name="endless")), bounds)
    assert (profile.rows, [c.problem for c in profile.columns]) == (None, ["it took too long"])
    assert [n.code for n in profile.notices] == ["not_counted"]


def test_a_call_ends_at_its_deadline_with_what_it_has(ask: Ask, shop: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be listed"):
        ask(shop, SchemaRequest(), Bounds(call_s=0))
    with pytest.raises(ToolRetry, match="the time for this call was used up"):
        ask(shop, SelectRequest(sql="SELECT id FROM customer"), Bounds(call_s=0))
    table = TableName(name="customer")
    with pytest.raises(ToolRetry, match="the time for this call was used up"):
        ask(shop, ProfileRequest(table=table), Bounds(call_s=0))
    check = KeyCheck(child=table, child_columns=("id",), parent=table, parent_columns=("id",))
    with pytest.raises(ToolRetry, match="the time for this call was used up"):
        ask(shop, KeysRequest(checks=(check,)), Bounds(call_s=0))


def test_tables_and_columns_that_do_not_exist_are_for_the_agent_to_correct(ask: Ask, shop: Path) -> None:
    with pytest.raises(ToolRetry, match="has no table 'nope'"):
        ask(shop, ProfileRequest(table=TableName(name="nope")))
    with pytest.raises(ToolRetry, match="has no table 'customer' in schema 'temp'"):
        ask(shop, ProfileRequest(table=TableName(schema_name="temp", name="customer")))
    with pytest.raises(ToolRetry, match="has no table 'sqlite_master'"):
        ask(shop, ProfileRequest(table=TableName(name="sqlite_master")))
    with pytest.raises(ToolRetry, match="has no column 'nope'"):
        ask(shop, ProfileRequest(table=TableName(name="customer"), columns=("nope",)))
    with pytest.raises(ToolRetry, match="did not succeed"):
        ask(shop, SelectRequest(sql="SELECT id FROM customer, orders"))


def test_hostile_names_are_described_profiled_and_checked(ask: Ask, tmp_path: Path) -> None:
    names = ['a"b', "c'd; DROP TABLE x; --", "new\nline", "emoji 🦊", "ctrl\x01\x1b[31m", "per%s?", "[x]", "`y`", "ZÄ"]
    path = tmp_path / "odd #1?.db"
    connection = sqlite3.connect(path)
    columns = ", ".join('"' + name.replace('"', '""') + '" text' for name in names)
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        connection.execute(f"CREATE TABLE {quoted} ({columns})")
        connection.execute(f"INSERT INTO {quoted} DEFAULT VALUES")
    connection.execute(f'CREATE TABLE "{"n" * 600}" (a)')
    connection.execute(f'CREATE TABLE "wide name" (a, "{"n" * 600}" text)')
    connection.commit()
    connection.close()
    answer = ask(path, SchemaRequest())
    assert {t.table.name for t in answer.tables} == {*names, "wide name"}
    assert sorted(n.code for n in answer.notices) == ["name_too_long", "name_too_long"]
    for name in names:
        table = TableName(name=name)
        assert [c.name for c in ask(path, ProfileRequest(table=table)).columns] == names
        check = KeyCheck(child=table, child_columns=(name,), parent=table, parent_columns=(names[0],))
        fact = ask(path, KeysRequest(checks=(check,))).checks[0]
        assert (fact.problem, fact.child_rows, fact.child_filled) == ("", 1, 0)


def test_values_of_mixed_and_broken_types_are_counted(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "mixed.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (m, big, bad TEXT, huge TEXT, nan REAL)")
    connection.executemany(
        "INSERT INTO t VALUES (?, ?, CAST(? AS TEXT), ?, ?)",
        [
            (1, 2**62, b"\xff\xfe", "x" * 2_000_000, float("inf")),
            (1.5, -(2**62), b"\xed\xa0\x80", "", float("-inf")),
            ("one", 0, b"fine", "  ", 1.0),
            (b"\x00", None, None, None, float("nan")),
            (None, None, None, None, None),
        ],
    )
    connection.commit()
    connection.close()
    mixed, big, bad, huge, nan = ask(path, ProfileRequest(table=TableName(name="t"))).columns
    assert (mixed.integers, mixed.numbers, mixed.texts, mixed.binaries, mixed.nulls) == (1, 1, 1, 1, 1)
    assert (big.integers, big.personal, big.minimum) == (3, False, str(-(2**62)))
    assert (bad.texts, bad.problem) == (3, "")
    assert (huge.length_max, huge.empty) == (2_000_000, 2)
    assert (nan.not_finite, nan.minimum, nan.nulls) == (2, "1.0", 2)
    cells = ask(path, SelectRequest(sql="SELECT m, big, huge FROM t"))
    assert cells.rows[0][1] == str(2**62)
    assert len(cells.rows[0][2]) == 4000


def test_two_thousand_columns_are_profiled(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "wide.db"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE wide ({', '.join(f'c{i} INTEGER' for i in range(2000))})")
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 2000)
    connection.executemany(
        f"INSERT INTO wide VALUES ({', '.join('?' * 2000)})", [[row * 7 + i for i in range(2000)] for row in range(30)]
    )
    connection.commit()
    connection.close()
    assert len(ask(path, SchemaRequest()).tables[0].columns) == 2000
    answer = ask(path, ProfileRequest(table=TableName(name="wide")))
    assert [(c.minimum, c.maximum) for c in answer.columns] == [(str(i), str(203 + i)) for i in range(2000)]


def test_a_large_table_is_sampled_from_end_to_end(ask: Ask, tmp_path: Path) -> None:
    path = build(
        tmp_path / "large.db",
        """
        CREATE TABLE t (rowid TEXT, v INTEGER, n TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        INSERT INTO t SELECT 'r', i, CASE WHEN i % 10 = 0 THEN NULL ELSE 'x' END FROM n;
        DELETE FROM t WHERE v BETWEEN 1000 AND 3000;
        CREATE VIEW w AS SELECT v FROM t;
        CREATE TABLE k (a INTEGER PRIMARY KEY, b) WITHOUT ROWID;
        INSERT INTO k SELECT v, v FROM t;
        """,
    )
    bounds = Bounds(sample_rows=500, sample_cells=500)
    answer = ask(path, ProfileRequest(table=TableName(name="t")), bounds)
    _, value, null = answer.columns
    assert (answer.rows, answer.sampled, answer.sampling) == (2999, 500, "spread")
    assert (value.minimum, value.distinct, value.distinct_exact) == ("1", 500, False)
    assert int(value.maximum) > 4800
    assert null.nulls_total == 299
    assert 0 < null.nulls < 100
    view = ask(path, ProfileRequest(table=TableName(name="w")), bounds)
    assert (view.rows, view.sampled, view.sampling, view.columns[0].maximum) == (2999, 500, "first", "500")
    keyed = ask(path, ProfileRequest(table=TableName(name="k")), bounds)
    assert (keyed.sampled, keyed.sampling) == (500, "first")


def test_a_column_that_fails_does_not_stop_the_others(ask: Ask, shop: Path) -> None:
    build(shop, "CREATE VIEW half AS SELECT id, json_extract(status, '$.a') AS bad, email FROM customer")
    answer = ask(shop, ProfileRequest(table=TableName(name="half")))
    assert [(c.name, c.problem, c.values) for c in answer.columns] == [
        ("id", "", 300),
        ("bad", "it reads JSON that is malformed (SQLITE_ERROR)", 0),
        ("email", "", 300),
    ]


def test_a_missing_file_is_not_created(ask: Ask, tmp_path: Path) -> None:
    for location in (tmp_path / "no.db", f"sqlite:///{tmp_path}/no.db"):
        with pytest.raises(BadInput, match="There is no file") as missing:
            ask(location, SchemaRequest())
        assert missing.value.code == "warehouse_missing"
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_bad_input(ask: Ask, tmp_path: Path) -> None:
    text = tmp_path / "notes.db"
    text.write_text("just some notes, and more of them")
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\0" + os.urandom(4096))
    nothing = tmp_path / "nothing.db"
    nothing.touch()
    tables = build(tmp_path / "tables.db", "CREATE TABLE t (a); DROP TABLE t")
    codes = {}
    for path in (text, damaged, nothing, tables):
        with pytest.raises(BadInput) as bad:
            ask(path, SchemaRequest())
        codes[path.stem] = bad.value.code
    assert codes == {
        "notes": "not_a_database",
        "damaged": "not_a_database",
        "nothing": "empty_warehouse",
        "tables": "empty_warehouse",
    }


def wal(path: Path) -> Path:
    return build(path, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")


def test_reading_a_database_in_wal_mode_leaves_nothing_behind(ask: Ask, tmp_path: Path) -> None:
    path = wal(tmp_path / "wal.db")
    assert ask(path, SchemaRequest()).tables[0].rows == 1
    assert [p.name for p in tmp_path.iterdir()] == ["wal.db"]


def test_changes_that_are_only_in_the_log_are_read(ask: Ask, tmp_path: Path) -> None:
    path = wal(tmp_path / "wal.db")
    writer = sqlite3.connect(path)
    writer.execute("INSERT INTO t VALUES (2)")
    writer.commit()
    assert ask(path, SchemaRequest()).tables[0].rows == 2
    writer.close()


def test_a_write_during_the_reading_makes_it_read_again(tmp_path: Path) -> None:
    path = wal(tmp_path / "wal.db")
    with SqliteSource(parse(str(path)), Bounds()) as source:
        writer = sqlite3.connect(path)
        writer.execute("INSERT INTO t VALUES (2)")
        writer.commit()
        assert source.schema().tables[0].rows == 2
        assert source.select(SelectRequest(sql="SELECT count(*) FROM t")).rows == ((2,),)
        writer.close()


def test_a_write_that_breaks_the_reading_makes_it_read_again(tmp_path: Path) -> None:
    path = wal(tmp_path / "wal.db")
    with SqliteSource(parse(str(path)), Bounds()) as source:
        writer = sqlite3.connect(path)
        writer.execute("ALTER TABLE t ADD COLUMN later")
        writer.commit()
        assert source.select(SelectRequest(sql="SELECT later FROM t")).rows == ((None,),)
        writer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_a_log_that_cannot_be_shared_is_explained(tmp_path: Path) -> None:
    live = wal(tmp_path / "live.db")
    writer = sqlite3.connect(live)
    writer.execute("INSERT INTO t VALUES (2)")
    writer.commit()
    folder = tmp_path / "copy"
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{live}{suffix}", folder / f"c.db{suffix}")
        (folder / f"c.db{suffix}").chmod(0o444)
    writer.close()
    # folders that are private to this account, wherever pytest keeps its own
    above = [path for path in folder.parents if path.stat().st_mode & 0o005 != 0o005]
    script = f"""
    import os
    from twokey.tools.read.warehouse.location import parse
    from twokey.tools.read.warehouse.sources import Bounds
    from twokey.tools.read.warehouse.sqlite import SqliteSource
    from twokey.core.errors import EnvironmentFault
    place = parse({str(folder / "c.db")!r})
    folder = os.open({str(folder)!r}, os.O_RDONLY)
    for path in {[str(p) for p in (folder, *above)]!r}:
        os.chmod(path, 0o555 if path == {str(folder)!r} else 0o755)
    os.setuid(65534)
    try:
        with SqliteSource(place, Bounds()):
            print("opened")
    except EnvironmentFault as fault:
        print(fault.code, fault.message)
    """
    modes = {path: path.stat().st_mode for path in above}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    try:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, env=plain
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode & 0o7777)
    assert done.stderr == ""
    assert done.stdout.startswith("warehouse_unreadable")
    assert "-wal" in done.stdout


def test_chinook_is_read_whole(ask: Ask, data: Path) -> None:
    path = data / "joins" / "chinook.sqlite"
    answer = ask(path, SchemaRequest())
    assert len(answer.tables) == 11
    assert sum(len(t.columns) for t in answer.tables) == 64
    assert sum(len(t.foreign_keys) for t in answer.tables) == 11
    assert sum(t.rows for t in answer.tables) == 15_607
    checks = tuple(
        KeyCheck(child=t.table, child_columns=k.columns, parent=k.parent, parent_columns=k.parent_columns)
        for t in answer.tables
        for k in t.foreign_keys
    )
    facts = ask(path, KeysRequest(checks=checks)).checks
    assert [f.orphans for f in facts] == [0] * 11
    assert all(f.parent_distinct == f.parent_rows for f in facts)
    for table in answer.tables:
        profile = ask(path, ProfileRequest(table=table.table))
        assert profile.rows == table.rows
        assert all(c.values + c.nulls == table.rows and not c.problem for c in profile.columns)
