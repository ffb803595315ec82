"""Answers to cards, given in the browser.

Rules
- An answer is for exactly what the page showed: both digests travel with it, and where something else stands there now
  it is refused before anything is signed.
- Who came in by key signs in the browser; this process only says what is to be signed, and cannot sign it.
- Approving what is out of the ordinary takes the short form of the digest, typed in; refusing takes a reason.
- The gate decides, as for every other channel; what an answer allows is carried out by the workers.
"""

import json
from collections.abc import Mapping
from typing import Final, cast, get_args

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twokey.channels.console import reviewing
from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import Site, site_of
from twokey.channels.rendering.buttons import Pressed
from twokey.core import canonical
from twokey.core.errors import BadInput, Refused
from twokey.core.values import Action, Answer, Statement
from twokey.store.proposals import ProposalRecord
from twokey.tools.reading import Reader
from twokey.tools.steps import Result

router: Final = APIRouter(include_in_schema=False)
SHORT: Final = 8
"""Hexadecimal digits of a digest's short form."""
LONGEST_REASON: Final = 1000


@router.post("/p/{name}/statement")
def statement(request: Request, visitor: Who, reader: Reads, form: Form, name: str) -> Response:
    """Give what the browser has to sign."""
    site = site_of(request)
    record, action, reason = _asked(site, visitor, reader, form, name)
    made = site.service.statement(
        visitor.identity,
        action=action,
        proposal=record.id,
        reason=reason,
        seen=(record.digest, record.decision_digest),
    )
    return JSONResponse({"statement": canonical.encode(made.canonical()).decode("ascii")})


@router.post("/p/{name}/answer")
def answer(request: Request, visitor: Who, reader: Reads, form: Form, name: str) -> Response:
    """Take an answer; gives where the proposal stands then."""
    site = site_of(request)
    record, action, reason = _asked(site, visitor, reader, form, name)
    if visitor.signs:
        result = site.service.answer_signed(visitor.identity, _signed(visitor, form, record, action), reason=reason)
    else:
        result = site.service.answer(
            visitor.identity,
            None,
            action=action,
            proposal=record.id,
            reason=reason,
            seen=(record.digest, record.decision_digest),
            tell=None,
        )
    return JSONResponse(_told(result))


def _told(result: Result) -> dict[str, str]:
    return {"id": result.id, "state": result.state.value, "code": result.code}


def _asked(
    site: Site, visitor: Visitor, reader: Reader, form: Mapping[str, str], name: str
) -> tuple[ProposalRecord, Action, str]:
    """Check what is answered, and how; gives the proposal as it stands."""
    action, reason = form.get("action", ""), form.get("reason", "").strip()
    if action not in get_args(Action) or len(reason) > LONGEST_REASON:
        raise BadInput("That is no answer to a card.", next="Open the page again.", code="bad_answer")
    chosen = cast("Action", action)
    record = reader.find(name)
    if not Pressed.parse(form.get("seen", "")).still(record):
        site.service.reject(visitor.identity, chosen, "changed_proposal")
        raise Refused(
            "The card has changed since this page was opened.",
            next="Open it again, look, and answer then.",
            code="changed_proposal",
        )
    if chosen == "refuse" and not reason:
        raise BadInput("It does not say why.", next="Give a reason: whoever asked reads it.", code="no_reason")
    if chosen == "approve":
        _confirmed(site, form, record)
    return record, chosen, reason


def _confirmed(site: Site, form: Mapping[str, str], record: ProposalRecord) -> None:
    """Check that the short form was typed in where that is asked; raises ``BadInput``."""
    if not reviewing.doubts(site.service.card(record.id, None)):
        return
    typed = "".join(form.get("typed", "").split()).lower()
    if typed != record.digest[:SHORT]:
        raise BadInput(
            "What was typed in is not the short form of the digest.",
            next="Compare it with the digest on the card, and type it in again.",
            code="digest_differs",
        )


def _signed(visitor: Visitor, form: Mapping[str, str], record: ProposalRecord, action: Action) -> Answer:
    """Read what the browser signed; the gate checks the signature."""
    try:
        said = Statement.model_validate(json.loads(form.get("statement", "")))
        made = Answer(statement=said, auth="key", key=visitor.session.session, signature=form.get("signature"))
    except (ValidationError, ValueError, RecursionError):
        raise BadInput("What was signed cannot be read.", next="Open the page again.", code="bad_answer") from None
    seen = (said.proposal, said.action, said.proposal_digest, said.decision_digest)
    if seen != (record.id, action, record.digest, record.decision_digest):
        raise BadInput("What was signed is another answer.", next="Open the page again.", code="other_statement")
    return made
