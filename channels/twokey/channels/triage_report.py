"""What a run said about tickets, for a person to read: one block for each ticket.

Rules: what wants a person comes first; each proposal is named with how to look at it; what was left open is said as
plainly as what was proposed; outside text is made harmless by whoever prints the lines.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from twokey.channels import plain
from twokey.channels.service import Outcome
from twokey.core.values import Finding
from twokey.store.proposals import ProposalRecord

_OF_RUN = frozenset({"tickets_left"})


def lines(outcome: Outcome, findings: Sequence[Finding], going_on: dict[str, Any] | None) -> Iterator[str]:
    """Give the lines about a run over tickets; ``going_on`` says where the next one would go on."""
    proposed = {_subject(record): record for record in outcome.proposals}
    blocks = [(subject, tuple(said)) for subject, said in groupby(findings, key=lambda finding: finding.subject)]
    yield ""
    for subject, said in blocks:
        about = [finding for finding in said if finding.kind not in _OF_RUN]
        if about:
            yield from _ticket(subject, about, proposed.get(subject))
    for finding in findings:
        if finding.kind in _OF_RUN:
            yield finding.claim
    waiting = sum(record.state.value == "awaiting_approval" for record in outcome.proposals)
    judged = "1 ticket" if len(blocks) == 1 else f"{len(blocks)} tickets"
    yield f"{judged} judged, {waiting} {'proposal waits' if waiting == 1 else 'proposals wait'}"
    if not findings:
        yield "nothing   there are no new tickets"
    if going_on is not None:
        yield f"more      there are tickets that were not read yet: twokey triage --since {going_on['since']}"
    yield f"run       {outcome.run.id} is {outcome.run.state}"


def _subject(record: ProposalRecord) -> str:
    return record.proposal.findings[0].subject if record.proposal.findings else ""


def _ticket(subject: str, about: Sequence[Finding], record: ProposalRecord | None) -> Iterator[str]:
    yield f"{plain.line(subject, 40):<9} {_change(record) if record else 'nothing is proposed'}"
    for finding in about:
        mark = "!" if finding.attention else " "
        claim = plain.line(finding.claim.removeprefix(f"{subject} "), 300)
        yield f"        {mark} {claim[:1].upper()}{claim[1:]}"
    if record is not None:
        say = "twokey approvals show" if record.state.value == "awaiting_approval" else f"{record.state.value}:"
        yield f"          {say} {record.id}"
    yield ""


def _change(record: ProposalRecord) -> str:
    args = record.proposal.args
    parts = [*(f"+{name}" for name in args["labels"]["add"])]
    if args.get("priority"):
        parts.append(f"+{args['priority']}")
    parts += [f"@{name}" for name in args["assignees"]["add"]]
    if args.get("comment") or args.get("checklist") or args.get("duplicate_of") is not None:
        parts.append("a comment")
    return plain.line(", ".join(str(part) for part in parts), 200)
