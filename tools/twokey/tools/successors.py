"""What takes a proposal's place when its target has moved on.

Rules: the old proposal is superseded and its successor stored in one transaction, or neither; the successor is a
proposal like any other, with a digest, a decision and approvals of its own; only a target that has moved leads to one,
never evidence, a tool or a rendering that changed.
"""

from typing import Final

from twokey.core.lifecycle import State
from twokey.store.proposals import ProposalRecord
from twokey.tools import budgets
from twokey.tools.budgets import Outdated
from twokey.tools.proposing import Proposer
from twokey.tools.steps import Asked, Moved, Result, Steps

STALE_TARGET: Final = "stale_target"


class Successors:
    """Supersedes proposals."""

    def __init__(self, steps: Steps, proposer: Proposer) -> None:
        self._steps = steps
        self._proposer = proposer

    def replace(self, record: ProposalRecord, code: str, asked: Asked) -> Result:
        """Supersede a proposal that is no longer what was reviewed; by one that means the same where that can be."""
        made = None
        if code == STALE_TARGET:
            made = self._proposer.rebased(record.proposal, self._steps.context(record.proposal))
        if made is None:
            return self._steps.move(record, State.SUPERSEDED, code, asked=asked)
        for _ in range(budgets.TRIES):
            try:
                with self._steps.ledger.change() as unit:
                    self._steps.lock(unit, record)
                    asked.record(unit)
                    self._steps.transition(unit, record, State.SUPERSEDED, code, successor=made.proposal.id)
                    self._proposer.add(unit, made)
                break
            except Outdated:
                made = self._proposer.again(made)
            except Moved:
                self._steps.note(asked)
                moved = self._steps.find(record.id)
                return Result(moved.id, moved.state, moved.code)
        else:
            raise budgets.busy()
        waits = made.decision.effect == "require_approval"
        return Result(record.id, State.SUPERSEDED, code, successor=made.proposal.id if waits else None)
