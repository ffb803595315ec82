"""Who looks at a ticket: the ladder, the owners of files, who is on call, who did it before; and why."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from twokey.agents.triage.routing import Habits, Route, Routing, deadlines, load, route
from twokey.core.errors import BadInput

NOW = datetime(2026, 11, 4, 10, tzinfo=UTC)
FILE: dict[str, Any] = {
    "people": {"mia": {"account": "mia-o"}, "ana": None, "sam": None, "lea": None, "rita": None},
    "ladder": {"model-owners": ["mia", "ana"], "platform-owners": ["sam", "lea"], "risk-owners": ["rita"]},
    "areas": {"scores": "model-owners", "pipeline": "platform-owners"},
    "default": "platform-owners",
    "private": "risk-owners",
    "on_call": {
        "platform-owners": {"zone": "Europe/Berlin", "from": "2026-11-02 09:00", "days": 7, "turns": ["sam", "lea"]}
    },
    "away": [{"who": "sam", "zone": "Europe/Berlin", "from": "2026-11-05 00:00", "until": "2026-11-07 00:00"}],
}


def written(folder: Path, **changes: Any) -> Routing:
    path = folder / "routing.yaml"
    path.write_text(yaml.safe_dump(FILE | changes, sort_keys=False), encoding="utf-8")
    return load(path)


def routed(routing: Routing, text: str = "", **changes: Any) -> Route:
    fields: dict[str, Any] = {"areas": (), "private": False, "priority": None, "habits": Habits(), "now": NOW}
    return route(routing, text=text, **fields | changes)


def test_an_area_leads_to_its_team_and_past_work_to_a_person(tmp_path: Path) -> None:
    habits = Habits(handled={"scores": {"mia-o": 4, "ana": 1}}, load={"ana": 9})
    found = routed(written(tmp_path), areas=("bug", "Scores"), habits=habits)
    assert (found.team, found.who, found.account) == ("model-owners", "mia", "mia-o")
    assert found.reasons == ("model-owners look after Scores", "mia handled 4 such tickets before")
    assert found.then == ("ana", "platform-owners")
    assert found.grounded


def test_among_equals_who_has_least_to_do(tmp_path: Path) -> None:
    found = routed(written(tmp_path), "the scores are wrong", habits=Habits(load={"mia-o": 3, "ana": 2}))
    assert found.who == "ana"
    assert found.reasons == (
        "the ticket speaks of scores, which model-owners look after",
        "ana has 2 open tickets, the fewest",
    )


@pytest.mark.parametrize(
    ("now", "who", "why"),
    [
        (datetime(2026, 11, 2, 8, 0, tzinfo=UTC), "sam", "sam is on call for platform-owners"),
        (datetime(2026, 11, 2, 7, 59, tzinfo=UTC), "sam", "nobody is on call for platform-owners now"),
        (datetime(2026, 11, 9, 7, 59, tzinfo=UTC), "sam", "sam is on call for platform-owners"),
        (datetime(2026, 11, 9, 8, 0, tzinfo=UTC), "lea", "lea is on call for platform-owners"),
        (datetime(2026, 11, 16, 8, 0, tzinfo=UTC), "sam", "sam is on call for platform-owners"),
        (datetime(2026, 11, 5, 12, 0, tzinfo=UTC), "lea", "sam is on call for platform-owners and away"),
        (datetime(2026, 11, 6, 23, 0, tzinfo=UTC), "sam", "sam is on call for platform-owners"),
    ],
)
def test_turns_change_at_local_hours_and_gaps_count(tmp_path: Path, now: datetime, who: str, why: str) -> None:
    found = routed(written(tmp_path), now=now)
    assert found.who == who
    assert found.reasons[:2] == ("nothing in it names an area, so platform-owners look first", why)
    assert not found.grounded


def test_the_owner_of_a_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "CODEOWNERS").write_text(
        "* @acme/platform-owners\n# @lea\n/models/ @acme/model-owners\n/models/churn/*.sql @mia-o\ndocs/ @stranger\n"
    )
    routing = written(tmp_path, owners="CODEOWNERS")
    assert routed(routing, "see models/churn/scores_x.sql").who == "mia"
    assert routed(routing, "see models/churn/scores_x.sql").reasons[-1] == "mia owns models/churn/scores_x.sql"
    assert routed(routing, "see `models/other.yml`").team == "model-owners"
    assert routed(routing, "see docs/readme.md, written by @stranger").team == "platform-owners"
    private = routed(routing, "see models/churn/scores_x.sql", private=True)
    assert (private.team, private.who, private.then) == ("risk-owners", "rita", ("risk-owners", "risk-owners"))


def test_a_name_in_a_ticket_names_nobody(tmp_path: Path) -> None:
    plain = routed(written(tmp_path))
    for text in ("assign this to rita", "@rita please", "owner: mallory", "people: {mallory: {account: rita}}"):
        assert routed(written(tmp_path), text).account == plain.account


def test_nobody_there_is_said(tmp_path: Path) -> None:
    away = [{"who": "rita", "zone": "UTC", "from": "2026-11-01 00:00", "until": "2026-12-01 00:00"}]
    found = routed(written(tmp_path, away=away), private=True)
    assert (found.who, found.account, found.reasons[-1]) == ("", "", "nobody of risk-owners is there")


def test_the_escalation_has_two_steps_with_deadlines(tmp_path: Path) -> None:
    found = routed(written(tmp_path), priority="urgent")
    first, second = deadlines(found, NOW)
    assert (first[0].hour, first[1], second[0].hour, second[1]) == (11, "lea", 12, "risk-owners")
    assert routed(written(tmp_path), priority="unheard-of").answer_hours == 24


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"default": "nobody-owners"}, "stands on no rung"),
        ({"ladder": {"platform-owners": ["kim"], "risk-owners": [], "model-owners": []}}, "kim is not listed"),
        ({"people": {"Mia": None}}, "people"),
        ({"people": {"mia": {"account": "a b"}}}, "people"),
        ({"away": [{"who": "sam", "zone": "Mars/Base", "from": "2026-11-05", "until": "2026-11-07"}]}, "time zone"),
        ({"host": "elsewhere"}, "host"),
        ({"owners": "missing"}, "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_a_reason(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        written(tmp_path, **changes)
    assert said in caught.value.message
    assert caught.value.code == "bad_routing"


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"x" * 300_000, b"[1]", b""])
def test_what_is_no_routing_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "routing.yaml").write_bytes(content)
    with pytest.raises(BadInput):
        load(tmp_path / "routing.yaml")
    with pytest.raises(BadInput):
        load(tmp_path / "gone.yaml")
