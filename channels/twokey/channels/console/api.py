"""The API: what the pages show, for programs, by the same functions. Described at ``/api/openapi.json``.

Rules: who asks is in by the same session as in the pages, or by a program's token (``twokey login NAME --token``) in
``Authorization: Bearer``, and reads what that principal may read; every answer and every error has a described form;
answers to cards need a signature, so they are given in the page, in Slack or by ``twokey approvals``, and not here.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse
from starlette.requests import Request

from twokey.channels import card as cards
from twokey.channels.card import moment
from twokey.channels.console import answers
from twokey.channels.console.answers import Cursor, ErrorAnswer
from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads, card_of, figures
from twokey.channels.console.sessions import Visitor, required
from twokey.channels.console.site import Site, site_of
from twokey.channels.overview import data, incidents, log, rules
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import NotFound
from twokey.core.lifecycle import State
from twokey.store import listing, proposals
from twokey.store.listing import Position
from twokey.store.runs import RunState
from twokey.tools import listed
from twokey.tools.withholding import read_evidence

_SAID: Final[dict[int, str]] = {
    400: "Something given cannot be used.",
    401: "Nobody is in with this browser or program.",
    404: "There is no such thing.",
    409: "It was refused.",
    500: "What is stored does not verify.",
    503: "Something that Twokey needs is not there.",
}
ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    **{status: {"model": ErrorAnswer, "description": text} for status, text in _SAID.items()},
    **{
        status: {"description": text, "content": {"text/plain": {"schema": {"type": "string"}}}}
        for status, text in ((403, "It does not come from a page of the console."), (429, "Too many requests."))
    },
}
router: Final = APIRouter(prefix="/api", tags=["Twokey"], responses=ERRORS)

Here = Annotated[Site, Depends(site_of)]
Who = Annotated[Visitor, Depends(required)]
Limit = Annotated[int, Query(ge=1, le=listing.MOST)]
Behind = Annotated[Cursor | None, Query()]
ProposalId = Annotated[str, Path(pattern=r"^(p-)?[0-9a-z]{4,12}$", description="An id, or its beginning.")]
RunId = Annotated[str, Path(pattern=r"^r-[0-9a-z]{12}$")]
EntryId = Annotated[str, Path(pattern=r"^l-[0-9a-z]{12}$")]
EvidenceId = Annotated[str, Path(pattern=r"^e-[0-9a-z]{12}$")]
ChangeId = Annotated[str, Path(pattern=r"^(r-[0-9a-z]{12}|(p-)?[0-9a-z]{4,12})$")]


@router.get("/proposals")
def list_proposals(  # the filters of a list
    reader: Reads,
    state: Annotated[list[State] | None, Query(max_length=len(State))] = None,
    agent: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = None,
    behind: Behind = None,
    limit: Limit = 50,
) -> answers.ProposalsAnswer:
    """List proposals, newest first."""
    found = listed.proposal_page(reader, states=state or (), agent=agent, behind=answers.position(behind), limit=limit)
    following = answers.cursor(found[-1].position) if len(found) == limit else None
    return answers.ProposalsAnswer(proposals=[answers.ProposalItem.of(line) for line in found], next=following)


@router.get("/proposals/{proposal}")
def show_proposal(site: Here, reader: Reads, proposal: ProposalId) -> answers.CardAnswer:
    """Show one proposal with all that belongs to deciding on it."""
    return answers.CardAnswer.model_validate(cards.as_json(card_of(site, reader, proposal, None)))


@router.get("/runs")
def list_runs(
    reader: Reads,
    state: Annotated[list[RunState] | None, Query(max_length=5)] = None,
    behind: Behind = None,
    limit: Limit = 50,
) -> answers.RunsAnswer:
    """List runs, newest first."""
    found = listed.run_page(reader, states=state or (), behind=answers.position(behind), limit=limit)
    following = answers.cursor(Position(found[-1].created_us, found[-1].id)) if len(found) == limit else None
    return answers.RunsAnswer(runs=[answers.RunItem.of(run) for run in found], next=following)


@router.get("/runs/{run}")
def show_run(reader: Reads, run: RunId) -> answers.RunAnswer:
    """Show one run and what it proposed."""
    record = reader.run(run)
    with reader.ledger.look() as connection:
        made = [each.id for each in proposals.proposals_of(connection, run) if reader.reads(each)]
    return answers.RunAnswer(run=answers.RunItem.of(record), proposals=made)


@router.post(
    "/requests",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["text"],
                        "properties": {
                            "text": {"type": "string", "minLength": 1, "maxLength": 4000},
                            "csrf": {"type": "string", "description": "The session's token, from a browser."},
                        },
                        "additionalProperties": False,
                    }
                }
            },
        }
    },
)
def ask(site: Here, visitor: Who, form: Form) -> answers.AskedAnswer:
    """Ask for something in words; the workers do it."""
    outcome = site.workspace.ask(visitor.identity, form.get("text", ""), None)
    return answers.AskedAnswer(run=outcome.run.id)


@router.get("/log")
def list_entries(  # the filters of a list
    reader: Reads,
    about: Annotated[str, Query(max_length=log.MOST_WORDS, description="An id, or words that entries hold.")] = "",
    kind: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[int | None, Query(ge=0, le=MAX_INTEGER)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> answers.LogAnswer:
    """List entries of the log, newest first."""
    found = log.page(reader, about=about, kind=kind, before=before, limit=limit)
    return answers.LogAnswer(entries=[answers.EntryItem.of(line) for line in found.lines], next=found.before)


@router.get("/log-state")
def show_log_state(site: Here, _: Who) -> answers.LogStateAnswer:
    """Say how the log stands."""
    state, verified = log.state(site.workspace.ledger), site.verification.last
    return answers.LogStateAnswer(
        size=state.checkpoint.size if state.checkpoint else 0,
        root=state.checkpoint.root if state.checkpoint else None,
        checkpoint=state.checkpoint.note if state.checkpoint else None,
        rejected=state.rejected,
        verified=verified.state,
        reason=verified.reason,
    )


@router.get("/log/{entry}/proof")
def show_proof(site: Here, _: Who, entry: EntryId) -> answers.ProofAnswer:
    """Prove to an outsider that an entry is in the log."""
    return answers.ProofAnswer.model_validate(log.prove(site.workspace.ledger, entry).as_json())


@router.get("/changes/{change}")
def show_change(reader: Reads, change: ChangeId) -> answers.ChangeAnswer:
    """Show one change from end to end, named by its run or by one of its proposals."""
    return answers.ChangeAnswer.of(log.follow(reader, change))


@router.get("/catalog")
def show_catalog(reader: Reads) -> answers.CatalogAnswer:
    """Show the warehouses that runs read last."""
    found = data.warehouses(reader)
    return answers.CatalogAnswer(warehouses=[answers.WarehouseItem.of(each) for each in found])


@router.get("/tickets")
def show_tickets(reader: Reads) -> answers.TicketsAnswer:
    """Show the tickets that runs read last."""
    found = data.trackers(reader)
    return answers.TicketsAnswer(trackers=[answers.TrackerItem.of(each) for each in found])


@router.get("/incidents")
def list_incidents(reader: Reads) -> answers.IncidentsAnswer:
    """List the incidents that the latest runs told."""
    return answers.IncidentsAnswer.of(incidents.listed(reader))


@router.get("/incidents/{run}")
def show_incident(reader: Reads, run: RunId) -> answers.IncidentAnswer:
    """Show one incident: sentences with their evidence, suspects with reasons."""
    return answers.IncidentAnswer.of(incidents.incident(reader, run))


@router.get("/policy")
def show_policy(site: Here, reader: Reads) -> answers.PolicyAnswer:
    """Show the rules in words."""
    return answers.PolicyAnswer.of(rules.policy(site.workspace, site.rule_book, reader))


@router.get("/controls")
def show_controls(site: Here, _: Who) -> answers.ControlsAnswer:
    """Show the twelve controls."""
    return answers.ControlsAnswer.of(rules.controls(site.workspace))


@router.get("/scorecard")
def show_scorecard(
    site: Here, reader: Reads, quarter: Annotated[str, Query(pattern=r"^(20[0-9]{2}-?[Qq][1-4])?$")] = ""
) -> answers.ScorecardAnswer:
    """Show the figures of a quarter, by default of the one that goes on."""
    figures(reader)
    return answers.ScorecardAnswer.model_validate(site.scores.of(quarter).as_json())


@router.get("/evidence/{wanted}")
def show_evidence(reader: Reads, wanted: EvidenceId) -> answers.EvidenceAnswer:
    """Show one piece of evidence."""
    with reader.ledger.look() as connection:
        value, content = read_evidence(reader, connection, wanted)
    return answers.EvidenceAnswer(
        id=value.id,
        run=value.run,
        tool=value.tool,
        origin=value.origin,
        trusted=value.trusted,
        summary=value.summary,
        sha256=value.sha256,
        created_at=moment(value.created_us),
        content=content,
    )


@router.get("/{anything:path}", include_in_schema=False)
def nothing(_: Request, __: Who, anything: str) -> JSONResponse:
    """Say that there is nothing; raises ``NotFound``."""
    raise NotFound(f"The API has nothing at {anything[:80]!r}.", next="See /api/openapi.json.")


def described(description: dict[str, Any]) -> dict[str, Any]:
    """Give the description without the answer that FastAPI names for bad input: here that is 400."""
    for path in description["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        description.get("components", {}).get("schemas", {}).pop(name, None)
    return description
