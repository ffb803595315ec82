"""The write tool ``update_ticket``: sorts one ticket, or opens one. Labels, people, priority, a link to the ticket it
repeats, a comment, a checklist and the state, in one change that is shown whole.

Rules: what is not named is not touched; a comment is written word for word as it was shown; a duplicate is a duplicate
of an earlier ticket of the same tracker; the rules of ``ticket_writing`` hold. A ticket that is opened gets a title, a
text and labels, and nothing else (``ticket_opening``).
"""

from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from twokey.core.errors import CheckFailed, NotFound, Refused
from twokey.core.values import Count, Digest, Value
from twokey.tools.contract import Context, Marker, Outcome, Rendered, Reverse
from twokey.tools.plain_text import check_line
from twokey.tools.tickets import NewTicket, Ticket, Tickets, TicketState
from twokey.tools.write import ticket_change, ticket_opening
from twokey.tools.write.ticket_change import (
    Change,
    ClosedAs,
    Comment,
    Keyed,
    Label,
    Names,
    People,
    clashes,
    composed,
    folded,
)
from twokey.tools.write.ticket_opening import Opening
from twokey.tools.write.ticket_writing import STRUCK_NOTE, ChangedTicket, TicketWriter, Wanted, find, key_of

CheckItem = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\n\r]+$")]


