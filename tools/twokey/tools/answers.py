"""Takes people's answers to cards.

Rules: an answer counts once, for the exact proposal and decision that the person was shown, from somebody whom policy
asks for; whatever does not count is refused with its reason and recorded like an approval.
"""

from typing import Final

from twokey.core.errors import NotFound, Refused, TwokeyError
from twokey.core.events import AnswerGiven, ClickRejected
from twokey.core.lifecycle import State
from twokey.core.values import Answer, Channel, Principal
from twokey.store import proposals
from twokey.store.proposals import AlreadyThere, ApprovalRecord, ProposalRecord
from twokey.tools.authority import Authority, barred, counting_groups, met
from twokey.tools.faults import code_of
from twokey.tools.proposing import expiry
from twokey.tools.steps import Moved, Result, Steps

CLICK_AGE_US: Final = 15 * 60 * 1_000_000
"""A signed answer is good for this long, so that one that was intercepted cannot be kept for later."""
CLOCK_SKEW_US: Final = 60 * 1_000_000
QUORUM_MET: Final = "quorum_met"
MORE_NEEDED: Final = "needs_more_approvals"

_NEXT: Final[dict[str, str]] = {
    "not_authenticated": "Answer with your own credential.",
    "own_proposal": "Ask somebody of the group that the card names.",
    "not_an_approver": "Ask somebody of the group that the card names.",
    "expired": "Repeat the request; a new proposal gets a new card.",
    "changed_decision": "Look at the new card, then answer again.",
    "stale_target": "Repeat the request; the target has moved on.",
}


