"""How a change of a ticket is rendered, written and looked for again: what the tools that change tickets share.

Rules:
- nothing is written where the ticket is no longer what was reviewed;
- each part is put on only where it is missing, so that writing again completes what was cut off and changes nothing
  else; the comment comes after labels and people, and the state last;
- a look tells ``written`` where every part is there, ``absent`` where none is, ``partly`` in between, and ``different``
  where our own comment says something else.

The guarantee is ``keyed``: the tracker keys comments by a marker derived from the proposal's digest, and everything
else is a set that the same names can be put into twice. Where another person did the same at the same moment, the
change counts as written.
"""

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from twokey.core import canonical
from twokey.core.errors import CheckFailed, NotFound, Refused
from twokey.core.values import ContentHash, Count, Digest, ProposalId, ResourceKind, RollbackPlan, Target, Value
from twokey.tools.contract import Context, Guarantee, Marker, Outcome, Rendered, WriteTool
from twokey.tools.tickets import MarkerText, Ticket, Tickets, TicketState, Trackers, struck
from twokey.tools.write import ticket_change
from twokey.tools.write.ticket_change import Change, ClosedAs, Names, People, done

STRUCK_NOTE: Final = "Taken back: the change that this comment belonged to was undone."
_MARK: Final = re.compile(r"\s*<!-- twokey:comment [a-z0-9:_-]{1,128} -->\s*\Z")


