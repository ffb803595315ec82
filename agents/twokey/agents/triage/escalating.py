"""Whom to turn to where nobody answers a proposal about a ticket: first somebody else of the team, then the rung above.

Rules: pure functions of the routing file and the time. The deadline follows from how pressing the ticket is. Whose turn
it is and who is away is asked as of now, not as of when the ticket came in. A report of a weakness goes up from those
who answer for risk, and to nobody below them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from twokey.agents.triage.routing import Routing

STEPS: Final = 2
SOON: Final = timedelta(minutes=1)
"""No step comes sooner."""


@dataclass(frozen=True, slots=True)
class Due:
    """An escalation that is due: the step (1 or 2), who is turned to, and since when."""

    level: int
    team: str
    who: str | None
    """A person of the team; none where nobody of it is there."""
    since: datetime


def due(  # what a deadline depends on
    routing: Routing,
    *,
    assigned: str | None,
    private: bool,
    priority: str | None,
    asked: datetime,
    ends: datetime,
    now: datetime,
) -> Due | None:
    """Give the step that is due for a proposal that waits since ``asked``; none before its first deadline.

    Args:
        routing: Who looks after what, and when.
        assigned: The account that the proposal assigns, or the ticket has.
        private: Whether it is about a report of a weakness.
        priority: ``urgent``, ``high``, ``normal`` or ``low``; none counts as normal.
        asked: When the proposal was made.
        ends: When it expires. Both steps are taken before: after one and two thirds of its time at the latest.
        now: The time, with a zone.

    """
    hours = min(timedelta(hours=_hours(routing, priority)), max((ends - asked) / (STEPS + 1), SOON))
    passed = int((now - asked) / hours)
    if passed < 1:
        return None
    first = next((who for who in routing.people if assigned and routing.account(who) == assigned), None)
    team = routing.private if private else _team_of(routing, first)
    if passed < STEPS:
        return Due(1, team, _there(routing, team, now, but=first), asked + hours)
    rungs = list(routing.ladder)
    above = rungs[min(rungs.index(team) + 1, len(rungs) - 1)]
    who = _there(routing, above, now, but=first) or _there(routing, above, now, but=None)
    return Due(2, above, who, asked + STEPS * hours)


def gaps(routing: Routing, now: datetime, days: int) -> list[tuple[str, datetime]]:
    """Give when, within so many days, nobody is on call for a team that has a schedule: the first such hour of each."""
    found: list[tuple[str, datetime]] = []
    for team, turns in routing.on_call.items():
        for hour in range(24 * days):
            at = now + timedelta(hours=hour)
            who = turns.at(at)
            if who is None or _away(routing, who, at):
                found.append((team, at))
                break
    return found


def _hours(routing: Routing, priority: str | None) -> int:
    wanted = priority or "normal"
    return next((hours for degree, hours in routing.answer_hours.items() if degree == wanted), 24)


def _team_of(routing: Routing, who: str | None) -> str:
    return next((team for team, people in routing.ladder.items() if who in people), routing.default)


def _there(routing: Routing, team: str, now: datetime, *, but: str | None) -> str | None:
    """Give who of a team is turned to: who is on call, else the first who is there."""
    turns = routing.on_call.get(team)
    first: Iterable[str | None] = (turns.at(now),) if turns is not None else ()
    wanted = [who for who in (*first, *routing.ladder[team]) if who and who != but]
    return next((who for who in wanted if not _away(routing, who, now)), None)


def _away(routing: Routing, who: str, at: datetime) -> bool:
    return any(gap.who == who and gap.covers(at) for gap in routing.away)
