"""What people made of what was proposed before, as the job learns from it.

Rules: an approval that was written counts for what was proposed, a refusal and a change that was taken back against it;
both come from proposals whose end the log proves. What was written and changed by somebody since counts against it: a
later proposal gave the ticket another kind, or the ticket carries the proposed kind no more. Outside text can only ever
make a kind count less that way, never more. Where a person edited a proposal before it was answered, what they made of
it is held against what was proposed first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from twokey.agents.triage.duplicates import Answered, Experience
from twokey.agents.triage.values import Outcome
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Proposal
from twokey.tools.endings import Ending

Fate = Literal["approved", "corrected", "refused", "taken_back"]
"""What people made of a kind: it was written and stayed, was written and changed since, or did not come to stay."""
_FATES: Final[Mapping[State, Fate]] = {
    State.DONE: "approved",
    State.REFUSED: "refused",
    State.REVERTED: "taken_back",
}
Carried = Mapping[tuple[str, int], Sequence[str]]
"""Labels of tickets, by tracker and number."""
_ALIKE: Final = re.compile(r": alike by (\d{1,3}) %\.\Z")
"""How a claim about a duplicate of ours ends."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What became of one kind that was proposed."""

    kind: str
    confidence_permille: int
    fate: Fate
    at_us: int


def lessons_of(endings: Sequence[Ending], kinds: Sequence[str], labels: Carried | None = None) -> list[Lesson]:
    """Give what became of each kind that was proposed, oldest first.

    Args:
        endings: How proposals ended, newest first.
        kinds: The team's kinds.
        labels: What tickets carry now, by tracker and number, as far as they were read.

    """
    found: list[Lesson] = []
    later: dict[tuple[str, int], str] = {}
    for ending in endings:
        said, kind = kind_of_proposal(ending.edited_from or ending.proposal, kinds)
        _, written = kind_of_proposal(ending.proposal, kinds)
        ticket = (ending.proposal.resource.id, int(_args(ending).get("ticket", -1)))
        if said is not None and kind is not None:
            corrected = written != kind or later.get(ticket, kind) != kind or _taken_off(kind, ticket, labels)
            fate: Fate = "corrected" if ending.right and corrected else _FATES[ending.state]
            found.append(Lesson(kind, min(1_000, 10 * said.confidence), fate, ending.at_us))
        if written is not None and ending.right:
            later.setdefault(ticket, written)
    return found[::-1]


def outcomes_of(endings: Sequence[Ending], kinds: Sequence[str], labels: Carried | None = None) -> list[Outcome]:
    """Give the same as outcomes: what was approved and stayed was right."""
    return [
        Outcome(
            value=lesson.kind,
            confidence_permille=lesson.confidence_permille,
            right=lesson.fate == "approved",
            at=lesson.at_us,
        )
        for lesson in lessons_of(endings, kinds, labels)
    ]


def kind_of_proposal(proposal: Proposal, kinds: Sequence[str]) -> tuple[Finding | None, str | None]:
    """Give the finding that says a kind, and the kind that the proposal puts on; none where it puts on none."""
    said = next((finding for finding in proposal.findings if finding.kind == "ticket_kind"), None)
    added = proposal.args.get("labels", {}).get("add", [])
    return said, next((label for label in added if label in kinds), None)


def _taken_off(kind: str, ticket: tuple[str, int], labels: Carried | None) -> bool:
    """Tell whether a ticket that was read carries a kind no more."""
    carried = None if labels is None else labels.get(ticket)
    return carried is not None and kind.casefold() not in {label.casefold() for label in carried}


def experience_of(endings: Sequence[Ending]) -> Experience:
    """Give what people said about duplicates that were proposed."""
    found: list[Answered] = []
    for ending in endings:
        said = _finding(ending, "ticket_duplicate")
        alike = _ALIKE.search(said.claim) if said is not None else None
        proposed = (ending.edited_from or ending.proposal).args.get("duplicate_of")
        if alike is not None and proposed is not None:
            right = ending.right and _args(ending).get("duplicate_of") == proposed
            found.append(Answered(score=min(1_000, 10 * int(alike[1])), right=right, at=ending.at_us))
    return Experience(found)


def _finding(ending: Ending, kind: str) -> Finding | None:
    return next((finding for finding in ending.proposal.findings if finding.kind == kind), None)


def _args(ending: Ending) -> dict[str, Any]:
    return ending.proposal.args
