"""Comparing with an earlier scan: taken from the log, named or the latest, and told with both sides."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.catalog_workshop import Job, Workshop

from twokey.agents.catalog.notes import Notes
from twokey.agents.catalog.pinned import checked
from twokey.agents.planner.plans import direct, plan
from twokey.core.errors import BadInput, CheckFailed
from twokey.core.values import Finding
from twokey.store import tables

ROWS = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
INSERT INTO visits SELECT i, CASE WHEN i % 5 < 3 THEN 'web' ELSE 'shop' END, i % 97, 'a' FROM n"""
CHANGED = (
    "UPDATE visits SET channel = 'app' WHERE visit_id % 4 = 0",
    "UPDATE visits SET seconds = seconds + 60 WHERE visit_id % 3 > 0",
    "UPDATE visits SET note = NULL WHERE visit_id % 2 = 0",
)
DRIFT = {"number_drift", "category_drift", "null_drift", "volume_drift", "format_drift", "uniqueness_lost"}


@pytest.fixture
def shop(workshop: Workshop) -> str:
    return workshop.database(
        "CREATE TABLE visits (visit_id INTEGER PRIMARY KEY, channel TEXT, seconds INTEGER, note TEXT)", ROWS
    )


def change(shop: str, *statements: str) -> None:
    with closing(sqlite3.connect(shop)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def drifts(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings if finding.kind in DRIFT}


def baseline(job: Job) -> str:
    found = Notes.expected(job.desk, 1).baseline
    assert found is not None
    return found.run


def test_a_second_scan_says_what_changed_with_evidence_of_both_sides(workshop: Workshop, shop: str):
    first, second = workshop.job(shop), workshop.job(shop)
    assert not drifts(first.scan())
    assert baseline(first) == ""
    change(shop, *CHANGED)
    found = drifts(second.scan())
    assert {subject: finding.kind for subject, finding in found.items()} == {
        "visits.channel": "category_drift",
        "visits.seconds": "number_drift",
        "visits.note": "null_drift",
    }
    assert baseline(second) == first.desk.run
    for finding in found.values():
        assert len(finding.evidence) == 2
        assert all(second.desk.content(cited)[0].run == second.desk.run for cited in finding.evidence)
    body = second.propose()
    assert body is not None
    reviewed = second.review(body)
    assert (reviewed.dropped, reviewed.problems) == ((), ())
    assert any(first.desk.run in progress.text for progress in second.told)


def test_a_baseline_that_is_named_stays_the_one_compared_with(workshop: Workshop, shop: str, clock: Any):
    first = workshop.job(shop)
    first.scan()
    clock.advance(60)
    change(shop, *CHANGED)
    workshop.job(shop).scan()
    clock.advance(60)
    change(shop, "UPDATE visits SET seconds = seconds + 1 WHERE visit_id = 1")
    latest, pinned = workshop.job(shop), workshop.job(shop, baseline=first.desk.run)
    assert not drifts(latest.scan())
    assert set(drifts(pinned.scan())) == {"visits.channel", "visits.seconds", "visits.note"}
    assert baseline(pinned) == first.desk.run


def test_a_baseline_by_its_day(workshop: Workshop, shop: str, clock: Any):
    first = workshop.job(shop)
    first.scan()
    said = datetime.fromtimestamp(first.desk.begun_us(first.desk.run) / 1_000_000, tz=UTC).date().isoformat()
    clock.advance(3 * 86_400)
    change(shop, *CHANGED)
    workshop.job(shop).scan()
    pinned = workshop.job(shop, baseline=said)
    pinned.scan()
    assert baseline(pinned) == first.desk.run
    with pytest.raises(BadInput, match="No scan"):
        workshop.job(shop, baseline="2001-01-01").scan()


def test_a_run_that_did_not_scan_this_warehouse_is_no_baseline(workshop: Workshop, shop: str):
    other = workshop.database("CREATE TABLE a (b INTEGER)", "INSERT INTO a VALUES (1)", name="other.db")
    elsewhere = workshop.job(other)
    elsewhere.scan()
    for run in (elsewhere.desk.run, "r-zzzzzzzzzzzz"):
        with pytest.raises(BadInput, match="did not scan"):
            workshop.job(shop, baseline=run).scan()


def test_a_baseline_the_log_does_not_bear_out_is_refused_and_never_replaced(workshop: Workshop, shop: str):
    first = workshop.job(shop)
    first.scan()
    change(shop, *CHANGED)
    notes = Notes.expected(first.desk, 1)
    lied = {**notes.asked, notes.profiles["visits"]: {"op": "version"}}
    kept: Any = first.desk.kept("scan-1")
    first.desk.keep("scan-1", {**kept, "asked": [[key, value] for key, value in lied.items()]})
    with pytest.raises(CheckFailed, match="cannot be compared"):
        workshop.job(shop, baseline=first.desk.run).scan()
    latest = workshop.job(shop)
    latest.scan()
    assert baseline(latest) == ""


def test_evidence_that_was_changed_stops_the_comparison(workshop: Workshop, shop: str):
    first = workshop.job(shop)
    first.scan()
    with workshop.bench.engine.begin() as connection:
        connection.execute(update(tables.evidence).values(content=b'{"answer":{"op":"profiles","tables":[]}}'))
    change(shop, *CHANGED)
    with pytest.raises(CheckFailed):
        workshop.job(shop, baseline=first.desk.run).scan()


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "r-1", "r-00000000000C", "2026-1-1", "../r-000000000001"]
)
def test_a_baseline_is_a_run_or_a_day(text: str):
    with pytest.raises(BadInput, match="names no baseline"):
        checked(text)


def test_a_run_and_a_day_are_taken_as_they_are():
    assert [checked(text) for text in ("r-0000000000a1", "2026-03-31")] == ["r-0000000000a1", "2026-03-31"]


def test_the_plan_says_what_is_compared_with():
    understood = direct(warehouse="app", repository="", baseline="2026-03-31")
    assert understood.sentence == "Look at all tables in app, compared with 2026-03-31; propose nothing."
    assert plan(understood).steps[0].args["baseline"] == "2026-03-31"
    assert "baseline" not in plan(direct(warehouse="app", repository="")).steps[0].args
    proposed = direct(warehouse="app", repository="dbt", baseline="r-0000000000a1").sentence
    assert "compared with r-0000000000a1" in proposed


def test_a_narrower_scan_compares_nothing(workshop: Workshop, shop: str):
    workshop.job(shop).scan()
    change(shop, *CHANGED)
    narrow = workshop.job(shop, focus="descriptions")
    narrow.scan()
    assert Notes.expected(narrow.desk, 1).baseline is None


def test_what_happened_in_a_folder_is_told_of_the_files_that_changed(workshop: Workshop, tmp_path: Path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(
            "id,state\n" + "".join(f"{i},{'open' if i % 3 else 'done'}\n" for i in range(300))
        )
    workshop.job(str(folder)).scan()
    (folder / "b.csv").write_text("id,state\n" + "".join(f"{i},done\n" for i in range(300)))
    found = drifts(workshop.job(str(folder)).scan())
    assert set(found) == {"b.state"}
