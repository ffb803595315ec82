"""Counting keys: exactly while memory allows, part by part beyond it, and estimated where time is short too."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from sqlalchemy import create_engine

from twokey.tools.read.warehouse import KeyCheck, KeyFacts, KeysRequest, TableName
from twokey.tools.read.warehouse.key_sql import sqlite_hash, sqlite_number
from twokey.tools.read.warehouse.keys import answer_keys, at_most
from twokey.tools.read.warehouse.sources import Bounds, Deadline, StatementFailed

Ask = Callable[..., Any]

PARENTS: Final = 3_000
LOST: Final = 40
"""Different values of the child that no parent has; each stands in two rows."""

TABLES: Final = (
    "CREATE TABLE parent (id BIGINT, code VARCHAR(20), a BIGINT, b VARCHAR(20))",
    "CREATE TABLE child (parent_id BIGINT, code VARCHAR(20), a BIGINT, b VARCHAR(20), few BIGINT)",
)


def parents() -> list[tuple[Any, ...]]:
    return [(7 * n, f"C-{n:05d}", n // 60, f"k{n % 60}") for n in range(1, PARENTS + 1)]


def children() -> list[tuple[Any, ...]]:
    """Two rows for each of 2,500 parents, two for each of those that are lost, and some that refer nowhere."""
    known = [(*row, row[0] % 5) for row in parents()[:2_500] for _ in range(2)]
    lost = [(7 * n + 1, f"lost{n}", 900 + n, "x", 99) for n in range(LOST) for _ in range(2)]
    return [*known, *lost, *[(None, None, None, None, None)] * 30]


def literal(rows: Sequence[tuple[Any, ...]]) -> str:
    """Write rows as SQL: one statement is faster than many everywhere."""
    return ", ".join(f"({', '.join('NULL' if cell is None else repr(cell) for cell in row)})" for row in rows)


def fill(execute: Callable[[str], object]) -> None:
    for statement in TABLES:
        execute(statement)
    execute(f"INSERT INTO parent VALUES {literal(parents())}")
    execute(f"INSERT INTO child VALUES {literal(children())}")


def make(kind: str, folder: Path) -> Path:
    if kind == "sqlite":
        with closing(sqlite3.connect(folder / "w.db")) as connection:
            fill(connection.execute)
            connection.commit()
        return folder / "w.db"
    with duckdb.connect(":memory:" if kind == "files" else str(folder / "w.duckdb")) as duck:
        fill(duck.execute)
        for table in ("parent", "child") if kind == "files" else ():
            duck.execute(f"COPY {table} TO '{folder / table}.parquet'")
    return folder if kind == "files" else folder / "w.duckdb"


@pytest.fixture(scope="module", params=["sqlite", "duckdb", "files"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(request.param, tmp_path_factory.mktemp(request.param))


def check(*columns: str, child: str = "child", parent: str = "parent", targets: tuple[str, ...] = ()) -> KeyCheck:
    return KeyCheck(
        child=TableName(name=child),
        child_columns=columns,
        parent=TableName(name=parent),
        parent_columns=targets or columns,
    )


CHECKS: Final = (
    check("parent_id", targets=("id",)),
    check("code"),
    check("a", "b"),
    check("few", targets=("id",)),
    check("id", child="parent"),
)


def facts(ask: Ask, place: object, bounds: Bounds | None = None) -> tuple[KeyFacts, ...]:
    return ask(place, KeysRequest(checks=CHECKS), bounds).checks


COUNTED: Final = (
    *("child_rows", "child_filled", "child_distinct", "present", "orphans", "orphan_rows"),
    *("parent_rows", "parent_filled", "parent_distinct"),
)


def counted(found: Sequence[KeyFacts]) -> list[tuple[int, ...]]:
    return [tuple(getattr(fact, name) for name in COUNTED) for fact in found]


WHOLE: Final = [
    (5_110, 5_080, 2_540, 2_500, 40, 80, 3_000, 3_000, 3_000),
    (5_110, 5_080, 2_540, 2_500, 40, 80, 3_000, 3_000, 3_000),
    (5_110, 5_080, 2_540, 2_500, 40, 80, 3_000, 3_000, 3_000),
    (5_110, 5_080, 6, 0, 6, 5_080, 3_000, 3_000, 3_000),
    (3_000, 3_000, 3_000, 3_000, 0, 0, 3_000, 3_000, 3_000),
]


def exact(found: Sequence[KeyFacts]) -> None:
    assert counted(found) == WHOLE
    assert all(f.looked is None and f.child_margin == f.parent_margin == 0 for f in found)
    assert all((f.orphans_most, f.orphan_rows_about) == (f.orphans, f.orphan_rows) for f in found)
    assert [(t.text, t.count) for t in found[1].orphan_shapes] == [("aaaa99", 30), ("aaaa9", 10)]


def test_all_values_at_once(ask: Ask, place: Path):
    exact(facts(ask, place))


def test_part_by_part_the_figures_are_the_same(ask: Ask, place: Path):
    """A bound of 400 values at a time cuts 2,540 into seven parts; time is enough for all of them."""
    bounds = Bounds(key_values=400, key_part=400, keys_s=60)
    found = facts(ask, place, bounds)
    assert counted(found) == WHOLE
    assert all(f.looked is None for f in found)
    assert found[0].orphan_shapes


def test_what_time_does_not_reach_is_estimated_with_its_error(ask: Ask, place: Path):
    found = facts(ask, place, Bounds(key_values=500, key_part=500, keys_s=0))
    for fact, true in zip(found[:3], WHOLE, strict=False):
        _, _, distinct, present, orphans, orphan_rows, _, _, parent_distinct = true
        assert fact.looked is not None
        assert 250 < fact.looked < 1_000
        assert fact.orphans == fact.looked - fact.present
        assert abs(fact.present / fact.looked - present / distinct) < 0.05
        assert fact.orphans <= orphans <= 2 * fact.orphans_most  # one of 20 bounds is too low, see below
        assert fact.orphan_rows <= orphan_rows
        assert fact.orphan_rows == 2 * fact.orphans
        assert abs(fact.child_distinct - distinct) <= 2 * distinct * fact.child_margin / 10_000
        assert fact.parent_distinct == fact.parent_filled == parent_distinct  # none occurs twice
        assert fact.parent_margin > 0
    few = found[3]
    assert (few.child_distinct, few.looked, few.orphans, few.child_margin) == (6, None, 6, 0)


def test_a_key_that_repeats_is_none_however_few_parts_were_seen(ask: Ask, place: Path):
    (fact,) = ask(
        place,
        KeysRequest(checks=(check("id", child="parent", parent="child", targets=("parent_id",)),)),
        Bounds(key_values=500, key_part=500, keys_s=0),
    ).checks  # fmt: skip - one question
    assert fact.parent_distinct < fact.parent_filled
    assert abs(fact.parent_distinct - 2_540) <= 2_540 * 2 * fact.parent_margin / 10_000


def test_mixed_types_are_compared_as_the_database_compares_them(ask: Ask, tmp_path: Path):
    """Numbers kept as text, fractions and bytes: what is one value for ``=`` is one value in every part."""
    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        connection.execute("CREATE TABLE parent (id TEXT)")
        connection.execute("CREATE TABLE child (id INTEGER)")
        connection.executemany("INSERT INTO parent VALUES (?)", [(str(n),) for n in range(900)])
        values: list[Any] = [*range(600), *[f"t{n}" for n in range(50)], *[n + 0.5 for n in range(50)], b"\xff", ""]
        connection.executemany("INSERT INTO child VALUES (?)", [(value,) for value in values])
        connection.commit()
    request = KeysRequest(checks=(check("id"),))
    (whole,) = ask(tmp_path / "m.db", request).checks
    (parts,) = ask(tmp_path / "m.db", request, Bounds(key_values=100, key_part=100, keys_s=60)).checks
    assert counted([parts]) == counted([whole])
    assert (whole.child_distinct, whole.present, parts.looked) == (702, 600, None)


@pytest.mark.postgresql
def test_postgresql_counts_the_same(ask: Ask, empty_postgresql_url: str):
    engine = create_engine(empty_postgresql_url)
    with engine.begin() as connection:
        fill(connection.exec_driver_sql)
    engine.dispose()
    exact(facts(ask, empty_postgresql_url))
    parts = facts(ask, empty_postgresql_url, Bounds(key_values=600, key_part=600, keys_s=60))
    assert counted(parts) == WHOLE
    assert all(f.looked is None for f in parts)
    assert facts(ask, empty_postgresql_url, Bounds(key_values=500, key_part=500, keys_s=0))[2].looked is not None


@pytest.mark.parametrize("step", [1, 2, 7, 10, 64, 1_000, 2**31])
def test_parts_of_integers_are_of_one_size(step: int):
    """Keys that run in steps, from the lowest integer to the highest, fall into all parts alike."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("twokey_hash", -1, sqlite_hash, deterministic=True)
        connection.execute("CREATE TABLE t (k)")
        connection.executemany("INSERT INTO t VALUES (?)", [(n * step,) for n in range(-5_000, 15_000)])
        counts = connection.execute(f"SELECT count(*) FROM t GROUP BY {sqlite_number(['k'], 20)}").fetchall()
    assert len(counts) == 20
    assert all(abs(count - 1_000) < 200 for (count,) in counts)


