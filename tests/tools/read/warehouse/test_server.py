"""A PostgreSQL server as a warehouse."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from twokey.core.errors import BadInput, EnvironmentFault, ToolRetry
from twokey.tools.read.warehouse import (
    KeyCheck,
    KeysRequest,
    ProfileRequest,
    SchemaRequest,
    SelectRequest,
    TableName,
)
from twokey.tools.read.warehouse.sources import Bounds

pytestmark = pytest.mark.postgresql

Ask = Callable[..., Any]

SECRET = "ana.planted@example.com"


@pytest.fixture
def database(empty_postgresql_url: str) -> Iterator[Connection]:
    """A connection that may write, for setting up."""
    engine = create_engine(empty_postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def shop(database: Connection, empty_postgresql_url: str) -> str:
    """A small shop in two schemas; gives its URL."""
    for statement in (
        "CREATE SCHEMA sales",
        """CREATE TABLE public.customer (id integer PRIMARY KEY, email varchar(80) UNIQUE NOT NULL, born date,
            status text DEFAULT 'new')""",
        "COMMENT ON TABLE public.customer IS 'People who bought'",
        "COMMENT ON COLUMN public.customer.status IS 'Where they stand'",
        """CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id integer REFERENCES public.customer(id), total numeric(10,2), placed timestamptz,
            tags text[], extra jsonb, ip inet, raw bytea, rate double precision, paid boolean, wait interval)""",
        f"""INSERT INTO customer SELECT i, CASE WHEN i = 7 THEN '{SECRET}' ELSE 'user' || i || '@example.com' END,
            date '1980-01-01' + i, (ARRAY['new', 'active', 'gone'])[1 + i % 3] FROM generate_series(1, 300) i""",
        """INSERT INTO sales.orders (customer_id, total, placed, tags, extra, ip, raw, rate, paid, wait)
            SELECT 1 + i % 250, i * 1.25, timestamptz '2026-01-01 00:00+00' + i * interval '1 hour', ARRAY['a', 'b'],
            '{"k": 1}', '10.0.0.1', '\\x00ff',
            CASE i WHEN 3 THEN float8 'NaN' WHEN 4 THEN float8 'Infinity' ELSE i END, i % 2 = 0, interval '3 days'
            FROM generate_series(1, 500) i""",
        "CREATE VIEW sales.broken AS SELECT 1 / (id - id) AS never FROM public.customer",
        "CREATE VIEW sales.good AS SELECT id, total FROM sales.orders",
        "ANALYZE",
    ):
        database.execute(text(statement.replace(":", "\\:")))
    return empty_postgresql_url


def test_schema_lists_both_schemas_with_keys_comments_and_estimates(ask: Ask, shop: str) -> None:
    answer = ask(shop, SchemaRequest())
    assert [(t.table.schema_name, t.table.name, t.is_view) for t in answer.tables] == [
        ("public", "customer", False),
        ("sales", "broken", True),
        ("sales", "good", True),
        ("sales", "orders", False),
    ]
    customer, broken, good, orders = answer.tables
    assert [(c.name, c.type, c.nullable, c.has_default) for c in customer.columns] == [
        ("id", "integer", False, False),
        ("email", "character varying(80)", False, False),
        ("born", "date", True, False),
        ("status", "text", True, True),
    ]
    assert customer.primary_key == ("id",)
    assert customer.unique == (("email",),)
    assert customer.comment == "People who bought"
    assert customer.columns[3].comment == "Where they stand"
    assert (customer.rows, customer.rows_exact) == (300, False)
    assert [(k.columns, k.parent.schema_name, k.parent.name, k.parent_columns) for k in orders.foreign_keys] == [
        (("customer_id",), "public", "customer", ("id",))
    ]
    assert broken.problem == "the database refused it (DivisionByZero 22012)"
    assert [c.name for c in broken.columns] == ["never"]
    assert not good.problem
    assert [n.code for n in answer.notices] == ["role_superuser"]


def test_profile_reads_every_type_and_withholds_what_is_personal(ask: Ask, shop: str) -> None:
    customer = ask(shop, ProfileRequest(table=TableName(name="customer")))
    assert (customer.rows, customer.sampled, customer.sampling) == (300, 300, "all")
    email, born, status = customer.columns[1:]
    assert (email.patterns.email, email.mentions_email, email.personal, email.top) == (300, 300, True, ())
    assert (born.personal, born.minimum, born.patterns.date) == (True, None, 300)
    assert [(t.text, t.count) for t in status.top] == [("active", 100), ("gone", 100), ("new", 100)]
    assert status.top_complete
    orders = ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="orders")))
    by_name = {column.name: column for column in orders.columns}
    assert not [column.name for column in orders.columns if column.problem]
    assert (by_name["total"].minimum, by_name["total"].maximum, by_name["total"].numbers) == ("1.25", "625.00", 500)
    assert (by_name["rate"].not_finite, by_name["rate"].maximum) == (2, "500.0")
    assert by_name["placed"].patterns.datetime == 500
    assert by_name["placed"].minimum.startswith("2026-01-01 01:00:00")
    assert (by_name["paid"].booleans, by_name["ip"].patterns.ip, by_name["ip"].personal) == (500, 0, True)
    assert by_name["raw"].distinct == 1
    assert SECRET not in customer.model_dump_json()


def test_a_table_beyond_the_sample_is_sampled_and_says_so(ask: Ask, shop: str) -> None:
    bounds = Bounds(sample_rows=100, sample_cells=100)
    answer = ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="orders")), bounds)
    assert answer.rows == 500
    assert 0 < answer.sampled <= 100
    assert answer.sampling == "spread"
    assert all(column.nulls_total == 0 and not column.distinct_exact for column in answer.columns)
    view = ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="good")), bounds)
    assert (view.rows, view.sampled, view.sampling) == (500, 100, "first")


def test_keys_are_answered_exactly(ask: Ask, shop: str, database: Connection) -> None:
    database.execute(text("CREATE TABLE loose (customer_id integer, other text)"))
    database.execute(text("INSERT INTO loose VALUES (1, 'a'), (1, 'b'), (9999, 'c'), (9999, 'd'), (NULL, 'e')"))
    child, parent = TableName(name="loose"), TableName(schema_name="public", name="customer")
    answer = ask(
        shop,
        KeysRequest(
            checks=(
                KeyCheck(child=child, child_columns=("customer_id",), parent=parent, parent_columns=("id",)),
                KeyCheck(child=child, child_columns=("other",), parent=parent, parent_columns=("id",)),
                KeyCheck(child=child, child_columns=("nope",), parent=parent, parent_columns=("id",)),
            )
        ),
    )
    good, mismatch, missing = answer.checks
    assert (good.child_rows, good.child_filled, good.child_distinct) == (5, 4, 2)
    assert (good.present, good.orphans, good.orphan_rows) == (1, 1, 2)
    assert (good.parent_rows, good.parent_filled, good.parent_distinct) == (300, 300, 300)
    assert mismatch.problem.startswith("the database refused it (UndefinedFunction")
    assert missing.problem == "the table or a column does not exist"


def test_select_gives_rows_up_to_the_limit(ask: Ask, shop: str) -> None:
    answer = ask(
        shop,
        SelectRequest(
            sql="SELECT status, count(*) AS n, avg(id) FROM customer WHERE status LIKE '%e%' GROUP BY 1 ORDER BY 1"
        ),
    )
    assert answer.columns == ("status", "n", "avg")
    assert [row[:2] for row in answer.rows] == [("active", 100), ("gone", 100), ("new", 100)]
    assert isinstance(answer.rows[0][2], str)
    cut = ask(shop, SelectRequest(sql="SELECT id FROM sales.orders ORDER BY id", max_rows=3))
    assert (cut.rows, cut.truncated) == (((1,), (2,), (3,)), True)


ATTACKS = (
    "COMMIT; BEGIN READ WRITE; DELETE FROM customer",
    "SELECT 1; DELETE FROM customer",
    "SELECT 1 /* ; */ ; -- x\n DELETE FROM customer",
    "SELECT 1\u037e DELETE FROM customer",
    "DELETE FROM customer",
    "WITH gone AS (DELETE FROM customer RETURNING *) SELECT * FROM gone",
    "SELECT * INTO stolen FROM customer",
    "SELECT * FROM customer FOR UPDATE",
    "COPY customer TO PROGRAM 'touch /tmp/owned'",
    "COPY (SELECT 1) TO '/tmp/owned'",
    "SELECT pg_sleep(100)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/owned')",
    "SELECT nextval('sales.orders_id_seq')",
    "SELECT setval('sales.orders_id_seq', 1)",
    "SELECT set_config('default_transaction_read_only', 'off', false)",
    "SELECT dblink_exec('dbname=x', 'DELETE FROM customer')",
    "SELECT * FROM dblink('dbname=x', 'SELECT 1') AS t(a int)",
    "SELECT query_to_xml('DELETE FROM customer', true, true, '')",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_catalog.pg_authid",
    "SELECT * FROM information_schema.tables",
    "WITH pg_authid AS (SELECT 1) SELECT * FROM customer",
    "SELECT current_user",
    "SELECT 'pg_authid'::regclass",
    "SELECT customer.pg_sleep FROM customer",
    "SELECT 1 AS evil, customer.evil FROM customer",
    "SELECT customer FROM customer",
    "SELECT ctid FROM customer",
    "SELECT 1 OPERATOR(pg_catalog.+) 1",
    "SELECT * FROM generate_series(1, 10)",
    "SELECT repeat('x', 1000000000)",
    "SELECT U&'\\0061' FROM customer",
    "SELECT CAST('<a/>' AS xml)",
    "SET ROLE postgres",
    "EXPLAIN ANALYZE DELETE FROM customer",
    "DO $$ BEGIN DELETE FROM customer; END $$",
    "CALL evil()",
    "VALUES (1)",
    "LISTEN x",
    "NOTIFY x",
    "PREPARE p AS DELETE FROM customer",
    "EXECUTE p",
    "LOCK TABLE customer",
    "SELECT * FROM customer FOR SHARE",
    "WITH more AS (UPDATE customer SET status = 'x' RETURNING id) SELECT id FROM customer, more",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_notify('x', 'y')",
    "SELECT pg_logical_emit_message(true, 'x', 'y')",
    "SELECT database_to_xml(true, true, '')",
    "SELECT currval('sales.orders_id_seq')",
    "",
    "not sql at all (",
)


def test_a_statement_that_could_do_more_than_read_is_refused(ask: Ask, shop: str, database: Connection) -> None:
    for sql in ATTACKS:
        with pytest.raises(ToolRetry) as refused:
            ask(shop, {"op": "select", "sql": sql or " "})
        assert refused.value.code == "statement_refused", sql
        assert database.execute(text("SELECT count(*) FROM customer")).scalar() == 300


def test_the_session_itself_cannot_write(shop: str) -> None:
    from twokey.tools.read.warehouse.location import parse
    from twokey.tools.read.warehouse.session import Session
    from twokey.tools.read.warehouse.sources import StatementFailed

    session = Session(parse(shop), Bounds())
    try:
        with pytest.raises(StatementFailed, match="ReadOnlySqlTransaction 25006"):
            session.rows("DELETE FROM customer")
        with pytest.raises(StatementFailed, match="ReadOnlySqlTransaction 25006"):
            session.rows("SELECT nextval('sales.orders_id_seq')")
        assert session.rows("SELECT 1") == [(1,)]
    finally:
        session.close()


def test_a_function_behind_a_harmless_name_cannot_write(ask: Ask, shop: str, database: Connection) -> None:
    database.execute(
        text(
            "CREATE FUNCTION public.lower(customer) RETURNS text LANGUAGE sql AS"
            " $$ INSERT INTO customer VALUES (1000, 'x', NULL, NULL) RETURNING email $$"
        )
    )
    database.execute(text("CREATE VIEW trap AS SELECT lower(c) AS x FROM customer c"))
    with pytest.raises(ToolRetry, match="ReadOnlySqlTransaction"):
        ask(shop, SelectRequest(sql="SELECT x FROM trap"))
    answer = ask(shop, SchemaRequest())
    assert next(t.problem for t in answer.tables if t.table.name == "trap")
    assert database.execute(text("SELECT count(*) FROM customer")).scalar() == 300


def test_a_slow_statement_ends_at_its_deadline_and_others_go_on(ask: Ask, shop: str, database: Connection) -> None:
    database.execute(text("CREATE VIEW slow AS SELECT pg_sleep(60)::text AS z"))
    bounds = Bounds(statement_s=1, peek_s=2)  # what is quick is through in it on a busy machine, too
    with pytest.raises(ToolRetry) as slow:
        ask(shop, SelectRequest(sql="SELECT z FROM slow"), bounds)
    assert slow.value.code == "query_timeout"
    answer = ask(shop, SchemaRequest(), bounds)
    assert {t.table.name: t.problem for t in answer.tables}["slow"] == "it took too long"
    assert not next(t.problem for t in answer.tables if t.table.name == "customer")


def test_a_role_with_select_only_is_not_reported_and_sees_what_it_may(
    ask: Ask, shop: str, database: Connection
) -> None:
    role = make_url(shop).database
    database.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'hunter2-planted'"))
    try:
        database.execute(text(f"GRANT SELECT ON customer TO {role}"))
        database.execute(text(f"GRANT USAGE ON SCHEMA sales TO {role}"))
        url = make_url(shop).set(username=role, password="hunter2-planted").render_as_string(hide_password=False)
        answer = ask(url, SchemaRequest())
        assert answer.notices == ()
        assert {t.table.name: t.problem for t in answer.tables} == {
            "customer": "",
            "broken": "the role may not read it",
            "good": "the role may not read it",
            "orders": "the role may not read it",
        }
        database.execute(text(f"GRANT INSERT ON customer TO {role}"))
        assert [n.code for n in ask(url, SchemaRequest()).notices] == ["role_can_write"]
    finally:
        database.execute(text(f"DROP OWNED BY {role}"))
        database.execute(text(f"DROP ROLE {role}"))


def test_hostile_names_and_odd_tables_are_described_and_profiled(
    ask: Ask, empty_postgresql_url: str, database: Connection
) -> None:
    names = [
        'a"b',
        "c'd; DROP TABLE x; --",
        "new\nline",
        "emoji 🦊",
        "ctrl\x01\x1b[31m",
        "50% off %s %(x)s",
        ":bind",
        "ZÄ",
    ]
    columns = ", ".join('"' + name.replace('"', '""') + '" text' for name in names)
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        database.exec_driver_sql(f"CREATE TABLE {quoted} ({columns})".replace("%", "%%"))
        database.exec_driver_sql(f"INSERT INTO {quoted} VALUES ({', '.join(['NULL'] * 7)}, 'x')".replace("%", "%%"))
    database.exec_driver_sql("CREATE TABLE nothing ()")
    database.exec_driver_sql("CREATE TABLE far (d date, t timestamp)")
    database.exec_driver_sql("INSERT INTO far VALUES ('infinity', '-infinity'), ('9999-12-31', '0044-03-15 BC')")
    answer = ask(empty_postgresql_url, SchemaRequest())
    by_name = {t.table.name: t for t in answer.tables}
    assert set(by_name) == {*names, "nothing", "far"}
    assert by_name["nothing"].columns == ()
    for name in names:
        assert [c.name for c in by_name[name].columns] == names
        profile = ask(empty_postgresql_url, ProfileRequest(table=TableName(name=name)))
        assert [(c.name, c.problem, c.values) for c in profile.columns] == [(n, "", int(n == "ZÄ")) for n in names]
        key = KeyCheck(
            child=TableName(name=name), child_columns=(name,), parent=TableName(name=name), parent_columns=("ZÄ",)
        )
        assert ask(empty_postgresql_url, KeysRequest(checks=(key,))).checks[0].problem == ""
    assert ask(empty_postgresql_url, ProfileRequest(table=TableName(name="nothing"))).columns == ()
    assert [c.values for c in ask(empty_postgresql_url, ProfileRequest(table=TableName(name="far"))).columns] == [2, 2]


def test_only_listed_schemas_are_seen(ask: Ask, shop: str) -> None:
    url = make_url(shop).update_query_dict({"twokey_schemas": "sales"}).render_as_string(hide_password=False)
    assert {t.table.schema_name for t in ask(url, SchemaRequest()).tables} == {"sales"}
    for sql in ("SELECT id FROM public.customer", "SELECT id FROM customer"):
        with pytest.raises(ToolRetry, match="does not list"):
            ask(url, SelectRequest(sql=sql))
    with pytest.raises(ToolRetry, match="has no table"):
        ask(url, ProfileRequest(table=TableName(schema_name="public", name="customer")))
    with pytest.raises(ToolRetry, match="has no table"):
        ask(shop, ProfileRequest(table=TableName(schema_name="pg_catalog", name="pg_authid")))


def test_an_empty_database_is_bad_input(ask: Ask, empty_postgresql_url: str) -> None:
    with pytest.raises(BadInput, match="holds no tables") as empty:
        ask(empty_postgresql_url, SchemaRequest())
    assert empty.value.code == "empty_warehouse"


def test_a_server_that_cannot_be_used_is_named_without_its_password(ask: Ask, shop: str) -> None:
    cases = {
        "postgresql://ana:hunter2-planted@127.0.0.1:1/shop": "warehouse_unreachable",
        make_url(shop)
        .set(username="nobody_here", password="hunter2-planted")
        .render_as_string(False): "warehouse_sign_in",
        make_url(shop).set(database="missing_db").render_as_string(hide_password=False): "warehouse_missing",
    }
    for url, code in cases.items():
        with pytest.raises(EnvironmentFault) as fault:
            ask(url, SchemaRequest())
        assert fault.value.code == code
        assert "hunter2" not in str(fault.value.as_json())


def test_a_driver_that_is_not_installed_names_its_package(ask: Ask) -> None:
    with pytest.raises(BadInput) as missing:
        ask("snowflake://ana:hunter2-planted@account/db", SchemaRequest())
    assert (missing.value.code, missing.value.next) == ("driver_missing", "Run: pip install 'snowflake-sqlalchemy'")
    with pytest.raises(BadInput) as mysql:
        ask("mysql://ana:hunter2-planted@host/db", SchemaRequest())
    assert mysql.value.next == "Run: pip install 'pymysql'"
    with pytest.raises(BadInput, match="of the kind 'nosuchdb'"):
        ask("nosuchdb://host/db", SchemaRequest())
    with pytest.raises(BadInput, match="an option that its driver does not take"):
        ask("postgresql://127.0.0.1:1/db?nosuchoption=5", SchemaRequest())


def test_a_connection_that_breaks_is_closed_all_the_same(ask: Ask, shop: str, database: Connection) -> None:
    from twokey.tools.read.warehouse.location import parse
    from twokey.tools.read.warehouse.server import ServerSource

    name = make_url(shop).database
    with ServerSource(parse(shop), Bounds()) as source:
        database.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = :name AND application_name = ''"
            ).bindparams(name=name)
        )
        with pytest.raises(EnvironmentFault, match="cannot be listed"):
            source.schema()
    assert ask(shop, SelectRequest(sql="SELECT count(*) FROM customer")).rows == ((300,),)


def test_a_locked_table_is_reported_and_others_go_on(ask: Ask, shop: str) -> None:
    engine = create_engine(shop)
    bounds = Bounds(peek_s=0.3)
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(ToolRetry, match="the table is locked by somebody else"):
            ask(shop, ProfileRequest(table=TableName(name="customer")), bounds)
        assert ask(shop, ProfileRequest(table=TableName(schema_name="sales", name="orders")), bounds).rows == 500
        assert ask(shop, SelectRequest(sql="SELECT count(*) FROM sales.orders"), bounds).rows == ((500,),)
        problems = {t.table.name: t.problem for t in ask(shop, SchemaRequest(), bounds).tables}
        assert problems["customer"] == "the table is locked by somebody else"
        assert problems["orders"] == ""
        holder.rollback()
    engine.dispose()


def test_a_call_ends_at_its_deadline(ask: Ask, shop: str) -> None:
    bounds = Bounds(call_s=0)
    with pytest.raises(EnvironmentFault, match="the time for this call was used up"):
        ask(shop, SchemaRequest(), bounds)
    table = TableName(schema_name="sales", name="orders")
    requests = (
        SelectRequest(sql="SELECT id FROM customer"),
        ProfileRequest(table=table),
        KeysRequest(checks=(KeyCheck(child=table, child_columns=("id",), parent=table, parent_columns=("id",)),)),
    )
    for request in requests:
        with pytest.raises(ToolRetry, match="the time for this call was used up"):
            ask(shop, request, bounds)
    with pytest.raises(ToolRetry, match="has no column 'nope'"):
        ask(shop, ProfileRequest(table=table, columns=("nope",)))


def test_partitions_foreign_tables_materialized_views_and_own_types_are_read(
    ask: Ask, empty_postgresql_url: str, database: Connection
) -> None:
    for statement in (
        "CREATE TYPE mood AS ENUM ('fine', 'bad')",
        "CREATE DOMAIN code AS text CHECK (length(VALUE) < 10)",
        "CREATE TYPE pair AS (a integer, b text)",
        "CREATE TABLE odd (m mood, c code, p pair, r int4range, v tsvector, n numeric, i integer[][])",
        """INSERT INTO odd VALUES ('fine', 'k', (1, 'z'), '[1,5)', 'a b', 'NaN', '{{1,2}}'),
            ('bad', 'l', NULL, NULL, NULL, 12345678901234567890.5, NULL)""",
        "CREATE TABLE part (k integer, v text) PARTITION BY RANGE (k)",
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100)",
        "INSERT INTO part SELECT i, 'v' FROM generate_series(0, 99) i",
        "CREATE MATERIALIZED VIEW mat AS SELECT k FROM part",
        "CREATE FOREIGN DATA WRAPPER nowhere",
        "CREATE SERVER nothing FOREIGN DATA WRAPPER nowhere",
        "CREATE FOREIGN TABLE far (a integer) SERVER nothing",
        "CREATE TABLE uniq (a integer, b text, UNIQUE (a, b))",
        "CREATE UNIQUE INDEX uniq_part ON uniq (a) WHERE b IS NULL",
        "CREATE UNIQUE INDEX uniq_expr ON uniq (lower(b))",
        "CREATE UNIQUE INDEX uniq_plain ON uniq (b)",
    ):
        database.exec_driver_sql(statement)
    answer = ask(empty_postgresql_url, SchemaRequest())
    tables = {t.table.name: t for t in answer.tables}
    assert set(tables) == {"odd", "part", "part_1", "mat", "far", "uniq"}
    assert (tables["mat"].is_view, tables["part"].is_view) == (True, False)
    assert tables["uniq"].unique == (("a", "b"), ("b",))
    assert [c.type for c in tables["odd"].columns] == [
        "mood",
        "code",
        "pair",
        "int4range",
        "tsvector",
        "numeric",
        "integer[]",
    ]  # fmt: skip - one row of types
    odd = ask(empty_postgresql_url, ProfileRequest(table=TableName(name="odd")))
    assert not [c.problem for c in odd.columns if c.problem]
    assert (odd.columns[5].not_finite, odd.columns[5].maximum) == (1, "12345678901234567890.5")
    far = ask(empty_postgresql_url, ProfileRequest(table=TableName(name="far")))
    assert far.rows is None
    assert far.columns[0].problem.startswith("the database refused it")
    sampled = ask(
        empty_postgresql_url, ProfileRequest(table=TableName(name="part")), Bounds(sample_rows=10, sample_cells=10)
    )
    assert (sampled.rows, sampled.sampled, sampled.sampling) == (100, 10, "first")


READ_ONLY_IS_LIFTED = (
    "COMMIT; BEGIN READ WRITE",
    "ROLLBACK",
    "COMMIT AND CHAIN",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "RESET ALL",
    "DISCARD ALL",
    "SET ROLE pg_write_all_data",
    "SET SESSION AUTHORIZATION DEFAULT",
    "SAVEPOINT s; RELEASE s",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT pg_catalog.set_config('role', 'none', false)",
    "SHOW data_directory",
    "COPY customer FROM '/etc/passwd'",
    "COPY (SELECT email FROM customer) TO STDOUT",
    "COPY customer FROM PROGRAM 'id'",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT lo_get(1)",
    "SELECT lo_unlink(1)",
    "SELECT dblink_connect('host=10.0.0.1')",
    "SELECT * FROM ROWS FROM (pg_ls_dir('/'))",
    "SELECT pg_sleep_for('1 minute')",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_create_restore_point('x')",
    "SELECT pg_advisory_xact_lock_shared(1)",
    "SELECT pg_try_advisory_lock(1, 2)",
    "SELECT txid_current()",
    "SELECT pg_export_snapshot()",
    "SELECT lastval()",
    "SELECT nextval('public.a'::regclass)",
    "SELECT pg_get_viewdef('sales.good'::regclass)",
    "SELECT pg_relation_filepath('customer')",
    "SELECT inet_server_addr()",
    "SELECT version()",
    "SELECT current_setting('data_directory')",
    "SELECT has_table_privilege('customer', 'select')",
    "SELECT session_user",
    "SELECT cursor_to_xml('c', 1, true, true, '')",
    "SELECT table_to_xml('customer', true, true, '')",
    "SELECT ts_stat('SELECT 1')",
    "SELECT * FROM ts_stat('DELETE FROM customer')",
    "SELECT public.planted(1)",
    "SELECT planted(id) FROM customer",
    "SELECT id FROM customer ORDER BY planted(id)",
    "SELECT id FROM customer WHERE planted(id) > 0",
    "SELECT count(*) FILTER (WHERE planted(id) > 0) FROM customer",
    "SELECT (SELECT planted(1))",
    "SELECT * FROM planted(1)",
    "SELECT * FROM customer, LATERAL planted(customer.id)",
    "SELECT * FROM customer TABLESAMPLE SYSTEM (10)",
    "SELECT 1; SELECT 2",
    "SELECT $$a$$; DELETE FROM customer",
    "SELECT $x$ ; $x$ ; DELETE FROM customer",
    "SELECT E'\\'; DELETE FROM customer; --'",
    "SELECT 1 -- \r; DELETE FROM customer",
    "/* /* */ DELETE FROM customer; */ SELECT 1; DELETE FROM customer",
    "SELECT 1) AS a LIMIT 1; DELETE FROM customer; --",
    "SELECT 1) AS a, (DELETE FROM customer RETURNING id) AS b --",
    "EXPLAIN (ANALYZE) SELECT 1",
    "EXPLAIN SELECT 1",
    "WITH a AS (INSERT INTO customer VALUES (999, 'x') RETURNING 1) SELECT 1",
    "WITH a AS (MERGE INTO customer USING customer c ON false WHEN MATCHED THEN DELETE RETURNING 1) SELECT 1",
    "SELECT * INTO TEMP t FROM customer",
    "CREATE TEMP TABLE t AS SELECT 1",
    "SELECT id FROM customer FOR NO KEY UPDATE",
    "SELECT id FROM customer FOR KEY SHARE SKIP LOCKED",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "FETCH ALL FROM c",
    "MOVE 1 IN c",
    "REFRESH MATERIALIZED VIEW m",
    "VACUUM",
    "CHECKPOINT",
    "LOAD 'x'",
    "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO public",
    "CREATE EXTENSION dblink",
    "ALTER SYSTEM SET archive_command = 'x'",
    "SELECT CAST('16384' AS regrole)",
    "SELECT 'x'::planted_domain",
    'SELECT id::text COLLATE "C" FROM pg_class',
    "SELECT (customer).email FROM customer",
    "SELECT id || email || pg_sleep(1) FROM customer",
    "SELECT * FROM sales.orders WHERE id = ANY (ARRAY(SELECT lo_creat(-1)))",
    "SELECT id FROM customer LIMIT (SELECT planted(1))",
    "SELECT sum(id) OVER (ORDER BY planted(id)) FROM customer",
    "SELECT CASE WHEN true THEN planted(1) END",
)  # fmt: skip - one attack a line


def test_every_way_out_of_the_read_only_session_is_refused_with_a_sentence(
    ask: Ask, shop: str, database: Connection
) -> None:
    """The role is a superuser, who owns a function that writes as its owner: only the checks stand between."""
    for statement in (
        "CREATE SEQUENCE public.a",
        "CREATE TABLE public.marks (at integer)",
        "CREATE DOMAIN planted_domain AS text CHECK (length(VALUE) > 0)",
        """CREATE FUNCTION public.planted(integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS
            $$ BEGIN INSERT INTO public.marks VALUES ($1); RETURN 1; END $$""",
    ):
        database.exec_driver_sql(statement)

    def state() -> tuple[Any, ...]:
        counts = "SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM marks), (SELECT is_called FROM a)"
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        large = "SELECT count(*) FROM pg_largeobject_metadata"
        return tuple(tuple(database.exec_driver_sql(sql).one()) for sql in (counts, locks, large))

    before = state()
    for sql in READ_ONLY_IS_LIFTED:
        try:
            pytest.fail(f"answered: {sql}: {ask(shop, {'op': 'select', 'sql': sql})}")
        except ToolRetry as error:
            refused = error
        assert refused.code == "statement_refused", sql
        assert refused.message.startswith("The statement is refused: "), sql
        assert refused.next
    assert state() == before
    # what the check lets through because it looks like a column is refused by the server, or never reaches the function
    database.exec_driver_sql("CREATE VIEW sly AS SELECT planted(id) AS x FROM customer")
    with pytest.raises(ToolRetry, match="ReadOnlySqlTransaction 25006"):
        ask(shop, SelectRequest(sql="SELECT x FROM sly"))
    assert state() == before


def test_keys_and_samples_do_not_run_what_a_view_would_write(ask: Ask, shop: str, database: Connection) -> None:
    database.exec_driver_sql("CREATE TABLE public.marks (at integer)")
    database.exec_driver_sql(
        "CREATE FUNCTION public.planted(integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN INSERT INTO public.marks VALUES ($1); RETURN $1; END $$"
    )
    database.exec_driver_sql("CREATE VIEW sly AS SELECT planted(id) AS x FROM customer")
    sly, customer = TableName(name="sly"), TableName(name="customer")
    check = KeyCheck(child=sly, child_columns=("x",), parent=customer, parent_columns=("id",))
    (fact,) = ask(shop, KeysRequest(checks=(check,))).checks
    assert fact.problem == "the database refused it (ReadOnlySqlTransaction 25006)"
    (profile,) = ask(shop, {"op": "profiles", "tables": [sly]}).tables
    assert profile.problem or all(column.problem for column in profile.profile.columns)
    assert database.exec_driver_sql("SELECT count(*) FROM marks").scalar() == 0


def test_a_statement_that_is_cancelled_leaves_the_call_usable(ask: Ask, shop: str, database: Connection) -> None:
    """Somebody ends our statement from outside: that statement says so, the next one is answered."""
    import threading

    database.exec_driver_sql("CREATE VIEW slow AS SELECT pg_sleep(60)::text AS z")
    sleeping = (
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'"
    )

    def cancel() -> None:
        engine = create_engine(shop, isolation_level="AUTOCOMMIT")
        with engine.connect() as other:
            while not other.exec_driver_sql(sleeping).all():
                other.exec_driver_sql("SELECT pg_sleep(0.02)")
        engine.dispose()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(ToolRetry) as ended:
        ask(shop, SelectRequest(sql="SELECT z FROM slow"), Bounds(statement_s=50))
    canceller.join()
    assert ended.value.code == "query_timeout"
    assert ask(shop, SelectRequest(sql="SELECT count(*) FROM customer")).rows == ((300,),)


def test_large_answers_are_cut_and_nothing_else_is_fetched(ask: Ask, shop: str) -> None:
    wide = "SELECT a.email || b.email || c.email AS x FROM customer a, customer b, customer c"
    answer = ask(shop, SelectRequest(sql=wide), Bounds(max_bytes=50_000))
    assert answer.truncated
    assert 0 < len(answer.rows) < 2_000
    rows = ask(shop, SelectRequest(sql="SELECT a.id FROM customer a, customer b", max_rows=500))
    assert (len(rows.rows), rows.truncated) == (500, True)
