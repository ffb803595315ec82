"""Single steps in the life of a proposal, each in one transaction with its log entry.

Rules: a step starts from the state its caller saw, or does not happen; policy's every answer is recorded; whether a
proposal is still what was reviewed is found by rendering it again.
"""

import dataclasses
from typing import Final

from twokey.core.canonical import Json
from twokey.core.errors import Refused
from twokey.core.events import ProposalMoved
from twokey.core.lifecycle import State, step
from twokey.core.ports import Clock, Directory, Policy
from twokey.core.values import BreakGlass, Call, Decision, Principal, Proposal
from twokey.store import proposals
from twokey.store.proposals import ProposalRecord
from twokey.tools import calls, recording
from twokey.tools.circumstances import Circumstances, Given
from twokey.tools.contract import Context
from twokey.tools.faults import code_of, contained
from twokey.tools.ledger import Ledger, Unit
from twokey.tools.places import PlaceBook
from twokey.tools.proposing import checked, expiry, same
from twokey.tools.registry import Registry
from twokey.tools.waivers import Exceptions

FAULT: Final = "engine_fault"
"""Reason code of a deny that Twokey gives in place of an engine that did not answer."""
PASSING: Final = frozenset({"budget_used", "cost_used", "change_freeze"})
"""Reason codes of denies that end by themselves: a proposal that was made already waits for that."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What an answer or an execution led to. ``code`` says why, for machines."""

    id: str
    state: State
    code: str
    successor: str | None = None
    """The proposal that stands in for this one from now on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """Policy's answer to a proposal as things are now, still to be recorded: it goes with what follows from it."""

    call: Call
    decision: Decision
    occasion: calls.Occasion
    given: Given

    def record(self, unit: Unit) -> None:
        """Put the answer into the log."""
        recording.record(unit, self.call, self.decision, occasion=self.occasion)

    @property
    def failed(self) -> bool:
        """Whether the engine gave no answer: then nothing goes on, and nothing has changed for the proposal either."""
        return self.decision.reasons[0].code == FAULT

    @property
    def waits(self) -> str | None:
        """The reason for which nothing goes on for now, where there is no other: it takes nothing from the proposal."""
        codes = [reason.code for reason in self.decision.reasons]
        return codes[0] if self.decision.effect == "deny" and PASSING.issuperset(codes) else None


class Moved(Exception):  # noqa: N818 - somebody else was first; handled by who asked for the step
    """The proposal is not in the state this process saw."""


