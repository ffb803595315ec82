"""What people can do, whatever channel they come through: ask, look, answer.

Rules: every function takes an identity that was proven, never a name; an approval is carried out at once by the gate;
a run is taken up again after its proposals have come to an end; the credential signs one statement and is not kept.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from twokey.channels.card import Card
from twokey.channels.driving import Drivers
from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import BadInput, LogUnavailable, NotFound, Refused, TwokeyError
from twokey.core.events import CardShown, RunEnded, RunRequested
from twokey.core.lifecycle import OPEN, State
from twokey.core.ports import Clock, Ids
from twokey.core.values import Action, Answer, Finding, Identity, Report, Request, Resource, Statement
from twokey.store import evidence, proposals, runs
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools.gate import Gate
from twokey.tools.identity import Credential
from twokey.tools.ledger import Ledger
from twokey.tools.steps import Result

if TYPE_CHECKING:
    # LangGraph takes longer to import than most commands take to answer; it comes in when a run is driven.
    from twokey.agents.planner.runner import Runner
    from twokey.agents.state import Progress

REVERT: Final = "revert"
"""Intent of a request to undo a write."""
RUN_LEASE_US: Final = 15 * 60 * 1_000_000
"""How long a process may drive a run before another may take it up, in microseconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run stands after it was driven."""

    run: RunRecord
    proposals: tuple[ProposalRecord, ...]
    question: dict[str, Any] | None = None
    """What has to be answered before the run can be planned."""
    findings: tuple[Finding, ...] = ()
    """What the run found, where it proposed nothing: then that is its answer."""


class Service:
    """One workspace, opened."""

    def __init__(
        self,
        *,
        workspace: str,
        ledger: Ledger,
        gate: Gate,
        runner: "Callable[[], Runner]",
        drivers: Drivers,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._gate = gate
        self._runner = runner
        self._drivers = drivers
        self._clock = clock
        self._ids = ids

    # -- asking -----------------------------------------------------------------------------------------------

    def ask(
        self,
        identity: Identity,
        request: Request,
        places: Sequence[Resource],
        tell: "Callable[[Progress], None]",
    ) -> Outcome:
        """Take a request, run it to its pause or its end, and say where it stands."""
        run, now = self._ids.new("r"), self._clock.now_us()
        with self._ledger.change() as unit:
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
        return self.drive(run, tell)

    def drive(self, run: str, tell: "Callable[[Progress], None]") -> Outcome:
        """Start a run, or take it up again after a pause or a crash.

        Raises:
            NotFound: there is no such run.
            Refused: another process is driving it, or it has come to its end.
            LogUnavailable: it stopped where it was, and can be taken up there.
            TwokeyError: the run failed; its record says why.

        """
        holder = self._ids.new("x")
        with self._drivers.alive(holder):
            self._take(run, holder)
            return self._driven(run, holder, tell)

    def _take(self, run: str, holder: str) -> None:
        """Take the lease on a run from nobody, or from a process of this machine that died with it."""
        now = self._clock.now_us()
        with self._ledger.change() as unit:
            record = runs.get_run(unit.connection, run)
            if record.state not in {"running", "waiting"}:
                raise Refused(f"Run {run} is {record.state} already ({record.code}).", next="Ask again.", code="ended")
            before = runs.driver(unit.connection, run)
            life = "unknown" if before is None else self._drivers.life(before)
            if before is not None and life == "dead":
                runs.leave_run(unit.connection, run, holder=before)
            until = now + RUN_LEASE_US
            if life == "alive" or not runs.take_run(unit.connection, run, holder=holder, now=now, until=until):
                raise Refused(
                    f"Another process is driving run {run}.", next="Watch it with `twokey runs show`.", code="run_busy"
                )
        if before is not None:
            self._drivers.forget(before)

    def _driven(self, run: str, holder: str, tell: "Callable[[Progress], None]") -> Outcome:
        try:
            pauses = self._work(run, tell)
        except LogUnavailable:
            raise  # it stopped where it was, and is taken up there once the database takes changes again
        except TwokeyError as error:
            self._end(run, "failed", error.code, error.message)
            raise
        finally:
            with self._ledger.change() as unit:
                runs.leave_run(unit.connection, run, holder=holder)
        if pauses:
            with self._ledger.change() as unit:
                runs.move_run(
                    unit.connection,
                    run,
                    before=("running", "waiting"),
                    after="waiting",
                    now=self._clock.now_us(),
                    code="waits_for_people",
                )
            return self.outcome(run)
        return self._conclude(run)

    def _work(self, run: str, tell: "Callable[[Progress], None]") -> tuple[str, ...]:
        """Bring a run to its pause or its end; gives what it pauses for. Undoing a write needs no planner."""
        outcome = self.outcome(run)
        if outcome.run.request.intent != REVERT:
            return self._runner().drive(run, tell)
        made = outcome.proposals
        if not made:
            undone = str(outcome.run.request.args["proposal"])
            made = (self._gate.revert(undone, run=run, requester=outcome.run.requester),)
        return tuple(record.id for record in made if record.state in OPEN)

    def find(self, text: str) -> ProposalRecord:
        """Read a proposal by id or by an unambiguous beginning of it; raises ``NotFound``, ``CheckFailed``."""
        return self._gate.find(text)

    def _conclude(self, run: str) -> Outcome:
        """Close a run whose graph has come to its end, and say how."""
        outcome = self.outcome(run)
        if outcome.question is not None:
            self._end(run, "failed", "unclear", "The request was not clear enough to plan.")
        elif not outcome.proposals and self._withdrawn(run):
            self._end(run, "failed", "unbacked_claim", "The draft said more than its evidence supports.")
        elif not outcome.proposals:
            self._end(run, "done", "nothing_to_propose", "")
        else:
            self._end(run, "done", outcome.proposals[0].state.value, "")
        return self.outcome(run)

    def _withdrawn(self, run: str) -> bool:
        """Tell whether the reviewer kept a draft from becoming a proposal."""
        with self._ledger.look() as connection:
            if not runs.has_document(connection, run=run, name="review"):
                return False
            review = runs.get_document(connection, run=run, name="review")
        return isinstance(review, dict) and bool(review.get("problems"))

    def _end(self, run: str, state: runs.RunState, code: str, message: str) -> None:
        with self._ledger.change() as unit:
            moved = runs.move_run(
                unit.connection,
                run,
                before=("running", "waiting"),
                after=state,
                now=self._clock.now_us(),
                code=code,
                message=message,
            )
            if moved and state in {"done", "failed", "cancelled"}:
                unit.record(RunEnded.model_validate({"run": run, "state": state, "code": code}))

    def outcome(self, run: str) -> Outcome:
        """Say where a run stands; raises ``NotFound``."""
        with self._ledger.look() as connection:
            record = runs.get_run(connection, run)
            made = proposals.list_proposals(connection, run=run)[::-1]
            asked = runs.has_document(connection, run=run, name="question")
            question = runs.get_document(connection, run=run, name="question") if asked else None
            found = () if made else tuple(_findings(runs.list_documents(connection, run=run, prefix="report-")))
        return Outcome(record, tuple(made), question if isinstance(question, dict) else None, found)

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
        if outcome.run.state not in {"running", "waiting"}:
            raise Refused(f"Run {run} is {outcome.run.state} already.", next="Nothing is left to cancel.", code="ended")
        self._end(run, "cancelled", "cancelled_by_requester", "")
        return self.outcome(run)

    # -- looking ----------------------------------------------------------------------------------------------

    def card(self, text: str, viewer: Identity | None) -> Card:
        """Give the card of a proposal and record that it was shown; raises ``NotFound``, ``CheckFailed``."""
        self._gate.expire_due()
        record = self._gate.find(text)
        with self._ledger.look() as connection:
            cited = tuple(evidence.get_evidence(connection, ref.id)[0] for ref in record.proposal.evidence)
        card = Card(record, cited, tuple(self._gate.approvals(record)), self._ledger.checkpoint())
        if viewer is not None:
            self._gate.shown(record, channel=viewer.channel, viewer=viewer.principal.name)
        return card

    def waiting(self, *, everything: bool = False, limit: int = 50) -> list[ProposalRecord]:
        """Give the proposals that wait for somebody, or all, newest first."""
        self._gate.expire_due()
        with self._ledger.look() as connection:
            return proposals.list_proposals(connection, states=() if everything else tuple(OPEN), limit=limit)

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
        tell: "Callable[[Progress], None]",
    ) -> Result:
        """Answer a card, and carry out what the answer allows.

        The answer is for what this person was last shown; where that is no longer what stands there, it is refused.

        Raises:
            NotFound: there is no such proposal.
            Refused: the answer does not count.

        """
        self._gate.expire_due()
        digest, decision_digest, proposal_id = self._seen(identity, action, proposal)
        if expected_digest is not None and (len(expected_digest) < 8 or not digest.startswith(expected_digest)):
            raise BadInput(
                "The digest given is not the digest of this proposal.",
                next="Look at the card again with `twokey approvals show ID`.",
                code="digest_differs",
            )
        statement = Statement(
            workspace=self._workspace,
            action=action,
            proposal=proposal_id,
            proposal_digest=digest,
            decision_digest=decision_digest,
            principal=identity.principal.name,
            at_us=self._clock.now_us(),
            reason_commitment=canonical.commitment(self._ids.salt(), reason) if reason else None,
        )
        answer = credential.sign(statement) if credential else Answer(statement=statement, auth=identity.auth)
        result = self._gate.answer(answer, channel=identity.channel, reason=reason)
        if result.state is State.APPROVED:
            result = self._gate.execute(result.id)
        self._take_up(result, tell)
        return result

    def _seen(self, identity: Identity, action: Action, proposal: str) -> tuple[str, str, str]:
        """Give the digests of the card this person was shown last, else those that stand there now."""
        try:
            record = self._gate.find(proposal)
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

    def _take_up(self, result: Result, tell: "Callable[[Progress], None]") -> None:
        """Let the run go on if this was the last of its proposals."""
        record = self._gate.find(result.id)
        outcome = self.outcome(record.run)
        if outcome.run.state == "waiting" and not any(item.state in OPEN for item in outcome.proposals):
            self.drive(record.run, tell)


def _findings(reports: Sequence[Json]) -> Generator[Finding]:
    for report in reports:
        yield from Report.model_validate(report).findings
