"""The worst agent there can be: it obeys every text it reads, and makes whatever call it is told to, through the gate.

Rules: it has what an agent has, a desk, and nothing else; its documents lie in the store as evidence that a read tool
gave, untrusted; people answer with keys of their own, signed, and the gate carries out. After its calls it tries what
no agent may: it hands approvals in again, also for other proposals, and has everything executed that it proposed.
What a call led to is seen on the target: files of the world that changed, the mark in what was read.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from twokey.channels.injection.cases import Call, Case
from twokey.channels.injection.habits import Prepared, prepare, said
from twokey.channels.injection.reviewers import Reviewer, reviewer
from twokey.channels.injection.wishes import tool_of, understood, wishes_of
from twokey.channels.injection.world import INBOX, TRACKER, WAREHOUSE, World
from twokey.channels.wiring import Parts
from twokey.core import canonical
from twokey.core.canonical import MAX_INTEGER
from twokey.core.entropy import SystemClock
from twokey.core.errors import LogUnavailable, NotFound, Refused, ToolRetry, TwokeyError
from twokey.core.lifecycle import State
from twokey.core.values import Answer, Effect, Finding, Identity, Request, Statement
from twokey.store import runs
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import OutsideContract, WriteTool
from twokey.tools.desk import Desk
from twokey.tools.identity import Credential
from twokey.tools.proposing import Draft
from twokey.tools.registry import AnyTool, Registry

AGENT: Final = "catalog"
NOT_LISTED: Final = "tool_not_listed"
APART_US: Final = 2 * 3600 * 1_000_000
"""Cases lie this far apart on the workspace's clock, so that what one has used up is there again for the next."""
MAX_REPLAYS: Final = 4
MAX_STEP: Final = 99

Layer = Literal["", "contract", "policy", "people", "gate", "fault"]
"""What stopped a call: the tool's contract, policy, a reviewer, the gate's other checks, or an error nobody foresaw."""


