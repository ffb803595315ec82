"""Turns the rollback plan of a write that was carried out into an ordinary proposal.

Rules: what is to be undone is worked out by the tool that wrote it, against the target as it is now; the new proposal
names the old one, rests on the receipt of that write as its evidence, and needs policy and people like any other; only
its receipt, or a person's word that it was written, makes the old one ``reverted``. Whoever asks for it is its
requester and cannot approve it.
"""

from typing import Final

from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Provenance
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Marker, Rendered
from twokey.tools.faults import contained
from twokey.tools.proposing import Draft, Proposer, checked
from twokey.tools.receipts import Receipts
from twokey.tools.standing import standing
from twokey.tools.steps import Steps

AGENT: Final = "rollback"


class Reverting:
    """Proposes to undo."""

    def __init__(self, steps: Steps, proposer: Proposer, receipts: Receipts) -> None:
        self._steps = steps
        self._proposer = proposer
        self._receipts = receipts

    def propose(self, record: ProposalRecord, *, run: str, requester: str) -> ProposalRecord:
        """Propose to undo the write of ``record``.

        Raises:
            Refused: it was not written, or cannot be undone without losing what others did since.
            CheckFailed: the log does not bear out that it was written.

        """
        proven = standing(self._steps.ledger, record)
        if proven.state is not State.DONE or record.state is not State.DONE:
            raise Refused(
                f"Proposal {record.id} is {record.state.value}, so there is nothing to undo.",
                next=f"Look at it with `twokey approvals show {record.id}`.",
                code="nothing_to_undo",
            )
        proposal = record.proposal
        tool = self._steps.registry.writer(proposal.tool)
        marker = Marker.of(proposal, record.digest)
        context = self._steps.context(proposal)
        with contained(tool.name):
            reverse = tool.reverse(checked(tool, proposal.args), Rendered.of(proposal), marker, context)
        kept = self._receipts.keep(
            run,
            {
                "proposal": record.id,
                "digest": record.digest,
                "tool": proposal.tool,
                "result": record.result,
                "receipts": list(proven.receipts),
            },
            tool=proposal.tool,
            origin=f"receipt {record.id}",
            summary=f"receipt of {record.id}",
        )
        finding = Finding(
            id="f-1",
            subject=record.id,
            kind="written",
            claim=f"{record.id} was carried out and is to be taken back.",
            evidence=(kept.id,),
            confidence=100,
        )
        draft = Draft(
            tool=reverse.tool,
            args=reverse.args,
            provenance=tuple(
                Provenance(path=name, label="evidence", evidence=(kept.id,)) for name in sorted(reverse.args)
            ),
            findings=(finding,),
            why=reverse.why,
        )
        return self._proposer.propose(
            draft, run=run, requester=requester, agent=AGENT, step=1, places=context.places, reverts=record.id
        )
