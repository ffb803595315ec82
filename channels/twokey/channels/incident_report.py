"""What a run said about an incident, for a person to read and for a program.

Rules: sections in the order in which people expect them; each sentence with the evidence it cites; what was not found
is said as plainly as what was; outside text is made harmless by whoever prints the lines.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from twokey.agents.incident.summary.templates import SECTIONS, section
from twokey.channels import plain
from twokey.channels.service import Outcome
from twokey.core.values import Finding


def lines(outcome: Outcome, findings: Sequence[Finding], prose: Any = None) -> Iterator[str]:
    """Give the lines about a run that told an incident; ``prose`` is what a model made of its sentences."""
    texts = _texts(prose)
    numbers = _numbered(findings)
    for key, heading in SECTIONS.items():
        mine = [one for one in findings if section(one.kind) == key]
        if not mine:
            continue
        yield ""
        yield heading
        for one in mine:
            cited = ",".join(str(numbers[evidence]) for evidence in one.evidence)
            yield f"  {'!' if one.attention else ' '} {plain.line(texts.get(one.claim, one.claim), 400)} [{cited}]"
    if numbers:
        yield ""
        yield "evidence  " + "  ".join(f"[{number}] {evidence}" for evidence, number in numbers.items())
    yield ""
    for record in outcome.proposals:
        waiting = record.state.value == "awaiting_approval"
        say = f"twokey approvals show {record.id}" if waiting else record.state.value
        yield f"proposal  {record.id} · {record.proposal.tool} · {say}"
    if not outcome.proposals:
        yield f"nothing is proposed: {outcome.run.code or 'nothing was to be written'}"
    yield f"run       {outcome.run.id} is {outcome.run.state}"


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Give the summary by section, and whom it names."""
    told: dict[str, list[dict[str, Any]]] = {key: [] for key in SECTIONS}
    for one in findings:
        told.setdefault(section(one.kind), []).append(
            {"text": one.claim, "kind": one.kind, "evidence": list(one.evidence)}
        )
    cause = next((one.subject for one in findings if one.kind == "summary_cause"), None)
    return {"cause": cause, "summary": told}


def _texts(prose: Any) -> dict[str, str]:
    pairs: list[list[str]] = prose.get("texts", []) if isinstance(prose, dict) else []
    return {pair[0]: pair[1] for pair in pairs}


def _numbered(findings: Sequence[Finding]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for one in findings:
        for evidence in one.evidence:
            numbers.setdefault(evidence, len(numbers) + 1)
    return numbers
