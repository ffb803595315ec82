"""What people have made of the kinds that were proposed for tickets, for a person to judge how far to trust them.

Rules: what counts as answered is what the log proves to have ended so; what waits, expired or was withdrawn is counted
beside it and in no share; every share stands with the interval that its few cases leave open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from twokey.agents.triage.confidence import ENOUGH
from twokey.agents.triage.lessons import kind_of_proposal, lessons_of, outcomes_of
from twokey.agents.triage.reliability import Row, Speaking, speaking, table, wilson
from twokey.channels import plain
from twokey.core.lifecycle import State
from twokey.core.values import Report
from twokey.store import proposals
from twokey.store.runs import recent_documents
from twokey.tools.endings import MOST, endings
from twokey.tools.ledger import Ledger

TOOL: Final = "update_ticket"
LOOKED_AT: Final = 1000
"""How many of the latest proposals are looked at."""
REPORTS: Final = 100
"""How many of the latest reports tell of what was judged and what was left open."""
_ENDED: Final = frozenset({State.DONE, State.REFUSED, State.REVERTED, State.SUPERSEDED})
"""States of which lessons tell, and that of proposals whose place another one took: that one is counted."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """What is told."""

    rows: tuple[Row, ...]
    speaking: Speaking
    judged: int
    """Tickets that recent runs judged."""
    unsure: int
    """Of these, how many they said nothing of."""

    def as_json(self) -> dict[str, Any]:
        """Give it for programs."""
        abstained = {"judged": self.judged, "unsure": self.unsure}
        return {"speaking": self.speaking.as_json(), "rows": [row.as_json() for row in self.rows], "recent": abstained}


def reliability(ledger: Ledger, kinds: tuple[str, ...], target: int, now_us: int) -> Reliability:
    """Read what became of proposals; ``target`` is in percent, ``now_us`` in microseconds."""
    ended = endings(ledger, TOOL, MOST)
    with ledger.look() as connection:
        records = proposals.list_proposals(connection, limit=LOOKED_AT)
        reports = [report for _, report in recent_documents(connection, prefix="report-", but="", limit=REPORTS)]
    waiting: list[tuple[str, int]] = []
    for record in records:
        if record.proposal.tool == TOOL and record.state not in _ENDED:
            said, kind = kind_of_proposal(record.proposal, kinds)
            if said is not None and kind is not None:
                waiting.append((kind, 10 * said.confidence))
    told = [finding.kind for report in reports for finding in Report.model_validate(report).findings]
    return Reliability(
        rows=table(lessons_of(ended, kinds), waiting),
        speaking=speaking(outcomes_of(ended, kinds), target, now_us),
        judged=told.count("ticket_kind") + told.count("ticket_unsure"),
        unsure=told.count("ticket_unsure"),
    )


def lines(found: Reliability) -> Iterator[str]:
    """Give the lines for a person to read."""
    said = found.speaking
    yield f"target    a proposed kind has to be right in {said.target} % of cases (triage.target)"
    if not said.by_answers:
        yield f"speaks    as the team's own sorted tickets tell: {said.answers} of {ENOUGH} answers that replace them"
    elif said.speaks_from is None:
        yield f"speaks    never: at no confidence are {said.answers} answers enough for the target"
    else:
        yield f"speaks    from {said.speaks_from} % confidence on, by {said.answers} answers"
    for kind in said.braked:
        yield f"! braked  {plain.line(kind, 50)} is refused too often, and not proposed until it is not"
    if found.judged:
        yield f"abstains  of {found.unsure} of the {found.judged} tickets that recent runs judged"
    yield ""
    yield "kind             confidence  proposed approved corrected refused undone  right"
    for row in found.rows:
        bounds = wilson(row.approved, row.answered)
        share = "-" if bounds is None else f"{100 * row.approved // row.answered} % ({bounds[0]}-{bounds[1]} %)"
        yield (
            f"{plain.line(row.kind, 16):<16} {f'{row.lowest}-{row.highest} %':<11} {row.proposed:>8} {row.approved:>8} "
            f"{row.corrected:>9} {row.refused:>7} {row.taken_back:>6}  {share}"
        )
    if not found.rows:
        yield "nothing was proposed yet"
