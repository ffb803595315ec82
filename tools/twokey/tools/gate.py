"""The gate: the only way from a proposal to a write.

Rules (DESIGN, section 2):
- no write without a fresh policy decision and enough people, whatever the rows of the database say;
- before the write everything is checked again: digest, expiry, policy, people, rendering, target, and that the log
  proves the proposal to be approved and never begun: a row that was set back revives nothing;
- the intent is in the log, under a signed checkpoint, before the tool is called; after it nobody else applies. A
  takeover looks first; it applies again only with a keyed tool, after the same checks, and never says that nothing was
  written: the first executor may only have been slow. An executor that comes too late still leaves its receipt;
- what cannot be known stops as ``unknown`` and asks a person;
- behind the kill switch nothing begins, and a write whose intent is there but whose tool was not called is not called;
- a policy engine that gives no answer stops a write and takes nothing from it: it can be tried again.
"""

import dataclasses
from typing import Final

from twokey.core.errors import CheckFailed, NotFound, Refused
from twokey.core.events import AnswerGiven, CardShown, ClickRejected, GlassUsed, WriteEnded, WriteIntended
from twokey.core.lifecycle import State
from twokey.core.ports import Ids
from twokey.core.values import Action, Answer, BreakGlass, Channel, Identity
from twokey.store import proposals
from twokey.store.proposals import AlreadyThere, ApprovalRecord, ExecutionRecord, ProposalRecord
from twokey.store.switches import FreezeRecord
from twokey.tools import budgets, executor
from twokey.tools.amending import Amending, Suggestion
from twokey.tools.answers import Answers
from twokey.tools.authority import Authority, Rules, met
from twokey.tools.batches import Batches
from twokey.tools.budgets import Outdated
from twokey.tools.contract import Context, Marker, Rendered
from twokey.tools.editing import Editing
from twokey.tools.emergencies import OBLIGATION, Emergencies
from twokey.tools.executor import Applied, Permit
from twokey.tools.kill_switch import NOT_PROVEN, KillSwitch, Stopped
from twokey.tools.link_book import LinkBook
from twokey.tools.links import Links
from twokey.tools.orders import Orders
from twokey.tools.policy_change import PolicyChange, PolicyChanges
from twokey.tools.proposing import MICROSECONDS, Proposer, checked, expiry
from twokey.tools.receipts import Receipts
from twokey.tools.reverting import Reverting
from twokey.tools.sessions import Sessions
from twokey.tools.sight import Seen, Sight
from twokey.tools.standing import Standing, standing
from twokey.tools.steps import FAULT, Asked, Moved, Result, Steps
from twokey.tools.successors import Successors
from twokey.tools.waivers import Exceptions
from twokey.tools.write.ticket_edit import TicketEdit

WRITE_LEASE_S: Final = 120
"""How long a started write belongs to its executor alone, in seconds, where the tool's own timeout is not longer."""
GRACE_S: Final = 60
NOBODY: Final = "x-000000000000"
"""Stands for the executor of a write of which no executor is known."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Hindrance:
    """Why a write may not begin now, and the state that this leads to; none where it may be tried again."""

    after: State | None
    code: str
    asked: Asked
    changes_decision: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Ready:
    """What lets a write begin: who approved (name to log entry), and policy's answer."""

    approvers: dict[str, str]
    asked: Asked
    glass: BreakGlass | None


