"""Turns a person's edit of a waiting change of a ticket into a proposal of its own, which takes the other one's place.

Rules: only what waits is edited, as whoever edits it saw it, and only by somebody who asked for it, shaped it or could
answer it. Who edits asks for what comes of it, and nobody whose words are in it approves it. What the edit puts in is
theirs, as a receipt says; for everything else it counts where it came from as before, and the evidence stays. The other
one is superseded and this one stored in one transaction, or neither; where policy denies this one, the other one waits
on. The mark of a report of a weakness cannot be edited away.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Finding, Principal, Proposal, Provenance
from twokey.store import proposals, runs
from twokey.store.proposals import ProposalRecord
from twokey.tools import budgets
from twokey.tools.authority import counting_groups
from twokey.tools.budgets import Outdated
from twokey.tools.contract import Context
from twokey.tools.endings import originals
from twokey.tools.faults import contained
from twokey.tools.proposing import Draft, Made, Proposer, checked
from twokey.tools.receipts import Receipts
from twokey.tools.standing import standing
from twokey.tools.steps import Moved, Steps
from twokey.tools.write.ticket_change import WEAKNESS
from twokey.tools.write.ticket_edit import AGENT, EDITED, TicketEdit, edited
from twokey.tools.write.update_ticket import UpdateTicket, UpdateTicketArgs

_WORDS: Final = {"duplicate_of": "link to an earlier ticket"}
_MAX_WHY: Final = 4_000


def is_change_of_ticket(proposal: Proposal) -> bool:
    """Tell whether a proposal changes a ticket that is there: only those can be edited."""
    return proposal.tool == UpdateTicket.name and proposal.args.get("ticket") is not None


def is_business_of(record: ProposalRecord, name: str, principal: Principal | None) -> bool:
    """Tell whether somebody asked for a proposal, had a part in it, or could answer it."""
    if name in {record.proposal.requester, *record.proposal.contributors}:
        return True
    needed = record.decision.approvals
    return principal is not None and needed is not None and bool(counting_groups(needed, principal))


@dataclass(frozen=True, slots=True)
class Editing:
    """Makes the proposals."""

    steps: Steps
    proposer: Proposer
    receipts: Receipts

    def propose(self, record: ProposalRecord, edit: TicketEdit, *, run: str, requester: str) -> ProposalRecord:
        """Propose ``record`` with an edit put in, in its place.

        Raises:
            Refused: it does not wait, is not what was looked at, is none of their business, or the edit does not fit;
                it still waits then.
            CheckFailed: the log does not bear out that it waits.

        """
        made_before = self._made_before(run)
        if made_before is not None:
            return made_before
        self._demand(record, edit, requester)
        tool = self.steps.registry.writer(record.proposal.tool)
        context = self.steps.context(record.proposal)
        with contained(tool.name):
            before = cast("UpdateTicketArgs", checked(tool, record.proposal.args))
            after = edited(before, edit, cast("UpdateTicket", tool).open(before, context))
        draft = self._draft(record, before, after, edit, run, requester)
        made = self._made(record, draft, context, run, requester)
        if WEAKNESS in record.proposal.labels and WEAKNESS not in made.proposal.labels:
            raise Refused(
                "It may report a weakness, and an edit cannot take that mark off.",
                next="Let somebody of risk-owners answer it, or refuse it.",
                code="hides_weakness",
            )
        return self._stored(record, made, run, requester)

    def _made_before(self, run: str) -> ProposalRecord | None:
        with self.steps.ledger.look() as connection:
            return next(iter(proposals.proposals_of(connection, run)), None)

    def _demand(self, record: ProposalRecord, edit: TicketEdit, requester: str) -> None:
        proposal = record.proposal
        if not is_change_of_ticket(proposal):
            raise Refused(
                f"Proposal {record.id} is no change of a ticket; only those can be edited.",
                next="Refuse it with a reason, and ask again.",
                code="not_editable",
            )
        waits = record.state is State.AWAITING_APPROVAL
        if not waits or standing(self.steps.ledger, record).state is not State.AWAITING_APPROVAL:
            raise _not_waiting(record)
        if record.digest != edit.digest:
            raise Refused(
                "The proposal is not the one that was looked at.",
                next=f"Look at it again with `twokey approvals show {record.id}`.",
                code="digest_differs",
            )
        if not is_business_of(record, requester, self.steps.directory.principal(requester)):
            raise Refused(
                f"{requester} neither asked for it nor could answer it, and so does not edit it.",
                next="Ask somebody of a group that the card names.",
                code="not_yours",
            )

    def _draft(  # what of, into what, and whose
        self,
        record: ProposalRecord,
        before: UpdateTicketArgs,
        after: UpdateTicketArgs,
        edit: TicketEdit,
        run: str,
        requester: str,
    ) -> Draft:
        proposal = record.proposal
        old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
        changed = [name for name in new if new[name] != old[name]]
        kept = self.receipts.keep(
            run,
            {"proposal": record.id, "digest": record.digest, "edit": _plain(edit.parts())},
            tool=proposal.tool,
            origin=f"edit of {record.id}",
            summary=f"edit of {record.id}",
        )
        told = sorted(_WORDS.get(name, name) for name in changed if name != "seen")
        claim = f"{requester} edited what {record.id} proposed: {', '.join(told)}."
        number = 1 + max((int(finding.id.removeprefix("f-")) for finding in proposal.findings), default=0)
        finding = Finding(
            id=f"f-{number}",
            subject=proposal.findings[0].subject if proposal.findings else record.id,
            kind="edited",
            claim=claim,
            evidence=(kept.id,),
            confidence=100,
            attention=True,
        )
        return Draft(
            tool=proposal.tool,
            args=new,
            provenance=tuple(
                Provenance(
                    path=origin.path,
                    label="code" if origin.path in changed else origin.label,
                    evidence=(*origin.evidence, *((kept.id,) if origin.path in changed else ())),
                )
                for origin in proposal.provenance
            ),
            findings=(finding, *proposal.findings),
            why=f"{claim} Before that: {proposal.why}"[:_MAX_WHY],
        )

    def _made(self, record: ProposalRecord, draft: Draft, context: Context, run: str, requester: str) -> Made:
        proposal = record.proposal
        return self.proposer.instead(
            proposal,
            draft,
            run=run,
            requester=requester,
            agent=AGENT,
            places=context.places,
            contributors=(requester, proposal.requester, *proposal.contributors),
            read_by=(record.run, *(first.run for first in originals(self.steps.ledger, proposal))),
        )

    def _stored(self, record: ProposalRecord, made: Made, run: str, requester: str) -> ProposalRecord:
        """Store what was made; in the other one's place, if it waits for people."""
        for _ in range(budgets.TRIES):
            try:
                with self.steps.ledger.change() as unit:
                    runs.hold_run(unit.connection, run)
                    self.steps.lock(unit, record)
                    if made.decision.effect == "require_approval":
                        successor = made.proposal.id
                        self.steps.transition(unit, record, State.SUPERSEDED, EDITED, by=requester, successor=successor)
                    return self.proposer.add(unit, made)
            except Outdated:
                made = self.proposer.again(made)
            except Moved:
                raise _not_waiting(self.steps.find(record.id)) from None
        raise budgets.busy()


def _plain(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in parts.items()}


def _not_waiting(record: ProposalRecord) -> Refused:
    return Refused(
        f"Proposal {record.id} is {record.state.value} and does not wait to be answered, so it is not edited.",
        next=f"Look at it with `twokey approvals show {record.id}`.",
        code="not_waiting",
    )
