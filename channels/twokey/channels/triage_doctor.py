"""Looks for what would make the triage job fail, or quietly do less than its settings say.

Rules: a check really tries what it reports on and changes nothing; of the tracker a bounded number of tickets is read;
a label that no ticket carries is named, since nothing can be learned of it; a gap in a schedule is told before somebody
falls into it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from twokey.channels import plain
from twokey.core.errors import TwokeyError
from twokey.core.settings import Settings
from twokey.tools.tickets import Query, Ticket, Tickets

if TYPE_CHECKING:
    from twokey.agents.triage.routing import Routing

TICKETS: Final = 1000
"""How many tickets are read for their labels, at most."""
AHEAD_DAYS: Final = 14
"""How far ahead schedules are looked through."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    name: str
    level: Literal["ok", "warn", "FAIL"]
    text: str
    next: str = ""


def examine(
    config: Settings, tickets: Callable[[], Tickets], routing: "Callable[[], Routing | None]", now: datetime
) -> Iterator[Seen]:
    """Look at what ``config`` says of triage; nothing is looked at where it names no tickets.

    Args:
        config: The settings of the workspace.
        tickets: Opens the tracker that they name.
        routing: Reads the routing file that they name; none where they name none.
        now: The time, with a zone.

    """
    triage = config.triage
    if not triage.tickets:
        return
    place = config.places.get(triage.tickets)
    if place is None or place.kind != "tickets":
        text = f"triage.tickets names {plain.line(triage.tickets, 60)}, which is no place of kind tickets"
        yield Seen("triage", "FAIL", text, "Name such a place in twokey.toml: [places.NAME], kind, location.")
        return
    if triage.asked_by and triage.asked_by not in config.principals:
        text = f"triage.asked_by names {triage.asked_by}, who is no principal: new tickets are looked at for nobody"
        yield Seen("triage", "FAIL", text, "Add the person to twokey.toml, or empty the setting.")
    if triage.escalations and not config.github.used:
        text = "triage.escalations names an issue, and no GitHub is set up: nothing is said there"
        yield Seen("triage", "warn", text, "Set up the section github of twokey.toml (docs/github.md).")
    yield from _tracker(config, tickets)
    yield from _routing(routing, now)


def _tracker(config: Settings, tickets: Callable[[], Tickets]) -> Iterator[Seen]:
    triage = config.triage
    try:
        tracker = tickets()
        pages = tracker.list(Query(state="all"))
        read: list[Ticket] = list(islice((ticket for page in pages for ticket in page), TICKETS))
        unread = len(tracker.unread())
    except TwokeyError as error:
        yield Seen("triage", "FAIL", error.message, error.next)
        return
    few = f"the first {TICKETS:,}" if len(read) == TICKETS else f"{len(read):,}"
    if unread:
        yield Seen(
            "tickets",
            "warn",
            f"{few} tickets of {triage.tickets} read; {unread} files there are no tickets that can be read",
            "See docs/triage.md for the form of a ticket.",
        )
    else:
        yield Seen("tickets", "ok", f"{few} tickets of {triage.tickets} read")
    carried = {label.casefold() for ticket in read for label in ticket.labels}
    wanted = [*triage.kinds, *triage.priorities.values()]
    absent = sorted(label for label in dict.fromkeys(wanted) if label.casefold() not in carried)
    if absent:
        names = plain.line(", ".join(absent), 200)
        text = f"no ticket that was read carries: {names}; nothing can be learned of a kind that none carries"
        yield Seen("labels", "warn", text, "Check how the tracker spells them (triage.kinds, triage.priorities).")
    else:
        yield Seen("labels", "ok", f"every kind and priority of the settings stands on tickets ({len(wanted)})")


def _routing(load: "Callable[[], Routing | None]", now: datetime) -> Iterator[Seen]:
    from twokey.agents.triage.escalating import gaps  # noqa: PLC0415 - comes in where there is triage

    try:
        routing = load()
    except TwokeyError as error:
        yield Seen("routing", "FAIL", error.message, error.next)
        return
    if routing is None:
        text = "no routing file: nobody is assigned, and nobody is turned to where nobody answers"
        yield Seen("routing", "warn", text, "Write one (docs/triage.md), and set triage.routing to it.")
        return
    people = f"{len(routing.people)} people in {len(routing.ladder)} teams"
    empty = sorted(team for team, who in routing.ladder.items() if not who)
    if empty:
        text = f"{people}; nobody is in {plain.line(', '.join(empty), 120)}"
        yield Seen("routing", "warn", text, "Put somebody on each rung of the ladder.")
    else:
        yield Seen("routing", "ok", people)
    found = gaps(routing, now, AHEAD_DAYS)
    for team, at in found:
        text = f"nobody is on call for {plain.line(team, 60)} at {at:%Y-%m-%d %H:%M} UTC, or who is will be away"
        yield Seen("on call", "warn", text, "Change the turns, or who is away, in the routing file.")
    if routing.on_call and not found:
        yield Seen("on call", "ok", f"somebody is, at every hour of the next {AHEAD_DAYS} days")
