"""The gate: the only way from a proposal to a write.

Rules (DESIGN, section 2):
- no write without a fresh policy decision and enough people, whatever the rows of the database say;
- before the write everything is checked again: digest, expiry, policy, people, rendering, target;
- the intent is in the log, under a signed checkpoint, before the tool is called; after it nobody else applies;
- what cannot be known stops as ``unknown`` and asks a person.
"""

import dataclasses
from typing import Final

from twokey.core.errors import CheckFailed, NotFound, Refused
from twokey.core.events import CardShown, ClickRejected, WriteEnded, WriteIntended
from twokey.core.lifecycle import State
from twokey.core.ports import Ids
from twokey.core.values import Action, Answer, Channel, Identity
from twokey.store import proposals
from twokey.store.proposals import AlreadyThere, ApprovalRecord, ExecutionRecord, ProposalRecord
from twokey.tools import executor
from twokey.tools.answers import Answers
from twokey.tools.authority import Authority, Rules, met
from twokey.tools.contract import Context, Marker, Rendered
from twokey.tools.executor import Applied, Permit
from twokey.tools.proposing import checked, expiry
from twokey.tools.steps import Moved, Result, Steps

WRITE_LEASE_US: Final = 120 * 1_000_000
"""How long a started write belongs to its executor alone, in microseconds: longer than any tool's own timeout."""


