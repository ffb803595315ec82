"""The review of what is said about tickets and of the changes drafted for them.

Rules:
- pure, and a function of stored evidence alone: the tickets that this run has read;
- a finding is about a ticket that the evidence it cites holds; what it quotes of tickets (“…”) stands there;
- a draft changes the ticket that was read, as it was read; it takes nothing off; a label is one that other tickets
  carry or the settings name, a person one that the settings name; a duplicate is an earlier ticket that was read;
- a comment quotes only what the two tickets say, calls nobody, leads nowhere and holds no markup; on what reads like a
  report of a weakness there is none, whatever the draft calls it;
- what cannot be read is a problem and never an exception.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from twokey.agents.triage.deciding import inert
from twokey.core.canonical import Json
from twokey.core.values import Finding
from twokey.tools.read.ticket_pages import TicketRead
from twokey.tools.read.tickets import TicketsResult
from twokey.tools.write import ticket_change
from twokey.tools.write.ticket_change import Change, called, folded
from twokey.tools.write.update_ticket import UpdateTicketArgs, change_of

PROBLEM: Final = "unbacked_claim"
_QUOTE: Final = re.compile(r"“([^”]{1,2000})”")


class Evidence:
    """The tickets of a run, by piece of evidence and all together."""

    def __init__(self, contents: Mapping[str, Json]) -> None:
        self.pieces: dict[str, dict[str, TicketRead]] = {}
        self.tickets: dict[int, TicketRead] = {}
        for name, content in contents.items():
            try:
                read = TicketsResult.model_validate(content).page
            except ValidationError:
                continue
            if read is None:
                continue
            self.pieces[name] = {called(ticket)[:400]: ticket for ticket in read.tickets}
            self.tickets |= {ticket.number: ticket for ticket in read.tickets}

    @property
    def labels(self) -> set[str]:
        """Labels that tickets carry."""
        return folded(label for ticket in self.tickets.values() for label in ticket.labels)


def fault(finding: Finding, evidence: Evidence) -> str | None:
    """Give the code of what is wrong with a finding; None where it is supported."""
    if not finding.evidence:
        return "no_evidence"
    pieces = [evidence.pieces.get(name) for name in finding.evidence]
    if any(piece is None for piece in pieces):
        return "unknown_evidence"
    tickets = [piece[finding.subject] for piece in pieces if piece and finding.subject in piece]
    if not tickets:
        return "unknown_subject"
    said = [ticket for piece in pieces if piece for ticket in piece.values()]
    return None if _quotes_stand(finding.claim, said) else "unsupported_name"


def problems(draft: Mapping[str, Any], evidence: Evidence, names: frozenset[str]) -> list[str]:
    """Say what is wrong with a draft, one line each; ``names`` are those of the settings."""
    try:
        args = UpdateTicketArgs.model_validate(draft["args"])
        tool = str(draft["tool"])
    except (KeyError, TypeError, ValidationError):
        return [f"{PROBLEM} the draft cannot be read"]
    if tool != "update_ticket":
        return [f"{PROBLEM} tool"]
    return [f"{PROBLEM} {said}" for said in _wrong(args, evidence, folded(names))]


def _wrong(args: UpdateTicketArgs, evidence: Evidence, names: set[str]) -> Iterator[str]:
    ticket = evidence.tickets.get(args.ticket) if args.ticket is not None else None
    if ticket is None:
        yield "the ticket was not read"
        return
    other = evidence.tickets.get(args.duplicate_of) if args.duplicate_of is not None else None
    if args.duplicate_of is not None and (other is None or _when(other) >= _when(ticket)):
        yield "the ticket that it repeats was not read, or is later"
        return
    change = change_of(args, other)
    if ticket_change.seen(ticket, change) != args.seen:
        yield "the ticket is another one than was read"
    if change.labels.remove or change.people.remove or args.state is not None:
        yield "something is taken off or closed"
    if not folded(change.labels.add) <= names | evidence.labels:
        yield "a label that nobody knows"
    if not folded(change.people.add) <= names:
        yield "a person whom the settings do not name"
    yield from _said(change, ticket, [each for each in (ticket, other) if each is not None])


def _said(change: Change, ticket: TicketRead, about: Sequence[TicketRead]) -> Iterator[str]:
    bad = {"comments_security_report", "mentions_people", "links_elsewhere", "holds_markup"}
    bad |= {"hides_characters", "disguises_name", "commands_bots"}
    kinds = ticket_change.kinds(ticket, change, duplicate=False)
    yield from (kind for kind in kinds if kind in bad)
    if not _quotes_stand(change.comment, about):
        yield "a quote that no ticket holds"


def _quotes_stand(text: str, tickets: Sequence[TicketRead]) -> bool:
    quoted = _QUOTE.findall(text)
    if not quoted:
        return True
    held = [_plain(f"{ticket.title}\n{ticket.body}") for ticket in tickets]
    return all(any(_plain(quote.rstrip("…")) in text for text in held) for quote in quoted)


def _plain(text: str) -> str:
    """Give a text as quotes are compared: letters and digits alone, since a quote loses what could act."""
    return "".join(char for char in inert(text, len(text) + 1).casefold() if char.isalnum())


def _when(ticket: TicketRead) -> tuple[str, int]:
    return ticket.created_at, ticket.number