def test_the_bound_of_what_nobody_saw_holds_19_times_out_of_20():
    """40 lost values in 6 parts, of which one was looked at: how often the answer promises fewer than 40."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (g, k)")
        rows = [(group, 3 * group * group + 7 * n) for group in range(300) for n in range(LOST)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.create_function("twokey_hash", -1, sqlite_hash, deterministic=True)
        part = sqlite_number(["k"], 6)
        seen = connection.execute(f"SELECT sum({part} = 0) FROM t GROUP BY g").fetchall()
    promised = [6 * at_most(count) >= LOST for (count,) in seen]
    assert sum(promised) >= 0.93 * len(promised)
    # the bounds of tables: 3.00, 4.74, 6.30, 18.2 (Ulm, 1990)
    assert [round(at_most(count), 1) for count in (0, 1, 2, 11)] == [3.0, 4.7, 6.3, 18.2]


def test_parts_of_texts_are_of_one_size():
    counts = [0] * 20
    for n in range(20_000):
        counts[sqlite_hash(f"customer-{n}".encode(), None) % 20] += 1
    assert all(abs(count - 1_000) < 160 for count in counts)


class Stub:
    """A database whose answers are given, to say when what fails."""

    number = staticmethod(sqlite_number)

    def __init__(self, *answers: Sequence[int] | StatementFailed) -> None:
        self.answers = list(answers)

    def quote_table(self, table: TableName) -> str:
        return table.name

    def quote(self, name: str) -> str:
        return name

    def rows(self, sql: str) -> Sequence[Sequence[int]]:
        assert sql.startswith(("SELECT", "WITH"))
        answer = self.answers.pop(0)
        if isinstance(answer, StatementFailed):
            raise answer
        return [answer]


SEEN: Final = {("", "child"): ("code",), ("", "parent"): ("code",)}
LATE: Final = StatementFailed("it took too long", timed_out=True)


def answered(
    stub: Stub, *checks: KeyCheck, deadline: Deadline | None = None, bounds: Bounds | None = None
) -> tuple[KeyFacts, ...]:
    request = KeysRequest(checks=checks or (check("code"),))
    return answer_keys(
        request, SEEN, stub, bounds or Bounds(key_values=10, key_part=10, keys_s=60), deadline or Deadline(60)
    ).checks


def test_a_part_that_fails_ends_the_counting_but_for_the_first():
    (fact,) = answered(Stub((40, 40), (10, 10), LATE, (40, 40), (9, 9), (11, 11), LATE, (9, 8, 1), LATE, LATE))
    assert (fact.looked, fact.present, fact.orphan_rows, fact.problem) == (9, 8, 1, "")
    assert (fact.child_distinct, fact.child_margin > 0, fact.orphans_most > 4) == (40, True, True)
    assert fact.orphan_rows_about == 4
    assert fact.orphan_shapes == ()
    (sides,) = answered(Stub((40, 40), LATE))
    assert (sides.problem, sides.reached) == ("it took too long", True)
    (both,) = answered(Stub((40, 40), (10, 10), LATE, (40, 40), (9, 9), LATE, LATE))
    assert both.problem == "it took too long"


def test_what_takes_too_long_at_once_is_done_in_parts():
    bounds = Bounds(key_values=60, key_part=20, keys_s=60)
    stub = Stub(
        *((40, 40), LATE, (20, 20), (20, 20)),  # the child
        *((40, 40), (40,)),  # the parent
        *(LATE, (20, 20, 0), (20, 20, 0)),  # both
    )
    (fact,) = answered(stub, bounds=bounds)
    assert (fact.child_distinct, fact.looked, fact.present, fact.problem, stub.answers) == (40, None, 40, "", [])
    broken = StatementFailed("the database refused it (X)")
    assert answered(Stub((40, 40), broken), bounds=bounds)[0].problem == broken.reason
    assert answered(Stub((40, 40), (40,), (40, 40), (40,), broken), bounds=bounds)[0].problem == broken.reason
    few = Bounds(key_values=100, key_part=50)
    assert answered(Stub((40, 40), LATE), bounds=few)[0].problem == LATE.reason


def test_nothing_is_looked_for_where_a_side_is_empty():
    (fact,) = answered(Stub((40, 8), (4,), (0, 0), *[LATE] * 3))
    assert (fact.child_distinct, fact.present, fact.orphans, fact.orphan_rows) == (4, 0, 4, 8)
    (empty,) = answered(Stub((40, 0), (5, 5), (5,)))
    assert (empty.child_distinct, empty.orphans, empty.parent_distinct) == (0, 0, 5)


def test_a_check_that_time_did_not_reach_may_be_asked_again():
    late = Deadline(1, iter([0.0, *[2.0] * 9]).__next__)
    first, second = answered(Stub(LATE, LATE), check("code"), check("code"), deadline=late)
    assert (first.reached, second.reached) == (True, False)
    assert second.problem
    soon = answered(Stub(LATE, LATE), check("code"), check("code"), deadline=Deadline(60))
    assert all(fact.reached for fact in soon)
    fault = StatementFailed("the database refused it (X)")
    assert all(f.reached for f in answered(Stub(fault, fault), check("code"), check("code"), deadline=late))


def test_where_every_row_is_there_values_are_not_compared():
    bounds = Bounds()
    (whole,) = answered(Stub((40, 40), (9,), (50, 50), (50,), (0,)), bounds=bounds)
    assert (whole.looked, whole.present, whole.orphans, whole.orphan_rows) == (None, 9, 0, 0)
    (some,) = answered(Stub((40, 40), (9,), (50, 50), (50,), (4,), (7,), LATE), bounds=bounds)
    assert (some.present, some.orphans, some.orphan_rows) == (7, 2, 4)
