"""A ticket that is opened: what is shown of it, and how it is taken back.

Rules: title and text are written word for word as they are shown; what they do besides saying something (call somebody,
lead elsewhere, hold markup) is told from the text itself, as for comments. A ticket that was opened is never taken
away: it is closed, as not planned.
"""

from typing import Annotated

from pydantic import StringConstraints, model_validator

from twokey.core import canonical
from twokey.core.errors import Refused
from twokey.core.values import ContentHash, RollbackPlan, Target, Value
from twokey.tools.contract import Marker, Rendered, Reverse
from twokey.tools.plain_text import Title
from twokey.tools.tickets import NewTicket, Ticket
from twokey.tools.write import ticket_change
from twokey.tools.write.ticket_change import Change, Comment, Names, People
from twokey.tools.write.ticket_writing import ChangedTicket, key_of


class Opening(Value):
    """What a new ticket says."""

    title: Title
    body: Annotated[Comment, StringConstraints(min_length=1)]

    @model_validator(mode="after")
    def _says_something(self) -> "Opening":
        if not self.body.strip():
            raise ValueError("a ticket says something")
        return self


def rendered(tracker: str, new: NewTicket) -> Rendered:
    """Work out what is opened: it depends on nothing that is there already."""
    text = _preview(tracker, new)
    whole = f"sha256:{canonical.digest_of_text(text.encode())}"
    return Rendered(
        preview=text,
        content=(ContentHash(name="ticket", hash=whole),),
        target=Target(kind="tickets", id=tracker, version="new"),
        files=(),
        labels=_kinds(new),
        rollback=RollbackPlan(text="Close the ticket as not planned; it stays readable, as a new proposal."),
    )


def _preview(tracker: str, new: NewTicket) -> str:
    lines = [
        f"new ticket in {tracker}: {new.title}",
        *([f"labels     {', '.join(f'+ {name}' for name in new.labels)}"] if new.labels else []),
        "text",
        *(f"| {line}".rstrip() for line in new.body.split("\n")),
    ]
    return "".join(f"{line}\n" for line in lines)


def _kinds(new: NewTicket) -> tuple[str, ...]:
    """Give the codes of what opening it does: those of a comment that says the same, on a ticket that says it."""
    said = Change(labels=Names(add=new.labels), comment=f"{new.title}\n{new.body}")
    return tuple(sorted({"opens_ticket", *ticket_change.kinds(new, said, duplicate=False)} - {"comments_ticket"}))


def result(tracker: str, new: NewTicket, made: Ticket, marker: Marker) -> ChangedTicket:
    """Tell what was opened."""
    return ChangedTicket(
        tickets=tracker,
        ticket=made.number,
        key=made.key,
        proposal=marker.proposal,
        labels=Names(add=new.labels),
        assignees=People(),
        state="open",
        reason="",
        marker=key_of(marker),
        says=new.body,
        seen=ticket_change.seen(made, Change()),
    )


def closing(tracker: str, made: Ticket | None) -> Reverse:
    """Give the call that closes what was opened.

    Raises:
        Refused: it is closed already, or was never there.

    """
    if made is None or made.state == "closed":
        raise Refused(
            "The ticket is closed already, or was never there.",
            next="Nothing is left to undo.",
            code="nothing_to_undo",
        )
    return Reverse(
        tool="update_ticket",
        args={
            "tickets": tracker,
            "ticket": made.number,
            "seen": ticket_change.seen(made, Change(state="closed", reason="not_planned")),
            "state": "closed",
            "reason": "not_planned",
        },
        why=f"Take back {ticket_change.called(made)}: close it as not planned.",
    )
