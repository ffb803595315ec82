"""The page where parts of a change of a ticket that waits are put otherwise, before anybody answers it.

Rules: only what was put otherwise is sent on, with the digest of what the page showed; it becomes a proposal of whoever
edits, which takes the other one's place and which others approve. Whether it is theirs to edit is decided where the
proposal is made, and the page only leaves out what would be refused.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from twokey.channels.console.forms import Form
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Visitor, Who
from twokey.channels.console.site import Site, site_of
from twokey.core.errors import BadInput, Refused
from twokey.core.lifecycle import State
from twokey.store.proposals import ProposalRecord
from twokey.tools.editing import is_business_of, is_change_of_ticket
from twokey.tools.reading import Reader
from twokey.tools.write import ticket_edit
from twokey.tools.write.ticket_edit import TicketEdit

router: Final = APIRouter(include_in_schema=False)
PARTS: Final = ("labels", "priority", "assignees", "comment", "checklist")


def may_edit(visitor: Visitor, record: ProposalRecord) -> bool:
    """Tell whether this person may edit a proposal: a change of a ticket that waits, and some business of theirs."""
    if record.state is not State.AWAITING_APPROVAL or record.decision.approvals is None:
        return False
    principal = visitor.identity.principal
    return is_change_of_ticket(record.proposal) and is_business_of(record, principal.name, principal)


def shown(record: ProposalRecord) -> dict[str, str]:
    """Give the parts that can be edited as a form shows them: names and lines one to a line."""
    args = record.proposal.args
    return {
        "labels": "\n".join(_added(args, "labels")),
        "priority": str(args.get("priority") or ""),
        "assignees": "\n".join(_added(args, "assignees")),
        "comment": str(args.get("comment") or ""),
        "checklist": "\n".join(_lines(args.get("checklist"))),
        "duplicate": "yes" if args.get("duplicate_of") is not None else "",
    }


def _added(args: Mapping[str, Any], name: str) -> list[str]:
    held = args.get(name)
    return _lines(held.get("add")) if isinstance(held, dict) else []


def _lines(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []


@router.get("/p/{name}/edit")
def show(request: Request, visitor: Who, reader: Reads, name: str) -> Response:
    """Show the parts that can be put otherwise."""
    site = site_of(request)
    record = _editable(site, visitor, reader, name)
    return site.page(request, "edit.html", visitor, record=record, parts=shown(record))


@router.post("/p/{name}/edit")
def edit(request: Request, visitor: Who, reader: Reads, form: Form, name: str) -> Response:
    """Leave an edit to the workers, and lead to its run."""
    site = site_of(request)
    record = _editable(site, visitor, reader, name)
    if form.get("digest") != record.digest:
        raise Refused(
            "The proposal is not the one that the page showed.", next="Open it again, look, and edit it then.",
            code="digest_differs",
        )  # fmt: skip
    outcome = site.workspace.edit(visitor.identity, _edit(record, form), None)
    return RedirectResponse(f"/runs/{outcome.run.id}", 303)


def _editable(site: Site, visitor: Visitor, reader: Reader, name: str) -> ProposalRecord:
    record = site.service.stands(reader.find(name).id)
    if not may_edit(visitor, record):
        raise Refused(
            "This proposal is not yours to edit: only a change of a ticket that waits is edited, by who asked for it, "
            "had a part in it, or could answer it.",
            next="Answer it as it is, or ask somebody of a group that the card names.",
            code="not_editable",
        )
    return record


def _edit(record: ProposalRecord, form: Mapping[str, str]) -> TicketEdit:
    """Give what was put otherwise than the page showed it; raises ``BadInput``."""
    before = shown(record)
    given = {name: form.get(name, before[name]).replace("\r\n", "\n").strip() for name in PARTS}
    parts: dict[str, Any] = {name: value for name, value in given.items() if value != before[name].strip()}
    for name in {"labels", "assignees", "checklist"} & set(parts):
        parts[name] = [line.strip() for line in parts[name].splitlines() if line.strip()]
    repeats_nothing = bool(before["duplicate"]) and form.get("without_duplicate") == "yes"
    if not parts and not repeats_nothing:
        raise BadInput("Nothing was put otherwise.", next="Change what should be different.", code="edit_unfit")
    return ticket_edit.read(record.id, record.digest, parts, repeats_nothing=repeats_nothing)
