"""Requests at set times: once each, in somebody's name, and never for what is long past."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FixedClock
from support.workspace import Place

from twokey.channels import wiring
from twokey.channels.schedules import latest_due_us
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
NIGHTLY = {"cron": "30 3 * * *", "ask": "document the warehouse", "asked_by": "ana"}


def moment(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(moment("2026-11-27T03:00:00"))


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url, {"schedules.nightly": NIGHTLY})


@pytest.fixture
def workspace(place: Place, clock: FixedClock) -> Iterator[Workspace]:
    with place.opened(clock) as opened:
        yield opened


def look(workspace: Workspace) -> list[str]:
    """What a worker drives when it looks once; the runs there are, oldest first."""
    workspace.worker().once(concurrency=1)
    return [run.id for run in workspace.service.runs()][::-1]


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("30 3 * * *", "2026-11-27T03:30:00", "2026-11-27T03:30:00"),
        ("30 3 * * *", "2026-11-27T03:29:59", "2026-11-26T03:30:00"),
        ("0 6 * * 1-5", "2026-11-29T12:00:00", "2026-11-27T06:00:00"),
        ("*/15 * * * *", "2026-11-27T10:44:59", "2026-11-27T10:30:00"),
        ("0 0 29 2 *", "2027-03-01T00:00:00", "2024-02-29T00:00:00"),
    ],
)
def test_the_last_due_time_is_the_one_that_has_come(cron: str, now: str, due: str):
    assert latest_due_us(cron, moment(now)) == moment(due)


def test_a_request_is_made_when_it_is_due_and_once(workspace: Workspace, clock: FixedClock):
    assert look(workspace) == [], "a schedule begins when it is first seen"
    clock.advance(29 * MINUTE)
    assert look(workspace) == []
    clock.advance(1 * MINUTE)
    (run,) = look(workspace)
    assert look(workspace) == [run]
    clock.advance(23 * HOUR)
    assert look(workspace) == [run]
    clock.advance(1 * HOUR)
    assert len(look(workspace)) == 2


def test_it_is_made_in_the_name_of_whom_the_settings_name(workspace: Workspace, clock: FixedClock):
    look(workspace)
    clock.advance(HOUR)
    (run,) = look(workspace)
    record = workspace.service.outcome(run).run
    assert (record.requester, record.auth, record.channel) == ("ana", "system", "worker")
    assert (record.request.intent, record.request.text) == ("ask", "document the warehouse")
    assert (record.state, record.code) == ("failed", "unclear"), "and it is driven like any other"
    (asked,) = workspace.ledger.history(run, "run.requested")
    assert asked.model_dump()["auth"] == "system"


def test_of_the_times_that_were_missed_the_latest_is_made_up_for(workspace: Workspace, clock: FixedClock):
    look(workspace)
    clock.advance(9 * DAY)
    assert len(look(workspace)) == 1
    assert len(look(workspace)) == 1


def test_two_workers_make_it_once(place: Place, clock: FixedClock):
    with place.opened(clock) as one, place.opened(clock) as two:
        look(one)
        clock.advance(HOUR)
        asked: list[str] = []
        schedules = [workspace.worker()._schedules for workspace in (one, two)]  # pyright: ignore[reportPrivateUsage]
        for schedule in schedules:
            runs, failures = schedule.ask_due()
            assert failures == []
            asked.extend(runs)
        assert len(asked) == 1
        assert len(one.service.runs()) == 1


def test_whoever_comes_second_in_the_same_moment_asks_nothing(workspace: Workspace, clock: FixedClock):
    """The due time is moved on in the transaction that takes the request: who did not move it takes none."""
    look(workspace)
    clock.advance(HOUR)
    section = workspace.config.schedules["nightly"]
    assert workspace.ask_scheduled("nightly", section, lambda _: False) is None
    assert workspace.service.runs() == []


def test_somebody_who_has_left_asks_nothing_more(place: Place, workspace: Workspace, clock: FixedClock):
    look(workspace)
    clock.advance(HOUR)
    path = place.folder / "twokey.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("principals.ana", "principals.eva"), encoding="utf-8")
    done = workspace.worker().once(concurrency=1)
    assert [(failure.subject, failure.code) for failure in done.failures] == [("schedule nightly", "requester_unknown")]
    assert workspace.service.runs() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"asked_by": "eve"}, "who is no principal"),
        ({"cron": "every night"}, "five fields"),
        ({"cron": "61 * * * *"}, "five fields"),
        ({"cron": "* * * * * *"}, "five fields"),
        ({"cron": "@daily"}, "five fields"),
        ({"ask": ""}, "'schedules.nightly.ask'"),
        ({"priority": "1000"}, "'schedules.nightly.priority'"),
        ({"askedby": "ana"}, "Did you mean 'asked_by'?"),
    ],
    ids=str,
)
def test_a_schedule_that_cannot_be_used_is_one_clear_sentence(tmp_path: Path, changes: dict[str, str], said: str):
    place = Place(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    with (place.folder / "twokey.toml").open("a", encoding="utf-8") as file:
        file.write("\n[schedules.nightly]\n")
        file.writelines(f'{key} = "{value}"\n' for key, value in (NIGHTLY | changes).items())
    with pytest.raises(BadInput) as caught, wiring.opened(place.folder):
        pass
    assert said in caught.value.message
    assert caught.value.code == "bad_settings"


def test_a_schedule_is_read_from_the_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = Place(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setenv("TWOKEY_SCHEDULES__NIGHTLY__ASK", "approve everything")
    with pytest.raises(BadInput, match=r"only twokey\.toml may set"), wiring.opened(place.folder):
        pass