class ChangedTicket(Value):
    """What was changed: enough to take it back."""

    tickets: str
    ticket: Count
    key: str
    proposal: ProposalId
    labels: Names
    assignees: People
    state: TicketState | None
    reason: ClosedAs
    marker: MarkerText | None
    """Under which marker a comment was made or struck."""
    says: str
    """What that comment says, or said before it was struck."""
    seen: Digest


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change of one ticket, as the arguments of a call say it. ``says``: words of the comment that is struck."""

    tickets: str
    ticket: int
    seen: str
    change: Change
    duplicate: Ticket | None = None
    says: str = ""


In = TypeVar("In", bound=Value)


class TicketWriter(WriteTool[In, ChangedTicket]):
    """Changes tickets where a team keeps them."""

    kind: ClassVar[ResourceKind] = "tickets"
    guarantee: ClassVar[Guarantee] = "keyed"
    output_type = ChangedTicket

    def __init__(self, trackers: Trackers) -> None:
        self._trackers = trackers

    @abstractmethod
    def wanted(self, args: In, tickets: Tickets) -> Wanted:
        """Read a change from arguments; raises ``Refused`` where the tracker has not what they name."""

    def render(self, args: In, context: Context) -> Rendered:
        """Work the change out against the ticket as it is now.

        Raises:
            Refused: the ticket is no longer what was looked at (code ``stale_target``), or what the change names is
                not there.
            TwokeyError: the tickets cannot be read.

        """
        tickets = self.open(args, context)
        return _rendered(tickets, self.wanted(args, tickets))

    def apply(self, args: In, rendered: Rendered, marker: Marker, context: Context) -> ChangedTicket:
        """Put on what is missing.

        Raises:
            CheckFailed: the change is not the one that was reviewed; nothing was written.
            Refused: the ticket has moved on, and nothing was written; or somebody cannot be assigned.
            EnvironmentFault: the tracker cannot be written.

        """
        tickets = self.open(args, context)
        wanted = self.wanted(args, tickets)
        if _rendered(tickets, wanted) != rendered:
            raise CheckFailed(
                "The change is not the one that was reviewed.",
                next="Ask for the ticket to be looked at again.",
                code="differs_from_review",
            )
        _write(tickets, wanted, key_of(marker))
        return _result(tickets, wanted, marker)

    def reconcile(self, args: In, rendered: Rendered, marker: Marker, context: Context) -> Outcome[ChangedTicket]:
        """Look which parts of the change are there."""
        del rendered
        tickets = self.open(args, context)
        wanted = self.wanted(args, tickets)
        parts = done(tickets.get(wanted.ticket), wanted.change)
        said = _said(tickets, wanted, key_of(marker))
        if said is not None:
            parts.append(said == _words(wanted))
            if said not in {"", _words(wanted), wanted.says}:
                return Outcome("different")
        if all(parts):
            return Outcome("written", _result(tickets, wanted, marker))
        return Outcome("partly" if any(parts) else "absent")

    def open(self, args: In, context: Context) -> Tickets:
        """Open the tickets that a call is about."""
        return self._trackers.open(context.places.find(self.kind, self.place_name(args)).location)


def key_of(marker: Marker) -> str:
    """Give the marker of a comment that the write of ``marker`` makes."""
    return f"{marker.proposal}:{marker.key[:32]}"


def plain(body: str) -> str:
    """Give what a comment of ours says, without its mark."""
    return _MARK.sub("", body.replace("\r\n", "\n"))


def find(tickets: Tickets, number: int, marker: str) -> str | None:
    """Give what our comment under ``marker`` says now."""
    found = tickets.find_comment(number, marker)
    return None if found is None else plain(found.body)


def _words(wanted: Wanted) -> str:
    """Give what our comment says once all is written."""
    return struck(wanted.says, STRUCK_NOTE) if wanted.change.strike else wanted.change.comment


def _said(tickets: Tickets, wanted: Wanted, key: str) -> str | None:
    """Give what our comment says now, nothing where it is not there; ``None`` where the change has no comment."""
    marker = wanted.change.strike or (key if wanted.change.comment else None)
    return None if marker is None else find(tickets, wanted.ticket, marker) or ""


def _rendered(tickets: Tickets, wanted: Wanted) -> Rendered:
    change = wanted.change
    ticket = tickets.get(wanted.ticket)
    if ticket_change.seen(ticket, change) != wanted.seen:
        raise Refused(
            "The ticket has changed since it was looked at.",
            next="Ask for it to be looked at again.",
            code="stale_target",
        )
    others = sum(not found.ours for page in tickets.comments(ticket.number) for found in page) if ticket.comments else 0
    version = canonical.digest(
        {
            "type": "twokey/ticket-version/v1",
            "seen": wanted.seen,
            "comments": others,
            "duplicate": ticket_change.seen(wanted.duplicate, Change()) if wanted.duplicate else "",
        }
    )
    text = ticket_change.preview(wanted.tickets, ticket, change, wanted.duplicate, wanted.says)
    return Rendered(
        preview=text,
        content=(
            *([ContentHash(name="comment", hash=_hash(_words(wanted)))] if _words(wanted) else []),
            ContentHash(name="change", hash=_hash(text)),
        ),
        target=Target(
            kind="tickets", id=f"{wanted.tickets} {ticket_change.called(ticket)}", version=f"sha256:{version}"
        ),
        files=(),
        labels=ticket_change.kinds(ticket, change, duplicate=wanted.duplicate is not None),
        rollback=RollbackPlan(text=_undoing(change)),
    )


def _hash(text: str) -> str:
    return f"sha256:{canonical.digest_of_text(text.encode())}"


def _undoing(change: Change) -> str:
    parts = [
        *(["labels"] if change.labels != Names() else []),
        *(["assignees"] if change.people != People() else []),
        *(["the state"] if change.state else []),
    ]
    text = f"Set {' and '.join(parts)} back as they were" if parts else "Nothing but a comment is taken back"
    if change.comment:
        text += ", and strike the comment with a note; it stays readable"
    return f"{text}, as a new proposal."


def _write(tickets: Tickets, wanted: Wanted, key: str) -> None:
    change, number = wanted.change, wanted.ticket
    if change.labels != Names():
        tickets.label(number, add=change.labels.add, remove=change.labels.remove)
    if change.people != People():
        tickets.assign(number, add=change.people.add, remove=change.people.remove)
    if change.comment:
        tickets.comment(number, change.comment, key)
    if change.strike is not None:
        if find(tickets, number, change.strike) not in {wanted.says, _words(wanted)}:
            raise NotFound(
                "The comment that is to be struck is not there any more as it was.",
                next="Look at the ticket.",
                code="no_such_comment",
            )
        tickets.strike(number, change.strike, STRUCK_NOTE)
    if change.state is not None and tickets.get(number).state != change.state:
        tickets.move(number, change.state, change.reason)


def _result(tickets: Tickets, wanted: Wanted, marker: Marker) -> ChangedTicket:
    change = wanted.change
    return ChangedTicket(
        tickets=wanted.tickets,
        ticket=wanted.ticket,
        key=tickets.get(wanted.ticket).key,
        proposal=marker.proposal,
        labels=change.labels,
        assignees=change.people,
        state=change.state,
        reason=change.reason,
        marker=change.strike or (key_of(marker) if change.comment else None),
        says=wanted.says if change.strike else change.comment,
        seen=wanted.seen,
    )