class UpdateTicketArgs(Value):
    """What is to become of a ticket. ``seen`` is ``ticket_change.seen`` of what was looked at, for this very change.

    Where a ticket is opened, ``opens`` says what it says, and there is no ``ticket`` yet that was seen.
    """

    tickets: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    ticket: Count | None = None
    seen: Digest | None = None
    opens: Opening | None = None
    labels: Names = Names()
    priority: Label | None = None
    """The label that says how pressing it is; it is put on like the others."""
    assignees: People = People()
    duplicate_of: Count | None = None
    comment: Comment = ""
    checklist: Annotated[tuple[CheckItem, ...], Field(max_length=20)] = ()
    state: TicketState | None = None
    reason: ClosedAs = ""
    """As what it is closed; where it is opened again, as what it was closed before."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.opens is not None:
            return self._opens_only(self.opens)
        if self.ticket is None or self.seen is None:
            raise ValueError("a ticket that is changed was looked at before")
        if clashes(self.all_labels) or clashes(self.assignees):
            raise ValueError("a name stands twice in what is put on and taken off")
        if self.duplicate_of == self.ticket:
            raise ValueError("a ticket is no duplicate of itself")
        if self.reason and not self.state:
            raise ValueError("a reason goes with a state")
        for line in self.checklist:
            check_line(line)
        words = self.comment.strip() or self.checklist or self.duplicate_of is not None
        if not (words or self.state) and self.all_labels == Names() and self.assignees == People():
            raise ValueError("it changes nothing")
        return self

    def _opens_only(self, opens: Opening) -> Self:
        bare = UpdateTicketArgs.model_construct(
            tickets=self.tickets, opens=opens, labels=Names(add=self.labels.add), priority=self.priority
        )
        if self != bare or clashes(self.all_labels):
            raise ValueError("a ticket that is opened gets a title, a text and labels, and nothing else")
        return self

    @property
    def all_labels(self) -> Names:
        """The labels with the one of the priority among them."""
        if self.priority is None or self.priority.casefold() in folded(self.labels.add):
            return self.labels
        return Names(add=(*self.labels.add, self.priority), remove=self.labels.remove)


def change_of(args: UpdateTicketArgs, duplicate: Keyed | None) -> Change:
    """Give the change that arguments ask for; ``duplicate`` is the ticket that ``duplicate_of`` names."""
    return Change(
        labels=args.all_labels,
        people=args.assignees,
        state=args.state,
        reason=args.reason,
        comment=composed(args.comment, args.checklist, duplicate),
    )


class UpdateTicket(TicketWriter[UpdateTicketArgs]):
    """Sorts tickets."""

    name: ClassVar[str] = "update_ticket"
    version: ClassVar[str] = "1"
    input_type = UpdateTicketArgs

    def place_name(self, args: UpdateTicketArgs) -> str:
        """Give the name of the tracker."""
        return args.tickets

    def once(self, args: UpdateTicketArgs) -> str:
        """Give the ticket: a step changes each ticket once, and opens one."""
        return "" if args.ticket is None else str(args.ticket)

    def render(self, args: UpdateTicketArgs, context: Context) -> Rendered:
        """Work the change out, or the ticket that is opened; see ``TicketWriter``."""
        if args.opens is None:
            return super().render(args, context)
        return ticket_opening.rendered(args.tickets, _new(args, args.opens))

    def apply(self, args: UpdateTicketArgs, rendered: Rendered, marker: Marker, context: Context) -> ChangedTicket:
        """Put on what is missing, or open the ticket; see ``TicketWriter``."""
        if args.opens is None:
            return super().apply(args, rendered, marker, context)
        new = _new(args, args.opens)
        if ticket_opening.rendered(args.tickets, new) != rendered:
            raise CheckFailed(
                "The ticket is not the one that was reviewed.", next="Propose it again.", code="differs_from_review"
            )
        made = self.open(args, context).create(new, key_of(marker))
        return ticket_opening.result(args.tickets, new, made, marker)

    def reconcile(
        self, args: UpdateTicketArgs, rendered: Rendered, marker: Marker, context: Context
    ) -> Outcome[ChangedTicket]:
        """Look which parts of the change are there, or for the ticket that was opened."""
        if args.opens is None:
            return super().reconcile(args, rendered, marker, context)
        new = _new(args, args.opens)
        made = self.open(args, context).find_created(key_of(marker))
        if made is None:
            return Outcome("absent")
        return Outcome("written", ticket_opening.result(args.tickets, new, made, marker))

    def wanted(self, args: UpdateTicketArgs, tickets: Tickets) -> Wanted:
        """Read the change; the ticket that it repeats is looked up."""
        if args.ticket is None or args.seen is None:
            raise ValueError("a ticket that is opened is no change of one")
        duplicate = _earlier(args, tickets) if args.duplicate_of is not None else None
        return Wanted(args.tickets, args.ticket, args.seen, change_of(args, duplicate), duplicate)

    def reverse(self, args: UpdateTicketArgs, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """Take back what of the change is still there.

        Raises:
            Refused: nothing of it is there any more.

        """
        del rendered
        tickets = self.open(args, context)
        if args.opens is not None:
            return ticket_opening.closing(args.tickets, tickets.find_created(key_of(marker)))
        wanted = self.wanted(args, tickets)
        return undoing(tickets, wanted, key_of(marker))


def _new(args: UpdateTicketArgs, opens: Opening) -> NewTicket:
    return NewTicket(title=opens.title, body=opens.body, labels=args.all_labels.add)


def _earlier(args: UpdateTicketArgs, tickets: Tickets) -> Ticket:
    try:
        found = tickets.get(int(args.duplicate_of or 0))
    except NotFound as error:
        raise Refused(
            "The ticket that it is said to repeat is not there.",
            next="Ask for the ticket to be looked at again.",
            code="no_such_duplicate",
        ) from error
    if found.created_at > tickets.get(int(args.ticket or 0)).created_at:
        raise Refused(
            "The ticket that it is said to repeat is the later one.",
            next="Mark the later one as the duplicate.",
            code="later_duplicate",
        )
    return found


def undoing(tickets: Tickets, wanted: Wanted, key: str) -> Reverse:
    """Give the call that takes ``wanted`` back, as far as it is still there."""
    ticket, change = tickets.get(wanted.ticket), wanted.change
    marker = change.strike or key
    said = find(tickets, wanted.ticket, marker) if change.comment else None
    strikes = said is not None and not said.endswith(STRUCK_NOTE)
    back = Change(
        labels=ticket_change.back(change.labels, ticket.labels),
        people=ticket_change.back(change.people, ticket.assignees),
        state=ticket_change.state_back(change.state, ticket.state),
        strike=key if strikes else None,
    )
    if back == Change():
        raise Refused(
            "Nothing of the change is there any more.", next="Nothing is left to undo.", code="nothing_to_undo"
        )
    return Reverse(
        tool="restore_ticket",
        args={
            "tickets": wanted.tickets,
            "ticket": wanted.ticket,
            "seen": ticket_change.seen(ticket, back),
            "labels": back.labels.model_dump(mode="json"),
            "assignees": back.people.model_dump(mode="json"),
            "state": back.state,
            "reason": change.reason if back.state else "",
            "strike": back.strike,
            "says": said if strikes else "",
        },
        why=f"Take back what was done to {ticket_change.called(ticket)}.",
    )
