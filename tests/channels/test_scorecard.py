"""The scorecard: figures from what really happened, and unknown where nothing is known."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FixedClock
from support.workspace import Place, ana, approve

from twokey.channels.cli import main
from twokey.channels.cli.session import SESSION
from twokey.channels.scorecard import shown, training
from twokey.channels.scorecard.taking import take
from twokey.channels.scorecard.values import Figure, Quarter, Scorecard
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput
from twokey.core.sections import ScorecardSection
from twokey.core.values import Finding, Report
from twokey.store import runs, usage

DAY_S = 24 * 3600
IN_Q1 = 1_767_225_600_000_000 + 10 * DAY_S * 1_000_000


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(IN_Q1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A workspace in which one change was carried out, one run only read, and a model was paid for."""
    folder = tmp_path_factory.mktemp("scorecard")
    with pytest.MonkeyPatch.context() as patch:
        home = folder / "home"
        home.mkdir()
        patch.setenv("TWOKEY_HOME", str(home))
        yield Place(folder, f"sqlite:///{folder / 'score.db'}")


@pytest.fixture(scope="module")
def workspace(place: Place, clock: FixedClock) -> Iterator[Workspace]:
    with place.opened(clock) as opened:
        url, repository = f"sqlite:///{place.warehouse}", str(place.repository)
        first = opened.catalog(ana(opened), url, repository, [], lambda _: None).proposals[0]
        clock.advance(600)
        approve(opened, first.id)
        opened.catalog(ana(opened), url, None, [], lambda _: None)
        with opened.ledger.change() as unit:
            number = usage.hold(unit.connection)
            usage.add(
                unit.connection, number, "model", run=first.run, requester="ana", cost=1_500_000, now=clock.now_us()
            )
        yield opened


def card(workspace: Workspace, clock: FixedClock, quarter: str | None = None, **settings: Any) -> Scorecard:
    wanted = None if quarter is None else Quarter.parse(quarter)
    return take(workspace.ledger, ScorecardSection(**settings), workspace.folder, clock, wanted)


def figure(card: Scorecard, section: str, name: str) -> Figure:
    return next(each for part in card.sections if part.name == section for each in part.figures if each.name == name)


def test_hours_are_saved_by_what_was_carried_out_at_the_stated_minutes(workspace: Workspace, clock: FixedClock):
    taken = card(workspace, clock, minutes={"open_pull_request": 90})
    assert (taken.quarter, taken.over) == (Quarter(2026, 1), False)
    assert figure(taken, "hours_saved", "open_pull_request").value == "1.5"
    assert figure(taken, "hours_saved", "total").value == "1.5"
    unstated = figure(taken, "hours_saved", "catalog_scan")
    assert (unstated.value, unstated.shown) == (None, "unknown")
    assert "1 done; scorecard.minutes states no time for catalog_scan" in unstated.note


def test_approvals_and_cost_are_those_of_the_quarter(workspace: Workspace, clock: FixedClock):
    taken = card(workspace, clock)
    assert figure(taken, "approvals", "approved").value == 1
    assert figure(taken, "approvals", "median_wait_s").value == 600
    assert figure(taken, "approvals", "p90_wait_s").shown == "600 s"
    assert figure(taken, "approvals", "done").value == 1
    assert figure(taken, "cost", "spent").value == "1.500000"
    assert figure(taken, "cost", "tasks").value == 2
    assert figure(taken, "cost", "per_task").value == "0.750000"


def test_lineage_and_checks_come_from_the_repository_that_was_read(workspace: Workspace, clock: FixedClock):
    taken = card(workspace, clock)
    checks = figure(taken, "data", "checks_each")
    assert "evidence e-" in checks.note
    assert figure(taken, "data", "lineage_models").unit == "%"


def test_of_another_quarter_nothing_is_known(workspace: Workspace, clock: FixedClock):
    taken = card(workspace, clock, "2025-Q4")
    assert taken.over
    unknown = {(part.name, each.name): each.note for part in taken.sections for each in part.figures if not each.known}
    assert unknown["approvals", "median_wait_s"] == "nothing was approved"
    assert unknown["cost", "per_task"] == "no task was done"
    assert unknown["data", "checks_each"].startswith("no run of the quarter read a repository")
    assert unknown["training", "pulse"] == "scorecard.training names no file"
    assert unknown["shadow_ai", "findings"] == "no ops review of the quarter"


def test_training_is_read_from_the_file_of_the_settings(workspace: Workspace, clock: FixedClock):
    (workspace.folder / "training.csv").write_text(
        "person,level,completed,pulse,quarter\n"
        "Ana,basics,2026-01-07,4,\n"
        "Sam,basics,,,2026-q1\n"
        "Kim,=SUM(A1),2026-04-01,5,2026-Q1\n"
        "Old,basics,2025-01-01,1,2025-Q4\n",
        encoding="utf-8",
    )
    taken = card(workspace, clock, training="training.csv")
    rows = [(each.title, each.value, each.note) for each in taken.sections[4].figures]
    assert rows == [
        ("Training completed: =SUM(A1)", "0.0", "0 of 1 people"),
        ("Training completed: basics", "50.0", "1 of 2 people"),
        ("Pulse score", "4.50", "2 answers"),
    ]
    missing = card(workspace, clock, training="none.csv")
    assert "it cannot be read" in figure(missing, "training", "completed").note