class Steps:
    """Makes the steps that answers and executions consist of."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        policy: Policy,
        registry: Registry,
        directory: Directory,
        clock: Clock,
        book: PlaceBook,
        waivers: Exceptions | None = None,
    ) -> None:
        self.ledger = ledger
        self.registry = registry
        self.directory = directory
        self.clock = clock
        self.policy = policy
        self.circumstances = Circumstances(ledger, clock, waivers)
        self._book = book

    def find(self, text: str) -> ProposalRecord:
        """Read a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``."""
        with self.ledger.look() as connection:
            return proposals.get_proposal(connection, proposals.resolve_proposal(connection, text))

    def lock(self, unit: Unit, record: ProposalRecord) -> None:
        """Hold a proposal until the transaction ends.

        Raises:
            Moved: it is no longer in the state, or under the decision, that ``record`` shows.

        """
        if proposals.lock_proposal(unit.connection, record.id) != (record.state, record.decision_digest):
            raise Moved

    def ask(
        self,
        record: ProposalRecord,
        occasion: calls.Occasion,
        glass: BreakGlass | None = None,
        given: Given | None = None,
    ) -> Asked:
        """Ask policy about a proposal as things are now, or as they were ``given``. The caller records the answer."""
        requester = self.directory.principal(record.proposal.requester) or Principal(name=record.proposal.requester)
        if given is None:
            given = self.circumstances.now(run=record.run, requester=requester.name, proposal=record.id)
        call = calls.of_proposal(record.proposal, requester, self.clock.now_us(), given, glass)
        return Asked(call, self.policy.decide(call), occasion, given)

    def stale(self, record: ProposalRecord, *, evidence_stands: bool) -> str | None:
        """Compare with what was reviewed: evidence, tool, rendering. Gives the code of a difference, or None.

        ``evidence_stands`` is what ``Sight`` has just found of the evidence.
        """
        proposal = record.proposal
        if not evidence_stands:
            return "changed_evidence"
        if self.changed_tool(proposal):
            return "changed_tool"
        tool = self.registry.writer(proposal.tool)
        try:
            with contained(tool.name):
                rendered = tool.render(checked(tool, proposal.args), self.context(proposal))
        except Refused as refusal:
            return code_of(refusal)
        return None if same(rendered, proposal) else "changed_rendering"

    def changed_tool(self, proposal: Proposal) -> bool:
        """Tell whether the tool is another one than the one that rendered the proposal; raises ``NotFound``."""
        tool = self.registry.writer(proposal.tool)
        return (tool.version, tool.schema_digest()) != (proposal.tool_version, proposal.tool_schema)

    def renew(self, record: ProposalRecord, asked: Asked) -> None:
        """Put a new decision on a waiting proposal. Approvals of the old one no longer match it."""
        decision = asked.decision
        with self.ledger.change() as unit:
            proposals.move_proposal(
                unit.connection,
                record.id,
                before=State.AWAITING_APPROVAL,
                after=State.AWAITING_APPROVAL,
                code="changed_decision",
                now=self.clock.now_us(),
                decision=decision,
                expires_us=expiry(record.proposal, decision),
            )
            asked.record(unit)

    def move(
        self,
        record: ProposalRecord,
        after: State,
        code: str,
        *,
        asked: Asked | None = None,
        decision: Decision | None = None,
    ) -> Result:
        """Make one transition in a transaction of its own; if somebody else was first, give what they made of it."""
        try:
            with self.ledger.change() as unit:
                self.lock(unit, record)
                if asked is not None:
                    asked.record(unit)
                self.transition(unit, record, after, code, decision=decision)
        except Moved:
            if asked is not None:
                self.note(asked)
            moved = self.find(record.id)
            return Result(moved.id, moved.state, moved.code)
        return Result(record.id, after, code)

    def note(self, asked: Asked) -> None:
        """Record an answer of policy's from which nothing follows."""
        with self.ledger.change() as unit:
            asked.record(unit)

    def transition(  # the fields of one transition
        self,
        unit: Unit,
        record: ProposalRecord,
        after: State,
        code: str,
        *,
        by: str | None = None,
        decision: Decision | None = None,
        result: Json = None,
        successor: str | None = None,
    ) -> None:
        """Make one step of the lifecycle, with its entry."""
        step(record.state, after)
        expires = expiry(record.proposal, decision) if decision else record.expires_us
        moved = proposals.move_proposal(
            unit.connection,
            record.id,
            before=record.state,
            after=after,
            code=code,
            now=self.clock.now_us(),
            decision=decision,
            expires_us=expires,
            result=result,
        )
        if not moved:
            raise Moved
        unit.record(
            ProposalMoved(
                proposal=record.id,
                run=record.run,
                digest=record.digest,
                before=record.state,
                after=after,
                code=code,
                by=by,
                decision_digest=decision.digest() if decision else record.decision_digest,
                expires_us=expires if after is State.AWAITING_APPROVAL else None,
                successor=successor,
            )
        )

    def reverted(self, unit: Unit, record: ProposalRecord) -> None:
        """Note on the write that ``record`` undoes, if it undoes one, that it was undone: with its receipt."""
        if record.proposal.reverts is None:
            return
        undone = proposals.get_proposal(unit.connection, record.proposal.reverts, lock=True)
        if undone.state is State.DONE:
            self.transition(unit, undone, State.REVERTED, "reverted")

    def context(self, proposal: Proposal) -> Context:
        """Give the tool what it may touch for this proposal: the one place its hashed resource names."""
        return Context(places=self._book.places([proposal.resource]), now_us=self.clock.now_us())
