"""The ticket of the scratch tracker: what stands there, and a change of it that the live policy allows."""

from itertools import chain
from typing import Final, cast

from twokey.channels.probing.world import TRACKER, World
from twokey.core.errors import Refused
from twokey.core.values import Finding, Provenance
from twokey.policies import facts
from twokey.tools.desk import Desk
from twokey.tools.proposing import Draft
from twokey.tools.read.ticket_pages import TicketRead, TicketsRead
from twokey.tools.read.tickets import GetResult, TicketsResult
from twokey.tools.write.ticket_change import Change, Names, seen
from twokey.tools.write.update_ticket import UpdateTicketArgs

UPDATE: Final = "update_ticket"
LABEL: Final = "tried"
"""What the ticket gets where the live policy lists no labels."""
NOTHING: Final = Change()


def ticket(world: World, desk: Desk | None = None) -> tuple[TicketRead, str]:
    """Read the ticket; gives it, and the evidence it was read into."""
    asked = {"tracker": TRACKER, "ask": {"kind": "page", "numbers": [1], "state": None}}
    read = (desk or world.desk()).read("search_tickets", asked, agent="triage", step=1, result=TicketsResult)
    return cast("TicketsRead", read.result.answer).tickets[0], read.evidence.id


def comments(world: World) -> dict[str, str]:
    """Read the comments on it: text by id."""
    asked = {"tracker": TRACKER, "ask": {"kind": "get", "key": "1"}}
    read = world.desk().read("search_tickets", asked, agent="triage", step=1, result=TicketsResult)
    return {comment.id: comment.body for comment in cast("GetResult", read.result.answer).comments}


def change_of(world: World, read: TicketRead) -> Change:
    """Give a change that the live policy allows, as large as it allows: a label, a word, and that it is done or not.

    What the live data forbids is left out, and where it lists labels the first that every list holds is taken.
    """
    data = world.held.document()[facts.ROOT]
    forbidden = frozenset[str](data["forbidden_changes"])
    lists: list[list[str]] = [
        entry["values"]
        for entry in data["allowed_values"]
        if (entry["tool"], entry["path"]) == (UPDATE, "labels.add")
        and (not entry["resources"] or TRACKER in entry["resources"])
    ]
    names = (name for name in chain([LABEL], *lists) if all(name in values for values in lists))
    label = None if "labels_ticket" in forbidden else next(names, None)
    moves = not forbidden & {"closes_ticket", "reopens_ticket"}
    done = read.state == "open"
    return Change(
        labels=Names(add=(label,)) if label is not None and label not in read.labels else Names(),
        state=("closed" if done else "open") if moves else None,
        reason="completed" if moves and done else "",
        comment="" if "comments_ticket" in forbidden else "This was tried.",
    )


def draft(world: World, desk: Desk) -> Draft:
    """Give what an honest agent drafts for the ticket.

    Raises:
        Refused: the live policy allows no change of it.

    """
    read, cited = ticket(world, desk)
    change = change_of(world, read)
    if change == NOTHING:
        raise Refused("The live policy allows no change of a ticket.", next="See `forbidden_changes` in its data.")
    args = UpdateTicketArgs(
        tickets=TRACKER,
        ticket=read.number,
        seen=seen(read, change),
        labels=change.labels,
        comment=change.comment,
        state=change.state,
        reason=change.reason,
    )
    finding = Finding(id="f-1", subject="1", kind="ticket_kind", claim="It is open.", evidence=(cited,), confidence=90)
    return Draft(
        tool=UPDATE,
        args=args.model_dump(mode="json"),
        provenance=tuple(Provenance(path=path, label="code") for path in UpdateTicketArgs.model_fields),
        findings=(finding,),
        why="It is done.",
    )
