"""Asking in one's own words; the workers do the rest, and the page of the run tells how it goes.

Rules: what is asked is taken once, in the name of who is in; a form that is sent again asks the same run, not a second.
"""

import hashlib
import re
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import site_of
from twokey.channels.passes import new_secret
from twokey.core.errors import BadInput
from twokey.core.values import ID_ALPHABET
from twokey.store import listing, runs
from twokey.tools.ledger import Unit

router: Final = APIRouter(include_in_schema=False)
LATEST: Final = 10
SUGGESTED: Final = (
    "Document the tables of the warehouse and tag what is personal",
    "Triage the tickets that came in this week",
    "What is in the warehouse?",
)
_ONCE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@router.get("/ask")
def show(request: Request, visitor: Who, reader: Reads) -> Response:
    """Show where one asks, and what one asked before."""
    with reader.ledger.look() as connection:
        mine = listing.run_page(connection, requester=visitor.name, limit=LATEST)
    return site_of(request).page(request, "ask.html", visitor, once=new_secret(), suggested=SUGGESTED, mine=mine)


@router.post("/ask")
def ask(request: Request, visitor: Who, form: Form) -> Response:
    """Take a request and lead to its run."""
    site = site_of(request)
    run = run_of(visitor, form.get("once", ""))

    def first(unit: Unit) -> bool:
        return not runs.has_run(unit.connection, run)

    text = form.get("text", "").strip()
    site.workspace.leave(visitor.identity, text, run=run, only_if=first)
    return RedirectResponse(f"/runs/{run}", 303)


def run_of(visitor: Visitor, once: str) -> str:
    """Name the run of a form, after the form: whoever sends it again names the same. Raises ``BadInput``."""
    if not _ONCE.fullmatch(once):
        raise BadInput("The form is damaged.", next="Open the page again.", code="bad_form")
    digest = int.from_bytes(hashlib.sha256(f"{visitor.session.session}.{once}".encode()).digest()[:8], "big")
    return "r-" + "".join(ID_ALPHABET[(digest >> 5 * at) % 32] for at in range(12))
