"""From what a ticket was understood to be, to what is proposed for it, and to what is left open.

Rules:
- a report of a weakness gets its label and somebody who answers for risk, and not a word in public; spam its label;
- a kind, an area and a duplicate are proposed where they are sure enough for the team's target; below it the finding
  says what was likeliest and how sure, and nothing is put on;
- labels are never taken off, people never replaced, and a ticket is never closed;
- the comment consists of sentences of our own. What it repeats of tickets are short passages without anything that
  acts: no mentions, addresses, markup or marks of ours.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from twokey.agents.triage.routing import Habits, Route, route
from twokey.agents.triage.team import Known, Team
from twokey.agents.triage.values import Judgement, Understanding
from twokey.tools.read.ticket_pages import TicketRead
from twokey.tools.write import acting_text
from twokey.tools.write.ticket_change import WEAKNESS_FOUND, called, reads_like_a_weakness

MAX_PASSAGE: Final = 160
MAX_ASKS: Final = 6
MAY_REPEAT: Final = 300
"""Permille of confidence from which an earlier ticket is worth a look."""
_ACTS: Final = re.compile(
    r"\S*(?:://|www\.|@)\S*|(?:[\w-]+\.)+\w{2,24}(?::\d+)?/\S*|<[^>]{0,200}>?|&[#\w]{1,12};|\]\([^)]{0,200}\)?|\]:"
)
_MARKS: Final = re.compile(r"[`*_~|#\[\]>\\]")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing to say about a ticket: a code, a sentence, how sure, and whether a person should look."""

    kind: str
    claim: str
    confidence: int
    attention: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What is proposed for one ticket; nothing, where ``changes`` is false."""

    ticket: TicketRead
    labels: tuple[str, ...] = ()
    priority: str | None = None
    assignee: str = ""
    duplicate: Known | None = None
    comment: str = ""
    checklist: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    private: bool = False

    @property
    def changes(self) -> bool:
        """Whether there is anything to propose."""
        return bool(self.labels or self.priority or self.assignee or self.duplicate or self.comment or self.checklist)


def decide(  # all that is known of a ticket
    ticket: TicketRead,
    found: Understanding,
    known: Sequence[Known],
    team: Team,
    habits: Habits,
    others: Mapping[int, TicketRead],
    now: datetime,
) -> Decided:
    """Decide what to propose for ``ticket``; ``others`` are the tickets that ``known`` may name."""
    weakness = found.security is not None or reads_like_a_weakness(ticket)
    if weakness:
        return _weakness(ticket, found, team, habits, now)
    if found.spam is not None and _sure(found.spam, team):
        spam = Said("ticket_spam", f"{called(ticket)} is spam{_why(found.spam)}.", _percent(found.spam))
        return Decided(ticket, labels=_missing(ticket, team.spam), said=(spam,))
    said: list[Said] = []
    kind = _kind(ticket, found, team, said)
    area = _area(ticket, found, team, said)
    priority = _priority(ticket, found, team, said)
    duplicate = _duplicate(ticket, known, others, said)
    areas = (*([area] if area else []), *ticket.labels)
    routed = _routed(ticket, found, team, habits, areas, now, said, private=False)
    names = [*([kind] if kind else []), *([area] if area else []), *([team.duplicate] if duplicate else [])]
    asks = (
        ()
        if duplicate
        else tuple(dict.fromkeys(team.questions.get(item.code, item.ask) for item in found.missing))[:MAX_ASKS]
    )
    if asks:
        said.append(Said("ticket_lacks", f"{called(ticket)} lacks: {', '.join(i.code for i in found.missing)}.", 80))
    return Decided(
        ticket,
        labels=_missing(ticket, *names),
        priority=priority,
        assignee=routed.account if routed and not ticket.assignees and routed.grounded else "",
        duplicate=duplicate,
        comment=_comment(ticket, duplicate, others, asks=bool(asks)),
        checklist=tuple(inert(ask) for ask in asks),
        said=tuple(said),
    )


def _weakness(ticket: TicketRead, found: Understanding, team: Team, habits: Habits, now: datetime) -> Decided:
    judged = found.security or Judgement(value="security", confidence_permille=500)
    said = [
        Said(
            WEAKNESS_FOUND,
            f"{called(ticket)} may report a weakness: it goes to who answers for risk, and nothing is said in public.",
            _percent(judged),
            attention=True,
        )
    ]
    routed = _routed(ticket, found, team, habits, (), now, said, private=True)
    return Decided(
        ticket,
        labels=_missing(ticket, team.security),
        assignee=routed.account if routed and not ticket.assignees else "",
        said=tuple(said),
        private=True,
    )


def _kind(ticket: TicketRead, found: Understanding, team: Team, said: list[Said]) -> str | None:
    has = next((kind for kind in team.kinds if kind.casefold() in {name.casefold() for name in ticket.labels}), None)
    if has is not None:
        return None
    if found.kind is not None:
        said.append(
            Said("ticket_kind", f"{called(ticket)} is a {found.kind.value}{_why(found.kind)}.", _percent(found.kind))
        )
        return found.kind.value
    if found.kinds:
        likeliest = " or ".join(f"{one.value} ({_percent(one)} %)" for one in found.kinds[:2])
        text = f"What {called(ticket)} is cannot be told: {likeliest}; {_doubt(found, team)}."
        said.append(Said("ticket_unsure", text, 100, attention=True))
    else:
        said.append(Said("ticket_unsure", f"{called(ticket)} says nothing that could be judged.", 100, attention=True))
    return None


def _doubt(found: Understanding, team: Team) -> str:
    if found.kinds[0].confidence_permille < team.target_permille:
        return f"the team asks for {team.target_permille // 10} %"
    return "too few tickets were sorted before to rely on that"


def _area(ticket: TicketRead, found: Understanding, team: Team, said: list[Said]) -> str | None:
    if found.area is None or not _sure(found.area, team):
        return None
    said.append(
        Said(
            "ticket_area",
            f"{called(ticket)} is about {inert(found.area.value, 50)}{_why(found.area)}.",
            _percent(found.area),
        )
    )
    return found.area.value


def _priority(ticket: TicketRead, found: Understanding, team: Team, said: list[Said]) -> str | None:
    if found.priority is None:
        return None
    label = team.priorities.get(found.priority.value)
    said.append(
        Said(
            "ticket_priority",
            f"{called(ticket)} is {found.priority.value}{_why(found.priority)}.",
            _percent(found.priority),
        )
    )
    has = {name.casefold() for name in ticket.labels}
    if label is None or any(name.casefold() in has for name in team.priorities.values()):
        return None
    return label


def _duplicate(
    ticket: TicketRead, known: Sequence[Known], others: Mapping[int, TicketRead], said: list[Said]
) -> Known | None:
    best = next((one for one in known if one.number in others and one.number != ticket.number), None)
    if best is None or best.confidence_permille < MAY_REPEAT:
        return None
    other = others[best.number]
    surely = best.proposed and not reads_like_a_weakness(other)
    word = "repeats" if surely else "may repeat"
    said.append(
        Said(
            "ticket_duplicate",
            f"{called(ticket)} {word} {called(other)}: alike by {best.score_permille // 10} %.",
            best.confidence_permille // 10,
            attention=not surely,
        )
    )
    return best if surely else None


def _routed(  # all that a route hangs on
    ticket: TicketRead,
    found: Understanding,
    team: Team,
    habits: Habits,
    areas: Sequence[str],
    now: datetime,
    said: list[Said],
    *,
    private: bool,
) -> Route | None:
    if team.routing is None:
        return None
    where = route(
        team.routing,
        text=f"{ticket.title}\n{ticket.body}",
        areas=areas,
        private=private,
        priority=found.priority.value if found.priority else None,
        habits=habits,
        now=now,
    )
    reasons = "; ".join(inert(reason) for reason in where.reasons)
    steps = ", then ".join(dict.fromkeys(where.then))
    next_one = f" Where nobody acts within {where.answer_hours} h: {steps}."
    goes = f"{where.who} of {where.team}" if where.who else where.team
    said.append(
        Said("ticket_route", f"{called(ticket)} goes to {goes}: {reasons}.{next_one}", 80, attention=not where.who)
    )
    return where


def _comment(ticket: TicketRead, duplicate: Known | None, others: Mapping[int, TicketRead], *, asks: bool) -> str:
    del ticket
    if duplicate is None:
        return "Thank you. To look into this we need a little more:" if asks else ""
    lines = [f"This seems to be known as {called(others[duplicate.number])}. Both say it in much the same words:"]
    for passage in duplicate.passages[:2]:
        lines += [f"- here: “{inert(passage.here)}”", f"- there: “{inert(passage.there)}”"]
    if not duplicate.passages:
        lines = [f"This seems to be known as {called(others[duplicate.number])}."]
    lines += ["", "If it is something else, say so here, and a person looks again."]
    return "\n".join(lines)


def inert(text: str, most: int = MAX_PASSAGE) -> str:
    """Give outside text so that nothing in it acts where it is shown: one short line of plain visible characters."""
    visible = "".join(
        " " if char.isspace() or unicodedata.category(char)[0] == "C" else char
        for char in unicodedata.normalize("NFKC", text[: most * 20])
    )
    plain = " ".join(_MARKS.sub(" ", _ACTS.sub("…", visible)).replace("<", " ").replace("@", " ").split())
    plain = acting_text.disarmed(plain)
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"


def _missing(ticket: TicketRead, *names: str) -> tuple[str, ...]:
    has = {name.casefold() for name in ticket.labels}
    return tuple(dict.fromkeys(name for name in names if name.casefold() not in has))


def _sure(judged: Judgement, team: Team) -> bool:
    return judged.confidence_permille >= team.target_permille


def _percent(judged: Judgement) -> int:
    return judged.confidence_permille // 10


def _why(judged: Judgement) -> str:
    reasons = [inert(reason).rstrip(".") for reason in judged.reasons[:3]]
    return f": {'; '.join(reasons)}" if reasons else ""
