"""Which statements may run."""

import pytest

from twokey.tools.read.warehouse.sqlcheck import StatementRefused, checked

TABLES = {("", "t"): frozenset({"a", "b", "Id"}), ("s", "t"): frozenset({"a", "b"}), ("s", "u"): frozenset({"a", "x"})}


@pytest.mark.parametrize(
    ("dialect", "sql", "written"),
    [
        ("postgres", "select a from t -- hello", "SELECT a FROM t"),
        ("postgres", "SELECT a /* ; DROP TABLE t */ FROM t;", "SELECT a FROM t"),
        ("postgres", 'SELECT "Id" FROM t', 'SELECT "Id" FROM t'),
        ("mysql", "SELECT a /*! INTO OUTFILE '/tmp/x' */ FROM t", "SELECT a FROM t"),
        ("mysql", "SELECT a FROM t WHERE a = 'x\\' OR 1=1 -- '", "SELECT a FROM t WHERE a = 'x'' OR 1=1 -- '"),
        ("postgres", "SELECT a FROM t WHERE a = 'it''s; --'", "SELECT a FROM t WHERE a = 'it''s; --'"),
        ("sqlite", "SELECT instr(a, 'x') FROM t", "SELECT INSTR(a, 'x') FROM t"),
        ("sqlite", "SELECT total(a) FROM t", "SELECT TOTAL(a) FROM t"),
        ("duckdb", "FROM t", "SELECT * FROM t"),
        (
            "postgres",
            "SELECT q.n FROM (SELECT count(*) AS n FROM s.u) AS q",
            "SELECT q.n FROM (SELECT COUNT(*) AS n FROM s.u) AS q",
        ),
        (
            "postgres",
            "WITH c(z) AS (SELECT a FROM t) SELECT c.z FROM c",
            "WITH c(z) AS (SELECT a FROM t) SELECT c.z FROM c",
        ),
        ("postgres", "SELECT a FROM t UNION ALL SELECT x FROM u", "SELECT a FROM t UNION ALL SELECT x FROM u"),
        ("tsql", "SELECT TOP 3 a FROM t", "SELECT TOP 3 a FROM t"),
        (
            "postgres",
            "SELECT date_trunc('month', a), sum(b) OVER (PARTITION BY a ORDER BY b) FROM t WHERE a > 1",
            "SELECT DATE_TRUNC('MONTH', a), SUM(b) OVER (PARTITION BY a ORDER BY b) FROM t WHERE a > 1",
        ),
    ],
)
def test_a_harmless_statement_is_written_anew(dialect: str, sql: str, written: str) -> None:
    assert checked(sql, dialect=dialect, tables=TABLES) == written


@pytest.mark.parametrize(
    ("dialect", "sql", "why"),
    [
        ("postgres", "", "holds 0 statements"),
        ("postgres", "SELECT 1; SELECT 2", "holds 2 statements"),
        ("postgres", "SELECT 1\0", "NUL"),
        ("postgres", "SELECT ((((", "cannot be read"),
        ("postgres", "SELECT " + "(" * 5000 + "1" + ")" * 5000, "cannot be read"),
        ("postgres", "DROP TABLE t", "no SELECT"),
        ("postgres", "WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM x", "a clause"),
        ("postgres", "SELECT a INTO n FROM t", "a clause"),
        ("postgres", "SELECT a FROM t FOR SHARE", "a clause"),
        ("postgres", "SELECT pg_terminate_backend(1)", "a function"),
        ("postgres", "SELECT pg_catalog.pg_sleep(1)", "a clause"),
        ("postgres", "SELECT CURRENT_USER", "a function"),
        ("postgres", "SELECT CAST(a AS my_type) FROM t", "type"),
        ("postgres", "SELECT a FROM other", "does not list"),
        ("postgres", "SELECT a FROM r.t", "does not list"),
        ("postgres", "SELECT a FROM db.s.t", "no table of the schema result"),
        ("postgres", "SELECT nope FROM t", "names a column"),
        ("postgres", "SELECT t.x FROM t, s.u", "names a column"),
        ("postgres", "SELECT t.evil, 1 AS evil FROM t", "names a column"),
        ("postgres", "WITH sqlite_x AS (SELECT 1) SELECT 1", "belongs to the database"),
        ("postgres", "SELECT * FROM t, LATERAL (SELECT pg_sleep(1)) AS x", "that is not on the list"),
        ("mysql", "SELECT LOAD_FILE('/etc/passwd')", "a function"),
        ("mysql", "SELECT SLEEP(10)", "a function"),
        ("mysql", "SELECT @@version", "a clause"),
        ("mysql", "SELECT a INTO @x FROM t", "a clause"),
        ("tsql", "SELECT a FROM OPENROWSET('x', 'y', 'z')", "not on the list"),
        ("tsql", "EXEC xp_cmdshell 'dir'", "no SELECT"),
        ("snowflake", "SELECT * FROM @stage/file", "no table of the schema result"),
        ("bigquery", "SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')", "not on the list"),
        ("clickhouse", "SELECT * FROM url('http://x', CSV)", "not on the list"),
        ("oracle", "SELECT UTL_HTTP.REQUEST('http://x') FROM t", "not on the list"),
        ("duckdb", "SELECT * FROM read_csv_auto('x')", "not on the list"),
        ("duckdb", "SELECT * FROM t, UNNEST([1])", "not on the list"),
    ],
)
def test_whatever_is_not_known_to_be_harmless_is_refused(dialect: str, sql: str, why: str) -> None:
    with pytest.raises(StatementRefused, match=why):
        checked(sql, dialect=dialect, tables=TABLES)


def test_a_refused_statement_is_not_repeated_on_the_terminal(caplog: pytest.LogCaptureFixture):
    with pytest.raises(StatementRefused):
        checked("VACUUM INTO '\x1b[2J'", dialect="sqlite", tables=TABLES)
    assert not caplog.records
