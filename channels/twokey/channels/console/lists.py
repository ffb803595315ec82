"""Lists to read: what runs read last of warehouses and trackers, what the rules say, whether the controls hold.

Rules: nothing here reads a warehouse, a tracker or a repository: it shows evidence that a run stored, and says when.
"""

import json
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from twokey.channels.console.proposals import EVIDENCE_CHARS
from twokey.channels.console.seeing import Reads
from twokey.channels.console.sessions import Who
from twokey.channels.console.site import site_of
from twokey.channels.overview import data, rules
from twokey.core.errors import NotFound
from twokey.tools.withholding import read_evidence

router: Final = APIRouter(include_in_schema=False)
_EVIDENCE: Final = re.compile(r"e-[0-9a-z]{12}")


@router.get("/catalog")
def catalog(request: Request, visitor: Who, reader: Reads) -> Response:
    """Show tables, columns, sensitivity and findings."""
    found, proposed = data.warehouses(reader), data.proposed(reader, "catalog")
    return site_of(request).page(request, "catalog.html", visitor, warehouses=found, proposed=proposed)


@router.get("/tickets")
def tickets(request: Request, visitor: Who, reader: Reads) -> Response:
    """Show tickets and what was proposed for each."""
    found, proposed = data.trackers(reader), data.proposed(reader, "triage")
    return site_of(request).page(request, "tickets.html", visitor, trackers=found, proposed=proposed)


@router.get("/policy")
def policy(request: Request, visitor: Who, reader: Reads, rule: Annotated[str, Query(max_length=4)] = "") -> Response:
    """Show the rules in words."""
    site = site_of(request)
    shown = rules.policy(site.workspace, site.rule_book, reader)
    return site.page(request, "policy.html", visitor, policy=shown, wanted=rule)


@router.get("/controls")
def controls(request: Request, visitor: Who) -> Response:
    """Show the twelve lights."""
    site = site_of(request)
    return site.page(request, "controls.html", visitor, controls=rules.controls(site.workspace))


@router.get("/evidence/{wanted}")
def opened(request: Request, visitor: Who, reader: Reads, wanted: str) -> Response:
    """Show a piece of evidence."""
    site = site_of(request)
    if not _EVIDENCE.fullmatch(wanted):
        raise NotFound("There is no such evidence here.", next="Go back to what cites it.")
    with site.workspace.ledger.look() as connection:
        value, content = read_evidence(reader, connection, wanted)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    values: dict[str, Any] = {"value": value, "text": text[:EVIDENCE_CHARS], "more": max(0, len(text) - EVIDENCE_CHARS)}
    return site.page(request, "evidence_alone.html", visitor, **values)
