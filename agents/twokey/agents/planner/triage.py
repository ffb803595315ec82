"""Understands requests about tickets.

Rules: they have fixed forms, so that nothing else is taken for one; a ticket is named by a key that stands whole in the
request; a question about a ticket only looks. What sounds like a request about tickets and has none of the forms is a
question to the person, as before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.planner.meaning import Known, Unclear, short
from twokey.core.values import Plan, Step

MAX_KEYS: Final = 50
_KEY: Final = r"(?:#[1-9][0-9]{0,14}|[A-Za-z][A-Za-z0-9]{0,19}-[0-9]{1,9})"
_KEYS: Final = rf"(?P<keys>{_KEY}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s+){_KEY}){{0,49}})"
_PLACE: Final = r"(?:\s+(?:in|of|from|on)\s+[`'\"]?(?P<place>[\w./:-]{1,200}?)[`'\"]?)?"
_SINCE: Final = r"(?:\s+(?:since|from)\s+(?P<since>\d{4}-\d\d-\d\d))?"
_THINGS: Final = r"(?:tickets?|issues?)"
_DO: Final = r"(?:please\s+)?(?:triage|sort(?:\s+out)?|look\s+(?:at|through))"
_FORMS: Final = tuple(
    (re.compile(rf"\s*{form}\s*[.!?]*\s*", re.IGNORECASE), looks)
    for form, looks in (
        (rf"{_DO}\s+(?:all\s+)?(?:the\s+|my\s+|our\s+)?(?:new|open|unsorted)?\s*{_THINGS}{_PLACE}{_SINCE}", False),
        (rf"{_DO}\s+(?:the\s+)?(?:{_THINGS}\s+)?{_KEYS}{_PLACE}", False),
        (rf"is\s+(?:{_THINGS}\s+)?{_KEYS}\s+(?:known(?:\s+already)?|already\s+known|a\s+duplicate){_PLACE}", True),
        (rf"what\s+(?:is|kind\s+of\s+ticket\s+is)\s+(?:{_THINGS}\s+)?{_KEYS}(?:\s+about)?{_PLACE}", True),
        (rf"who\s+should\s+(?:look\s+at|get|take|handle)\s+(?:{_THINGS}\s+)?{_KEYS}{_PLACE}", True),
    )
)


@dataclass(frozen=True, slots=True)
class AboutTickets:
    """A request about tickets that can be planned. No ``keys`` means the new ones, changed at ``since`` or later."""

    tracker: str
    keys: tuple[str, ...] = ()
    since: str | None = None
    passed: tuple[int, ...] = ()
    looks_only: bool = False

    @property
    def sentence(self) -> str:
        """What was understood, in one sentence of at most 500 characters."""
        shown = [short(key) for key in self.keys[:5]]
        which = ", ".join([*shown, *([f"{len(self.keys) - 5} more"] if len(self.keys) > 5 else [])])
        which = which or "the new tickets"
        if self.since and not self.keys:
            which += f" since {short(self.since)}"
        if self.looks_only:
            return f"Say what {which} in {short(self.tracker)} is about, and whether it is known; propose nothing."
        return f"Look at {which} in {short(self.tracker)}, and propose one change for each that can be sorted."


def understand_triage(text: str, known: Known) -> AboutTickets | Unclear | None:
    """Read a request about tickets; ``None`` where it is about something else. Never raises."""
    found = next(((match, looks) for form, looks in _FORMS if (match := form.fullmatch(text)) is not None), None)
    if found is None:
        return None
    match, looks = found
    groups = match.groupdict()
    place = groups.get("place") or known.tracker
    if place not in known.trackers:
        return _which(known)
    keys = tuple(dict.fromkeys(re.findall(_KEY, groups.get("keys") or "")))[:MAX_KEYS]
    since = groups.get("since")
    return AboutTickets(place, keys, f"{since}T00:00:00Z" if since else None, looks_only=looks)


def _which(known: Known) -> Unclear:
    if not known.trackers:
        question = "This workspace names no tickets. Name a place of kind tickets in twokey.toml, and triage.tickets."
        return Unclear("no_tickets", question)
    names = ", ".join(short(name) for name in known.trackers[:5])
    suggestions = tuple(f"triage the new tickets in {name}" for name in known.trackers[:3])
    return Unclear("which_tickets", f"Which tickets do you mean? Known are: {names}.", suggestions)


def direct(
    tracker: str, keys: Sequence[str], since: str | None, passed: Sequence[int], *, looks_only: bool = False
) -> AboutTickets:
    """Give the meaning of a direct command such as ``twokey triage``."""
    return AboutTickets(tracker, tuple(keys), since, tuple(passed), looks_only)


def plan_triage(about: AboutTickets) -> Plan:
    """Give the steps: read, judge and draft, review."""
    args = {
        "tickets": about.tracker,
        "keys": list(about.keys),
        "since": about.since,
        "passed": list(about.passed),
        "looks_only": about.looks_only,
    }
    drafts = "judge the tickets" if about.looks_only else "judge the tickets, draft one change for each"
    return Plan(
        understood=about.sentence,
        steps=(
            Step(number=1, agent="triage", action="scan", args=args, title=f"read tickets in {short(about.tracker)}"),
            Step(number=2, agent="triage", action="propose", args=args, title=drafts),
            Step(number=3, agent="reviewer", action="review", title="check every claim against its evidence"),
        ),
    )
