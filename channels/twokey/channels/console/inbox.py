"""The inbox: what waits for me, what waits for others, and what nobody answered in time."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import site_of
from twokey.core.lifecycle import OPEN, State
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import barred, counting_groups

router: Final = APIRouter(include_in_schema=False)
SHOWN: Final = 200
"""Proposals that the inbox looks at."""


@dataclass(frozen=True, slots=True)
class Item:
    """One proposal in a list."""

    record: ProposalRecord
    mine: bool
    """Whether this person may answer it."""


def may_answer(visitor: Visitor, record: ProposalRecord) -> bool:
    """Tell whether policy asks this person, who neither asked for the change nor contributed to it."""
    needed, principal = record.decision.approvals, visitor.identity.principal
    if needed is None or record.state is not State.AWAITING_APPROVAL:
        return False
    return not barred(record.proposal, needed, principal.name) and bool(counting_groups(needed, principal))


@router.get("/")
def front() -> Response:
    """Lead to the inbox."""
    return RedirectResponse("/inbox", 303)


@router.get("/inbox")
def show(request: Request, visitor: Who) -> Response:
    """Show what waits."""
    site = site_of(request)
    everything = site.service.waiting(everything=True, limit=SHOWN)
    items = [Item(record, may_answer(visitor, record)) for record in everything]
    return site.page(
        request,
        "inbox.html",
        visitor,
        mine=[item for item in items if item.mine],
        others=[item for item in items if not item.mine and item.record.state in OPEN],
        expired=[item for item in items if item.record.state is State.EXPIRED],
    )
