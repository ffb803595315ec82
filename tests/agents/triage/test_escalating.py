"""Whom to turn to where nobody answers: by the deadline, by the schedule of that moment, and up the ladder."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from twokey.agents.triage.escalating import due, gaps
from twokey.agents.triage.routing import Routing

FORM: dict[str, Any] = {
    "people": {"mia": {"account": "mia-o"}, "sam": None, "lea": None, "rita": None},
    "ladder": {"model-owners": ["mia"], "platform-owners": ["sam", "lea"], "risk-owners": ["rita"]},
    "default": "platform-owners",
    "private": "risk-owners",
    "on_call": {
        "platform-owners": {"zone": "Europe/Berlin", "from": "2026-11-02T09:00:00", "days": 1, "turns": ["sam", "lea"]}
    },
}
ROUTING = Routing.model_validate(FORM)
ASKED = datetime(2026, 11, 2, 10, tzinfo=UTC)


def step(hours: float, *, routing: Routing = ROUTING, **more: Any) -> tuple[int, str, str | None] | None:
    ends = ASKED + timedelta(days=30)
    fields: dict[str, Any] = {"assigned": "sam", "private": False, "priority": "high", "ends": ends} | more
    found = due(routing, asked=ASKED, now=ASKED + timedelta(hours=hours), **fields)
    return None if found is None else (found.level, found.team, found.who)


@pytest.mark.parametrize(
    ("priority", "first"), [("urgent", 1), ("high", 8), ("normal", 24), ("low", 72), (None, 24), ("odd", 24)]
)
def test_the_deadline_follows_from_how_pressing_it_is(priority: str | None, first: int) -> None:
    assert step(first - 0.01, priority=priority) is None
    assert (step(first, priority=priority) or (0,))[0] == 1
    assert (step(2 * first - 0.01, priority=priority) or (0,))[0] == 1
    assert (step(2 * first, priority=priority) or (0,))[0] == 2
    assert (step(20 * first, priority=priority) or (0,))[0] == 2


def test_both_steps_come_before_the_card_expires() -> None:
    day = ASKED + timedelta(hours=24)
    assert step(7.9, priority="low", ends=day) is None
    assert (step(8, priority="low", ends=day) or (0,))[0] == 1
    assert (step(16, priority="low", ends=day) or (0,))[0] == 2
    assert (step(1, priority="urgent", ends=day) or (0,))[0] == 1
    assert step(0.01, ends=ASKED) is None


def test_first_somebody_else_of_the_team_then_the_rung_above() -> None:
    assert step(8) == (1, "platform-owners", "lea")
    assert step(16) == (2, "risk-owners", "rita")
    assert step(8, assigned="mia-o") == (1, "model-owners", None)  # nobody else is in it
    assert (step(16, assigned="mia-o") or ())[:2] == (2, "platform-owners")
    assert step(8, assigned=None) == (1, "platform-owners", "sam")
    assert step(8, assigned="stranger") == (1, "platform-owners", "sam")


def test_a_report_of_a_weakness_is_told_to_nobody_below() -> None:
    assert step(8, private=True, assigned="rita") == (1, "risk-owners", None)
    assert step(16, private=True, assigned="sam") == (2, "risk-owners", "rita")


def test_the_schedule_of_that_moment_counts_and_who_is_away_is_passed_over() -> None:
    assert step(16, assigned="mia-o") == (2, "platform-owners", "sam")
    assert step(24, assigned="mia-o", priority="urgent") == (2, "platform-owners", "lea")  # the turn has changed
    away = [
        {"who": "sam", "zone": "Europe/Berlin", "from": "2026-11-02T00:00:00", "until": "2026-11-03T00:00:00"},
        {"who": "rita", "zone": "UTC", "from": "2026-11-03T00:00:00", "until": "2026-11-04T00:00:00"},
    ]
    gone = Routing.model_validate(FORM | {"away": away})
    assert step(8, routing=gone, assigned=None) == (1, "platform-owners", "lea")
    assert step(16, routing=gone) == (2, "risk-owners", None)


def test_a_gap_in_a_schedule_is_found_before_somebody_falls_into_it() -> None:
    now = datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert gaps(ROUTING, now, 7) == []
    assert gaps(ROUTING, now - timedelta(days=2), 7) == [("platform-owners", now - timedelta(days=2))]
    away = [{"who": "lea", "zone": "UTC", "from": "2026-11-05T12:00:00", "until": "2026-11-06T00:00:00"}]
    gone = Routing.model_validate(FORM | {"away": away})
    assert gaps(gone, now, 7) == [("platform-owners", datetime(2026, 11, 5, 12, tzinfo=UTC))]
    assert gaps(gone, now, 2) == []
