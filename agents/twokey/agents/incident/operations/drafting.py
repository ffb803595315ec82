"""The ticket of an ops review, where one was asked for.

Rules: a function of the findings and of the settings alone, so that the reviewer makes the same and compares; only what
wants somebody stands in it, each with who answers; nobody is called, nothing is linked. Where nothing wants somebody
there is no ticket.
"""

from collections.abc import Sequence
from typing import Any, Final

from twokey.agents.incident.house import House
from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance, Resource
from twokey.tools.contract import OutsideContract
from twokey.tools.desk import Desk
from twokey.tools.write.ticket_change import Names
from twokey.tools.write.update_ticket import UpdateTicketArgs

TOOL: Final = "update_ticket"
MAX_BODY: Final = 18_000
MOST: Final = 40


def tracker_of(desk: Desk, house: House) -> Resource | None:
    """Give where the ticket goes; ``None`` where the settings name no tickets or this run was not granted them."""
    try:
        return desk.places.find("tickets", house.tickets).resource if house.tickets else None
    except OutsideContract:
        return None


def draft(findings: Sequence[Finding], tracker: Resource | None, heading: str) -> dict[str, Json] | None:
    """Draft the ticket; ``heading`` says which days were looked at. ``None`` where there is nothing to ask for."""
    wanted = [finding for finding in findings if finding.attention][:MOST]
    if tracker is None or not wanted:
        return None
    lines = [f"- [ ] {finding.claim}" for finding in wanted]
    while sum(len(line) + 1 for line in lines) > MAX_BODY:
        lines.pop()
    rest = sum(finding.attention for finding in findings) - len(lines)
    body = [f"Looked at: {heading}.", "", *lines, *([f"- {rest:,} more are in the run."] if rest else [])]
    args: dict[str, Any] = {
        "tickets": tracker.id,
        "opens": {"title": f"Ops review: {heading}"[:200].strip(), "body": "\n".join(body)},
        "labels": Names().model_dump(mode="json"),
    }
    cited = tuple(dict.fromkeys(evidence for finding in wanted for evidence in finding.evidence))
    named = "request" if tracker.granted_by == "request" else "config"
    paths = (
        "ticket",
        "seen",
        "labels",
        "priority",
        "assignees",
        "duplicate_of",
        "comment",
        "checklist",
        "state",
        "reason",
    )
    sources = [
        Provenance(path="tickets", label=named),
        Provenance(path="opens", label="evidence", evidence=cited),
        *(Provenance(path=path, label="code") for path in paths),
    ]
    return {
        "tool": TOOL,
        "args": UpdateTicketArgs.model_validate(args).model_dump(mode="json"),
        "provenance": [source.canonical() for source in sources],
        "findings": [finding.canonical() for finding in wanted],
        "why": f"Open a ticket for what the ops review of {heading} asks somebody to do.",
    }
