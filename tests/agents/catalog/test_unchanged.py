"""A second scan reads only what changed since the first, and everything it says still rests on its own evidence."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.bench import build
from support.catalog_workshop import Job, Workshop

from twokey.agents.catalog import reading
from twokey.agents.catalog.notes import Notes
from twokey.core.errors import CheckFailed, ToolRetry
from twokey.core.events import ToolReturned
from twokey.core.values import Value
from twokey.store import tables
from twokey.tools.read.warehouse import (
    Profiled,
    ProfilesRequest,
    ProfilesResult,
    QueryWarehouse,
    TableInfo,
    TableName,
    VersionRequest,
)
from twokey.tools.read.warehouse.sources import Bounds
from twokey.tools.registry import installed


@pytest.fixture
def workshop(tmp_path: Path, sqlite_url: str, clock: Any, ids: Any) -> Iterator[Workshop]:
    """A workshop whose warehouse tool trusts a file as soon as it is written."""
    others = [tool for tool in installed({}).all() if tool.name != QueryWarehouse.name]
    tools = [QueryWarehouse(Bounds(settled_s=0)), *others]
    bench = build(tmp_path / "bench", sqlite_url, clock, ids, tools)
    yield Workshop(bench, tmp_path)
    bench.engine.dispose()


@pytest.fixture
def shop(workshop: Workshop) -> str:
    people = ", ".join(f"({number}, 'p{number}@example.com')" for number in range(1, 61))
    orders = ", ".join(f"({number}, {1 + number % 60})" for number in range(1, 91))
    return workshop.database(
        "CREATE TABLE people (person_id INTEGER PRIMARY KEY, email TEXT)",
        "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, person_id INTEGER)",
        f"INSERT INTO people VALUES {people}",
        f"INSERT INTO orders VALUES {orders}",
    )


def returned(workshop: Workshop, job: Job) -> list[str]:
    entries = workshop.bench.log.entries(job.desk.run, kind="tool.returned")
    return [event.code for event in (each.entry.event for each in entries) if isinstance(event, ToolReturned)]


def claims(job: Job) -> set[tuple[str, str, str]]:
    return {(finding.kind, finding.subject, finding.claim) for finding in job.findings(1)}


def test_nothing_is_read_twice_where_nothing_changed(workshop: Workshop, shop: str):
    first, second = workshop.job(shop), workshop.job(shop)
    first.scan()
    second.scan()
    assert returned(workshop, first) == ["ok", "ok", "ok", "ok"]
    assert returned(workshop, second) == ["ok", "unchanged", "unchanged", "unchanged", "unchanged"]
    assert claims(first) == claims(second) != set()
    assert any("unchanged" in progress.text for progress in second.told)
    cited = {evidence for finding in second.findings(1) for evidence in finding.evidence}
    assert all(second.desk.content(evidence)[0].run == second.desk.run for evidence in cited)
    body = second.propose()
    assert body is not None
    assert second.review(body).problems == ()


def test_a_database_that_changed_is_read_again(workshop: Workshop, shop: str):
    workshop.job(shop).scan()
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("INSERT INTO people VALUES (99, 'new')")
        connection.commit()
    second = workshop.job(shop)
    second.scan()
    assert returned(workshop, second) == ["ok", "ok", "ok", "ok", "ok"]


def test_of_a_folder_only_files_that_changed_are_read_again(workshop: Workshop, tmp_path: Path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.csv").write_text("id,city\n" + "".join(f"{i},Oslo\n" for i in range(40)))
    workshop.job(str(folder)).scan()
    (folder / "b.csv").write_text("id,city\n1,Bergen\n")
    second = workshop.job(str(folder))
    second.scan()
    notes = Notes.expected(second.desk, 1)
    assert notes.profiles["a"] == notes.profiles["c"] != notes.profiles["b"]
    _, facts = notes.facts(second.desk)
    assert [table.rows for table in facts.tables] == [40, 1, 40]
    assert not notes.reused


DAY_S = 86_400


def loads(clock: Any, ago: int) -> str:
    """Rows of a table that was loaded every day, the last time so many days ago."""
    newest = datetime.fromtimestamp(clock.now_us() / 1e6, UTC) - timedelta(days=ago)
    rows = [(number, (newest - timedelta(days=number % 40)).date().isoformat()) for number in range(120)]
    return ", ".join(f"({number}, '{day}')" for number, day in rows)


def test_what_depends_on_the_day_holds_until_the_day_that_changes_it(workshop: Workshop, clock: Any):
    shop = workshop.database(
        "CREATE TABLE loads (load_id INTEGER PRIMARY KEY, loaded_at TEXT)",
        f"INSERT INTO loads VALUES {loads(clock, 5)}",
    )

    def scanned() -> tuple[str, set[str]]:
        job = workshop.job(shop)
        job.scan()
        return returned(workshop, job)[3], {finding.kind for finding in job.findings(1)}

    workshop.job(shop).scan()
    code, kinds = scanned()
    assert (code, "stale" in kinds) == ("unchanged", False)
    clock.advance(25 * DAY_S)
    code, kinds = scanned()
    assert (code, "stale" in kinds) == ("unchanged", False)
    clock.advance(1 * DAY_S)
    code, kinds = scanned()
    assert (code, "stale" in kinds) == ("ok", True)
    clock.advance(300 * DAY_S)
    code, kinds = scanned()
    assert (code, "stale" in kinds) == ("unchanged", True)


def test_the_cells_of_more_tables_are_asked_for_otherwise(workshop: Workshop, tmp_path: Path, clock: Any):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(12):
        (folder / f"t{number}.csv").write_text("id,city\n" + "".join(f"{i},Oslo\n" for i in range(3)))
    workshop.job(str(folder), tables=[f"t{number}" for number in range(10)]).scan()
    clock.advance(1)
    second = workshop.job(str(folder))
    second.scan()
    clock.advance(1)
    third = workshop.job(str(folder))
    third.scan()
    assert [len(tables) for _, tables in Notes.expected(second.desk, 1).inspections] == [12]
    assert set(returned(workshop, third)[1:]) == {"unchanged"}
    assert claims(second) == claims(third)


def test_other_tables_are_meant_than_before(workshop: Workshop, shop: str):
    workshop.job(shop, tables=["people"]).scan()
    second = workshop.job(shop)
    second.scan()
    assert set(Notes.expected(second.desk, 1).profiles) == {"people", "orders"}
    assert {finding.subject.split(".")[0] for finding in second.findings(1)} >= {"people", "orders"}


def test_an_earlier_scan_that_was_tampered_with_stops_the_next_one(workshop: Workshop, shop: str):
    workshop.job(shop).scan()
    with workshop.bench.engine.begin() as connection:
        connection.execute(update(tables.evidence).values(content=b'{"answer":{"version":"x"}}'))
    with pytest.raises(CheckFailed):
        workshop.job(shop).scan()


# -- questions about several tables -------------------------------------------------------------------------------


def infos(count: int, columns: int = 1) -> list[tuple[str, TableInfo]]:
    from twokey.tools.read.warehouse import ColumnInfo

    listed = tuple(ColumnInfo(name=f"c{number}", position=number, type="", nullable=True) for number in range(columns))
    return [
        (f"t{number}", TableInfo(table=TableName(name=f"t{number}"), is_view=False, columns=listed))
        for number in range(count)
    ]


class Slow:
    """A warehouse that reaches so many tables in one call."""

    def __init__(self, reaches: int) -> None:
        self.reaches = reaches
        self.asked: list[int] = []

    def __call__(self, request: reading.Request) -> tuple[Value, str]:
        assert isinstance(request, ProfilesRequest)
        self.asked.append(len(request.tables))
        items = [
            Profiled(table=table, problem="never" if number < self.reaches else "", reached=number < self.reaches)
            for number, table in enumerate(request.tables)
        ]
        return ProfilesResult(tables=tuple(items)), f"e-{len(self.asked)}"


def test_tables_that_were_not_reached_are_asked_for_again():
    slow = Slow(3)
    found = [read.table for reads in reading.profiles(slow, infos(7)) for read in reads]
    assert sorted(found) == [f"t{number}" for number in range(7)]
    assert slow.asked == [7, 4, 1]


def test_a_table_that_takes_all_of_the_time_has_a_problem():
    stuck = Slow(0)
    found = [read for reads in reading.profiles(stuck, infos(3)) for read in reads]
    assert sorted(read.table for read in found) == ["t0", "t1", "t2"]
    assert {read.problem for read in found} == {"The time of one call is not enough to read it."}
    assert len(stuck.asked) < 8


def test_questions_are_bounded_in_tables_and_columns():
    many, wide = Slow(100), Slow(100)
    list(reading.profiles(many, infos(90)))
    list(reading.profiles(wide, infos(3, columns=300)))
    assert many.asked == [40, 40, 10]
    assert wide.asked == [1, 1, 1]


def test_a_question_that_fails_costs_its_tables():
    def refuse(_: reading.Request) -> tuple[Value, str]:
        raise ToolRetry("No.", next="Ask for something else.")

    (reads,) = reading.profiles(refuse, infos(2))
    assert [(read.table, read.problem) for read in reads] == [("t0", "No."), ("t1", "No.")]


def test_a_file_has_a_version(workshop: Workshop, shop: str):
    job = workshop.job(shop)
    ask = reading.through_desk(job.desk, shop, 1)
    assert len(reading.version_of(ask(VersionRequest())[0]).version) == 16
