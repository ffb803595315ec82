"""All that an agent can do: read, write down what it found, and propose.

Rules: a read goes through policy and leaves evidence and two log entries; one that fails, or lies outside the run's
places, leaves an entry that says so. A draft becomes a proposal and nothing more. A desk shows its own run's evidence
only; what an earlier run read becomes evidence of this one where policy allows the same read now and the log bears out
the earlier one (``adopting``). There is no way from here to an answer or to a write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import ValidationError

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import EnvironmentFault, NotFound, Refused, ToolRetry, TwokeyError
from twokey.core.events import ModelCalled, ReviewEnded, RunPlanned, StepEnded, StepStarted, ToolReturned
from twokey.core.lifecycle import OPEN
from twokey.core.ports import Clock, Ids, Policy
from twokey.core.values import Call, Decision, Evidence, Plan, Principal, Report, Value
from twokey.store import evidence, proposals, runs
from twokey.store.proposals import ProposalRecord
from twokey.tools import budgets, calls, recording
from twokey.tools.adopting import Adopter, Found, Wanted, adopt
from twokey.tools.contract import Context, Place, Places, ReadTool
from twokey.tools.endings import Ending, endings, originals
from twokey.tools.faults import TOOL_FAULT, code_of, contained
from twokey.tools.ledger import Ledger
from twokey.tools.proposing import Draft, Proposer, checked, made_before
from twokey.tools.registry import Registry

Result = TypeVar("Result", bound=Value)


@dataclass(frozen=True, slots=True)
class Reading(Generic[Result]):
    """What a read tool gave, and the evidence that was kept of it."""

    evidence: Evidence
    result: Result


@dataclass(frozen=True, slots=True)
class Office:
    """What every desk shares."""

    ledger: Ledger
    policy: Policy
    registry: Registry
    proposer: Proposer
    clock: Clock
    ids: Ids


class Desk:
    """One run's desk. Agents get this and nothing else."""

    def __init__(self, office: Office, *, run: str, requester: Principal, places: Places) -> None:
        self._office = office
        self.run = run
        self.requester = requester
        self.places = places

    # -- reading ----------------------------------------------------------------------------------------------

    def read(self, name: str, args: dict[str, Any], *, agent: str, step: int, result: type[Result]) -> Reading[Result]:
        """Call the read tool ``name``.

        Raises:
            ToolRetry: the arguments do not fit.
            Refused: policy denied the read, or it lies outside the run's places.
            TwokeyError: the tool failed; the log says so.

        """
        office = self._office
        tool = office.registry.reader(name)
        try:
            checked: Value = tool.input_type.model_validate(args)
        except ValidationError as error:
            raise ToolRetry(
                f"The arguments of {name} do not fit its schema ({error.error_count()} faults).",
                next="Correct the arguments.",
            ) from error
        place = self._place(tool, checked)
        call = calls.of_read(
            tool,
            checked,
            requester=self.requester,
            agent=agent,
            run=self.run,
            step=step,
            resource=place.resource,
            now_us=office.clock.now_us(),
            given=office.proposer.circumstances.now(run=self.run, requester=self.requester.name),
        )
        call_id = self._permitted(call)
        try:
            with contained(name):
                found = tool.call(checked, Context(places=self.places, now_us=office.clock.now_us()))
                content = canonical.encode(found.canonical())
                summary = tool.summary(checked, found)[:400]
                canonical.encode(summary)
            if not isinstance(found, result):
                raise EnvironmentFault(
                    f"The tool {name} gives something else than this step can use.",
                    next="Remove the plugin that replaces it.",
                    code=TOOL_FAULT,
                )
        except TwokeyError as error:
            office.ledger.record(ToolReturned(run=self.run, call=call_id, code=code_of(error)))
            raise
        origin = f"{tool.kind} {place.resource.id}"
        return Reading(self._keep(call, call_id, content, origin=origin, summary=summary), found)

    def _place(self, tool: ReadTool[Any, Any], args: Value) -> Place:
        """Give the place that a call touches; a call that may not touch it is recorded before it is refused."""
        try:
            with contained(tool.name):
                return self.places.find(tool.kind, tool.place_name(args))
        except TwokeyError as error:
            self._office.ledger.record(ToolReturned(run=self.run, call=self._office.ids.new("c"), code=code_of(error)))
            raise

    def _permitted(self, call: Call) -> str:
        office = self._office
        decision: Decision = office.policy.decide(call)
        call_id = office.ids.new("c")
        with office.ledger.change() as unit:
            args = unit.commit_to(call.args)
            recording.record(unit, call, decision, occasion="read", call_id=call_id)
            if decision.effect == "allow":
                unit.record(recording.called(call, call_id, args))
        if decision.effect != "allow":
            reason = decision.reasons[0]
            raise Refused(
                f"Policy does not let this run call {call.tool}: {reason.message} ({reason.rule}).",
                next="Ask for something the policy allows, or ask its owner to change it.",
                code=reason.code,
            )
        return call_id

    def _keep(self, call: Call, call_id: str, content: bytes, *, origin: str, summary: str) -> Evidence:
        office = self._office
        salt = office.ids.salt()
        value = Evidence(
            id=office.ids.new("e"),
            run=self.run,
            tool=call.tool,
            origin=origin[:400],
            trusted=False,
            summary=summary,
            sha256=canonical.digest_of_text(content),
            salt=salt,
            commitment=canonical.commitment_to_text(salt, content),
            created_us=office.clock.now_us(),
        )
        with office.ledger.change() as unit:
            evidence.add_evidence(unit.connection, value, content)
            unit.record(
                ToolReturned(run=self.run, call=call_id, code="ok", evidence=value.id, content=value.commitment)
            )
        return value

    def adopt(
        self, name: str, wanted: Sequence[Wanted], *, agent: str, step: int, fits: Callable[[Json], bool]
    ) -> dict[str, tuple[str, Json]]:
        """Make evidence of earlier runs evidence of this one, instead of reading the same again.

        ``fits`` says of a content whether it still holds. Gives new id and content of what was adopted, by the id it
        had; what is not borne out by the log, does not fit or would not be allowed now is left out, and has to be read.

        Raises:
            Refused: it lies outside the run's places.
            CheckFailed: the database and the log disagree.

        """
        office = self._office
        tool = office.registry.reader(name)
        given = office.proposer.circumstances.now(run=self.run, requester=self.requester.name)
        allowed: list[tuple[Found, Call, Decision]] = []
        for found, args in Adopter(office.ledger).find(tool, wanted):
            if not fits(found.content):
                continue
            call = calls.of_read(
                tool,
                args,
                requester=self.requester,
                agent=agent,
                run=self.run,
                step=step,
                resource=self._place(tool, args).resource,
                now_us=office.clock.now_us(),
                given=given,
            )
            decision = office.policy.decide(call)
            if decision.effect == "allow":
                allowed.append((found, call, decision))
        adopted: dict[str, tuple[str, Json]] = {}
        if allowed:
            with office.ledger.change() as unit:
                for found, call, decision in allowed:
                    value = adopt(unit, found, call, decision, office.ids, office.clock.now_us())
                    adopted[found.evidence.id] = (value.id, found.content)
        return adopted

    # -- writing down -----------------------------------------------------------------------------------------

    def keep(self, name: str, body: Json) -> None:
        """Hand something to a later step: canonical JSON under a name of this run."""
        with self._office.ledger.change() as unit:
            runs.put_document(unit.connection, run=self.run, name=name, body=body, now=self._office.clock.now_us())

    def kept(self, name: str) -> Json:
        """Read what an earlier step handed over; raises ``NotFound``."""
        with self._office.ledger.look() as connection:
            return runs.get_document(connection, run=self.run, name=name)

    def content(self, evidence_id: str) -> tuple[Evidence, Json]:
        """Read evidence of this run again; raises ``NotFound``, ``CheckFailed``."""
        with self._office.ledger.look() as connection:
            value, content = evidence.get_evidence(connection, evidence_id)
        if value.run != self.run:
            raise NotFound("This run has no such evidence.", next="Look at the proposal that cites it.")
        return value, content

    def earlier(self, prefix: str, *, limit: int = 10) -> list[tuple[str, Json]]:
        """Read what other runs handed over lately under names that begin with ``prefix``, newest first, with their run.

        Hints only: nothing in them counts before ``adopt`` has proven it.
        """
        with self._office.ledger.look() as connection:
            return runs.recent_documents(connection, prefix=prefix, but=self.run, limit=limit)

    def handed_over(self, run: str, name: str) -> Json:
        """Read what another run handed over under ``name``; raises ``NotFound``. A hint, as those of ``earlier``."""
        with self._office.ledger.look() as connection:
            return runs.get_document(connection, run=run, name=name)

    def begun_us(self, run: str) -> int:
        """Give when a run began, in microseconds since 1970 (UTC); raises ``NotFound``."""
        with self._office.ledger.look() as connection:
            return runs.get_run(connection, run).created_us

    def planned(self, plan: Plan) -> None:
        """Keep the plan and record that there is one."""
        with self._office.ledger.change() as unit:
            runs.put_document(
                unit.connection, run=self.run, name="plan", body=plan.canonical(), now=self._office.clock.now_us()
            )
            unit.record(
                RunPlanned(
                    run=self.run,
                    plan=unit.commit_to(plan.canonical()),
                    agents=tuple(step.agent for step in plan.steps),
                )
            )

    def step_started(self, step: int, agent: str) -> None:
        """Record that an agent begins."""
        self._office.ledger.record(StepStarted(run=self.run, step=step, agent=agent))

    def step_ended(self, step: int, agent: str, *, code: str, report: Report | None = None) -> None:
        """Keep an agent's report and record that it ended."""
        with self._office.ledger.change() as unit:
            if report is not None:
                runs.put_document(
                    unit.connection,
                    run=self.run,
                    name=f"report-{step}",
                    body=report.canonical(),
                    now=self._office.clock.now_us(),
                )
            unit.record(
                StepEnded(
                    run=self.run,
                    step=step,
                    agent=agent,
                    code=code,
                    findings=len(report.findings) if report else 0,
                )
            )

    def reviewed(self, *, claims: int, supported: int, dropped: int, code: str) -> None:
        """Record the reviewer's result."""
        self._office.ledger.record(
            ReviewEnded(run=self.run, claims=claims, supported=supported, dropped=dropped, code=code)
        )

    def model_called(
        self,
        *,
        step: int,
        tier: Literal["small", "large"],
        code: str,
        tokens: tuple[int, int],
        prompt: Json,
        answer: Json,
        cost: int = 0,
    ) -> None:
        """Record a model call. Prompt and answer go to the store; the log holds commitments to them.

        ``cost`` is in millionths of the workspace's currency and counts against the budgets of run and workspace.
        """
        with self._office.ledger.change() as unit:
            if cost:
                now = self._office.clock.now_us()
                budgets.spend(unit.connection, run=self.run, requester=self.requester.name, cost=cost, now=now)
            unit.record(
                ModelCalled(
                    run=self.run,
                    step=step,
                    tier=tier,
                    code=code,
                    tokens_in=tokens[0],
                    tokens_out=tokens[1],
                    prompt=unit.commit_to(prompt),
                    answer=unit.commit_to(answer) if answer is not None else None,
                )
            )

    # -- proposing --------------------------------------------------------------------------------------------

    def propose(self, draft: Draft, *, agent: str, step: int) -> ProposalRecord:
        """Ask for a write. It waits for policy and people; nothing is written here.

        A step that runs again after a crash gets the proposal it made before, not a second one. One step may propose
        several times with a tool that tells them apart (``WriteTool.once``).
        """
        tool = self._office.registry.writer(draft.tool)
        if tool.only_undoes:
            raise Refused(
                f"{draft.tool} only undoes what was written before, so no agent may propose it.",
                next="Undo a write with `twokey approvals revert ID`.",
                code="only_undoes",
            )
        args = checked(tool, draft.args)
        for made in self.proposals():
            if made_before(made, tool, args, step):
                return made
        return self._office.proposer.propose(
            draft,
            run=self.run,
            requester=self.requester.name,
            agent=agent,
            step=step,
            places=self.places,
            once=True,
        )

    def proposals(self) -> list[ProposalRecord]:
        """What this run has proposed, oldest first."""
        with self._office.ledger.look() as connection:
            return proposals.proposals_of(connection, self.run)

    def waiting(self, tool: str) -> list[dict[str, Any]]:
        """Give the arguments of proposals of a tool that other runs made and that are open; a hint, and few.

        Where a person edited one, what it was edited from counts as open, too: it is not to be proposed again.
        """
        with self._office.ledger.look() as connection:
            states = tuple(sorted(OPEN, key=lambda state: state.value))
            found = proposals.list_proposals(connection, states=states, limit=500)
        open_ones = [made.proposal for made in found if made.proposal.tool == tool and made.run != self.run]
        first = [old for proposal in open_ones for old in originals(self._office.ledger, proposal)]
        return [proposal.args for proposal in (*open_ones, *first)]

    def endings(self, tool: str) -> list[Ending]:
        """Give how proposals of a tool ended before, in any run, as the log bears it out; newest first, and few."""
        return endings(self._office.ledger, tool)

    def now_us(self) -> int:
        """What time it is, in microseconds."""
        return self._office.clock.now_us()

    def forget(self, name: str) -> None:
        """Withdraw a document that an earlier step handed over, because a later one found it unfit."""
        with self._office.ledger.change() as unit:
            runs.drop_document(unit.connection, run=self.run, name=name)

    def has(self, name: str) -> bool:
        """Tell whether this run holds a document of that name."""
        with self._office.ledger.look() as connection:
            return runs.has_document(connection, run=self.run, name=name)