class Gate:
    """Takes answers and, when they suffice, has the executor write."""

    def __init__(self, steps: Steps, *, ids: Ids, rules: Rules, waivers: Exceptions | None = None) -> None:
        self._steps = steps
        self._ledger = steps.ledger
        self._clock = steps.clock
        self._ids = ids
        book = LinkBook(steps.ledger, steps.directory, rules)
        self.links = Links(steps.ledger, steps.directory, rules, steps.clock, book)
        self.sessions = Sessions(
            ledger=steps.ledger, directory=steps.directory, rules=rules, clock=steps.clock, ids=ids, links=book
        )
        self._authority = Authority(steps.ledger, steps.directory, rules, book, self.sessions)
        self._switch = KillSwitch(steps.ledger, rules.workspace)
        self._emergencies = Emergencies(steps.ledger, self._authority, rules, steps.clock)
        proposer = Proposer(
            ledger=steps.ledger,
            policy=steps.policy,
            registry=steps.registry,
            directory=steps.directory,
            clock=steps.clock,
            ids=ids,
            waivers=waivers,
        )
        self._successors = Successors(steps, proposer)
        receipts = Receipts(steps.ledger, steps.clock, ids)
        self._reverting = Reverting(steps, proposer, receipts)
        self._policy_changes = PolicyChanges(proposer, receipts)
        self._amending = Amending(steps, proposer, receipts)
        self._editing = Editing(steps, proposer, receipts)
        self.orders = Orders(
            steps, self._authority, rules=rules, switch=self._switch, emergencies=self._emergencies, ids=ids
        )
        self._sight = Sight(steps.ledger, self._switch, self._emergencies, steps.circumstances)
        self.batches = Batches(steps.ledger, steps.directory, workspace=rules.workspace)
        self._answers = Answers(
            steps,
            self._authority,
            switch=self._switch,
            sight=self._sight,
            successors=self._successors,
            batches=self.batches,
        )

    def find(self, text: str) -> ProposalRecord:
        """Read a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``."""
        return self._steps.find(text)

    def answer(self, answer: Answer, *, channel: Channel, reason: str = "", shown: str | None = None) -> Result:
        """Take a person's answer to a card; see ``Answers.answer``."""
        return self._answers.answer(answer, channel=channel, reason=reason, shown=shown)

    def recount(self, proposal: str) -> Result:
        """Count the answers that a waiting proposal has; see ``Answers.recount``."""
        return self._answers.recount(proposal)

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
        return [row for row in rows if valid.get(row.principal) == row.entry or self._answered(record, row)]

    def stopped(self) -> str | None:
        """Give the code of what stops writes at this moment; none where nothing does."""
        off = self._switch.off()
        return off if isinstance(off, str) else None

    def freeze(self) -> FreezeRecord:
        """Give the last turn of the kill switch, for display."""
        return self._switch.record()

    def emergency(self, record: ProposalRecord) -> BreakGlass | None:
        """Give the emergency that holds for a proposal now, if one does."""
        return self._emergencies.active(record)

    def receipts(self, record: ProposalRecord) -> list[WriteEnded]:
        """Give what was seen of a write by everybody who looked, as the log's index shows it."""
        return [event for event in self._ledger.history(record.id, "write.ended") if isinstance(event, WriteEnded)]

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
        """Move every open proposal whose time is over to ``expired``.

        Those are looked at whose rows say so. A row that says something else hides a proposal from this and from
        nothing else: whoever looks at it, answers it or carries it out counts its time from what was hashed.
        """
        now = self._clock.now_us()
        with self._ledger.look() as connection:
            due = proposals.due_proposals(connection, now=now, limit=1000)
        for record in due:
            self._expire(record, now)

    def current(self, text: str) -> ProposalRecord:
        """Read a proposal as it stands at this moment: one whose time is over has expired. Raises like ``find``."""
        record = self.find(text)
        return self.find(record.id) if self._expire(record, self._clock.now_us()) else record

    def _expire(self, record: ProposalRecord, now: int) -> bool:
        """Move an open proposal to ``expired`` if its time is over; tells whether it was."""
        waits = record.state in {State.AWAITING_APPROVAL, State.APPROVED}
        if not waits or now <= expiry(record.proposal, record.decision):
            return False
        self._steps.move(record, State.EXPIRED, "expired")
        return True

    def revert(self, proposal: str, *, run: str, requester: str) -> ProposalRecord:
        """Propose to undo a write that was carried out; see ``Reverting.propose``."""
        return self._reverting.propose(self.find(proposal), run=run, requester=requester)

    def amend(self, suggestion: Suggestion, *, run: str, requester: str) -> ProposalRecord:
        """Propose what a write opened with lines that a review suggests; see ``Amending.propose``."""
        return self._amending.propose(self.find(suggestion.proposal), suggestion, run=run, requester=requester)

    def edit(self, edit: TicketEdit, *, run: str, requester: str) -> ProposalRecord:
        """Propose a waiting change of a ticket with a person's edit in it, in its place; see ``Editing.propose``."""
        return self._editing.propose(self.find(edit.proposal), edit, run=run, requester=requester)

    def propose_policy(self, change: PolicyChange, *, run: str, requester: str) -> ProposalRecord:
        """Propose a change of the policy bundle's repository; see ``PolicyChanges.propose``."""
        return self._policy_changes.propose(change, run=run, requester=requester)

    def execute(self, proposal: str) -> Result:
        """Write an approved proposal, after checking everything again. Safe to call by anybody, at any time, twice.

        Raises:
            Refused: it is not approved, or no longer; nothing was written.
            LogUnavailable: the log could not take the intent; nothing was written.

        """
        for _ in range(budgets.TRIES):
            try:
                return self._execute(proposal)
            except Outdated:
                continue
        raise budgets.busy()

    def _execute(self, proposal: str) -> Result:
        seen = self._sight.of(proposal, evidence=True)
        record, off = seen.record, seen.off
        if record.state is State.EXECUTING:
            return self.recover(record.id)
        if record.state is not State.APPROVED:
            return Result(record.id, record.state, record.code)
        if self._clock.now_us() > expiry(record.proposal, record.decision):
            return self._steps.move(record, State.EXPIRED, "expired")
        if isinstance(off, str):
            return Result(record.id, record.state, off)
        proven = standing(self._ledger, record)
        if proven.state is not State.APPROVED or proven.intents:
            self._steps.note(self._steps.ask(record, "execute", seen.glass, seen.given))
            return self._contradicted(record, proven)
        if proven.frozen:
            self._steps.note(self._steps.ask(record, "execute", seen.glass, seen.given))
            return Result(record.id, record.state, self.stopped() or NOT_PROVEN)
        ready = self._ready(seen, proven)
        if isinstance(ready, _Hindrance):
            return self._hinder(record, ready)
        return self._write(record, ready, off)

    def _hinder(self, record: ProposalRecord, found: _Hindrance) -> Result:
        """Record what stands against a write, and what becomes of the proposal."""
        asked = found.asked
        if found.after is None:
            self._steps.note(asked)
            return Result(record.id, record.state, found.code)
        if found.after is State.SUPERSEDED:
            return self._successors.replace(record, found.code, asked)
        decision = asked.decision if found.changes_decision else None
        return self._steps.move(record, found.after, found.code, asked=asked, decision=decision)

    def recover(self, proposal: str) -> Result:
        """Finish a write whose executor died: look at the target first; apply again only where the tool is keyed.

        What was cut off half-way is completed that way.

        Raises:
            Refused: the log shows that this write was ended before.
            NotFound: this process does not have the tool.

        """
        record = self.find(proposal)
        if record.state is not State.EXECUTING:
            return Result(record.id, record.state, record.code)
        with self._ledger.look() as connection:
            started = proposals.get_execution(connection, record.id)
        if started is not None and self._clock.now_us() < started.lease_until_us:
            return Result(record.id, record.state, "another_executor")
        self._ledger.catch_up()
        try:
            proven = standing(self._ledger, record)
        except CheckFailed:
            proven = Standing(None, (), ())
        if proven.receipts:
            return self._contradicted(record, proven)
        if started is None:
            return self._finish(record, NOBODY, Applied("unknown", "execution_lost"), looked=False)
        mine = self._ids.new("x")
        if started.intent not in proven.intents:
            return self._finish(record, mine, Applied("unknown", "intent_not_proven"), looked=False)
        if self._steps.changed_tool(record.proposal):
            return self._finish(record, mine, Applied("unknown", "changed_tool"), looked=False)
        if not self._take_over(record, started, mine):
            return Result(record.id, record.state, "another_executor")
        applied = self._resume(record, started.intent, proven)
        if applied is None:
            return Result(record.id, record.state, "waits_to_be_tried_again")
        return self._finish(record, mine, applied)

    def _take_over(self, record: ProposalRecord, started: ExecutionRecord, mine: str) -> bool:
        """Take a lease that ran out; tells whether this process was the first to do so."""
        try:
            with self._ledger.change() as unit:
                self._steps.lock(unit, record)
                return proposals.renew_execution(
                    unit.connection,
                    record.id,
                    seen_until_us=started.lease_until_us,
                    executor=mine,
                    until_us=self._lease_end(record),
                )
        except Moved:
            return False

    def _resume(self, record: ProposalRecord, intent: str, proven: Standing) -> Applied | None:
        """Look at the target; write what is not there where the tool is keyed. None where that has to wait."""
        permit, context = self._permit(record, intent)
        seen = executor.settle(permit, context, None)
        goes_on = seen.outcome == "unknown" and seen.code in {"written_not_found", executor.PARTLY}
        if not goes_on or permit.tool.guarantee != "keyed":
            return seen
        now = self._sight.of(record.id, evidence=True)
        if proven.frozen or isinstance(now.off, str):
            return None
        ready = self._ready(dataclasses.replace(now, record=record), proven)
        self._steps.note(ready.asked)
        if isinstance(ready, _Hindrance):
            return None if ready.after is None else Applied("unknown", ready.code)
        if isinstance(self._switch.off(), str):
            return None  # turned while everything was checked again
        applied = executor.apply(permit, context)
        return applied if applied.outcome == "written" else Applied("unknown", applied.code)

    def _ready(self, seen: Seen, proven: Standing) -> _Ready | _Hindrance:
        """Check everything that can change again. Gives who approved, or what stands against it."""
        record, glass = seen.record, seen.glass
        asked = self._steps.ask(record, "execute", glass, seen.given)
        decision = asked.decision
        if asked.failed:
            return _Hindrance(None, FAULT, asked)
        if asked.waits is not None:
            return _Hindrance(None, asked.waits, asked)
        if decision.effect != "require_approval":
            return _Hindrance(State.DENIED, decision.reasons[0].code, asked, changes_decision=True)
        if decision.digest() != record.decision_digest:
            return _Hindrance(State.AWAITING_APPROVAL, "changed_decision", asked, changes_decision=True)
        if self._clock.now_us() > expiry(record.proposal, decision):
            return _Hindrance(State.EXPIRED, "expired", asked)
        approvers = self._authority.approvers(
            record.proposal, record.digest, decision, seen.answers, proven=proven.answers
        )
        needed = decision.approvals
        if needed is None or not met(needed, self._authority.people(approvers)):
            return _Hindrance(State.AWAITING_APPROVAL, "quorum_lost", asked)
        code = self._steps.stale(record, evidence_stands=seen.evidence_stands)
        return _Hindrance(State.SUPERSEDED, code, asked) if code is not None else _Ready(approvers, asked, glass)

    def _contradicted(self, record: ProposalRecord, proven: Standing) -> Result:
        """Handle a row that says something else than the log: somebody was faster, or somebody edited it."""
        now = self.find(record.id)
        if now.state is not record.state:
            return Result(now.id, now.state, "another_executor")
        if proven.intents:
            raise Refused(
                "The log shows that this proposal was carried out before.",
                next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
                code="used_before",
            )
        raise Refused(
            f"The database says that this proposal is {record.state.value}, and the log does not.",
            next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
            code="state_not_proven",
        )

    def _write(self, record: ProposalRecord, ready: _Ready, off: FreezeRecord) -> Result:
        """Intent, write, receipt."""
        answers = tuple(ready.approvers[name] for name in sorted(ready.approvers))
        mine, now = self._ids.new("x"), self._clock.now_us()
        lease_end, marker = self._lease_end(record), Marker.of(record.proposal, record.digest)
        try:
            with self._ledger.change() as unit:
                self._steps.lock(unit, record)
                self._switch.hold(unit.connection, off)
                ready.asked.record(unit)
                if ready.glass is not None and OBLIGATION in ready.asked.decision.obligations:
                    unit.record(GlassUsed(proposal=record.id, id=ready.glass.id, opened_by=ready.glass.opened_by))
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
                        lease_until_us=lease_end,
                        started_us=now,
                    ),
                )
                budgets.reserve(unit.connection, record.proposal, "write", ready.asked.given.counted, now)
                self._steps.transition(unit, record, State.EXECUTING, "intent")
        except (Moved, AlreadyThere):
            self._steps.note(ready.asked)
            moved = self.find(record.id)
            return Result(record.id, moved.state, "another_executor")
        except Stopped as stopped:
            self._steps.note(ready.asked)
            return Result(record.id, record.state, stopped.code)
        except Outdated:
            self._steps.note(ready.asked)
            raise
        begun = dataclasses.replace(record, state=State.EXECUTING)
        permit, context = self._permit(record, intent)
        if self._clock.now_us() >= lease_end:
            # The intent took so long that somebody else may have taken over: they, or whoever comes next, go on.
            return Result(record.id, State.EXECUTING, "another_executor")
        late = self._switch.turned(off)
        if late is not None:
            return self._finish(begun, mine, Applied("not_written", late))
        return self._finish(begun, mine, executor.apply(permit, context))

    def _finish(self, record: ProposalRecord, mine: str, applied: Applied, *, looked: bool = True) -> Result:
        """Write the receipt. Where somebody else has ended the write meanwhile, their state stands.

        Whoever ``looked`` at the target, or wrote to it, leaves a receipt even then.
        """
        after = {"written": State.DONE, "not_written": State.FAILED, "unknown": State.UNKNOWN}[applied.outcome]
        with self._ledger.change() as unit:
            state, _ = proposals.lock_proposal(unit.connection, record.id)
            if state is not State.EXECUTING and not looked:
                return Result(record.id, state, "another_executor")
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
            if state is not State.EXECUTING:
                return Result(record.id, state, "another_executor")
            self._steps.transition(unit, record, after, applied.code, result=applied.result)
            if after is State.DONE:
                self._steps.reverted(unit, record)
        return Result(record.id, after, applied.code)

    def _permit(self, record: ProposalRecord, intent: str) -> tuple[Permit, Context]:
        proposal = record.proposal
        tool = self._steps.registry.writer(proposal.tool)
        rendered = Rendered.of(proposal)
        return Permit(
            tool, checked(tool, proposal.args), rendered, Marker.of(record.proposal, record.digest), intent
        ), self._steps.context(proposal)

    def _lease_end(self, record: ProposalRecord) -> int:
        tool = self._steps.registry.writer(record.proposal.tool)
        return self._clock.now_us() + max(WRITE_LEASE_S, tool.limits.timeout_s + GRACE_S) * MICROSECONDS

    def _answered(self, record: ProposalRecord, row: ApprovalRecord) -> bool:
        """Tell whether the log bears out a row that says no."""
        try:
            event = self._ledger.proven(row.entry).event
        except (CheckFailed, NotFound):
            return False
        if not isinstance(event, AnswerGiven) or event.answer.statement.action == "approve":
            return False
        said = event.answer.statement
        return (said.action, said.principal, said.proposal_digest) == (row.action, row.principal, record.digest)
