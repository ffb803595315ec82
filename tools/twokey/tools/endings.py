"""How proposals of one tool ended: what people made of what was proposed, as the log bears it out.

Rules: only endings that a person brought about count (it was approved and written, or refused); where the log does not
prove the state that the row shows, the proposal counts for nothing; the newest come first, and few.
"""

from dataclasses import dataclass
from typing import Final

from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import State
from twokey.core.values import Proposal
from twokey.store import proposals
from twokey.tools.ledger import Ledger
from twokey.tools.standing import standing

MOST: Final = 200
_RIGHT: Final = frozenset({State.DONE})
_WRONG: Final = frozenset({State.REFUSED, State.REVERTED})


@dataclass(frozen=True, slots=True)
class Ending:
    """A proposal that ended, and how: ``done``, ``refused``, or ``reverted`` after it was written."""

    proposal: Proposal
    state: State
    at_us: int

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
            found.append(Ending(record.proposal, record.state, record.updated_us))
    return found