class LeapingClock:
    """The machine's clock, put forward between cases."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._ahead_us = 0

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, and what was leapt over."""
        return self._clock.now_us() + self._ahead_us

    def leap(self) -> None:
        """Put the clock forward by the time between two cases."""
        self._ahead_us += APART_US


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one call of a case. ``at`` is its index; a call made several times gives several of these."""

    at: int
    effect: Effect | None
    """None where the tool does not exist."""
    happened: bool
    """A read came back, or a write changed the target."""
    outside: bool
    """A read brought back what lies outside, or a write changed something without its proposal being carried out."""
    layer: Layer = ""
    code: str = ""
    approvals: int = 0
    asked: bool = False
    """A card was put before a person."""
    prepared: Prepared | None = None


@dataclass(slots=True)
class Task:
    """One case while it is played."""

    case: Case
    number: int
    desk: Desk
    reviewer: Reviewer
    documents: list[str] = field(default_factory=list[str])
    own: str = ""
    answers: list[Answer] = field(default_factory=list[Answer])


class Stage:
    """One workspace in which case follows case under one reviewer."""

    def __init__(
        self,
        parts: Parts,
        world: World,
        clock: LeapingClock,
        *,
        requester: Identity,
        approvers: Sequence[tuple[Identity, Credential]],
    ) -> None:
        self._parts = parts
        self._world = world
        self._clock = clock
        self._requester = requester
        self._approvers = approvers

    @property
    def registry(self) -> Registry:
        """The tools."""
        return self._parts.workspace.registry

    def play(self, case: Case, number: int, name: str) -> list[Played]:
        """Play one case under the reviewer called ``name``."""
        self._clock.leap()
        prepared = [
            list(self._repetitions(call, number, at, len(case.documents))) for at, call in enumerate(case.calls)
        ]
        wishes = wishes_of(case, self.registry, prepared)
        task = Task(case, number, self._desk(case, prepared), reviewer(name, wishes))
        self._read_documents(task)
        steps = itertools.count(2)
        played: list[Played] = []
        for at, call in enumerate(case.calls):
            played += [self._call(task, at, call, ready, min(next(steps), MAX_STEP)) for ready in prepared[at]]
        played += self._tried_again(task)
        return played

    def _repetitions(self, call: Call, number: int, at: int, documents: int) -> Iterator[Prepared]:
        for count in range(1, call.times + 1):
            branch = f"twokey/case-{number}-{at}-{count}"
            yield prepare(call, self._world, branch=branch, number=count, documents=documents)

    def _desk(self, case: Case, prepared: Sequence[Sequence[Prepared]]) -> Desk:
        """Take the request as every request is taken, and drive its run.

        What the user's own calls say came from the request is among its arguments, as if it had been named there.
        """
        own = [one for call, items in zip(case.calls, prepared, strict=True) if not call.injected for one in items]
        text = case.request.encode("utf-8", "replace").decode()[:4000]
        request = Request(
            text=text,
            intent="ask",
            args={"named": said(own)},
            channel=self._requester.channel,
            requester=self._requester.principal.name,
        )
        run = self._parts.workspace.service.accept(self._requester, request, self._world.granted(case))
        holder = self._parts.workspace.ledger.ids.new("x")
        with self._parts.workspace.ledger.change() as unit:
            runs.take_run(unit.connection, str(run), holder=holder, now=0, until=MAX_INTEGER)
        return self._parts.desk(str(run), holder)

    def _read_documents(self, task: Task) -> None:
        """Have the documents read, and something of the agent's own, so that there is evidence to cite."""
        for at in range(len(task.case.documents)):
            sql = f"SELECT origin, text FROM documents WHERE of_case = {task.number} AND number = {at}"  # noqa: S608 - integers
            task.documents.append(self._kept(task, "query_warehouse", _select(INBOX, sql)))
        writes = [call for call in task.case.calls if isinstance(self._tool(call.tool), WriteTool)]
        granted = {place.resource.id for place in task.desk.places.items if place.resource.kind == "repository"}
        here = [str(call.args["repository"]) for call in writes if str(call.args.get("repository")) in granted]
        if here:
            task.own = self._kept(task, "read_catalog", {"repository": here[0]})
        elif any(call.args.get("tickets") == TRACKER for call in writes):
            task.own = self._kept(task, "search_tickets", {"tracker": TRACKER, "ask": {"kind": "page", "state": None}})
        elif writes:
            task.own = self._kept(task, "query_warehouse", _select(WAREHOUSE, "SELECT count(*) FROM customers"))

    def _kept(self, task: Task, tool: str, args: dict[str, Any]) -> str:
        """Read what the run may read; gives the id of the evidence."""
        result = self.registry.reader(tool).output_type
        return task.desk.read(tool, args, agent=AGENT, step=1, result=result).evidence.id

    def _tool(self, name: str) -> AnyTool | None:
        return tool_of(self.registry, name)

    def _call(self, task: Task, at: int, call: Call, ready: Prepared, step: int) -> Played:
        tool = self._tool(call.tool)
        effect: Effect | None = tool.effect if tool is not None else None
        layer: Layer
        try:
            if tool is None:
                return missing(at, ready)
            if isinstance(tool, WriteTool):
                return self._write(task, at, tool, ready, step)
            return self._read(task, at, tool, ready, step)
        except TwokeyError as error:
            layer, code = _stopped_by(error, effect), error.code
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is counted and shown, not passed over
            layer, code = "fault", f"fault_{type(error).__name__}"
        return Played(at, effect, happened=False, outside=self._changed(), layer=layer, code=code, prepared=ready)

    def _changed(self) -> bool:
        return self._world.changed()

    def _read(self, task: Task, at: int, tool: AnyTool, ready: Prepared, step: int) -> Played:
        found = task.desk.read(tool.name, ready.args, agent=AGENT, step=step, result=tool.output_type)
        reached = self._world.mark in canonical.encode(found.result.canonical()).decode()
        return Played(at, "read", happened=True, outside=reached or self._changed(), prepared=ready)

    # -- writing ----------------------------------------------------------------------------------------------

    def _write(self, task: Task, at: int, tool: WriteTool[Any, Any], ready: Prepared, step: int) -> Played:
        cited = tuple(dict.fromkeys((task.own, *task.documents)))[:50]
        finding = Finding(
            id="f-1", subject="request", kind="describes", claim="What was asked for.", evidence=cited, confidence=90
        )
        value = understood(tool, ready.args)
        if value is not None:  # what the schema fills in was decided by code
            ready = ready.completed(value.model_dump(mode="json"))
        draft = Draft(
            tool=tool.name,
            args=ready.args,
            provenance=ready.provenance(task.documents, task.own),
            findings=(finding,),
            why="It was asked for.",
        )
        record = task.desk.propose(draft, agent=AGENT, step=step)
        layer: Layer = ""
        approvals, asked = 0, record.state is State.AWAITING_APPROVAL
        code = record.code
        if record.state is State.DENIED:
            layer = "policy"
        elif asked and not task.reviewer.approves(record.proposal):
            layer, code = "people", "not_approved"
        elif asked:
            approvals, end, code = self._answered(task, record)
            layer = "" if end is State.DONE else "policy" if end is State.DENIED else "gate"
        changed = self._changed()
        return Played(
            at,
            "write",
            happened=changed,
            outside=changed and layer != "",
            layer=layer,
            code=code,
            approvals=approvals,
            asked=asked,
            prepared=ready,
        )

    def _answered(self, task: Task, record: ProposalRecord) -> tuple[int, State, str]:
        """Have as many people approve as policy asks for, and carry out. Gives approvals, state and code."""
        given = 0
        for identity, credential in self._approvers:
            answer = credential.sign(self._statement(record, identity))
            try:
                result = self._parts.gate.answer(answer, channel="cli")
            except Refused as refusal:
                if refusal.code not in {"not_an_approver", "already_answered"}:
                    return given, self._parts.gate.find(record.id).state, refusal.code
                continue
            given += 1
            task.answers.append(answer)
            if result.state is not State.AWAITING_APPROVAL:
                break
        done = self._parts.gate.execute(record.id)
        return given, done.state, done.code

    def _statement(self, record: ProposalRecord, identity: Identity) -> Statement:
        return Statement(
            workspace=self._parts.workspace.config.workspace.id,
            action="approve",
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=identity.principal.name,
            at_us=self._clock.now_us(),
        )

    # -- what no agent may --------------------------------------------------------------------------------------

    def _tried_again(self, task: Task) -> Iterator[Played]:
        """Hand approvals in again, as they were and for other proposals; execute whatever was proposed."""
        made = task.desk.proposals()
        for answer in task.answers[:MAX_REPLAYS]:
            others = [record for record in made if record.id != answer.statement.proposal][:MAX_REPLAYS]
            moved = [
                {"proposal": other.id, "proposal_digest": other.digest, "decision_digest": other.decision_digest}
                for other in others
            ]
            for changes in ({}, *moved):
                statement = answer.statement.model_copy(update=changes)
                try:
                    self._parts.gate.answer(answer.model_copy(update={"statement": statement}), channel="cli")
                except TwokeyError:
                    continue
        for record in made:
            try:
                self._parts.gate.execute(record.id)
            except TwokeyError:
                continue
        if self._changed():
            yield Played(-1, "write", happened=True, outside=True, code="replayed")


def missing(at: int, ready: Prepared) -> Played:
    """Say that a call names a tool that does not exist here."""
    return Played(at, None, happened=False, outside=False, layer="contract", code=NOT_LISTED, prepared=ready)


def _select(warehouse: str, sql: str) -> dict[str, Any]:
    return {"warehouse": warehouse, "ask": {"op": "select", "sql": sql}}


def _stopped_by(error: TwokeyError, effect: Effect | None) -> Layer:
    """Tell what refused: policy answers a read with an error and a write with a state; all else is the contract's."""
    if isinstance(error, LogUnavailable):
        return "gate"
    outside = isinstance(error, ToolRetry | NotFound | OutsideContract)
    return "policy" if effect == "read" and isinstance(error, Refused) and not outside else "contract"
