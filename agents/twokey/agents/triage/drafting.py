"""The draft of one ``update_ticket``, in the form the planner hands on.

Rules: every argument says where it came from; the ticket, labels and the ticket it repeats come from the tracker's own
answer or the settings, people from the settings alone, words from our own code; each finding is about the ticket and
cites what was read of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twokey.agents.triage.deciding import Decided, Said
from twokey.core.canonical import Json
from twokey.core.values import Finding, Provenance, Resource
from twokey.tools.read.ticket_pages import TicketRead
from twokey.tools.write.ticket_change import Change as TicketChange
from twokey.tools.write.ticket_change import Names, People, called, composed, seen

TOOL: Final = "update_ticket"


def findings(said: Sequence[Said], ticket: TicketRead, evidence: Sequence[str], first: int) -> tuple[Finding, ...]:
    """Write down what is said about a ticket; ``first`` is the number of the first finding."""
    return tuple(
        Finding(
            id=f"f-{first + at}",
            subject=called(ticket)[:400],
            kind=one.kind,
            claim=one.claim[:1000],
            evidence=tuple(evidence),
            confidence=min(one.confidence, 100),
            attention=one.attention,
        )
        for at, one in enumerate(said)
    )


def draft(
    decided: Decided,
    found: Sequence[Finding],
    *,
    tracker: Resource,
    evidence: Sequence[str],
    others: Mapping[int, TicketRead],
) -> Json:
    """Draft the change of one ticket."""
    ticket = decided.ticket
    duplicate = others[decided.duplicate.number] if decided.duplicate else None
    labels = Names(add=decided.labels)
    all_labels = Names(add=(*decided.labels, *([decided.priority] if decided.priority else [])))
    people = People(add=(decided.assignee,) if decided.assignee else ())
    change = TicketChange(
        labels=all_labels, people=people, comment=composed(decided.comment, decided.checklist, duplicate)
    )
    args: dict[str, Any] = {
        "tickets": tracker.id,
        "ticket": ticket.number,
        "seen": seen(ticket, change),
        "labels": labels.model_dump(mode="json"),
        "priority": decided.priority,
        "assignees": people.model_dump(mode="json"),
        "duplicate_of": duplicate.number if duplicate else None,
        "comment": decided.comment,
        "checklist": list(decided.checklist),
    }
    named = "request" if tracker.granted_by == "request" else "config"
    cited = tuple(evidence)
    sources = [
        Provenance(path="tickets", label=named),
        Provenance(path="ticket", label="code", evidence=cited),
        Provenance(path="seen", label="code"),
        Provenance(path="labels", label="code", evidence=cited),
        Provenance(path="priority", label="code"),
        Provenance(path="assignees", label="code"),
        Provenance(path="duplicate_of", label="code", evidence=cited),
        Provenance(path="comment", label="code"),
        Provenance(path="checklist", label="code"),
        Provenance(path="state", label="code"),
        Provenance(path="reason", label="code"),
    ]
    return {
        "tool": TOOL,
        "args": args,
        "provenance": [source.canonical() for source in sources],
        "findings": [finding.canonical() for finding in found],
        "why": " ".join(finding.claim for finding in found)[:4000],
    }
