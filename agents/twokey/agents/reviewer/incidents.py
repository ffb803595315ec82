"""The review of an incident's summary and of what is drafted about it.

Rules:
- a function of stored evidence and of the settings alone: the sentences that this evidence gives are worked out again,
  and a finding that is not one of them, word for word and with the same evidence, is dropped;
- each is checked against the evidence it cites a second time (``summary.checking``), by rules that know nothing of how
  it was written;
- a draft is worked out again from the findings that stand; one that says anything else has no support;
- what cannot be read is a problem and never an exception.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from twokey.agents.incident.drafting import Ground, drafts
from twokey.agents.incident.house import House
from twokey.agents.incident.material import Material
from twokey.agents.incident.summary import checker_of, summarize
from twokey.core.canonical import Json
from twokey.core.values import Finding

PROBLEM: Final = "unbacked_claim"


def unfit(found: Material, findings: Sequence[Finding], house: House) -> dict[str, str]:
    """Give the findings that do not stand, by id, with the code of what is wrong."""
    summary = summarize(found, house)
    known = {(one.kind, one.text[:1000], one.evidence) for one in summary.said}
    checker = checker_of(summary.story, house)
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for one in findings:
        fault = checker.fault(one.kind, one.claim, one.evidence)
        if fault is None and (one.kind, one.claim, one.evidence) not in known:
            fault = "not_found_again"
        if one.id in seen:
            fault = "duplicate_id"
        seen.add(one.id)
        if fault is not None:
            wrong[one.id] = fault
    return wrong


def stands(draft: Mapping[str, Any], found: Material, house: House, ground: Ground) -> bool:
    """Tell whether a draft is what its own findings and the evidence give."""
    try:
        findings = [Finding.model_validate(one) for one in draft["findings"]]
    except (KeyError, TypeError, ValidationError):
        return False
    return dict(draft) in [dict(body) for body in drafts(found, findings, house, ground) if isinstance(body, dict)]


def again(
    draft: Mapping[str, Any], found: Material, findings: Sequence[Finding], house: House, ground: Ground
) -> "Json | None":
    """Give a draft as it is without the findings that do not stand; None where nothing of it is left."""
    made = drafts(found, findings, house, ground)
    return next((body for body in made if isinstance(body, dict) and _which(body) == _which(draft)), None)


def _which(draft: Mapping[str, Any]) -> tuple[object, object]:
    """Tell drafts apart: by tool, and by the branch that a pull request is to have."""
    args = draft.get("args")
    return draft.get("tool"), args.get("branch") if isinstance(args, Mapping) else None
