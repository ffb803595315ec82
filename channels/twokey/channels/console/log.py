"""The log: search it, follow it, see one change from end to end, take the proof of an entry away, verify the whole.

Rules: what is listed is an index that shows and decides nothing; what is proven says so by a proof that is checked
before it is given. Entries about what somebody may not read stand in their places without their words; their proofs are
for everybody, because the log is. Verifying is asked for by a person, runs beside the pages, one at a time.
"""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.channels.overview import log
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import BadInput

router: Final = APIRouter(include_in_schema=False)
Before = Annotated[int | None, Query(ge=0, le=MAX_INTEGER)]
Words = Annotated[str, Query(max_length=log.MOST_WORDS)]
_CHANGE: Final = re.compile(r"(p-|r-)?[0-9a-z]{4,12}")


@router.get("/log")
def show(  # the filters of a list
    request: Request, visitor: Who, reader: Reads, q: Words = "", kind: Words = "", before: Before = None
) -> Response:
    """Show a page of the log."""
    site = site_of(request)
    found = log.page(reader, about=q, kind=kind, before=before)
    return site.page(
        request,
        "log.html",
        visitor,
        page=found,
        places=log.subjects_of(found.lines),
        kinds=log.kinds(),
        wanted={"q": q, "kind": kind, "before": before},
        state=log.state(site.workspace.ledger),
        verified=site.verification.last,
    )


@router.get("/log/change/{wanted}")
def change(request: Request, visitor: Who, reader: Reads, wanted: str) -> Response:
    """Show one change from end to end."""
    site = site_of(request)
    if not _CHANGE.fullmatch(wanted):
        raise BadInput("That names no change.", next="Give the id of a run or of a proposal.", code="no_change")
    followed = log.follow(reader, wanted)
    return site.page(request, "change.html", visitor, change=followed, places=log.subjects_of(followed.lines))


@router.get("/log/entry/{entry}")
def entry(request: Request, visitor: Who, reader: Reads, entry: str) -> Response:
    """Show one entry with its proof."""
    site = site_of(request)
    proof = log.prove(site.workspace.ledger, entry)
    (line,) = log.page(reader, about=entry).lines
    return site.page(request, "entry.html", visitor, line=line, proof=proof, places=log.subjects_of([line]))


@router.get("/log/entry/{entry}/proof")
def proof(request: Request, _: Who, entry: str) -> Response:
    """Give the proof of an entry as a file."""
    found = log.prove(site_of(request).workspace.ledger, entry)
    return JSONResponse(found.as_json(), headers={"content-disposition": f'attachment; filename="{entry}.proof.json"'})


@router.post("/log/verify")
def verify(request: Request, _: Who, __: Form) -> Response:
    """Begin to verify the whole log."""
    site_of(request).verification.begin()
    return RedirectResponse("/log", 303)