class Answers:
    """Checks and stores answers."""

    def __init__(self, steps: Steps, authority: Authority) -> None:
        self._steps = steps
        self._authority = authority

    def answer(self, answer: Answer, *, channel: Channel, reason: str = "") -> Result:
        """Take a person's answer to a card.

        Raises:
            NotFound: there is no such proposal.
            Refused: the answer does not count; the log says why, and so does ``code``.

        """
        try:
            record = self._steps.find(answer.statement.proposal)
            if record.id != answer.statement.proposal:
                raise proposals.unknown_proposal()
        except NotFound:
            self._reject(answer, channel, None, "unknown_proposal")
            raise
        principal = self._admit(answer, channel, record)
        if answer.statement.action != "withdraw":
            record = self._still_decided(answer, channel, record)
        if answer.statement.action == "approve":
            self._still_rendered(answer, channel, record)
        return self._take(answer, channel, record, principal, reason)

    def _admit(self, answer: Answer, channel: Channel, record: ProposalRecord) -> Principal:
        """Check who answers what, and when."""
        statement, now = answer.statement, self._steps.clock.now_us()
        principal = self._steps.directory.principal(statement.principal)
        if principal is None or not self._authority.authentic(answer, principal):
            raise self._refuse(answer, channel, record, "not_authenticated", "The answer is not proven to be theirs.")
        if not now - CLICK_AGE_US <= statement.at_us <= now + CLOCK_SKEW_US:
            raise self._refuse(answer, channel, record, "stale_answer", "The answer was given too long ago.")
        if statement.proposal_digest != record.digest:
            raise self._refuse(answer, channel, record, "changed_proposal", "The card showed another proposal.")
        allowed = (
            {State.AWAITING_APPROVAL, State.APPROVED} if statement.action == "withdraw" else {State.AWAITING_APPROVAL}
        )
        if record.state not in allowed:
            code = "already_answered" if record.state is State.APPROVED else f"is_{record.state.value}"
            raise self._refuse(answer, channel, record, code, f"The proposal is {record.state.value} already.")
        if now > expiry(record.proposal, record.decision):
            self._steps.move(record, State.EXPIRED, "expired")
            raise self._refuse(answer, channel, record, "expired", "The time to answer is over.")
        if statement.action == "withdraw":
            if principal.name != record.proposal.requester:
                raise self._refuse(answer, channel, record, "not_requester", "Only who asked may withdraw.")
            return principal
        needed = record.decision.approvals
        if needed is None or barred(record.proposal, needed, principal.name):
            raise self._refuse(
                answer, channel, record, "own_proposal", "Nobody answers for what they asked for or contributed to."
            )
        if not counting_groups(needed, principal):
            raise self._refuse(answer, channel, record, "not_an_approver", "They are in none of the groups asked.")
        return principal

    def _still_decided(self, answer: Answer, channel: Channel, record: ProposalRecord) -> ProposalRecord:
        """Ask policy again; another decision puts a new card there. Gives the record as it is then."""
        decision = self._steps.decide(record, "click")
        if decision.effect != "require_approval":
            self._steps.move(record, State.DENIED, decision.reasons[0].code, decision=decision)
            raise self._refuse(answer, channel, record, "policy_denied", "Policy denies this now.")
        if decision.digest() != record.decision_digest:
            self._steps.renew(record, decision)
            record = self._steps.find(record.id)
        if answer.statement.decision_digest != decision.digest():
            raise self._refuse(
                answer,
                channel,
                record,
                "changed_decision",
                "Policy asks for something else than the card showed.",
            )
        return record

    def _still_rendered(self, answer: Answer, channel: Channel, record: ProposalRecord) -> None:
        try:
            code = self._steps.stale(record)
        except TwokeyError as error:
            self._reject(answer, channel, record.id, code_of(error))
            raise
        if code is not None:
            self._steps.move(record, State.SUPERSEDED, code)
            raise self._refuse(answer, channel, record, code, "What would be written is no longer what was reviewed.")

    def _take(
        self, answer: Answer, channel: Channel, record: ProposalRecord, principal: Principal, reason: str
    ) -> Result:
        """Store the answer and what follows from it, in one transaction."""
        statement = answer.statement
        while True:
            with self._steps.ledger.look() as connection:
                rows = proposals.list_approvals(connection, record.id)
            valid = self._authority.approvers(record.proposal, record.digest, record.decision, rows)
            try:
                with self._steps.ledger.change() as unit:
                    self._steps.lock(unit, record)
                    if len(proposals.list_approvals(unit.connection, record.id)) != len(rows):
                        continue
                    entry = unit.record(AnswerGiven(answer=answer, groups=principal.groups, channel=channel))
                    proposals.add_approval(
                        unit.connection,
                        ApprovalRecord(
                            proposal=record.id,
                            proposal_digest=record.digest,
                            decision_digest=statement.decision_digest,
                            principal=principal.name,
                            action=statement.action,
                            entry=entry,
                            reason=reason[:2000],
                            at_us=statement.at_us,
                        ),
                    )
                    after, code = self._follows(answer, record, {*valid, principal.name})
                    if after is not record.state:
                        self._steps.transition(unit, record, after, code, by=principal.name)
            except AlreadyThere:
                raise self._refuse(
                    answer, channel, record, "answered_before", "They answered this card before."
                ) from None
            except Moved:
                moved = self._steps.find(record.id)
                raise self._refuse(
                    answer,
                    channel,
                    record,
                    f"is_{moved.state.value}",
                    f"Meanwhile the proposal is {moved.state.value}.",
                ) from None
            return self._recount(record) if code == MORE_NEEDED else Result(record.id, after, code)

    def _recount(self, record: ProposalRecord) -> Result:
        """Count again once a checkpoint covers this answer, and with it every answer that was stored before it.

        Two answers at the same moment may each not yet see the other proven; whichever counts last sees both.
        """
        with self._steps.ledger.look() as connection:
            rows = proposals.list_approvals(connection, record.id)
        approvers = self._authority.approvers(record.proposal, record.digest, record.decision, rows)
        needed = record.decision.approvals
        if needed is None or not met(needed, self._authority.people(approvers)):
            return Result(record.id, State.AWAITING_APPROVAL, MORE_NEEDED)
        return self._steps.move(record, State.APPROVED, QUORUM_MET)

    def _follows(self, answer: Answer, record: ProposalRecord, approvers: set[str]) -> tuple[State, str]:
        """Give the state that an answer leads to."""
        if answer.statement.action == "refuse":
            return State.REFUSED, "refused_by_person"
        if answer.statement.action == "withdraw":
            return State.WITHDRAWN, "withdrawn_by_requester"
        needed = record.decision.approvals
        if needed is not None and met(needed, self._authority.people(approvers)):
            return State.APPROVED, QUORUM_MET
        return State.AWAITING_APPROVAL, MORE_NEEDED

    def _refuse(self, answer: Answer, channel: Channel, record: ProposalRecord, code: str, why: str) -> Refused:
        """Record an answer that does not count, and give the error that says so."""
        self._reject(answer, channel, record.id, code)
        return Refused(
            f"The answer of {answer.statement.principal} to {record.id} does not count. {why}",
            next=_NEXT.get(code, f"Look at it with `twokey approvals show {record.id}`."),
            code=code,
        )

    def _reject(self, answer: Answer, channel: Channel, proposal: str | None, code: str) -> None:
        known = self._steps.directory.principal(answer.statement.principal)
        self._steps.ledger.record(
            ClickRejected(
                action=answer.statement.action,
                principal=known.name if known else None,
                auth=answer.auth,
                channel=channel,
                proposal=proposal,
                code=code,
            )
        )
