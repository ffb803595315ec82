"""How proposals of one tool ended: what people made of what was proposed, as the log bears it out.

Rules: only endings that a person brought about count (it was approved and written, or refused); where the log does not
prove the state that the row shows, the proposal counts for nothing; the newest come first, and few. What a person
edited before it was answered is told with what was proposed first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twokey.core.errors import CheckFailed, NotFound
from twokey.core.lifecycle import State
from twokey.core.values import Proposal
from twokey.store import proposals
from twokey.tools.ledger import Ledger
from twokey.tools.standing import standing
from twokey.tools.write.ticket_edit import AGENT

MOST: Final = 200
MOST_EDITS: Final = 20
"""Edits of edits that are followed back."""
_RIGHT: Final = frozenset({State.DONE})
_WRONG: Final = frozenset({State.REFUSED, State.REVERTED})


@dataclass(frozen=True, slots=True)
class Ending:
    """A proposal that ended, and how: ``done``, ``refused``, or ``reverted`` after it was written."""

    proposal: Proposal
    state: State
    at_us: int
    edited_from: Proposal | None = None
    """What an agent had proposed, where people put something else in its place."""

    @property
    def right(self) -> bool:
        """Whether it was written as it was proposed, and not taken back."""
        return self.state in _RIGHT


def endings(ledger: Ledger, tool: str, limit: int = MOST) -> list[Ending]:
    """Give how proposals made with ``tool`` ended, newest first."""
    with ledger.look() as connection:
        states = tuple(sorted(_RIGHT | _WRONG, key=lambda state: state.value))
        records = proposals.list_proposals(connection, states=states, limit=5 * limit)
    found: list[Ending] = []
    for record in records:
        if record.proposal.tool != tool or len(found) >= limit:
            continue
        try:
            proven = standing(ledger, record).state
        except CheckFailed:
            continue
        if proven is record.state:
            found.append(Ending(record.proposal, record.state, record.updated_us, _first(ledger, record.proposal)))
    return found


def originals(ledger: Ledger, proposal: Proposal) -> Iterator[Proposal]:
    """Give what a proposal was edited from, the latest first, as far as the log bears it out."""
    for _ in range(MOST_EDITS):
        if proposal.agent != AGENT or proposal.supersedes is None:
            return
        try:
            with ledger.look() as connection:
                record = proposals.get_proposal(connection, proposal.supersedes)
            if standing(ledger, record).state is not State.SUPERSEDED:
                return
        except (CheckFailed, NotFound):
            return
        proposal = record.proposal
        yield proposal


def _first(ledger: Ledger, proposal: Proposal) -> Proposal | None:
    return next(iter([*originals(ledger, proposal)][::-1]), None)