def test_shadow_ai_is_what_ops_reviews_found_and_unknown_where_none_looked(workspace: Workspace, clock: FixedClock):
    def reported(run: str, *kinds: tuple[str, bool]) -> None:
        findings = tuple(
            Finding(id=f"f-{at}", subject="x", kind=kind, claim="c", evidence=(), confidence=95, attention=attention)
            for at, (kind, attention) in enumerate(kinds, 1)
        )
        body = Report(agent="incident", findings=findings).canonical()
        with workspace.ledger.change() as unit:
            runs.put_document(unit.connection, run=run, name="report-7", body=body, now=clock.now_us())

    with workspace.ledger.look() as connection:
        run = runs.list_runs(connection)[0].id
    reported(run, ("ops_cost", True))
    assert figure(card(workspace, clock), "shadow_ai", "findings").note == "none of 1 ops reviews looked for it"
    reported(run, ("ops_shadow_keys", True), ("ops_shadow_endpoints", False))
    found = figure(card(workspace, clock), "shadow_ai", "findings")
    assert (found.value, found.note) == (1, "findings that want attention, of 1 ops review")


def test_the_csv_has_one_row_for_each_figure_and_no_formulas(workspace: Workspace, clock: FixedClock):
    (workspace.folder / "formulas.csv").write_text("level,completed\n=1+1,\n", encoding="utf-8")
    taken = card(workspace, clock, training="formulas.csv")
    rows = list(csv.reader(shown.as_csv(taken).splitlines()))
    assert rows[0] == ["quarter", "section", "figure", "title", "value", "unit", "note"]
    assert len(rows) == 1 + sum(len(part.figures) for part in taken.sections)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert any(line.startswith("scorecard 2026-Q1, still going on") for line in shown.lines(taken))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "does not name level and completed once"),
        (b"level,level,completed\n", "does not name level once"),
        (b"level,completed\nbasics,soon\n", "row 2 has no day"),
        (b"level,completed,pulse\nbasics,,many\n", "row 2 has no number in pulse"),
        (b"level,completed,pulse\nbasics,,NaN\n", "not from 1 to 5"),
        (b"level,completed,pulse\nbasics,,6\n", "not from 1 to 5"),
        (b"level,completed\n\xff,\n", "not UTF-8"),
        (b'level,completed\n"basics,\n', "no CSV"),
        (b"level,completed\n" + b"".join(b"%d,\n" % number for number in range(51)), "more than 50 levels"),
        (b"level,completed,quarter\nbasics,,soon\n", "no quarter"),
    ],
    ids=range(10),
)
def test_a_file_that_does_not_fit_is_not_used(tmp_path: Path, content: bytes, why: str):
    (tmp_path / "training.csv").write_bytes(content)
    with pytest.raises(BadInput, match=why):
        training.read(tmp_path / "training.csv", Quarter(2026, 1))


def test_a_folder_and_a_pipe_are_no_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(BadInput, match="cannot be used"):
            training.read(tmp_path / name, Quarter(2026, 1))


def test_quarters_are_those_of_the_calendar_in_utc():
    quarter = Quarter.parse("2026q4")
    assert str(quarter) == "2026-Q4"
    assert Quarter.at(quarter.since_us) == Quarter.at(quarter.until_us - 1) == quarter
    assert Quarter.at(quarter.since_us - 1) == quarter.before == Quarter(2026, 3)
    assert Quarter(2026, 1).before == Quarter(2025, 4)
    for wrong in ("", "2026", "2026-Q5", "1999-Q1", "2026-Q1; rm"):
        with pytest.raises(BadInput, match="no quarter"):
            Quarter.parse(wrong)


def test_the_command_gives_text_csv_and_json(
    workspace: Workspace, place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert workspace.folder == place.folder
    monkeypatch.setattr(SESSION, "workspace", place.folder)
    monkeypatch.setenv("TWOKEY_HOME", str(place.folder.parent / "home"))
    told: dict[str, str] = {}
    for name, options in {"text": [], "csv": ["--csv"], "json": ["--json"]}.items():
        monkeypatch.setattr("sys.argv", ["twokey", "scorecard", "--quarter", "2026-Q1", *options])
        monkeypatch.setattr(SESSION, "as_json", False)
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert ended.value.code == 0
        told[name] = capsys.readouterr().out
    assert "Hours saved" in told["text"]
    assert told["csv"].startswith("quarter,section,figure")
    assert json.loads(told["json"])["sections"]["approvals"]["done"]["value"] == 1
