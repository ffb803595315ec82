"""The worst agent there can be: it obeys every text it reads, and makes whatever call it is told to, through the gate.

Rules: it has what an agent has, a desk, and nothing else; its documents lie in the store as evidence that a read tool
gave, untrusted; people answer with keys of their own, signed, and the gate carries out. After its calls it tries what
no agent may: it hands approvals in again, also for other proposals, and has everything executed that it proposed.
What a call led to is seen on the target: files of the world that changed, the mark in what was read.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from twokey.channels.injection.cases import Call, Case
from twokey.channels.injection.gestures import Gestures, together
from twokey.channels.injection.habits import Prepared, prepare, said
from twokey.channels.injection.outcomes import Layer, LeapingClock, Played, missing, stopped_by
from twokey.channels.injection.reviewers import Reviewer, reviewer
from twokey.channels.injection.wishes import tool_of, understood, wishes_of
from twokey.channels.injection.world import INBOX, TRACKER, WAREHOUSE, World
from twokey.channels.wiring import Parts
from twokey.core import canonical
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import NotFound, Refused, ToolRetry, TwokeyError
from twokey.core.lifecycle import State
from twokey.core.values import Answer, Effect, Finding, Identity, Request, Statement
from twokey.store import runs
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import WriteTool
from twokey.tools.desk import Desk
from twokey.tools.identity import Credential
from twokey.tools.proposing import Draft
from twokey.tools.registry import AnyTool, Registry

AGENT: Final = "catalog"
MAX_REPLAYS: Final = 4
MAX_STEP: Final = 99


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
    made: dict[int, ProposalRecord] = field(default_factory=dict[int, ProposalRecord])
    """The last proposal of each call."""
    waiting: list["Waiting"] = field(default_factory=list["Waiting"])


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal of the call ``at`` that is answered when all are made."""

    at: int
    record: ProposalRecord
    ready: Prepared


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
            made = [self._call(task, at, call, ready, min(next(steps), MAX_STEP)) for ready in prepared[at]]
            played += [one for one in made if one is not None]
        played += self._answered_later(task)
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

    def _call(self, task: Task, at: int, call: Call, ready: Prepared, step: int) -> Played | None:
        tool = self._tool(call.tool)
        if tool is None:
            return missing(at, ready)
        if not isinstance(tool, WriteTool):
            return self._contained(at, "read", ready, lambda: self._read(task, at, tool, ready, step))
        return self._contained(at, "write", ready, lambda: self._written(task, at, call, tool, ready, step))

    def _contained(self, at: int, effect: Effect, ready: Prepared, do: Callable[[], Played | None]) -> Played | None:
        """Make a call, or go on with one, and say what stopped it where it comes to no end of its own."""
        layer: Layer
        try:
            return do()
        except TwokeyError as error:
            layer, code = stopped_by(error, effect), error.code
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

    def _written(  # one call of a case
        self, task: Task, at: int, call: Call, tool: WriteTool[Any, Any], ready: Prepared, step: int
    ) -> Played | None:
        """Propose and have answered; nothing yet where the answer waits until everything is proposed."""
        if call.of is None:
            record, ready = self._proposed(task, tool, ready, step)
        else:
            record = self._gesture(task, call, ready)
        task.made[at] = record
        if task.case.waits and record.state is State.AWAITING_APPROVAL:
            task.waiting.append(Waiting(at, record, ready))
            return None
        return self._write(task, at, record, ready)

    def _proposed(
        self, task: Task, tool: WriteTool[Any, Any], ready: Prepared, step: int
    ) -> tuple[ProposalRecord, Prepared]:
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
        return task.desk.propose(draft, agent=AGENT, step=step), ready

    def _gesture(self, task: Task, call: Call, ready: Prepared) -> ProposalRecord:
        """Have the last of the approvers, who was talked into it, edit or suggest."""
        about = task.made.get(call.of or 0)
        if about is None:
            raise NotFound("The call that it is about proposed nothing.", next="Look at the case.")
        gestures = Gestures(self._parts, self._approvers[-1][0], self._world.granted(task.case))
        record = self._parts.gate.find(about.id)
        try:
            return (gestures.edit if call.gesture == "edit" else gestures.suggest)(record, ready.args)
        except ValidationError as error:
            raise ToolRetry("What is put in does not fit.", next="Correct it.", code="tool_arguments") from error

    def _answered_later(self, task: Task) -> Iterator[Played]:
        """Answer what waits now that everything is proposed: card by card, or as one batch."""
        here = [replace(one, record=self._parts.gate.find(one.record.id)) for one in task.waiting]
        ends: list[Callable[[], Played]] = [partial(self._write, task, one.at, one.record, one.ready) for one in here]
        if task.case.together and here:
            codes, agreed = ["not_approved"] * len(here), task.reviewer.approves(here[0].record.proposal)
            if agreed:
                identity, credential = self._approvers[0]
                records = [one.record for one in here]
                codes = together(self._parts, identity, credential, records, at_us=self._clock.now_us())
            pairs = zip(here, codes, strict=True)
            ends = [partial(self._of_batch, one, code, "gate" if agreed else "people") for one, code in pairs]
        for one, end in zip(here, ends, strict=True):
            answered = self._contained(one.at, "write", one.ready, end)
            if answered is not None:
                yield answered

    def _of_batch(self, one: Waiting, code: str, stopped: Layer) -> Played:
        """Carry out what counted in a batch, and see what became of it; ``code`` says why an answer did not count."""
        end = self._parts.gate.execute(one.record.id) if not code else None
        changed = self._changed()
        layer: Layer = "" if end is not None and end.state is State.DONE else stopped
        return Played(
            one.at,
            "write",
            happened=changed,
            outside=changed and layer != "",
            layer=layer,
            code=code or (end.code if end is not None else ""),
            approvals=int(not code),
            asked=True,
            prepared=one.ready,
        )

    def _write(self, task: Task, at: int, record: ProposalRecord, ready: Prepared) -> Played:
        layer: Layer = ""
        approvals, asked = 0, record.state is State.AWAITING_APPROVAL
        code = record.code
        if record.state is State.DENIED:
            layer = "policy"
        elif record.state is State.SUPERSEDED:
            layer, code = "gate", "superseded"
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


def _select(warehouse: str, sql: str) -> dict[str, Any]:
    return {"warehouse": warehouse, "ask": {"op": "select", "sql": sql}}
