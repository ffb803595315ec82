"""The doctor knows triage: each mistake is named with what to do, and a workspace that begins with tickets is well."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from twokey.channels import creation, triage_start
from twokey.channels.doctor import Check, examine
from twokey.channels.wiring.triage import triage_health
from twokey.core import settings
from twokey.core.entropy import SystemClock

PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",)), ("rita", ("risk-owners", "analysts"))]
TICKET = (
    "---\nid: OPS-{n}\ntitle: A {n}\nauthor: jo\ncreated_at: '2026-01-02T09:00:00Z'\nlabels: [{label}]\n---\n\nIt is.\n"
)

AWAY = (
    "on_call: {platform-owners: {zone: UTC, from: 2020-01-01 00:00, days: 7, turns: [sam]}}\n"
    "away: [{who: sam, zone: UTC, from: 2020-01-01 00:00, until: 2999-01-01 00:00}]"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace that was made with tickets."""
    tickets = tmp_path / "tickets"
    tickets.mkdir()
    for n, label in enumerate(("bug", "Feature", "question"), 1):
        (tickets / f"OPS-{n}.md").write_text(TICKET.format(n=n, label=label), encoding="utf-8")
    files = {triage_start.ROUTING: triage_start.routing(PEOPLE)}
    return creation.create(tmp_path / "w", PEOPLE, sections=triage_start.sections(str(tickets)), files=files).folder


def health(folder: Path, **triage: Any) -> dict[str, tuple[str, str]]:
    """What is said of triage under some changed settings, by name."""
    config = settings.load(folder)
    section = config.triage.model_copy(update=triage)
    seen = triage_health(folder, config.model_copy(update={"triage": section}), SystemClock())
    assert all(item.next for item in seen if item.level != "ok")
    return {item.name: (item.level, item.text) for item in seen}


def test_a_workspace_that_begins_with_tickets_is_well(folder: Path) -> None:
    found: dict[str, Check] = {check.name: check for check in examine(folder)}
    assert {name: found[name].level for name in ("tickets", "labels", "routing")} == {
        "tickets": "ok",
        "labels": "ok",
        "routing": "ok",
    }
    assert found["tickets"].text == "3 tickets of tickets read"
    assert found["routing"].text == "3 people in 3 teams"
    routing = yaml.safe_load((folder / "routing.yaml").read_text(encoding="utf-8"))
    assert list(routing["ladder"]) == ["analysts", "platform-owners", "risk-owners"]
    assert routing["ladder"]["analysts"] == ["ana", "rita"]
    assert (routing["default"], routing["private"]) == ("platform-owners", "risk-owners")


def test_without_known_teams_the_first_looks_first() -> None:
    made = yaml.safe_load(triage_start.routing([("ana", ("crew",)), ("sam", ("deck",))]))
    assert (made["default"], made["private"]) == ("crew", "deck")


def test_each_mistake_is_named(folder: Path) -> None:
    assert health(folder, tickets="") == {}
    assert health(folder, tickets="models")["triage"][0] == "FAIL"
    assert "nobody" in health(folder, asked_by="mallory")["triage"][1]
    assert health(folder, escalations="acme/ops#1")["triage"][0] == "warn"
    level, text = health(folder, kinds=("bug", "faeture"), priorities={"high": "p1"})["labels"]
    assert (level, "faeture, p1" in text) == ("warn", True)
    assert health(folder, routing="")["routing"][0] == "warn"
    assert health(folder, routing="nowhere.yaml")["routing"][0] == "FAIL"


def test_a_tracker_that_cannot_be_read_is_named(folder: Path) -> None:
    tickets = folder.parent / "tickets"
    (tickets / "OPS-9.md").write_bytes(b"\x00\x01")
    assert health(folder)["tickets"][0] == "warn"
    for path in tickets.iterdir():
        path.unlink()
    tickets.rmdir()
    assert health(folder)["triage"][0] == "FAIL"


@pytest.mark.parametrize(
    ("more", "level", "said"),
    [
        ("on_call: {platform-owners: {zone: UTC, from: 2020-01-01 00:00, days: 7, turns: [sam]}}", "ok", "every hour"),
        ("on_call: {platform-owners: {zone: UTC, from: 2999-01-01 00:00, days: 7, turns: [sam]}}", "warn", "nobody is"),
        (
            AWAY,
            "warn",
            "away",
        ),
    ],
)
def test_a_gap_in_a_schedule_is_told_beforehand(folder: Path, more: str, level: str, said: str) -> None:
    with (folder / "routing.yaml").open("a", encoding="utf-8") as file:
        file.write(more + "\n")
    found = health(folder)["on call"]
    assert (found[0], said in found[1]) == (level, True)


def test_an_empty_rung_is_named(folder: Path) -> None:
    text = (folder / "routing.yaml").read_text(encoding="utf-8")
    (folder / "routing.yaml").write_text(text.replace("risk-owners: [rita]", "risk-owners: []"), encoding="utf-8")
    assert "nobody is in risk-owners" in health(folder)["routing"][1]
