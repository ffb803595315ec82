"""One look at everything in the database that bears on whether a proposal may go on.

Rules: what is seen here decides nothing by itself: rows say where in the log to look, and whatever follows from them
happens in a transaction that holds the proposal and finds it as it was seen, or does not happen.
"""

import dataclasses

from twokey.core.values import BreakGlass
from twokey.store import glass, proposals
from twokey.store.proposals import ApprovalRecord, ProposalRecord
from twokey.store.switches import FreezeRecord
from twokey.tools.circumstances import Circumstances, Given
from twokey.tools.emergencies import Emergencies
from twokey.tools.kill_switch import KillSwitch
from twokey.tools.ledger import Ledger


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A proposal with what bears on it, as the database showed it at one moment."""

    record: ProposalRecord
    answers: tuple[ApprovalRecord, ...]
    glass: BreakGlass | None
    """The emergency that holds for it, borne out by the log."""
    off: FreezeRecord | str
    """The kill switch where it is proven to be off; else the code of what stops writes."""
    given: Given
    """What policy is told besides the call."""


class Sight:
    """Looks at proposals."""

    def __init__(
        self, ledger: Ledger, switch: KillSwitch, emergencies: Emergencies, circumstances: Circumstances
    ) -> None:
        self._ledger = ledger
        self._switch = switch
        self._emergencies = emergencies
        self._circumstances = circumstances

    def of(self, proposal: str) -> Seen:
        """Look at a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``."""
        with self._ledger.look() as connection:
            record = proposals.get_proposal(connection, proposals.resolve_proposal(connection, proposal))
            answers = proposals.list_approvals(connection, record.id)
            broken = glass.list_glass(connection, proposal=record.id)
            off = self._switch.off(connection)
            given = self._circumstances.seen(
                connection,
                run=record.run,
                requester=record.proposal.requester,
                proposal=record.id,
                frozen=isinstance(off, str),
            )
        return Seen(record, tuple(answers), self._emergencies.among(record, broken), off, given)
