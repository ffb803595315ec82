"""What a profile demands before anything is written: a probe in the log that is proven, recent and of what is in force."""

from collections.abc import Callable, Generator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from conftest import FixedClock
from support.git_repo import run_git
from support.workspace import Place, ana, approve, approve_only

from twokey.channels.workspace import Workspace
from twokey.core.errors import Refused
from twokey.core.events import ClickRejected, ControlsProbed
from twokey.policies.controls import CONTROLS

PILOT = tuple(control.code for control in CONTROLS if control.pilot)
HOUR = 3600


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Place:
    return Place(tmp_path, sqlite_url, {"controls": {"profile": "pilot"}})


@pytest.fixture
def pilot(place: Place, clock: FixedClock) -> Generator[Workspace]:
    """A workspace in the profile pilot."""
    with place.opened(clock) as workspace:
        yield workspace


def probed(workspace: Workspace, **changes: Any) -> None:
    """Put a probe into the log that shows the first three controls; ``changes`` replace fields."""
    engine, revisions = workspace.policy_in_force()
    fields = {
        "workspace": workspace.config.workspace.id,
        "profile": "pilot",
        "version": version("twokey"),
        "engine": engine,
        "policy_revision": revisions.policy,
        "data_revision": revisions.data,
        "held": PILOT,
        "failed": (),
        "missing": (),
    }
    workspace.ledger.record(ControlsProbed.model_validate(fields | changes))


def ask(workspace: Workspace, place: Place) -> str:
    """Ana asks for documentation; gives the proposal."""
    outcome = workspace.catalog(ana(workspace), str(place.warehouse), str(place.repository), (), lambda _: None)
    return outcome.proposals[0].id


def branches(place: Place) -> str:
    """The branches that Twokey has made."""
    return run_git(place.repository, "for-each-ref", "refs/heads/twokey")


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == "controls_not_shown"
    assert caught.value.next == "Run `twokey controls`."
    return caught.value.message


def test_nothing_is_asked_for_before_a_probe_and_everything_after_it(pilot: Workspace, place: Place):
    assert "never probed" in refused(lambda: ask(pilot, place))
    assert "never probed" in refused(lambda: pilot.ask(ana(pilot), "document the tables", lambda _: None))
    assert "never probed" in refused(lambda: pilot.resume("r-000000000000", lambda _: None))
    probed(pilot)
    assert approve(pilot, ask(pilot, place)) == "done"


def test_reading_refusing_and_withdrawing_always_work(pilot: Workspace, place: Place, clock: FixedClock):
    probed(pilot)
    first, second = ask(pilot, place), ask(pilot, place)
    clock.advance(23 * HOUR)
    probed(pilot, held=())
    assert pilot.catalog(ana(pilot), str(place.warehouse), None, (), lambda _: None).run.state == "done"
    assert approve(pilot, first, "refuse") == "refused"
    identity, credential = pilot.identify("ana", "cli")
    result = pilot.service.answer(identity, credential, action="withdraw", proposal=second, tell=lambda _: None)
    assert result.state.value == "withdrawn"


def test_an_approval_needs_the_probe_too_and_its_refusal_is_recorded(pilot: Workspace, place: Place):
    probed(pilot)
    proposal = ask(pilot, place)
    probed(pilot, held=PILOT[:2], failed=PILOT[2:])
    assert "not so 3 (Bound single-use approvals)" in refused(lambda: approve(pilot, proposal))
    rejected = [item.entry.event for item in pilot.ledger.log.entries(kind="click.rejected")]
    assert [event.code for event in rejected if isinstance(event, ClickRejected)] == ["controls_not_shown"]
    assert pilot.service.find(proposal).state.value == "awaiting_approval"


def test_what_was_approved_is_not_carried_out_without_the_probe(pilot: Workspace, place: Place):
    probed(pilot)
    proposal = ask(pilot, place)
    assert approve_only(pilot, proposal) == "approved"
    probed(pilot, held=())
    (held,) = pilot.service.go_on(lambda _: None)
    assert (held.state.value, held.code) == ("approved", "controls_not_shown")
    assert branches(place) == ""
    probed(pilot)
    (done,) = pilot.service.go_on(lambda _: None)
    assert done.state.value == "done"
    assert branches(place)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"policy_revision": "0" * 64}, "have changed"),
        ({"data_revision": "0" * 64}, "have changed"),
        ({"version": "0.0.0"}, "have changed"),
        ({"held": ("taint",)}, "not so 1 (Fail-closed default deny), 2 (Pinned allow-list), 3"),
    ],
    ids=["policy", "data", "version", "held"],
)
def test_a_probe_of_something_else_does_not_count(pilot: Workspace, place: Place, changes: Any, why: str):
    probed(pilot)
    probed(pilot, **changes)
    assert why in refused(lambda: ask(pilot, place))


def test_a_probe_counts_for_a_day_and_not_for_tomorrow(pilot: Workspace, place: Place, clock: FixedClock):
    probed(pilot)
    clock.advance(24 * HOUR)
    ask(pilot, place)
    clock.advance(1)
    assert "older than a day" in refused(lambda: ask(pilot, place))
    clock.advance(-48 * HOUR)
    assert "older than a day" in refused(lambda: ask(pilot, place))


def test_a_laptop_demands_nothing(tmp_path: Path, sqlite_url: str):
    place = Place(tmp_path, sqlite_url)
    with place.opened() as workspace:
        assert approve(workspace, ask(workspace, place)) == "done"
