"""Several proposals of one kind on one page, answered with one gesture; each gets an answer of its own.

Rules
- The page shows each change to its last line, and the log says so before anything can be answered; an answer names the
  batch by its digest and holds exactly what was shown.
- Who came in by key signs one statement for each proposal in the browser, after it was compared with the page.
- Where one of them is out of the ordinary, approving takes the short form of the batch's digest, typed in.
- What became of each proposal is told; one that does not count keeps no other back.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twokey.channels.batching import Answered
from twokey.channels.card import BatchCard
from twokey.channels.console import reviewing
from twokey.channels.console.answering import LONGEST_REASON, SHORT
from twokey.channels.console.forms import Form
from twokey.channels.console.guarding import HEAD
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import Site, site_of
from twokey.core import canonical
from twokey.core.batches import FEWEST
from twokey.core.errors import BadInput, NotFound
from twokey.core.values import MOST_TOGETHER, Answer, Statement, Value
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import admits
from twokey.tools.reading import Reader

router: Final = APIRouter(include_in_schema=False)
Ids = Annotated[list[str], Query(alias="p", min_length=FEWEST, max_length=MOST_TOGETHER)]


class _Signed(Value):
    """One statement as the browser signed it."""

    statement: str
    signature: str


_ALL_SIGNED: Final[TypeAdapter[list[_Signed]]] = TypeAdapter(list[_Signed])


class _Asked(Value):
    """What an answer to a batch says."""

    action: Literal["approve", "refuse"]
    digest: str
    proposals: tuple[str, ...]
    reason: str


def offered(site: Site, visitor: Visitor, waiting: list[ProposalRecord]) -> list[tuple[ProposalRecord, ...]]:
    """Give the batches that somebody who came in like this can approve, among proposals that wait, newest first."""
    found = site.workspace.batching.offered(visitor.identity, waiting)
    return [each for each in found if all(_admitted(visitor, record) for record in each)]


def _admitted(visitor: Visitor, record: ProposalRecord) -> bool:
    needed = record.decision.approvals
    return needed is not None and admits(needed, visitor.identity.auth)


@router.get("/batch")
def show(request: Request, visitor: Who, reader: Reads, proposals: Ids) -> Response:
    """Show proposals together, whole, and record that."""
    site, proposals = site_of(request), [reader.find(each).id for each in proposals]
    batching = site.workspace.batching
    if HEAD in request.scope:
        batch = batching.look(proposals, visitor.identity)
    else:
        batch = batching.show(proposals, visitor.identity, visitor.identity.channel)
    return site.page(
        request,
        "batch.html",
        visitor,
        batch=batch,
        may_approve=all(_admitted(visitor, card.record) for card in batch.cards),
        doubts=_doubts(batch),
    )


def _doubts(batch: BatchCard) -> list[str]:
    return list(dict.fromkeys(doubt for card in batch.cards for doubt in reviewing.doubts(card)))


@router.post("/batch/statements")
def statements(request: Request, visitor: Who, reader: Reads, form: Form) -> Response:
    """Give what the browser has to sign, a statement for each proposal."""
    site, asked = site_of(request), _asked(form)
    _confirmed(site, reader, form, asked)
    _seen(site, visitor, reader, asked)
    made = site.workspace.batching.statements(
        visitor.identity, action=asked.action, digest=asked.digest, proposals=asked.proposals, reason=asked.reason
    )
    return JSONResponse({"statements": [canonical.encode(each.canonical()).decode("ascii") for each in made]})


@router.post("/batch/answer")
def answer(request: Request, visitor: Who, reader: Reads, form: Form) -> Response:
    """Take an answer to each proposal of a batch; gives what became of each."""
    site, asked = site_of(request), _asked(form)
    _confirmed(site, reader, form, asked)
    _seen(site, visitor, reader, asked)
    batching = site.workspace.batching
    if visitor.signs:
        answers = _signed(visitor, form)
        if sorted(each.statement.proposal for each in answers) != sorted(asked.proposals):
            raise BadInput("What was signed is another answer.", next="Open the page again.", code="other_statement")
        answered = batching.answer_signed(
            visitor.identity, answers, action=asked.action, digest=asked.digest, reason=asked.reason
        )
    else:
        answered = batching.answer(
            visitor.identity,
            None,
            action=asked.action,
            digest=asked.digest,
            proposals=asked.proposals,
            reason=asked.reason,
            tell=None,
        )
    return JSONResponse({"answered": [_told(each) for each in answered]})


def _told(answered: Answered) -> dict[str, str | bool | None]:
    return answered.as_json() | {"why": answered.why}


def _asked(form: Mapping[str, str]) -> _Asked:
    reason = form.get("reason", "").strip()
    try:
        asked = _Asked.model_validate(
            {
                "action": form.get("action"),
                "digest": form.get("digest"),
                "proposals": tuple(form.get("proposals", "").split()),
                "reason": reason,
            }
        )
    except ValidationError:
        raise _no_answer() from None
    if len(reason) > LONGEST_REASON or not FEWEST <= len(asked.proposals) <= MOST_TOGETHER:
        raise _no_answer()
    if asked.action == "refuse" and not reason:
        raise BadInput("It does not say why.", next="Give a reason: whoever asked reads it.", code="no_reason")
    return asked


def _no_answer() -> BadInput:
    return BadInput("That is no answer to a batch.", next="Open the page again.", code="bad_answer")


def _seen(site: Site, visitor: Visitor, reader: Reader, asked: _Asked) -> None:
    """Check that each may be read; one that may not is answered, and recorded, like one that is not there."""
    try:
        for proposal in asked.proposals:
            reader.find(proposal)
    except NotFound as error:
        site.service.reject(visitor.identity, asked.action, error.code)
        raise


def _confirmed(site: Site, reader: Reader, form: Mapping[str, str], asked: _Asked) -> None:
    """Check that the short form was typed in where that is asked; raises ``BadInput``, ``NotFound``."""
    if asked.action != "approve":
        return
    typed = "".join(form.get("typed", "").split()).lower()
    if typed == asked.digest[:SHORT]:
        return
    if any(reviewing.doubts(site.service.card(reader.find(proposal).id, None)) for proposal in asked.proposals):
        raise BadInput(
            "What was typed in is not the short form of the batch's digest.",
            next="Compare it with the digest on the page, and type it in again.",
            code="digest_differs",
        )


def _signed(visitor: Visitor, form: Mapping[str, str]) -> list[Answer]:
    """Read what the browser signed; the gate checks the signatures."""
    try:
        given = _ALL_SIGNED.validate_json(form.get("answers", ""))
        return [
            Answer(
                statement=Statement.model_validate_json(each.statement),
                auth="key",
                key=visitor.session.session,
                signature=each.signature,
            )
            for each in given[: MOST_TOGETHER + 1]
        ]
    except ValueError:
        raise BadInput("What was signed cannot be read.", next="Open the page again.", code="bad_answer") from None
