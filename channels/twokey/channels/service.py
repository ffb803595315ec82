"""What people can do, whatever channel they come through: ask, look, answer.

Rules: every function takes an identity that was proven, never a name; an approval is carried out at once by the gate,
or by a worker where whoever answers does not wait for it;
a run is taken up again after its proposals have come to an end; the credential signs one statement and is not kept.
A run is driven here under a lease, or left to the workers; of several processes that want it, one gets it, and what
befell the one before is in the log.
"""

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from twokey.agents.state import Progress
from twokey.channels.card import Around, Card, Emergency
from twokey.channels.driving import Drivers, Heart, Holding, holder_name
from twokey.channels.readiness import CODE, Readiness
from twokey.core import canonical, jobs
from twokey.core.canonical import Json
from twokey.core.errors import (
    BadInput,
    CheckFailed,
    EnvironmentFault,
    Halted,
    LeaseLost,
    LogUnavailable,
    NotFound,
    Refused,
    TwokeyError,
)
from twokey.core.events import CardShown, PolicyShadowed, ProposalMoved, RunEnded, RunRequested, RunTakenOver
from twokey.core.lifecycle import OPEN, State
from twokey.core.ports import Clock, Dispatcher, Ids
from twokey.core.values import Action, Answer, Channel, Finding, Identity, Report, Request, Resource, Statement
from twokey.store import evidence, proposals, runs
from twokey.store.listing import Position
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools.answers import ANSWERED_BEFORE
from twokey.tools.batches import Shown
from twokey.tools.fencing import lease_lost
from twokey.tools.gate import Gate
from twokey.tools.identity import Credential
from twokey.tools.ledger import Ledger, Unit
from twokey.tools.reading import Reader
from twokey.tools.steps import Result

if TYPE_CHECKING:
    # LangGraph takes longer to import than most commands take to answer; it comes in when a run is driven.
    from twokey.agents.planner.runner import Runner

_logger: Final = logging.getLogger("twokey.service")

Unplanned = Callable[[RunRecord, Callable[[Progress], None]], ProposalRecord]
"""Makes the one proposal of a run whose intent needs no planner."""


SEVERAL_ENDS: Final = "several_ends"
"""Code of a run whose proposals did not all end alike."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run stands after it was driven."""

    run: RunRecord
    proposals: tuple[ProposalRecord, ...]
    question: dict[str, Any] | None = None
    """What has to be answered before the run can be planned."""
    findings: tuple[Finding, ...] = ()
    """What the run found, where it proposed nothing: then that is its answer."""


def _never() -> bool:
    return False


class _Reins:
    """Holds one run while it is driven: stops it where its lease is lost or its process is to end."""

    def __init__(self, holding: Holding, halted: Callable[[], bool]) -> None:
        self.holder: Final = holding.holder
        self._holding = holding
        self._halted = halted

    @property
    def halted(self) -> bool:
        return self._holding.lost or self._halted()

    def check(self) -> None:
        self._holding.check()