class Gate:
    """Takes answers and, when they suffice, has the executor write."""

    def __init__(self, steps: Steps, *, ids: Ids, rules: Rules) -> None:
        self._steps = steps
        self._ledger = steps.ledger
        self._clock = steps.clock
        self._ids = ids
        self._authority = Authority(steps.ledger, steps.directory, rules)
        self._answers = Answers(steps, self._authority, rules)

    def find(self, text: str) -> ProposalRecord:
        """Read a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``."""
        return self._steps.find(text)

    def answer(self, answer: Answer, *, channel: Channel, reason: str = "") -> Result:
        """Take a person's answer to a card; see ``Answers.answer``."""
        return self._answers.answer(answer, channel=channel, reason=reason)

    def rejected(self, identity: Identity, action: Action, code: str) -> None:
        """Record an answer to something that is not here. What was named stays out of the log."""
        self._ledger.record(
            ClickRejected(
                action=action,
                principal=identity.principal.name,
                auth=identity.auth,
                channel=identity.channel,
                proposal=None,
                code=code,
            )
        )

    def approvals(self, record: ProposalRecord) -> list[ApprovalRecord]:
        """Give the answers on record that the log bears out."""
        with self._ledger.look() as connection:
            rows = proposals.list_approvals(connection, record.id)
        valid = self._authority.approvers(record.proposal, record.digest, record.decision, rows)
        return [row for row in rows if row.action != "approve" or valid.get(row.principal) == row.entry]

    def shown(self, record: ProposalRecord, *, channel: Channel, viewer: str | None) -> None:
        """Record that the card of this proposal was put before somebody."""
        self._ledger.record(
            CardShown(
                proposal=record.id,
                digest=record.digest,
                decision_digest=record.decision_digest,
                channel=channel,
                viewer=viewer,
            )
        )

    def expire_due(self) -> None:
        """Move every open proposal whose time is over to ``expired``."""
        now = self._clock.now_us()
        with self._ledger.look() as connection:
            waiting = proposals.list_proposals(connection, states=(State.AWAITING_APPROVAL, State.APPROVED), limit=1000)
        for record in waiting:
            if now > expiry(record.proposal, record.decision):
                self._steps.move(record, State.EXPIRED, "expired")

    def execute(self, proposal: str) -> Result:
        """Write an approved proposal, after checking everything again. Safe to call by anybody, at any time, twice.

        Raises:
            Refused: it is not approved, or no longer; nothing was written.
            LogUnavailable: the log could not take the intent; nothing was written.

        """
        record = self.find(proposal)
        if record.state is State.EXECUTING:
            return self.recover(record.id)
        if record.state is not State.APPROVED:
            return Result(record.id, record.state, record.code)
        if self._clock.now_us() > expiry(record.proposal, record.decision):
            return self._steps.move(record, State.EXPIRED, "expired")
        decision = self._steps.decide(record, "execute")
        if decision.effect != "require_approval":
            return self._steps.move(record, State.DENIED, decision.reasons[0].code, decision=decision)
        if decision.digest() != record.decision_digest:
            return self._steps.move(record, State.AWAITING_APPROVAL, "changed_decision", decision=decision)
        with self._ledger.look() as connection:
            rows = proposals.list_approvals(connection, record.id)
        approvers = self._authority.approvers(record.proposal, record.digest, decision, rows)
        needed = decision.approvals
        if needed is None or not met(needed, self._authority.people(approvers)):
            return self._steps.move(record, State.AWAITING_APPROVAL, "quorum_lost")
        if self._written_before(record):
            now = self.find(record.id)
            if now.state is not State.APPROVED:
                return Result(now.id, now.state, "another_executor")
            raise Refused(
                "The log shows that this proposal was carried out before.",
                next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
                code="used_before",
            )
        code = self._steps.stale(record)
        if code is not None:
            return self._steps.move(record, State.SUPERSEDED, code)
        return self._write(record, tuple(approvers[name] for name in sorted(approvers)))

    def recover(self, proposal: str) -> Result:
        """Finish a write whose executor died: look at the target first; apply again only where the tool is keyed."""
        record = self.find(proposal)
        if record.state is not State.EXECUTING:
            return Result(record.id, record.state, record.code)
        now = self._clock.now_us()
        with self._ledger.look() as connection:
            started = proposals.get_execution(connection, record.id)
        if started is None:
            return self._finish(record, "x-000000000000", Applied("unknown", "execution_lost"))
        if now < started.lease_until_us:
            return Result(record.id, record.state, "another_executor")
        mine = self._ids.new("x")
        with self._ledger.change() as unit:
            if not proposals.renew_execution(
                unit.connection,
                record.id,
                seen_until_us=started.lease_until_us,
                executor=mine,
                until_us=now + WRITE_LEASE_US,
            ):
                return Result(record.id, record.state, "another_executor")
        permit, context = self._permit(record, started.intent)
        if not self._intended(record, started.intent):
            return self._finish(record, mine, Applied("unknown", "intent_not_proven"))
        seen = executor.settle(permit, context, None)
        if seen.outcome == "unknown" and seen.code == "written_not_found" and permit.tool.guarantee == "keyed":
            seen = executor.apply(permit, context)
        return self._finish(record, mine, seen)

    def _write(self, record: ProposalRecord, answers: tuple[str, ...]) -> Result:
        """Intent, write, receipt."""
        mine, now = self._ids.new("x"), self._clock.now_us()
        marker = _marker(record)
        try:
            with self._ledger.change() as unit:
                self._steps.lock(unit, record)
                intent = unit.record(
                    WriteIntended(
                        proposal=record.id,
                        run=record.run,
                        digest=record.digest,
                        decision_digest=record.decision_digest,
                        tool=record.proposal.tool,
                        executor=mine,
                        idempotency_key=marker.key,
                        answers=answers,
                    )
                )
                proposals.add_execution(
                    unit.connection,
                    ExecutionRecord(
                        proposal=record.id,
                        executor=mine,
                        intent=intent,
                        lease_until_us=now + WRITE_LEASE_US,
                        started_us=now,
                    ),
                )
                self._steps.transition(unit, record, State.EXECUTING, "intent")
        except (Moved, AlreadyThere):
            moved = self.find(record.id)
            return Result(record.id, moved.state, "another_executor")
        permit, context = self._permit(record, intent)
        return self._finish(dataclasses.replace(record, state=State.EXECUTING), mine, executor.apply(permit, context))

    def _finish(self, record: ProposalRecord, mine: str, applied: Applied) -> Result:
        """Write the receipt."""
        after = {"written": State.DONE, "not_written": State.FAILED, "unknown": State.UNKNOWN}[applied.outcome]
        with self._ledger.change() as unit:
            current = proposals.get_proposal(unit.connection, record.id, lock=True)
            if current.state is not State.EXECUTING:
                return Result(record.id, current.state, current.code)
            unit.record(
                WriteEnded(
                    proposal=record.id,
                    run=record.run,
                    digest=record.digest,
                    executor=mine,
                    outcome=applied.outcome,
                    code=applied.code,
                    result=unit.commit_to(applied.result) if applied.result is not None else None,
                )
            )
            self._steps.transition(unit, current, after, applied.code, result=applied.result)
        return Result(record.id, after, applied.code)

    def _permit(self, record: ProposalRecord, intent: str) -> tuple[Permit, Context]:
        proposal = record.proposal
        tool = self._steps.registry.writer(proposal.tool)
        rendered = Rendered(
            preview=proposal.preview,
            content=proposal.content,
            target=proposal.target,
            files=proposal.files,
            labels=proposal.labels,
            rollback=proposal.rollback,
        )
        return Permit(tool, checked(tool, proposal.args), rendered, _marker(record), intent), self._steps.context(
            proposal
        )

    def _written_before(self, record: ProposalRecord) -> bool:
        return any(isinstance(event, WriteIntended) for event in self._ledger.history(record.id, "write.intended"))

    def _intended(self, record: ProposalRecord, intent: str) -> bool:
        """Tell whether the log proves that this very write was intended."""
        try:
            event = self._ledger.proven(intent).event
        except (CheckFailed, NotFound):
            return False
        return isinstance(event, WriteIntended) and event.digest == record.digest and event.proposal == record.id


def _marker(record: ProposalRecord) -> Marker:
    return Marker(
        proposal=record.id,
        digest=record.digest,
        run=record.run,
        requester=record.proposal.requester,
        created_us=record.proposal.created_us,
    )
