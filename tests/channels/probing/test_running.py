"""What is looked at in the live workspace, and what becomes of a probe that cannot be carried out."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from support.workspace import PEOPLE, Place

from twokey.channels import creation, wiring
from twokey.channels.probing.running import LOOKS, PROBES, demand, verdict
from twokey.channels.workspace import Workspace
from twokey.core.errors import EngineFault, Refused
from twokey.core.events import ControlsProbed
from twokey.policies import facts
from twokey.policies.controls import CONTROLS, Attack, Control, Evidence


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Place:
    return Place(tmp_path, sqlite_url)


def failed(workspace: Workspace, code: str) -> list[str]:
    return [item.what for item in LOOKS[code](workspace) if getattr(item, "failed", True)]


def test_every_control_has_a_probe_and_every_look_belongs_to_one():
    codes = {control.code for control in CONTROLS}
    assert set(PROBES) == codes
    assert set(LOOKS) <= codes


def test_a_probe_that_breaks_off_has_failed_and_says_with_what():
    def breaks_off() -> Generator[Evidence]:
        yield Attack("something", 1, 0)
        raise EngineFault("It is gone.", next="Nothing.", code="policy_timeout")

    found = verdict(CONTROLS[0], breaks_off())
    assert (found.state, found.evidence) == ("fails", ("the probe could not be carried out: policy_timeout",))


GAP = "encryption of what the database holds beside the log"


def test_a_new_workspace_lacks_encryption_and_nothing_is_wrong_with_it(place: Place):
    with place.opened() as workspace:
        assert [failed(workspace, code) for code in LOOKS] == [[], [], [GAP]]


def test_a_row_that_is_not_encrypted_is_seen(place: Place):
    settings = place.folder / "twokey.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[store]\n", "[store]\nencrypt = true\n"), encoding="utf-8")
    with place.opened() as workspace:
        assert failed(workspace, "verifiable_log") == []
        with workspace.ledger.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE switches SET reason = 'in the clear'")
        (what,) = failed(workspace, "verifiable_log")
        assert what.startswith("every value that the database in force holds beside the log is sealed")


def test_a_bundle_that_was_changed_under_a_running_engine_is_seen(place: Place):
    with place.opened() as workspace:
        before = workspace.policy_in_force()
        path = place.folder / "policies" / "data.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        document[facts.ROOT]["limits"]["lines"] = 10**9
        path.write_text(json.dumps(document), encoding="utf-8")
        assert failed(workspace, "default_deny") == []
        assert workspace.policy_in_force() != before, "the engine in force follows its bundle"
        path.write_text("{", encoding="utf-8")
        control = next(control for control in CONTROLS if control.code == "default_deny")
        found = verdict(control, LOOKS["default_deny"](workspace))
        assert found.state == "fails", "and what no engine can load is not passed over"


def test_nothing_starts_in_a_pilot_where_identities_are_only_asserted(tmp_path: Path):
    creation.create(tmp_path / "w", PEOPLE, demo=True, sections={"controls": {"profile": "pilot"}})
    tried: list[int] = []
    with wiring.opened(tmp_path / "w") as workspace:
        with pytest.raises(Refused) as caught:
            demand(workspace, lambda control: tried.append(control.number))
        assert "these do not: 3 Bound single-use approvals (fails)." in caught.value.message
        assert caught.value.code == "controls_not_met"
        (entry,) = workspace.ledger.log.entries(kind="controls.probed")
    assert tried == [1, 2, 3]
    assert isinstance(entry.entry.event, ControlsProbed)
    assert (entry.entry.event.held, entry.entry.event.failed) == (
        ("default_deny", "pinned_tools"),
        ("bound_approvals",),
    )


def test_a_laptop_starts_unasked(place: Place):
    def nobody(control: Control) -> None:
        raise AssertionError(control)

    with place.opened() as workspace:
        demand(workspace, nobody)
        assert workspace.ledger.log.entries(kind="controls.probed") == ()


def test_an_entry_that_was_changed_in_the_live_log_is_seen(place: Place):
    with place.opened() as workspace:
        with workspace.ledger.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER log_entries_update")
            connection.exec_driver_sql("UPDATE log_entries SET body = x'7b7d' WHERE seq = 1")
        what, gap = failed(workspace, "verifiable_log")
        assert what.startswith("the log in force verifies")
        assert gap == GAP
