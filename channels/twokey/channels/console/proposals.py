"""The page of one proposal: everything one needs to decide, and the answer.

Rules: what is shown is the card and what its digest covers; the diff is whole, in pieces; only evidence that the
proposal cites can be opened from it.
"""

import functools
import json
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from twokey.channels.console import editing, reviewing
from twokey.channels.console.diffs import PIECE, Row, coloured, pairs_of, rows_of
from twokey.channels.console.forms import Form
from twokey.channels.console.guarding import HEAD
from twokey.channels.console.seeing import Reads, card_of
from twokey.channels.console.sessions import Who
from twokey.channels.console.showing import title
from twokey.channels.console.site import Site, site_of
from twokey.channels.console.streaming import news
from twokey.channels.rendering.buttons import Pressed
from twokey.core.errors import NotFound, Refused
from twokey.core.lifecycle import State
from twokey.store import proposals
from twokey.store.proposals import ProposalRecord
from twokey.tools.reading import Reader
from twokey.tools.withholding import read_evidence
from twokey.tools.write.pull_request import split_preview

router: Final = APIRouter(include_in_schema=False)
HISTORY: Final = 500
EVIDENCE_CHARS: Final = 40_000


@functools.lru_cache(maxsize=8)
def _rows(diff: str) -> list[Row]:
    return rows_of(diff)


def parts_of(record: ProposalRecord) -> tuple[str, str]:
    """Split a preview into its words and its diff; a preview of another tool is all words."""
    preview = record.proposal.preview
    return split_preview(preview) if record.proposal.tool == "open_pull_request" else (preview, "")


@router.get("/p/{name}")
def show(request: Request, visitor: Who, reader: Reads, name: str, view: str = "unified") -> Response:
    """Show a proposal."""
    site = site_of(request)
    viewer = None if HEAD in request.scope else visitor.identity  # nobody sees a head alone
    card = card_of(site, reader, name, viewer)
    words, diff = parts_of(card.record)
    entries = [recorded.entry for recorded in site.workspace.ledger.log.entries(card.record.id, limit=HISTORY)]
    return site.page(
        request,
        "proposal.html",
        visitor,
        card=card,
        record=card.record,
        proposal=card.proposal,
        decision=card.decision,
        others=[name for name in card.proposal.contributors if name != card.proposal.requester],
        findings=sorted(card.proposal.findings, key=lambda finding: not finding.attention),
        words=words,
        piece=piece(site, card.record.id, diff, view, 0),
        view=view,
        seats=reviewing.seats(card, site.workspace.directory),
        may=reviewing.may(visitor, card),
        may_edit=editing.may_edit(visitor, card.record),
        doubts=reviewing.doubts(card),
        history=reviewing.history(entries),
        rules=site.rules.of(card.decision),
        stamp=_stamp(site, card.record),
        pressed=Pressed.of(card.record).value,
        result=_result(card.record.result),
    )


def piece(site: Site, proposal: str, diff: str, view: str, begin: int) -> str:
    """Give a piece of a diff, from a row on, and where the next one is."""
    rows = _rows(diff)
    begin = max(0, begin - begin % PIECE)
    shown = coloured(rows[begin : begin + PIECE])
    return site.render(
        "diff.html",
        rows=shown,
        pairs=pairs_of(shown) if view == "split" else [],
        view="split" if view == "split" else "unified",
        proposal=proposal,
        begin=begin,
        total=len(rows),
        next=begin + PIECE if begin + PIECE < len(rows) else None,
    )


@router.get("/p/{name}/diff")
def more(request: Request, reader: Reads, name: str, begin: int = 0, view: str = "unified") -> Response:
    """Give a further piece of the diff."""
    site = site_of(request)
    record = reader.find(name)
    return HTMLResponse(piece(site, record.id, parts_of(record)[1], view, begin))


@router.get("/p/{name}/news")
def told(request: Request, visitor: Who, reader: Reads, name: str) -> Response:
    """Tell whenever a proposal stands elsewhere."""
    site = site_of(request)
    wanted = reader.find(name).id

    def look(now: Reader) -> dict[str, Any]:
        record = site.service.stands(now.find(wanted).id)
        return {"stamp": _stamp(site, record), "words": title(record.state)}

    return news(request, site, visitor, look)


@router.get("/p/{name}/evidence/{wanted}")
def opened(request: Request, visitor: Who, reader: Reads, name: str, wanted: str) -> Response:
    """Show a piece of evidence that the proposal cites; raises ``NotFound`` for any other."""
    site = site_of(request)
    record = reader.find(name)
    if wanted not in {ref.id for ref in record.proposal.evidence}:
        raise NotFound("The proposal cites no such evidence.", next="Go back to the proposal.")
    with site.workspace.ledger.look() as connection:
        value, content = read_evidence(reader, connection, wanted, record)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    values: dict[str, Any] = {"value": value, "text": text[:EVIDENCE_CHARS], "more": max(0, len(text) - EVIDENCE_CHARS)}
    if request.headers.get("x-part") == "yes":
        return HTMLResponse(site.render("evidence.html", **values))
    return site.page(request, "evidence_page.html", visitor, record=record, **values)


@router.post("/p/{name}/undo")
def undo(request: Request, visitor: Who, reader: Reads, _: Form, name: str) -> Response:
    """Ask for a proposal that undoes a write; the workers make it, and others approve it like any other."""
    site = site_of(request)
    record = reader.find(name)
    if record.state is not State.DONE:
        raise Refused(
            "There is nothing to undo: the write was not carried out, or was undone before.",
            next="Look at the proposal again.",
            code="nothing_to_undo",
        )
    outcome = site.workspace.revert(visitor.identity, record.id, None)
    return RedirectResponse(f"/runs/{outcome.run.id}", 303)


def _stamp(site: Site, record: ProposalRecord) -> str:
    """Tell one state of a proposal's page from another; rows of answers count whether they are proven or not."""
    with site.workspace.ledger.look() as connection:
        answers = len(proposals.list_approvals(connection, record.id))
    return f"{record.state.value}.{record.decision_digest[:12]}.{answers}"


def _result(result: Any) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in result.items()] if isinstance(result, dict) else []
