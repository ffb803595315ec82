"""The inbox: what waits for me, what waits for others, and what nobody answered in time.

Rules: what is listed as mine is what policy asks me for now; only what is ordinary (one person is asked, and nothing is
unusual) can be chosen from the list, and then each is answered by itself, through the gate like any other answer; what
policy puts into one batch is offered as such (``batches``). What waits is listed anew while the page is open.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from twokey.channels.console import batches
from twokey.channels.console.reviewing import is_ordinary
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import site_of
from twokey.channels.console.streaming import news
from twokey.channels.rendering.buttons import Pressed
from twokey.core.lifecycle import OPEN, State
from twokey.store import listing
from twokey.store.listing import ProposalLine
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import admits, barred, counting_groups
from twokey.tools.reading import Reader

router: Final = APIRouter(include_in_schema=False)
SHOWN: Final = 200
"""Proposals that the inbox looks at: the newest that wait."""
EXPIRED_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One proposal in a list."""

    record: ProposalRecord
    mine: bool
    """Whether this person may answer it."""
    pressed: str
    """What an answer from the list carries."""
    together: bool
    """Whether it may be answered together with others."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody wants to see; nothing chosen means all."""

    tool: str = ""
    requester: str = ""

    @property
    def query(self) -> str:
        """What asks for this in an address."""
        chosen = {name: value for name, value in (("tool", self.tool), ("requester", self.requester)) if value}
        return f"?{urlencode(chosen)}" if chosen else ""

    def takes(self, record: ProposalRecord) -> bool:
        """Tell whether a proposal is wanted."""
        return self.tool in {"", record.proposal.tool} and self.requester in {"", record.proposal.requester}


def may_answer(visitor: Visitor, record: ProposalRecord) -> bool:
    """Tell whether policy asks this person, who neither asked for the change nor contributed to it."""
    needed, principal = record.decision.approvals, visitor.identity.principal
    if needed is None or record.state not in {State.AWAITING_APPROVAL, State.UNKNOWN}:
        return False
    return not barred(record.proposal, needed, principal.name) and bool(counting_groups(needed, principal))


def _item(visitor: Visitor, record: ProposalRecord) -> Item:
    mine = may_answer(visitor, record)
    needed = record.decision.approvals
    admitted = needed is not None and admits(needed, visitor.identity.auth)
    together = mine and admitted and record.state is State.AWAITING_APPROVAL and is_ordinary(record)
    return Item(record, mine, Pressed.of(record).value, together)


@router.get("/")
def front() -> Response:
    """Lead to the inbox."""
    return RedirectResponse("/inbox", 303)


@router.get("/inbox")
def show(request: Request, visitor: Who, reader: Reads, tool: str = "", requester: str = "") -> Response:
    """Show what waits, and what was not answered in time."""
    site, wanted = site_of(request), Filter(tool, requester)
    stamp = _stamp(reader, _waiting(reader))
    waiting = site.service.waiting_for(reader, limit=SHOWN)
    expired = site.service.proposals((State.EXPIRED,), reader=reader, limit=EXPIRED_SHOWN)
    taken = [record for record in waiting if wanted.takes(record)]
    items = [_item(visitor, record) for record in taken]
    values: dict[str, Any] = {
        "mine": [item for item in items if item.mine],
        "others": [item for item in items if not item.mine],
        "expired": [_item(visitor, record) for record in expired if wanted.takes(record)],
        "full": len(waiting) == SHOWN,
        "batches": batches.offered(site, visitor, taken),
    }
    if request.headers.get("x-part") == "yes":
        return HTMLResponse(site.render("inbox_renewed.html", now_us=site.clock.now_us(), **values))
    return site.page(
        request,
        "inbox.html",
        visitor,
        wanted=wanted,
        tools=sorted({record.proposal.tool for record in (*waiting, *expired)}),
        requesters=sorted({record.proposal.requester for record in (*waiting, *expired)}),
        query=wanted.query,
        stamp=stamp,
        **values,
    )


@router.get("/inbox/news")
def told(request: Request, visitor: Who, _: Reads) -> Response:
    """Tell whenever something else waits, or waits otherwise."""
    known: list[tuple[Reader, list[ProposalLine], str]] = []

    def look(reader: Reader) -> dict[str, Any]:
        lines = _waiting(reader)
        if not known or not (reader.is_as(known[0][0]) and lines == known[0][1]):
            known[:] = [(reader, lines, _stamp(reader, lines))]
        return {"stamp": known[0][2]}

    return news(request, site_of(request), visitor, look)


def _waiting(reader: Reader) -> list[ProposalLine]:
    """Give what waits, whether it may be read or not."""
    with reader.ledger.look() as connection:
        return listing.proposal_lines(connection, states=tuple(OPEN), requester=reader.only, limit=SHOWN)


def _stamp(reader: Reader, lines: list[ProposalLine]) -> str:
    """Tell one state of what waits and may be read from another."""
    with reader.ledger.look() as connection:
        seen = reader.lines(connection, lines)
    told = "".join(f"{line.id}.{line.state.value}.{line.updated_us};" for line in seen)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
