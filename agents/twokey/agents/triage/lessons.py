"""What the job learns from: the team's own labelled tickets, and what people made of what was proposed before.

Rules: an approval that was written counts for what was proposed, a refusal and a change that was taken back against it;
both come from proposals whose end the log proves, and nothing else teaches. Where a team has too few labelled tickets,
the reader says nothing rather than guess.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from twokey.agents.triage.duplicates import Answered, Experience
from twokey.agents.triage.kinds import kind_of
from twokey.agents.triage.learned import Learned, Sorted
from twokey.agents.triage.reader import TicketReader
from twokey.agents.triage.values import Outcome, Past, Reader, TicketText, Understanding
from twokey.core.values import Finding
from twokey.tools.endings import Ending

_ALIKE: Final = re.compile(r": alike by (\d{1,3}) %\.\Z")
"""How a claim about a duplicate of ours ends."""


class NothingLearned:
    """The reader of a team that has too few labelled tickets: it abstains."""

    def understand(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        """Say nothing about each."""
        return [Understanding(kind=None, kinds=(), priority=None, area=None) for _ in tickets]


def teach(
    past: Sequence[Past], kinds: Sequence[str], target_permille: int, outcomes: Sequence[Outcome], now: int
) -> Reader:
    """Make a reader of labelled tickets; ``now`` in microseconds."""
    known = [
        Sorted(text=one.text, kind=kind) for one in past if (kind := kind_of(one.labels, frozenset(kinds))) is not None
    ]
    learned = Learned.fit(known)
    if learned is None:
        return NothingLearned()
    return TicketReader.by(learned, target_permille=target_permille, outcomes=outcomes, now=now)


def outcomes_of(endings: Sequence[Ending], kinds: Sequence[str]) -> list[Outcome]:
    """Give what became of each kind that was proposed, oldest first."""
    found: list[Outcome] = []
    for ending in reversed(endings):
        said = _finding(ending, "ticket_kind")
        added = _args(ending).get("labels", {}).get("add", [])
        kind = next((label for label in added if label in kinds), None)
        if said is not None and kind is not None:
            confidence = min(1_000, 10 * said.confidence)
            found.append(Outcome(value=kind, confidence_permille=confidence, right=ending.right, at=ending.at_us))
    return found


def experience_of(endings: Sequence[Ending]) -> Experience:
    """Give what people said about duplicates that were proposed."""
    found: list[Answered] = []
    for ending in endings:
        said = _finding(ending, "ticket_duplicate")
        alike = _ALIKE.search(said.claim) if said is not None else None
        if alike is not None and _args(ending).get("duplicate_of") is not None:
            found.append(Answered(score=min(1_000, 10 * int(alike[1])), right=ending.right, at=ending.at_us))
    return Experience(found)


def _finding(ending: Ending, kind: str) -> Finding | None:
    return next((finding for finding in ending.proposal.findings if finding.kind == kind), None)


def _args(ending: Ending) -> dict[str, Any]:
    return ending.proposal.args
