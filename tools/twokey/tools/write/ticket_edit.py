"""What a person puts in the place of parts of a change that was proposed for a ticket.

Rules: a part that is not named stays as it was proposed; one that is named is put in whole, and an empty one leaves it
out. Which ticket it is, what is taken off and the state cannot be edited. Without the link to a ticket that it was said
to repeat, the comment that speaks of that ticket goes, too, unless another one is given.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from twokey.core.errors import BadInput, Refused
from twokey.core.values import Digest, ProposalId, Value
from twokey.tools.tickets import Tickets
from twokey.tools.write import ticket_change
from twokey.tools.write.ticket_change import Account, Comment, Label
from twokey.tools.write.update_ticket import CheckItem, UpdateTicketArgs, change_of

AGENT: Final = "edit"
"""Stands in a proposal in the place of an agent where a person edited another one."""
EDITED: Final = "edited"
"""Code in the log of a proposal whose place an edited one took."""


class TicketEdit(Value):
    """An edit of the proposal that has this digest. ``None`` is what is not named."""

    proposal: ProposalId
    digest: Digest
    labels: Annotated[tuple[Label, ...], Field(max_length=20)] | None = None
    priority: Label | Literal[""] | None = None
    assignees: Annotated[tuple[Account, ...], Field(max_length=10)] | None = None
    comment: Comment | None = None
    checklist: Annotated[tuple[CheckItem, ...], Field(max_length=20)] | None = None
    repeats_nothing: bool = False
    """Leave out the link to the ticket that it was said to repeat."""

    def parts(self) -> dict[str, Any]:
        """Give what is put in, by argument of ``update_ticket``."""
        found: dict[str, Any] = {
            name: value
            for name in ("labels", "priority", "assignees", "comment", "checklist")
            if (value := getattr(self, name)) is not None
        }
        if self.repeats_nothing:
            found = {"comment": "", "duplicate_of": None} | found
        return found


def read(proposal: str, digest: str, parts: Mapping[str, Any], *, repeats_nothing: bool) -> TicketEdit:
    """Read what somebody put in the place of parts of a proposal.

    Raises:
        BadInput: a part does not fit; which one is said, and nothing of what stands in it.

    """
    try:
        return TicketEdit.model_validate(
            {"proposal": proposal, "digest": digest, "repeats_nothing": repeats_nothing} | dict(parts)
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = next(iter(first["loc"]), "it")
        raise BadInput(
            f"The edit cannot be used at {where}: {first['msg'][:120]}.", next="Correct it.", code="edit_unfit"
        ) from error


def edited(args: UpdateTicketArgs, edit: TicketEdit, tickets: Tickets) -> UpdateTicketArgs:
    """Give the arguments with an edit put in, for the ticket as it was reviewed.

    Raises:
        Refused: the ticket has changed since, or nothing is changed or left by the edit.
        NotFound: it is not there any more.

    """
    ticket = tickets.get(int(args.ticket or 0))
    if ticket_change.seen(ticket, _change(args, tickets)) != args.seen:
        raise Refused(
            "The ticket has changed since the proposal was made.",
            next="Have it looked at again with `twokey triage KEY`.",
            code="stale_target",
        )
    values = args.model_dump(mode="json")
    for name, value in edit.parts().items():
        if name in {"labels", "assignees"}:
            values[name] = values[name] | {"add": value}
        else:
            values[name] = None if name == "priority" and not value else value
    try:
        wanted = UpdateTicketArgs.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise Refused(
            f"The edit leaves no change that could be proposed: {first[:120]}.",
            next="Refuse the proposal where nothing of it should be done, or correct the edit.",
            code="edit_unfit",
        ) from error
    if wanted == args:
        raise Refused("The edit changes nothing.", next="Name what should be different.", code="edit_unfit")
    return wanted.model_copy(update={"seen": ticket_change.seen(ticket, _change(wanted, tickets))})


def _change(args: UpdateTicketArgs, tickets: Tickets) -> ticket_change.Change:
    return change_of(args, None if args.duplicate_of is None else tickets.get(args.duplicate_of))
