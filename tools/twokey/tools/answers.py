"""Takes people's answers to cards.

Rules: an answer counts once, for the exact proposal and decision that the person was shown, from somebody whom policy
asks for; where the log proves that an approval of theirs counts no more (their link or key has ended), another one
takes its place; whatever does not count is refused with its reason and recorded like an approval. Nothing is approved
behind the kill switch, and nothing because an engine was silent: saying no and taking back always work. Where the
target has moved on, a proposal that means the same there takes the old one's place, and is approved anew. How a write
ended whose outcome is not known is said by one person whom policy asks for, who says how they know it. Answers that
suffice and were not counted together, because whoever was to do it died, are counted by whoever looks next. An answer
that was given in a batch of cards counts where, besides all this, the log proves that very batch.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from twokey.core.errors import CheckFailed, NotFound, Refused, TwokeyError
from twokey.core.events import AnswerGiven, ClickRejected
from twokey.core.lifecycle import State
from twokey.core.values import Action, Answer, Channel, Principal
from twokey.store import proposals
from twokey.store.proposals import AlreadyThere, ApprovalRecord, ProposalRecord
from twokey.tools.authority import Authority, admits, barred, counting_groups, met
from twokey.tools.batches import NOT_ALLOWED, NOT_SHOWN, Batches
from twokey.tools.faults import code_of
from twokey.tools.kill_switch import KillSwitch, Stopped
from twokey.tools.proposing import expiry
from twokey.tools.sight import Seen, Sight
from twokey.tools.standing import standing
from twokey.tools.steps import FAULT, Asked, Moved, Result, Steps
from twokey.tools.successors import Successors

CLICK_AGE_US: Final = 15 * 60 * 1_000_000
"""A signed answer is good for this long, so that one that was intercepted cannot be kept for later."""
CLOCK_SKEW_US: Final = 60 * 1_000_000
QUORUM_MET: Final = "quorum_met"
MORE_NEEDED: Final = "needs_more_approvals"
ANSWERED_BEFORE: Final = "answered_before"

_FROM: Final[dict[Action, frozenset[State]]] = {
    "approve": frozenset({State.AWAITING_APPROVAL}),
    "refuse": frozenset({State.AWAITING_APPROVAL}),
    "withdraw": frozenset({State.AWAITING_APPROVAL, State.APPROVED}),
    "confirm_written": frozenset({State.UNKNOWN}),
    "confirm_not_written": frozenset({State.UNKNOWN}),
}
"""In which states an answer means something."""
_SETTLES: Final[dict[Action, State]] = {"confirm_written": State.DONE, "confirm_not_written": State.FAILED}

_NEXT: Final[dict[str, str]] = {
    "not_authenticated": "Answer with your own credential.",
    "own_proposal": "Ask somebody of the group that the card names.",
    "key_needed": "Answer with your own key: `twokey approvals show ID`, then `twokey approvals approve ID --as NAME`.",
    "not_an_approver": "Ask somebody of the group that the card names.",
    "expired": "Repeat the request; a new proposal gets a new card.",
    "changed_decision": "Look at the new card, then answer again.",
    "stale_target": "Repeat the request; the target has moved on.",
    "frozen": "Ask who turned the kill switch (`twokey freeze`); refusing and withdrawing work meanwhile.",
    "freeze_not_proven": "Run `twokey audit verify`; whoever owns the controls turns the switch on and off again.",
    FAULT: "Check the policy engine with `twokey doctor`, then answer again; nothing has changed.",
    "state_not_proven": "Treat the workspace's database as tampered with; run `twokey audit verify`.",
    "change_freeze": "Answer again when the freeze is over; refusing and withdrawing work meanwhile.",
    "budget_used": "Answer again later; refusing and withdrawing work meanwhile.",
    "cost_used": "Answer again later; refusing and withdrawing work meanwhile.",
    NOT_SHOWN: "Look at the batch again with `twokey approvals batch`, or answer this card alone.",
    NOT_ALLOWED: "Answer this card alone: look at it with `twokey approvals show ID`.",
    "no_reason": 'Say what you saw: `--reason "..."`.',
}


class _Overtaken(Exception):  # noqa: N818 - undoes a transaction, which is then tried again
    """Somebody else answered in between."""


def _the_same(now: Sequence[ApprovalRecord], seen: Sequence[ApprovalRecord]) -> None:
    if [row.entry for row in now] != [row.entry for row in seen]:
        raise _Overtaken


class Answers:
    """Checks and stores answers."""

    def __init__(
        self,
        steps: Steps,
        authority: Authority,
        *,
        switch: KillSwitch,
        sight: Sight,
        successors: Successors,
        batches: Batches,
    ) -> None:
        self._batches = batches
        self._steps = steps
        self._authority = authority
        self._switch = switch
        self._sight = sight
        self._successors = successors

    def answer(self, answer: Answer, *, channel: Channel, reason: str = "", shown: str | None = None) -> Result:
        """Take a person's answer to a card; ``shown`` names the log's entry about the batch that it was given in.

        Raises:
            NotFound: there is no such proposal.
            Refused: the answer does not count; the log says why, and so does ``code``.

        """
        try:
            seen = self._sight.of(answer.statement.proposal, evidence=answer.statement.action == "approve")
            record = seen.record
            if record.id != answer.statement.proposal:
                raise proposals.unknown_proposal()
        except NotFound:
            self._reject(answer, channel, None, "unknown_proposal")
            raise
        principal = self._admit(answer, channel, record, reason)
        if answer.statement.action not in {"approve", "refuse"}:
            return self._take(answer, channel, seen, principal, reason, None)
        record, asked = self._still_decided(answer, channel, seen)
        fault = None if answer.statement.batch is None else self._batches.fault(answer.statement, record, shown)
        if fault is not None:
            raise self._refuse(answer, channel, record, fault, "It was not given in a batch that counts.", asked)
        seen = dataclasses.replace(seen, record=record)
        if answer.statement.action == "approve":
            self._still_rendered(answer, channel, seen, asked)
        return self._take(answer, channel, seen, principal, reason, asked)

    def _admit(self, answer: Answer, channel: Channel, record: ProposalRecord, reason: str) -> Principal:
        """Check who answers what, and when."""
        statement, now = answer.statement, self._steps.clock.now_us()
        principal = self._steps.directory.principal(statement.principal)
        if principal is None or not self._authority.authentic(answer, principal):
            raise self._refuse(answer, channel, record, "not_authenticated", "The answer is not proven to be theirs.")
        if not now - CLICK_AGE_US <= statement.at_us <= now + CLOCK_SKEW_US:
            raise self._refuse(answer, channel, record, "stale_answer", "The answer was given too long ago.")
        if statement.proposal_digest != record.digest:
            raise self._refuse(answer, channel, record, "changed_proposal", "The card showed another proposal.")
        if record.state not in _FROM[statement.action]:
            code = "already_answered" if record.state is State.APPROVED else f"is_{record.state.value}"
            raise self._refuse(answer, channel, record, code, f"The proposal is {record.state.value} already.")
        if statement.action not in _SETTLES and now > expiry(record.proposal, record.decision):
            self._steps.move(record, State.EXPIRED, "expired")
            raise self._refuse(answer, channel, record, "expired", "The time to answer is over.")
        if statement.action == "withdraw":
            if principal.name != record.proposal.requester:
                raise self._refuse(answer, channel, record, "not_requester", "Only who asked may withdraw.")
            return principal
        self._may_decide(answer, channel, record, principal, reason)
        return principal

    def _may_decide(
        self, answer: Answer, channel: Channel, record: ProposalRecord, principal: Principal, reason: str
    ) -> None:
        """Check that policy asks them, and takes how they proved who they are."""
        statement, needed = answer.statement, record.decision.approvals
        settles = statement.action in _SETTLES
        if needed is None or barred(record.proposal, needed, principal.name):
            raise self._refuse(
                answer, channel, record, "own_proposal", "Nobody answers for what they asked for or contributed to."
            )
        if not counting_groups(needed, principal):
            raise self._refuse(answer, channel, record, "not_an_approver", "They are in none of the groups asked.")
        if (settles or statement.action == "approve") and not admits(needed, answer.auth):
            raise self._refuse(
                answer, channel, record, "key_needed", f"Policy does not take a proof by {answer.auth} for this."
            )
        if settles and not self._is_unknown(record):
            raise self._refuse(answer, channel, record, "state_not_proven", "The log does not bear out its state.")
        if settles and (not reason.strip() or statement.reason_commitment is None):
            raise self._refuse(answer, channel, record, "no_reason", "It does not say how they know.")

    def _is_unknown(self, record: ProposalRecord) -> bool:
        """Tell whether the log proves that the outcome is not known, and under which decision people were asked."""
        try:
            proven = standing(self._steps.ledger, record)
        except CheckFailed:
            return False
        return proven.state is State.UNKNOWN and proven.decision == record.decision_digest

    def _still_decided(self, answer: Answer, channel: Channel, seen: Seen) -> tuple[ProposalRecord, Asked]:
        """Ask policy again; another decision puts a new card there. Gives the record as it is then."""
        record = seen.record
        asked = self._steps.ask(record, "click", seen.glass, seen.given)
        decision = asked.decision
        if asked.failed and answer.statement.action == "refuse":
            decision = record.decision  # saying no always works
        elif asked.failed:
            why = "The policy engine gave no answer, so nothing can be approved."
            raise self._refuse(answer, channel, record, FAULT, why, asked)
        elif asked.waits is not None and answer.statement.action == "refuse":
            decision = record.decision
        elif asked.waits is not None:
            raise self._refuse(answer, channel, record, asked.waits, asked.decision.reasons[0].message, asked)
        if decision.effect != "require_approval":
            self._steps.move(record, State.DENIED, decision.reasons[0].code, asked=asked, decision=decision)
            raise self._refuse(answer, channel, record, "policy_denied", "Policy denies this now.")
        noted = False
        if decision.digest() != record.decision_digest:
            self._steps.renew(record, asked)
            record, noted = self._steps.find(record.id), True
        if answer.statement.decision_digest != decision.digest():
            raise self._refuse(
                answer,
                channel,
                record,
                "changed_decision",
                "Policy asks for something else than the card showed.",
                None if noted else asked,
            )
        return record, asked

    def _still_rendered(self, answer: Answer, channel: Channel, seen: Seen, asked: Asked) -> None:
        record = seen.record
        try:
            code = self._steps.stale(record, evidence_stands=seen.evidence_stands)
        except TwokeyError as error:
            self._reject(answer, channel, record.id, code_of(error), asked)
            raise
        if code is None:
            return
        result = self._successors.replace(record, code, asked)
        why = "What would be written is no longer what was reviewed."
        if result.successor is not None:
            raise self._refuse(
                answer, channel, record, code, f"{why} {result.successor} means the same there and waits for an answer."
            )
        raise self._refuse(answer, channel, record, code, why)

    def _take(  # the parts of one answer
        self,
        answer: Answer,
        channel: Channel,
        seen: Seen,
        principal: Principal,
        reason: str,
        asked: Asked | None,
    ) -> Result:
        """Store the answer and what follows from it, in one transaction."""
        statement, record = answer.statement, seen.record
        while True:
            rows = seen.answers
            valid = self._authority.approvers(record.proposal, record.digest, record.decision, rows)
            outlived = self._outlived(answer, record, rows, valid)
            off = seen.off if statement.action == "approve" else None
            if isinstance(off, str):
                raise self._refuse(answer, channel, record, off, "Writes are stopped.", asked)
            try:
                with self._steps.ledger.change() as unit:
                    self._steps.lock(unit, record)
                    _the_same(proposals.list_approvals(unit.connection, record.id), rows)
                    if off is not None:
                        self._switch.hold(unit.connection, off)
                    if asked is not None:
                        asked.record(unit)
                    if outlived is not None:
                        proposals.drop_approval(unit.connection, outlived)
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
                    if after is State.DONE:
                        self._steps.reverted(unit, record)
            except (Stopped, _Overtaken):
                seen = dataclasses.replace(self._sight.of(record.id), record=record)
                continue
            except AlreadyThere:
                raise self._refuse(
                    answer, channel, record, ANSWERED_BEFORE, "They answered this card before.", asked
                ) from None
            except Moved:
                moved = self._steps.find(record.id)
                raise self._refuse(
                    answer,
                    channel,
                    record,
                    f"is_{moved.state.value}",
                    f"Meanwhile the proposal is {moved.state.value}.",
                    asked,
                ) from None
            return self._recount(record) if code == MORE_NEEDED else Result(record.id, after, code)

    def _outlived(
        self,
        answer: Answer,
        record: ProposalRecord,
        rows: Sequence[ApprovalRecord],
        valid: Mapping[str, str],
    ) -> ApprovalRecord | None:
        """Give the approval of this card by the same person that the log proves and that counts no more.

        One that the log does not prove yet, or never will, is left where it is; and so is one that the log proves only
        by now, and that counts.
        """
        said = answer.statement
        if said.action not in {"approve", "refuse"} or said.principal in valid:
            return None
        for row in rows:
            if (row.principal, row.action, row.decision_digest) != (said.principal, "approve", said.decision_digest):
                continue
            try:
                event = self._steps.ledger.proven(row.entry).event
            except (CheckFailed, NotFound):
                continue
            theirs = isinstance(event, AnswerGiven) and event.answer.statement.principal == said.principal
            if theirs and not self._authority.approvers(record.proposal, record.digest, record.decision, [row]):
                return row
        return None

    def recount(self, proposal: str) -> Result:
        """Count the answers that a waiting proposal has: whoever gave the last of them may have died before they did.

        Nothing is read from the log where the rows alone do not suffice.

        Raises:
            NotFound: there is no such proposal.
            CheckFailed: the log does not bear out where it stands.

        """
        seen = self._sight.of(proposal)
        record = seen.record
        named = {row.principal for row in seen.answers if row.action == "approve"}
        over = self._steps.clock.now_us() > expiry(record.proposal, record.decision)
        if record.state is not State.AWAITING_APPROVAL or over or not self._suffice(record, named):
            return Result(record.id, record.state, record.code)
        if isinstance(seen.off, str):
            return Result(record.id, record.state, seen.off)
        proven = standing(self._steps.ledger, record)
        if (proven.state, proven.intents) != (State.AWAITING_APPROVAL, ()):
            return Result(record.id, record.state, "state_not_proven")
        return self._recount(record)

    def _recount(self, record: ProposalRecord) -> Result:
        """Count again once a checkpoint covers this answer, and with it every answer that was stored before it.

        Two answers at the same moment may each not yet see the other proven; whichever counts last sees both.
        """
        with self._steps.ledger.look() as connection:
            rows = proposals.list_approvals(connection, record.id)
        approvers = self._authority.approvers(record.proposal, record.digest, record.decision, rows)
        if not self._suffice(record, approvers):
            return Result(record.id, State.AWAITING_APPROVAL, MORE_NEEDED)
        return self._steps.move(record, State.APPROVED, QUORUM_MET)

    def _suffice(self, record: ProposalRecord, names: Iterable[str]) -> bool:
        """Tell whether these people are as many as policy asks for."""
        needed = record.decision.approvals
        return needed is not None and met(needed, self._authority.people(names))

    def _follows(self, answer: Answer, record: ProposalRecord, approvers: set[str]) -> tuple[State, str]:
        """Give the state that an answer leads to."""
        if answer.statement.action == "refuse":
            return State.REFUSED, "refused_by_person"
        if answer.statement.action == "withdraw":
            return State.WITHDRAWN, "withdrawn_by_requester"
        if answer.statement.action in _SETTLES:
            return _SETTLES[answer.statement.action], answer.statement.action
        if self._suffice(record, approvers):
            return State.APPROVED, QUORUM_MET
        return State.AWAITING_APPROVAL, MORE_NEEDED

    def _refuse(  # what is refused, why, and policy's answer where there is one to record
        self,
        answer: Answer,
        channel: Channel,
        record: ProposalRecord,
        code: str,
        why: str,
        asked: Asked | None = None,
    ) -> Refused:
        """Record an answer that does not count, and give the error that says so."""
        self._reject(answer, channel, record.id, code, asked)
        return Refused(
            f"The answer of {answer.statement.principal} to {record.id} does not count. {why}",
            next=_NEXT.get(code, f"Look at it with `twokey approvals show {record.id}`."),
            code=code,
        )

    def _reject(
        self, answer: Answer, channel: Channel, proposal: str | None, code: str, asked: Asked | None = None
    ) -> None:
        known = self._steps.directory.principal(answer.statement.principal)
        with self._steps.ledger.change() as unit:
            if asked is not None:
                asked.record(unit)
            unit.record(
                ClickRejected(
                    action=answer.statement.action,
                    principal=known.name if known else None,
                    auth=answer.auth,
                    channel=channel,
                    proposal=proposal,
                    code=code,
                )
            )
