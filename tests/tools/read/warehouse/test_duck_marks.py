"""Tables that are counted in place, by marks: what they say is what counting the rows themselves says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from twokey.tools.read.warehouse import ProfileRequest, ProfileResult, TableName
from twokey.tools.read.warehouse.duck import DuckSource
from twokey.tools.read.warehouse.duck_marks import Numbers, mark
from twokey.tools.read.warehouse.duck_session import DuckSession
from twokey.tools.read.warehouse.location import parse
from twokey.tools.read.warehouse.sources import Bounds

ROWS = 4_000
"""With twenty columns more cells than are fetched."""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "odd.duckdb"
    columns = {
        "rowid": "i % 7",
        "at": "'a' || i % 3",
        "none": "CASE WHEN i % 5 > 0 THEN 'x' || i END",
        "h0": "NULL::VARCHAR",
        "n0": "CASE i % 50 WHEN 0 THEN '' WHEN 1 THEN '  ' WHEN 2 THEN chr(9) || 'b' ELSE 'wört ' || i % 40 END",
        "huge": "(i % 900)::HUGEINT * 100000000000000000000",
        "unsigned": "(18446744073709551615 - i)::UBIGINT",
        "halves": "CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN -0.0::DOUBLE WHEN 2 THEN 0.0::DOUBLE ELSE i / 2 END",
        "price": "((i % 300) / 100)::DECIMAL(30, 2)",
        "day": "DATE '2026-01-01' + (i % 90)::INTEGER",
        "seen": "CASE WHEN i % 9 = 0 THEN 'infinity'::TIMESTAMP ELSE TIMESTAMP '2026-01-01' + to_seconds(i % 70) END",
        "noon": "TIME '12:00:00' + to_seconds(i % 11)",
        "flag": "i % 3 = 0",
        "raw": "encode(repeat('x', (i % 13)::INTEGER))",
        "many": "[i % 20, 1]",
        "mail": "CASE WHEN i % 1000 = 7 THEN 'write to a' || i || '@mail.example' ELSE 'n ' || i % 2500 END",
        "rare": "CASE WHEN i % 3 = 0 THEN 'r' || i END",
        "card": "4111111111111111 + i % 2",
        "ids": "i",
        "word": "['red', 'green', 'blue'][1 + i % 3]",
    }
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE odd AS SELECT {listed} FROM range({ROWS}) r(i)")
        connection.execute('CREATE TABLE same AS SELECT * EXCLUDE (rowid), "rowid" AS first_one FROM odd')
    return path


def profile(path: Path, table: str, bounds: Bounds | None = None) -> ProfileResult:
    with DuckSource(parse(str(path)), bounds or Bounds()) as source:
        return source.profile(ProfileRequest(table=TableName(name=table)))


def rows(path: Path, sql: str) -> Sequence[Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_different_values_nulls_and_lengths_are_those_of_the_rows(odd: Path) -> None:
    found = {column.name: column for column in profile(odd, "odd").columns}
    assert {name for name, column in found.items() if column.problem} == set()
    for name, column in found.items():
        value = f'"{name}"'
        values, distinct = rows(odd, f"SELECT count({value}), count(DISTINCT {value}) FROM odd")[0]
        assert (column.values, column.nulls, column.distinct) == (values, ROWS - values, distinct), name
        assert column.distinct_exact
    for name in ("at", "none", "n0", "mail", "rare"):
        ends = rows(odd, f'SELECT min(length("{name}")), max(length("{name}")), avg(length("{name}")) FROM odd')[0]
        column = found[name]
        assert (column.length_min, column.length_max, column.length_avg) == (ends[0], ends[1], int(ends[2]))
    assert (found["n0"].empty, found["mail"].mentions_email, found["halves"].not_finite) == (160, 4, 1000)
    assert (found["h0"].values, found["h0"].length_min) == (0, None)
    assert found["card"].patterns.card == ROWS / 2
    assert found["card"].personal
    assert [(tally.text, tally.count) for tally in found["at"].top] == [("a0", 1334), ("a1", 1333), ("a2", 1333)]
    assert found["unsigned"].maximum == str(2**64 - 1)


def test_a_column_called_rowid_is_a_column(odd: Path) -> None:
    one, other = profile(odd, "odd"), profile(odd, "same")
    counted = {column.name: column for column in one.columns}
    for column in other.columns:
        name = "rowid" if column.name == "first_one" else column.name
        assert column.model_copy(update={"name": name}) == counted[name]


def test_a_sample_of_it_is_spread_over_the_table(odd: Path) -> None:
    found = profile(odd, "odd", Bounds(sample_rows=3_500))
    assert (found.sampling, found.sampled, found.rows) == ("spread", 3_500, ROWS)
    assert profile(odd, "same", Bounds(sample_rows=3_500)).sampling == "spread"


@pytest.fixture
def session() -> Iterator[DuckSession]:
    held = DuckSession(None, "memory", Bounds())
    yield held
    held.close()


def test_groups_name_the_first_row_of_each_value(session: DuckSession) -> None:
    session.rows("CREATE TABLE t AS SELECT CASE WHEN i % 6 > 0 THEN 'v' || i % 4 END AS v FROM range(600) r(i)")
    _, (marks,) = mark(session, "t", [("v", False)])
    values = [row[0] for row in session.rows("SELECT v FROM t ORDER BY rowid")]
    known = Counter(value for value in values if value is not None)
    first, counts = marks.groups()
    assert {values[row]: count for row, count in zip(first, counts, strict=True)} == known
    assert sorted(first) == sorted(values.index(value) for value in known)


def test_numbers_are_their_own_marks(session: DuckSession) -> None:
    session.rows(
        "CREATE TABLE t AS SELECT CASE i % 5 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN '-inf'::DOUBLE WHEN 2 THEN -0.0"
        " WHEN 3 THEN 0.0 END AS f, CASE WHEN i % 2 = 0 THEN i END AS n, NULL::FLOAT AS none FROM range(50) r(i)"
    )
    _, (fractions, whole, none) = mark(session, "t", [("f", True), ("n", True), ("none", True)])
    assert (fractions.values, fractions.distinct) == (40, 3)
    assert fractions.numbers == Numbers(finite=20, least=0, greatest=0, zeros_and_ones=0)
    assert sorted(zip(*fractions.groups(), strict=True)) == [(0, 10), (1, 10), (2, 20)]
    assert (whole.values, whole.distinct) == (25, 25)
    assert whole.numbers == Numbers(finite=25, least=0, greatest=48, zeros_and_ones=1)
    assert (none.values, none.numbers) == (0, Numbers(finite=0, least=None, greatest=None, zeros_and_ones=0))


def test_long_texts_of_which_few_differ_keep_their_lengths(tmp_path: Path) -> None:
    path = tmp_path / "long.duckdb"
    with duckdb.connect(str(path)) as connection:
        # 5,000 characters that begin alike, of which 4,096 are fetched
        connection.execute(
            "CREATE TABLE t AS SELECT repeat('x', 5000) || i % 12 AS v, i AS n FROM range(80_000) r(i) WHERE i % 2 = 0"
        )
    column = profile(path, "t").columns[0]
    assert (column.distinct, column.length_min, column.length_max, column.length_avg) == (6, 5001, 5002, 5001)


def test_a_table_without_rows_has_no_marks(session: DuckSession) -> None:
    session.rows("CREATE TABLE t (v VARCHAR, w INTEGER)")
    count, marks = mark(session, "t", [("v", False), ("w", True)])
    assert (count, [(each.values, each.distinct, each.groups()) for each in marks]) == (0, [(0, 0, ([], []))] * 2)
