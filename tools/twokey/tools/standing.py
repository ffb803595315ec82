"""Where a proposal stands according to the log alone, whatever the rows of the database say.

Rules: the transitions in the log form one chain from the proposal's first entry, each beginning where the one before
ended; a chain that is broken, or a log that cannot prove that nothing was left out, proves no state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twokey.audit.entry import Entry
from twokey.core.errors import CheckFailed
from twokey.core.events import AnswerGiven, FreezeChanged, ProposalMoved, WriteEnded, WriteIntended
from twokey.core.lifecycle import State
from twokey.store.proposals import ProposalRecord
from twokey.tools.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Standing:
    """What the log proves: the state, and the entries of writes that were begun and ended."""

    state: State | None
    intents: tuple[str, ...]
    receipts: tuple[str, ...]
    decision: str | None = None
    """Digest of the decision under which the last transition was made."""
    frozen: bool = False
    """True where the kill switch was turned on since the proposal was made, and not off again."""
    answers: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    """Entries of people's answers, by entry id."""


def standing(ledger: Ledger, record: ProposalRecord) -> Standing:
    """Read a proposal's life from the log.

    Raises:
        CheckFailed: the log does not bear it out, or its transitions do not follow one another.

    """
    state: State | None = None
    decision: str | None = None
    frozen = False
    intents: list[str] = []
    receipts: list[str] = []
    answers: dict[str, Entry] = {}
    for entry in ledger.life(record.id, "proposal.moved", beside="freeze.changed"):
        event = entry.event
        if isinstance(event, ProposalMoved):
            if event.before != state or event.digest != record.digest:
                raise CheckFailed(
                    "The steps of this proposal in the audit log do not follow one another.",
                    next="Treat the workspace's database as tampered with; repeat the request for a new proposal.",
                    code="state_not_proven",
                )
            state, decision = event.after, event.decision_digest
        elif isinstance(event, AnswerGiven):
            answers[entry.id] = entry
        elif isinstance(event, WriteIntended):
            intents.append(entry.id)
        elif isinstance(event, WriteEnded):
            receipts.append(entry.id)
        elif isinstance(event, FreezeChanged):
            frozen = event.on
    return Standing(state, tuple(intents), tuple(receipts), decision, frozen, answers)
