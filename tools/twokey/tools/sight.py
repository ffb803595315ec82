"""One look at everything in the database that bears on whether a proposal may go on.

Rules: what is seen here decides nothing by itself: rows say where in the log to look, and whatever follows from them
happens in a transaction that holds the proposal and finds it as it was seen, or does not happen.
"""

import dataclasses

from sqlalchemy import Connection

from twokey.core.errors import CheckFailed, NotFound
from twokey.core.values import BreakGlass, Proposal
from twokey.store import glass, proposals
from twokey.store.evidence import gather_evidence
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
    evidence_stands: bool = False
    """Whether all evidence is there and is what the proposal says; false where it was not looked at."""


class Sight:
    """Looks at proposals."""

    def __init__(
        self, ledger: Ledger, switch: KillSwitch, emergencies: Emergencies, circumstances: Circumstances
    ) -> None:
        self._ledger = ledger
        self._switch = switch
        self._emergencies = emergencies
        self._circumstances = circumstances

    def of(self, proposal: str, *, evidence: bool = False) -> Seen:
        """Look at a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``.

        ``evidence`` says that the evidence is to be looked at, too: all of it is read.
        """
        with self._ledger.look() as connection:
            record, answered, broken = proposals.see_proposal(
                connection, proposals.resolve_proposal(connection, proposal)
            )
            answers = proposals.list_approvals(connection, record.id) if answered else []
            emergencies = glass.list_glass(connection, proposal=record.id) if broken else []
            off = self._switch.off(connection)
            given = self._circumstances.seen(
                connection,
                run=record.run,
                requester=record.proposal.requester,
                proposal=record.id,
                frozen=isinstance(off, str),
            )
            stands = evidence and _stands(connection, record.proposal)
        return Seen(record, tuple(answers), self._emergencies.among(record, emergencies), off, given, stands)


def _stands(connection: Connection, proposal: Proposal) -> bool:
    """Tell whether every piece of evidence is still there and hashes to what the proposal says."""
    try:
        held = gather_evidence(connection, [ref.id for ref in proposal.evidence])
    except (CheckFailed, NotFound):
        return False
    return all(held[ref.id][0].sha256 == ref.sha256 for ref in proposal.evidence)