class Service:
    """One workspace, opened."""

    def __init__(
        self,
        *,
        workspace: str,
        readiness: Readiness,
        ledger: Ledger,
        gate: Gate,
        runner: "Callable[[], Runner]",
        unplanned: Mapping[str, Unplanned],
        drivers: Drivers,
        heart: Heart,
        dispatcher: Callable[[], Dispatcher],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._workspace = workspace
        self._readiness = readiness
        self._ledger = ledger
        self._gate = gate
        self._runner = runner
        self._unplanned = unplanned
        self._drivers = drivers
        self._heart = heart
        self.dispatcher = dispatcher
        self._clock = clock
        self._ids = ids

    # -- asking -----------------------------------------------------------------------------------------------

    def ask(
        self,
        identity: Identity,
        request: Request,
        places: Sequence[Resource],
        tell: Callable[[Progress], None],
    ) -> Outcome:
        """Take a request, run it to its pause or its end, and say where it stands."""
        run, holder = self._ids.new("r"), self._ids.new("x")
        with self._drivers.alive(holder):
            holding = self._heart.holding(run, holder)
            with self._ledger.change() as unit:
                self._accept(unit, run, identity, request, places)
                # In the same transaction, so that no worker takes it for one that nobody drives.
                runs.take_run(unit.connection, run, holder=holder, now=self._clock.now_us(), until=holding.until_us())
            return self._driven(holding, tell)

    def leave(
        self,
        identity: Identity,
        request: Request,
        places: Sequence[Resource],
        *,
        priority: int = 0,
        run: str | None = None,
        only_if: Callable[[Unit], bool] | None = None,
    ) -> str | None:
        """Take a request and leave it to the workers; gives the run.

        ``only_if`` is asked in the transaction that takes the request; where it says no, nothing was asked. A channel
        names the ``run`` after what it received, so that the same thing asks once. What is acknowledged is not lost:
        a run whose job got lost is found by the next recovery.
        """
        run = self.accept(identity, request, places, run=run, only_if=only_if)
        if run is not None:
            self.dispatcher().submit(jobs.drive(run, priority=priority))
        return run

    def accept(
        self,
        identity: Identity,
        request: Request,
        places: Sequence[Resource],
        *,
        run: str | None = None,
        only_if: Callable[[Unit], bool] | None = None,
    ) -> str | None:
        """Take a request and queue no job for it: somebody drives it, or recovery finds it. See ``leave``."""
        run = run or self._ids.new("r")
        with self._ledger.change() as unit:
            if only_if is not None and not only_if(unit):
                return None
            self._accept(unit, run, identity, request, places)
        return run

    def _accept(self, unit: Unit, run: str, identity: Identity, request: Request, places: Sequence[Resource]) -> None:
        now = self._clock.now_us()
        runs.add_run(unit.connection, run=run, request=request, auth=identity.auth, places=places, now=now)
        runs.put_document(unit.connection, run=run, name="request", body=request.canonical(), now=now)
        unit.record(
            RunRequested(
                run=run,
                requester=identity.principal.name,
                auth=identity.auth,
                channel=identity.channel,
                intent=request.intent,
                request=unit.commit_to(request.canonical()),
            )
        )

    def drive(
        self,
        run: str,
        tell: Callable[[Progress], None],
        *,
        halted: Callable[[], bool] = _never,
        patient: bool = False,
    ) -> Outcome:
        """Start a run, or take it up again after a pause or a crash.

        ``halted`` tells whether to stop at the next boundary of a step. For who is ``patient``, a fault of the
        surroundings leaves the run as it is, to be tried again.

        Raises:
            NotFound: there is no such run.
            Refused: another process is driving it, or it has come to its end.
            LeaseLost: another process took it over.
            Halted: it was left at a step's boundary.
            TwokeyError: the run failed; its record says why.

        """
        holder = self._ids.new("x")
        with self._drivers.alive(holder):
            holding = self._heart.holding(run, holder)
            self._take_lease(holding)
            return self._driven(holding, tell, halted=halted, patient=patient)

    def _take_lease(self, holding: Holding) -> None:
        """Take the lease on a run from nobody, or from a process that died or fell silent with it."""
        run, now = holding.run, self._clock.now_us()
        with self._ledger.change() as unit:
            record, before = runs.get_driven(unit.connection, run)
            if record.state not in runs.GOING_ON:
                raise Refused(f"Run {run} is {record.state} already ({record.code}).", next="Ask again.", code="ended")
            dead = before is not None and self._drivers.life(before) == "dead"
            if before is not None and dead:
                runs.leave_run(unit.connection, run, holder=before)
            if not runs.take_run(unit.connection, run, holder=holding.holder, now=now, until=holding.until_us()):
                raise Refused(
                    f"Another process is driving run {run}.", next="Watch it with `twokey runs show`.", code="run_busy"
                )
            if before is not None:
                unit.record(
                    RunTakenOver(
                        run=run,
                        holder=holding.holder,
                        before=holder_name(before),
                        code="driver_died" if dead else "lease_expired",
                    )
                )
        if before is not None:
            self._drivers.forget(before)

    def _driven(
        self,
        holding: Holding,
        tell: Callable[[Progress], None],
        *,
        halted: Callable[[], bool] = _never,
        patient: bool = False,
    ) -> Outcome:
        run = holding.run

        def told(progress: Progress) -> None:
            if holding.lost:
                raise lease_lost(run)
            tell(progress)

        with self._heart.beats(holding):
            try:
                pauses = self._work(run, told, _Reins(holding, halted))
            except TwokeyError as error:
                if isinstance(error, (LeaseLost, LogUnavailable, Halted)) or (
                    patient and isinstance(error, EnvironmentFault)
                ):
                    self._give_back(holding)
                else:
                    self._settle(holding, "failed", error.code, error.message)
                raise
            except BaseException:  # an interrupt, too, leaves the run to whoever comes next
                self._give_back(holding)
                raise
            outcome = self.outcome(run)
            if pauses:
                record = self._settle(holding, "waiting", "waits_for_people", "")
            else:
                record = self._conclude(holding, outcome)
        return dataclasses.replace(outcome, run=record)

    def _work(self, run: str, tell: Callable[[Progress], None], reins: _Reins) -> tuple[str, ...]:
        """Bring a run to its pause or its end; gives what it pauses for."""
        outcome = self.outcome(run)
        propose = self._unplanned.get(outcome.run.request.intent)
        if propose is None:
            return self._runner().drive(run, tell, reins)
        made = outcome.proposals or (propose(outcome.run, tell),)
        return tuple(record.id for record in made if record.state in OPEN)

    def find(self, text: str) -> ProposalRecord:
        """Read a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``."""
        return self._gate.find(text)

    def stands(self, text: str) -> ProposalRecord:
        """Read a proposal as it stands at this moment: one whose time is over has expired. Raises like ``find``."""
        return self._gate.current(text)

    def reject(self, identity: Identity, action: Action, code: str) -> None:
        """Record an answer that its channel did not let through to the gate."""
        self._gate.rejected(identity, action, code)

    def shown(self, record: ProposalRecord, channel: Channel) -> None:
        """Record that a card was put before everybody at a place."""
        self._gate.shown(record, channel=channel, viewer=None)

    def _conclude(self, holding: Holding, outcome: Outcome) -> RunRecord:
        """Close a run whose graph has come to its end, and say how."""
        if outcome.question is not None:
            return self._settle(holding, "failed", "unclear", "The request was not clear enough to plan.")
        if not outcome.proposals and self._withdrawn(holding.run):
            return self._settle(holding, "failed", "unbacked_claim", "The draft said more than its evidence supports.")
        if not outcome.proposals:
            return self._settle(holding, "done", "nothing_to_propose", "")
        return self._settle(holding, "done", ended_as(record.state for record in outcome.proposals), "")

    def _withdrawn(self, run: str) -> bool:
        """Tell whether the reviewer kept a draft from becoming a proposal."""
        with self._ledger.look() as connection:
            review = runs.find_document(connection, run=run, name="review")
        return isinstance(review, dict) and bool(review.get("problems"))

    def carry_out(self, proposal: str) -> Result:
        """Carry out an approved proposal, or find out what became of a started write; see ``Gate.execute``.

        Where that ends the last of a run's proposals, the run is left to the workers.
        """
        result = self._gate.execute(proposal)
        answered = self._answered(result.id)
        if answered is not None:
            self.dispatcher().submit(jobs.drive(answered))
        return result

    def give_up(self, run: str, code: str, message: str) -> None:
        """End a run that could not be driven, however often it was tried; not one that somebody drives now."""
        now = self._clock.now_us()
        with self._ledger.change() as unit:
            holder = self._ids.new("x")
            if runs.take_run(unit.connection, run, holder=holder, now=now, until=now):
                self._end(unit, run, "failed", code, message, holder=holder)

    def _give_back(self, holding: Holding) -> None:
        """Leave a run to whoever comes next. Where the database does not take it, the lease runs out by itself."""
        with contextlib.suppress(LogUnavailable), self._ledger.change() as unit:
            runs.leave_run(unit.connection, holding.run, holder=holding.holder)

    def _settle(self, holding: Holding, state: runs.RunState, code: str, message: str) -> RunRecord:
        """Set the state that driving a run has led to and give the lease back, if this process still drives it."""
        with self._ledger.change() as unit:
            self._end(unit, holding.run, state, code, message, holder=holding.holder)
            return runs.get_run(unit.connection, holding.run)

    def _end(
        self, unit: Unit, run: str, state: runs.RunState, code: str, message: str, *, holder: str | None = None
    ) -> None:
        moved = runs.move_run(
            unit.connection,
            run,
            before=runs.GOING_ON,
            after=state,
            now=self._clock.now_us(),
            code=code,
            message=message,
            holder=holder,
        )
        if moved and state in {"done", "failed", "cancelled"}:
            unit.record(RunEnded.model_validate({"run": run, "state": state, "code": code}))

    def outcome(self, run: str) -> Outcome:
        """Say where a run stands; raises ``NotFound``."""
        with self._ledger.look() as connection:
            record = runs.get_run(connection, run)
            made = proposals.proposals_of(connection, run)
            question = runs.find_document(connection, run=run, name="question")
            found = () if made else tuple(_findings(runs.list_documents(connection, run=run, prefix="report-")))
        return Outcome(record, tuple(made), question if isinstance(question, dict) else None, found)

    def findings(self, run: str) -> tuple[Finding, ...]:
        """Give all that a run found, whatever came of it."""
        with self._ledger.look() as connection:
            return tuple(_findings(runs.list_documents(connection, run=run, prefix="report-")))

    def document(self, run: str, name: str) -> Any:
        """Give what a run kept under a name; ``None`` where it kept nothing."""
        with self._ledger.look() as connection:
            return runs.find_document(connection, run=run, name=name)

    def runs(self, limit: int = 50) -> list[RunRecord]:
        """Give the latest runs, newest first."""
        with self._ledger.look() as connection:
            return runs.list_runs(connection, limit=limit)

    def cancel(self, identity: Identity, run: str) -> Outcome:
        """Stop a run: its open proposals are left to be withdrawn one by one, nothing new is made.

        Raises:
            Refused: somebody else asked for it, or it has come to its end.

        """
        outcome = self.outcome(run)
        if outcome.run.requester != identity.principal.name:
            raise Refused(
                f"Run {run} was asked for by {outcome.run.requester}; only they may cancel it.",
                next="Ask them.",
                code="not_requester",
            )
        if any(record.state in OPEN for record in outcome.proposals):
            raise Refused(
                f"Run {run} has a proposal that waits.",
                next="Withdraw it with `twokey approvals withdraw ID`; the run then ends by itself.",
                code="has_open_proposal",
            )
        if outcome.run.state not in runs.GOING_ON:
            raise Refused(f"Run {run} is {outcome.run.state} already.", next="Nothing is left to cancel.", code="ended")
        with self._ledger.change() as unit:
            self._end(unit, run, "cancelled", "cancelled_by_requester", "")
        return self.outcome(run)

    # -- looking ----------------------------------------------------------------------------------------------

    def card(self, text: str, viewer: Identity | None) -> Card:
        """Give the card of a proposal and record that it was shown; raises ``NotFound``, ``CheckFailed``."""
        record = self._gate.current(text)
        with self._ledger.look() as connection:
            cited = tuple(evidence.get_evidence(connection, ref.id)[0] for ref in record.proposal.evidence)
        answers = tuple(self._gate.approvals(record))
        card = Card(record, cited, answers, self._ledger.checkpoint(), self._around(record))
        if viewer is not None:
            self._gate.shown(record, channel=viewer.channel, viewer=viewer.principal.name)
        return card

    def _around(self, record: ProposalRecord) -> Around:
        glass = self._gate.emergency(record) if record.state in OPEN else None
        emergency = None
        if glass is not None:
            ticket = self._gate.orders.find_glass(glass.id).ticket
            emergency = Emergency(glass.id, glass.opened_by, ticket, glass.until_us)
        moves = [
            event for event in self._ledger.history(record.id, "proposal.moved") if isinstance(event, ProposalMoved)
        ]
        return Around(
            stopped=self._gate.stopped(),
            emergency=emergency,
            successor=next((move.successor for move in moves if move.successor), None),
            receipts=tuple(self._gate.receipts(record)),
            shadow=self._shadow(record),
        )

    def _shadow(self, record: ProposalRecord) -> str | None:
        """Say what the shadow policy would have answered last. The log's index is enough for what decides nothing."""
        last = None
        for event in self._ledger.history(record.id, "policy.shadowed"):
            last = event if isinstance(event, PolicyShadowed) else last
        if last is None:
            return None
        seen = "agrees" if last.agrees else f"would be {last.decision} ({', '.join(last.reasons)})"
        return f"{seen} · policy {last.policy_revision[:12]}, data {last.data_revision[:12]} · decides nothing"

    def waiting(self, *, everything: bool = False, limit: int = 50) -> list[ProposalRecord]:
        """Give the proposals that wait for somebody, or all, newest first."""
        self._gate.expire_due()
        with self._ledger.look() as connection:
            return proposals.list_proposals(connection, states=() if everything else tuple(OPEN), limit=limit)

    def waiting_for(self, reader: Reader, *, limit: int) -> list[ProposalRecord]:
        """Give the proposals that wait and that somebody may read, newest first."""
        self._gate.expire_due()
        return self.proposals(tuple(OPEN), reader=reader, limit=limit)

    def proposals(self, states: Sequence[State], *, reader: Reader, limit: int) -> list[ProposalRecord]:
        """Give the proposals that are in some states and that somebody may read, newest first."""
        with self._ledger.look() as connection:

            def fetch(behind: Position | None) -> list[ProposalRecord]:
                place = None if behind is None else (behind.created_us, behind.id)
                return proposals.list_proposals(
                    connection, states=states, requester=reader.only, behind=place, limit=limit
                )

            return reader.page(
                fetch,
                lambda record: Position(record.created_us, record.id),
                lambda found: [record for record in found if reader.reads(record)],
                limit=limit,
            )

    # -- answering --------------------------------------------------------------------------------------------

    def answer(  # the parts of one answer
        self,
        identity: Identity,
        credential: Credential | None,
        *,
        action: Action,
        proposal: str,
        reason: str = "",
        expected_digest: str | None = None,
        seen: tuple[str, str] | None = None,
        batch: Shown | None = None,
        at_us: int | None = None,
        tell: Callable[[Progress], None] | None,
    ) -> Result:
        """Answer a card, and carry out what the answer allows; with no ``tell`` that is left to the workers.

        The answer is for what this person was last shown; where that is no longer what stands there, it is refused.
        A channel whose cards have buttons hands in what the card that was pressed showed, as ``seen``: the digests of
        proposal and decision; and as ``at_us`` when it was pressed, in microseconds, where that is some time ago.
        ``batch`` is the one that the card was shown in, where it is answered as part of it.

        Raises:
            NotFound: there is no such proposal.
            Refused: the answer does not count.

        """
        statement = self.statement(
            identity,
            action=action,
            proposal=proposal,
            reason=reason,
            expected_digest=expected_digest,
            seen=seen,
            at_us=at_us,
            batch=batch,
        )
        answer = (
            credential.sign(statement)
            if credential
            else Answer(statement=statement, auth=identity.auth, external=identity.external)
        )
        return self._take(identity, answer, reason, tell, None if batch is None else batch.entry)

    def statement(  # the parts of one answer
        self,
        identity: Identity,
        *,
        action: Action,
        proposal: str,
        reason: str = "",
        expected_digest: str | None = None,
        seen: tuple[str, str] | None = None,
        at_us: int | None = None,
        batch: Shown | None = None,
    ) -> Statement:
        """Give what somebody signs to answer a card, for who signs elsewhere than here; see ``answer``."""
        self._demand_readiness(identity, action)
        digest, decision_digest, proposal_id = self._seen(identity, action, proposal)
        if seen is not None:
            digest, decision_digest = seen
        if expected_digest is not None and (len(expected_digest) < 8 or not digest.startswith(expected_digest)):
            raise BadInput(
                "The digest given is not the digest of this proposal.",
                next="Look at the card again with `twokey approvals show ID`.",
                code="digest_differs",
            )
        return Statement(
            workspace=self._workspace,
            action=action,
            proposal=proposal_id,
            proposal_digest=digest,
            decision_digest=decision_digest,
            principal=identity.principal.name,
            at_us=self._clock.now_us() if at_us is None else min(at_us, self._clock.now_us()),
            reason_commitment=canonical.commitment(self._ids.salt(), reason) if reason else None,
            batch=None if batch is None else batch.digest,
        )

    def answer_signed(self, identity: Identity, answer: Answer, *, reason: str, batch: Shown | None = None) -> Result:
        """Take an answer that was signed elsewhere; the workers carry out what it allows. See ``answer``.

        Raises:
            BadInput: it is somebody else's, or has a reason that was not signed with it.

        """
        statement = answer.statement
        if statement.principal != identity.principal.name or bool(reason) != bool(statement.reason_commitment):
            raise BadInput(
                "What was signed is not the answer that was given.", next="Open the page again.", code="other_statement"
            )
        self._demand_readiness(identity, statement.action)
        return self._take(identity, answer, reason, None, None if batch is None else batch.entry)

    def _demand_readiness(self, identity: Identity, action: Action) -> None:
        """Refuse an approval, and record that, where the controls that the profile asks for were not shown to hold."""
        if action != "approve":
            return
        try:
            self._readiness.demand()
        except Refused:
            self._gate.rejected(identity, action, CODE)
            raise

    def _take(
        self,
        identity: Identity,
        answer: Answer,
        reason: str,
        tell: Callable[[Progress], None] | None,
        entry: str | None = None,
    ) -> Result:
        """Have the gate take an answer, and carry out what follows from it."""
        proposal = answer.statement.proposal
        try:
            result = self._gate.answer(answer, channel=identity.channel, reason=reason, shown=entry)
        except Refused as refusal:
            if refusal.code == ANSWERED_BEFORE:
                counted = self._gate.recount(proposal)
                if counted.state is State.APPROVED:
                    return self._follow(counted, tell)
            self.take_up(proposal, tell)  # it may have found that the proposal is over
            raise
        return self._follow(result, tell)

    def recount(self, proposal: str) -> Result:
        """Count the answers that a card has, for who gives one again; the workers carry out what they allow."""
        return self._follow(self._gate.recount(proposal), None)

    def _follow(self, result: Result, tell: Callable[[Progress], None] | None) -> Result:
        """Carry out what an answer allowed, and let its run go on; with no ``tell`` that is left to the workers."""
        if result.state is State.APPROVED and tell is None:
            self._queue(jobs.execute(result.id))
            return result
        if result.state is State.APPROVED:
            result = self._gate.execute(result.id)
        if tell is None:
            self.take_up(result.id, None)
            return result
        try:
            self.take_up(result.id, tell)
        except CheckFailed as error:
            # The run has ended as failed for it. The answer stands, and so does what it brought about.
            tell(Progress(0, f"the run goes no further: {error.message}"))
        return result

    def go_on(self, tell: "Callable[[Progress], None]") -> list[Result]:
        """Carry out what was approved and has not been carried out, and finish what was begun and not ended.

        Each is checked as ever; one that cannot go on says why and keeps no other back.
        """
        with self._ledger.look() as connection:
            held = proposals.list_proposals(connection, states=(State.APPROVED, State.EXECUTING), limit=1000)
        if self._readiness.lacks() is not None:
            return [Result(record.id, record.state, CODE) for record in reversed(held)]
        results: list[Result] = []
        for record in reversed(held):
            try:
                results.append(self._gate.execute(record.id))
            except TwokeyError as error:
                results.append(Result(record.id, record.state, error.code))
            else:
                self.take_up(record.id, tell)
        return results

    def _seen(self, identity: Identity, action: Action, proposal: str) -> tuple[str, str, str]:
        """Give the digests of the card this person was shown last, else those that stand there now."""
        try:
            record = self._gate.current(proposal)
        except NotFound:
            self._gate.rejected(identity, action, "unknown_proposal")
            raise
        name = identity.principal.name
        shown = [
            event
            for event in self._ledger.history(record.id, "card.shown")
            if isinstance(event, CardShown) and event.viewer == name
        ]
        last = shown[-1] if shown else None
        if last is not None and last.decision_digest is not None:
            return last.digest, last.decision_digest, record.id
        return record.digest, record.decision_digest, record.id

    def take_up(self, proposal: str, tell: Callable[[Progress], None] | None) -> None:
        """Let the run of a proposal go on if that was the last one it waited for."""
        answered = self._answered(proposal)
        if answered is None:
            return
        if tell is None:
            self._queue(jobs.drive(answered))
            return
        try:
            self.drive(answered, tell)
        except Refused as refusal:
            if refusal.code not in {"run_busy", "ended"}:  # a worker was faster, and does the same
                raise

    def _queue(self, job: jobs.Job) -> None:
        """Leave something to the workers; where the queue cannot be reached, recovery finds it."""
        try:
            self.dispatcher().submit(job)
        except LogUnavailable as error:
            _logger.warning("%s could not be queued: %s", job.key, error.message)

    def _answered(self, proposal: str) -> str | None:
        """Give the run of a proposal where it waits and this was the last that it waited for."""
        outcome = self.outcome(self._gate.find(proposal).run)
        goes_on = outcome.run.state != "waiting" or any(item.state in OPEN for item in outcome.proposals)
        return None if goes_on else outcome.run.id


def _findings(reports: Sequence[Json]) -> Generator[Finding]:
    for report in reports:
        yield from Report.model_validate(report).findings


def ended_as(states: Iterable[State]) -> str:
    """Say in one code how the proposals of a run ended; what was superseded ended as what took its place."""
    found = set(states)
    ends = found - {State.SUPERSEDED} or found
    return ends.pop().value if len(ends) == 1 else SEVERAL_ENDS
