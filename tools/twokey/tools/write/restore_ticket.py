"""The write tool ``restore_ticket``: takes a change of a ticket back.

Rules: it undoes what ``update_ticket`` did and is proposed from its rollback plan, never by an agent; names that others
took off meanwhile stay off; our comment is struck with a note and stays readable, and one whose words are no longer
ours is left alone; the rules of ``ticket_writing`` hold.
"""

from typing import Annotated, ClassVar, Self

from pydantic import StringConstraints, model_validator

from twokey.core.errors import Refused
from twokey.core.values import Count, Digest, Value
from twokey.tools.contract import Context, Marker, Rendered, Reverse
from twokey.tools.tickets import MarkerText, Tickets, TicketState
from twokey.tools.write import ticket_change
from twokey.tools.write.ticket_change import Change, ClosedAs, Comment, Names, People, clashes
from twokey.tools.write.ticket_writing import TicketWriter, Wanted
from twokey.tools.write.update_ticket import UpdateTicketArgs


class RestoreTicketArgs(Value):
    """What is set back. ``strike`` names our comment, and ``says`` what it says."""

    tickets: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    ticket: Count
    seen: Digest
    labels: Names = Names()
    assignees: People = People()
    state: TicketState | None = None
    reason: ClosedAs = ""
    strike: MarkerText | None = None
    says: Comment = ""

    @model_validator(mode="after")
    def _sets_something_back(self) -> Self:
        if clashes(self.labels) or clashes(self.assignees):
            raise ValueError("a name stands twice in what is put on and taken off")
        if (self.strike is None) != (not self.says):
            raise ValueError("a comment that is struck says something")
        return self


class RestoreTicket(TicketWriter[RestoreTicketArgs]):
    """Sets tickets back."""

    name: ClassVar[str] = "restore_ticket"
    version: ClassVar[str] = "1"
    only_undoes: ClassVar[bool] = True
    input_type = RestoreTicketArgs

    def place_name(self, args: RestoreTicketArgs) -> str:
        """Give the name of the tracker."""
        return args.tickets

    def wanted(self, args: RestoreTicketArgs, tickets: Tickets) -> Wanted:
        """Read the change."""
        del tickets
        change = Change(
            labels=args.labels, people=args.assignees, state=args.state, reason=args.reason, strike=args.strike
        )
        return Wanted(args.tickets, args.ticket, args.seen, change, says=args.says)

    def reverse(self, args: RestoreTicketArgs, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """Do again what was taken back, on the ticket as it is now; a struck comment is made anew.

        Raises:
            Refused: the ticket has it all again.

        """
        del rendered, marker
        ticket = self.open(args, context).get(args.ticket)
        again = Change(
            labels=ticket_change.back(args.labels, ticket.labels),
            people=ticket_change.back(args.assignees, ticket.assignees),
            state=ticket_change.state_back(args.state, ticket.state),
            comment=args.says,
        )
        if again == Change():
            raise Refused("The ticket has it all again.", next="Nothing is left to undo.", code="nothing_to_undo")
        wanted = UpdateTicketArgs(
            tickets=args.tickets,
            ticket=args.ticket,
            seen=ticket_change.seen(ticket, again),
            labels=again.labels,
            assignees=again.people,
            comment=args.says,
            state=again.state,
            reason=args.reason if again.state else "",
        )
        return Reverse(
            tool="update_ticket",
            args=wanted.model_dump(mode="json"),
            why=f"Do again what was taken back of {ticket_change.called(ticket)}.",
        )
