"""Random interleavings of people, clocks, policies, crashes and workers over the real gate, judged by the model.

A plan is a list of steps. A step may be cut: at its n-th moment (before a transaction begins, before one commits, or as
a tool is called) its process dies, or something else happens meanwhile, done by another worker. Everything is
determined by the plan, so a plan that fails can be made smaller by leaving steps out.
"""

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from conftest import CountingIds, FixedClock
from sqlalchemy import Connection, Engine, delete, event, insert, select, text, update

from support.bench import GROUPS, WORKSPACE, People, policy_data
from support.lifecycle_model import Approval, Asks, Broken, Life, Model, World, check_chain
from support.notes import WRITERS, NoteArgs, NoteWriter, ReadNotes, notes_bench, notes_policy, proposed_note, target
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.core.errors import EngineFault, Refused, TwokeyError
from twokey.core.ports import Policy
from twokey.core.values import Action, Answer, Call, Decision, Order, Principal, Statement
from twokey.policies import bundle
from twokey.policies.bundle import BundleRevisions
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.store import database, tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import Rules
from twokey.tools.contract import Marker
from twokey.tools.gate import WRITE_LEASE_S, Gate
from twokey.tools.identity import Credential
from twokey.tools.ledger import Ledger
from twokey.tools.places import PlaceBook
from twokey.tools.registry import Registry
from twokey.tools.steps import Result, Steps

DAY_S: Final = 86_400
ONE: Final = Asks(("platform-owners",), DAY_S)
TWO: Final = Asks(("platform-owners", "platform-owners"), DAY_S)
SHORT: Final = Asks(("platform-owners",), 3_600)
BOTH: Final = Asks(("platform-owners", "risk-owners"), DAY_S)
POLICIES: Final[dict[str, Asks | None]] = {
    "one": ONE,
    "unrelated": ONE,
    "two": TWO,
    "both": BOTH,
    "short": SHORT,
    "deny": None,
    "silent": None,
}
PEOPLE: Final = ("sam", "kim", "rita", "ana")
MEMBERSHIPS: Final[dict[str, tuple[str, ...] | None]] = {
    "out": None,
    "none": (),
    "platform": ("platform-owners",),
    "risk": ("risk-owners",),
    "all": ("platform-owners", "risk-owners"),
}
MOMENTS: Final = {"click": 40, "execute": 20, "recover": 16, "freeze": 6, "expire": 4}
"""About how many moments each of these steps has."""
STATES_BY_HAND: Final = ("approved", "executing", "awaiting_approval", "done")
SLACK: Final = 1
"""So many moments may lie between the kill switch and a write that it no longer stops."""

Die: Final = "die"
FREE: Final = "l-zzzzzzzzzzzz"
"""The id of no entry."""


@dataclass(frozen=True)
class Step:
    """One thing that happens. ``cut`` says at which of its moments what else happens, or that its process dies there."""

    what: str
    proposal: int = 0
    who: str = ""
    how: str = ""
    worker: int = 0
    cut: "tuple[int, Step | Literal['die']] | None" = None


Plan = Sequence[Step]


class Died(BaseException):
    """The process of a worker ends here; nothing of the product catches it."""


class Silent:
    """A policy engine that never answers."""

    name = "embedded 0"

    def evaluate(self, document: bytes) -> object:
        del document
        raise EngineFault("It is silent.", next="Wait.")

    def revisions(self) -> BundleRevisions:
        return bundle.load().revisions

    def close(self) -> None:
        return


@cache
def policies() -> dict[str, Policy]:
    """The real bundle with different data, each in the real engine; they serve all interleavings of a process."""
    tools: list[Any] = [*(writer() for writer in WRITERS), ReadNotes()]

    def variant(quorum: int = 1, expires_s: int = DAY_S, **changes: Any) -> Policy:
        data = policy_data(tools)["twokey_data"]
        data["may_name"]["write"]["tickets"] = data["groups"]
        data["risks"] = {name: {"quorum": quorum, "expires_s": expires_s} for name in data["risks"]}
        data["contracts"] = {
            tool.name: {"kinds": ["tickets"], "places": ["folder", "name"], "content": ["text"]} for tool in tools
        }
        data |= changes
        return Guard(Embedded(bundle.load().with_data({"twokey_data": data}), deadline_s=10.0))

    owners = [{"kind": "tickets", "under": "/", "group": group} for group in ("platform-owners", "risk-owners")]
    return {
        "one": notes_policy(),
        "unrelated": variant(limits={"files": 199, "lines": 9_999}),
        "two": variant(2),
        "both": variant(owners=owners),
        "short": variant(expires_s=SHORT.expires_s),
        "deny": variant(contracts={}),
        "silent": Guard(Silent()),
    }


class Choice:
    """The policy of the moment (port ``Policy``)."""

    def __init__(self) -> None:
        self.name = "one"

    def decide(self, call: Call) -> Decision:
        return policies()[self.name].decide(call)


# -- what the interleavings begin with -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Template:
    """A workspace with one waiting proposal for each kind of tool, from which every interleaving starts."""

    folder: Path
    url: str
    records: tuple[ProposalRecord, ...]
    keys: dict[str, Credential]
    people: dict[str, Principal]
    notes: Path
    start_us: int
    ids: int


def template(folder: Path, url: str) -> Template:
    """Make it in ``folder``."""
    clock, ids = FixedClock(), CountingIds()
    bench = notes_bench(folder, url, clock, ids)
    records = tuple(proposed_note(bench, writer.name, name=writer.name.split("_")[0]) for writer in WRITERS)
    bench.engine.dispose()
    return Template(
        folder, url, records, bench.keys, dict(bench.people.people), target(bench), clock.time_us, ids.count
    )


_COMPILED: Final[dict[str, dict[Any, Any]]] = {"sqlite": {}, "postgresql": {}}
"""Statements that were compiled before: every interleaving opens engines of its own, and would compile them again."""


def opened(url: str) -> Engine:
    """An engine as the product opens it."""
    engine = database.open_engine(url)
    engine.update_execution_options(compiled_cache=_COMPILED[engine.dialect.name])
    return engine


MakeGate = Callable[[Steps, CountingIds, Rules], Gate]


def sound(steps: Steps, ids: CountingIds, rules: Rules) -> Gate:
    """The gate as it is."""
    return Gate(steps, ids=ids, rules=rules)


@dataclass
class Worker:
    """What one process holds."""

    engine: Engine
    log: Log
    gate: Gate


class Interleaving:
    """One world in which a plan takes place."""

    def __init__(self, start: Template, live: Path, url: str, make: MakeGate = sound) -> None:
        self._start = start
        self._live = live
        self._url = url
        self._make = make
        self.clock = FixedClock(start.start_us)
        self.ids = CountingIds()
        self.ids.count = start.ids
        self.people = People(*start.people.values())
        self.policy = Choice()
        self._book = PlaceBook()
        self._workers: dict[int, Worker] = {}
        self._frames: list[_Frame] = []
        self._moment = 0
        self._transactions = 0
        self.seen: Counter[str] = Counter()
        self._answers: list[tuple[Answer, Asks]] = []
        self._found: Broken | None = None
        self._edited: set[str] = set()
        self._restated: set[str] = set()
        self._look = opened(url)
        self.model = Model(
            World(
                {name: frozenset(groups) for name, groups in GROUPS.items()},
                ONE,
                start.start_us,
                self._edition() or "1",
            )
        )
        for record, writer in zip(start.records, WRITERS, strict=True):
            life = Life("ana", record.proposal.created_us, "1", writer.guarantee == "keyed")
            self.model.lives[record.id] = life

    # -- moments ----------------------------------------------------------------------------------------------------

    def _worker(self, number: int) -> Worker:
        """Give a worker, started again if it died."""
        if number not in self._workers:
            engine = opened(self._url)
            event.listen(engine, "checkout", self._on_begin)
            event.listen(engine, "commit", self._on_commit)
            event.listen(engine, "checkin", self._on_end)
            key = LogKey.load(self._live / "home" / "log.key")
            log = Log(engine, workspace=WORKSPACE, clock=self.clock, ids=self.ids, key=key)
            steps = Steps(
                ledger=Ledger(engine, log, self.ids),
                policy=self.policy,
                registry=Registry(self._tools()),
                directory=self.people,
                clock=self.clock,
                book=self._book,
            )
            gate = self._make(steps, self.ids, Rules(workspace=WORKSPACE, demo=False))
            self._workers[number] = Worker(engine, log, gate)
        return self._workers[number]

    def _tools(self) -> list[NoteWriter]:
        outer = self

        def judged(writer: type[NoteWriter]) -> NoteWriter:
            class Judged(writer):
                def write(self, folder: Path, args: NoteArgs, marker: Marker) -> None:
                    outer.on_write(marker)
                    super().write(folder, args, marker)

            at: dict[str, Callable[[], None]] = {}
            at |= dict.fromkeys(("render", "after", "look"), outer.on_tool)
            return Judged(at)

        return [judged(writer) for writer in WRITERS]

    def _on_begin(self, *_: object) -> None:
        """A connection was taken from the pool, and no transaction has begun on it."""
        self._transactions += 1
        if self._transactions == 1:
            try:
                self._pass()
            except BaseException:
                self._transactions -= 1
                raise

    def _on_commit(self, _connection: Connection) -> None:
        if self._transactions == 1:
            self._pass(inside=True)

    def _on_end(self, *_: object) -> None:
        self._transactions -= 1

    def on_tool(self) -> None:
        """A tool has come to one of its steps."""
        self._pass()

    def _pass(self, *, inside: bool = False) -> None:
        """One moment passes; what was planned for it happens. Inside a transaction only death comes."""
        self._moment += 1
        frame = self._frames[-1] if self._frames else None
        if frame is None or frame.cut is None:
            return
        frame.moments += 1
        number, cut = frame.cut
        if frame.moments < number or (inside and cut != Die):
            return
        frame.cut = None
        if isinstance(cut, Step):
            self.seen["meanwhile"] += 1
            held, self._transactions = self._transactions, 0
            self._take(replace(cut, worker=1 - frame.worker))
            self._transactions = held
        else:
            self.seen["crash"] += 1
            raise Died

    def on_write(self, marker: Marker) -> None:
        """A tool is about to change the target."""
        self.seen["write"] += 1
        try:
            self.model.judge(marker.proposal, self._frames[-1].since, self._moment, SLACK)
            self._covered(marker.proposal)
        except Broken as broken:
            self._found = self._found or broken  # whatever a tool raises, the executor takes for a fault of the tool

    def _covered(self, proposal: str) -> None:
        size = self._size()
        if not any(seq < size for seq, _ in self._entries(proposal, "write.intended")):
            raise Broken("a write without an intent under a checkpoint")

    # -- steps ------------------------------------------------------------------------------------------------------

    def run(self, plan: Plan) -> None:
        """Let everything happen, then let things come to rest, and judge what is there."""
        try:
            for step in plan:
                self._take(step)
            self._rest()
            if self._found is not None:
                raise self._found
            self._judge()
        finally:
            for worker in self._workers.values():
                worker.engine.dispose()
            self._look.dispose()

    def _take(self, step: Step) -> None:
        cut = step.cut
        frame = _Frame(step.worker, cut, since=len(self.model.history) - 1)
        self._frames.append(frame)
        self.seen[step.what] += 1
        held, self._transactions = self._transactions, 0
        try:
            getattr(self, f"_{step.what}")(step)
        except Died:
            # What the process had in memory is gone, and its open transaction with it.
            self._workers.pop(step.worker).engine.dispose()
        except Broken:
            raise
        except TwokeyError as error:
            self.seen[f"error {error.code}"] += 1
        finally:
            self._transactions = held
            self._frames.pop()

    def _record(self, step: Step) -> ProposalRecord:
        return self._worker(step.worker).gate.find(self._start.records[step.proposal].id)

    def _click(self, step: Step) -> None:
        """Somebody answers what stands there now, and what the answer allows is carried out at once."""
        record = self._record(step)
        action: Action = "approve" if step.how == "execute" else step.how  # pyright: ignore[reportAssignmentType]
        key = self._start.keys[step.who]
        statement = Statement(
            workspace=WORKSPACE,
            action=action,
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=step.who,
            at_us=self.clock.now_us(),
        )
        answer = key.sign(statement)
        self._answers.append((answer, _asked(record)))
        result = self._answer(step, *self._answers[-1])
        if step.how == "execute" and result.state == "approved":
            self._worker(step.worker).gate.execute(record.id)

    def _replay(self, step: Step) -> None:
        """An answer that was given before is given again."""
        if self._answers:
            self._answer(step, *self._answers[step.proposal % len(self._answers)])

    def _forge(self, step: Step) -> None:
        """Somebody signs in another's name."""
        record = self._record(step)
        statement = Statement(
            workspace=WORKSPACE,
            action="approve",
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=step.who,
            at_us=self.clock.now_us(),
        )
        forged = self._start.keys["ana"].sign(statement.model_copy(update={"principal": "ana"}))
        self._worker(step.worker).gate.answer(forged.model_copy(update={"statement": statement}), channel="cli")
        raise Broken("a forged answer was counted")

    def _answer(self, step: Step, answer: Answer, asked: Asks) -> Result:
        """Give an answer to a card that said that policy asks for ``asked``."""
        statement = answer.statement
        life = self.model.lives[statement.proposal]
        gate = self._worker(step.worker).gate
        said = Approval(statement.principal, asked, statement.at_us)
        if statement.action == "approve":
            life.approvals.append(said)  # from its first moment on somebody else may find it in the log
        try:
            result = gate.answer(answer, channel="cli")
        except Refused:
            life.approvals[:] = [item for item in life.approvals if item is not said]
            self.seen["refusal"] += 1
            raise
        self.seen[f"acknowledged {statement.action}"] += 1
        if statement.action in {"refuse", "withdraw"}:
            life.closed = f"{statement.action} by {statement.principal}"
        size = self._size()
        given = [body for seq, body in self._entries(statement.proposal, "answer.given") if seq < size]
        if not any(body["event"]["answer"]["signature"] == answer.signature for body in given):
            raise Broken("an acknowledged answer is not in the log under a checkpoint")
        return result

    def _execute(self, step: Step) -> None:
        self._worker(step.worker).gate.execute(self._start.records[step.proposal].id)

    def _recover(self, step: Step) -> None:
        self._worker(step.worker).gate.recover(self._start.records[step.proposal].id)

    def _expire(self, step: Step) -> None:
        self._worker(step.worker).gate.expire_due()

    def _wait(self, step: Step) -> None:
        self.clock.advance({"moment": 1, "lease": WRITE_LEASE_S + 1, "hour": 3_601, "day": DAY_S + 1}[step.how])
        self.model.change(now_us=self.clock.now_us())

    def _freeze(self, step: Step) -> None:
        on = step.how == "on"
        self.clock.advance(0.000_001)
        self.model.change(now_us=self.clock.now_us())
        order = Order(
            workspace=WORKSPACE,
            order="freeze_on" if on else "freeze_off",
            principal=step.who,
            at_us=self.clock.now_us(),
        )
        gate = self._worker(step.worker).gate
        if not on:
            self.model.stopped_at, before = None, self.model.stopped_at
        else:
            before = None
        try:
            gate.orders.freeze(self._start.keys[step.who].order(order), channel="cli", reason="")
        except Refused:
            if not on:
                self.model.stopped_at = before
            raise
        if on and self.model.stopped_at is None:
            self.model.stopped_at = self._moment

    def _choose(self, step: Step) -> None:
        self.policy.name = step.how
        self.model.change(policy=POLICIES[step.how])

    def _member(self, step: Step) -> None:
        now = MEMBERSHIPS[step.how]
        held = {name: frozenset(person.groups) for name, person in self.people.people.items()}
        if now is None:
            self.people.people.pop(step.who, None)
            held.pop(step.who, None)
        else:
            self.people.people[step.who] = self._start.people[step.who].model_copy(update={"groups": now})
            held[step.who] = frozenset(now)
        self.model.change(groups=held)

    def _edition(self, edition: str | None = None) -> str | None:
        path = self._start.notes / "EDITION"
        if edition is not None:
            path.write_text(edition)
        return path.read_text() if path.exists() else None

    def _move(self, step: Step) -> None:
        self._edition(step.how)
        self.model.change(edition=step.how)

    def _edit(self, step: Step) -> None:
        """Somebody changes a row by hand."""
        record = self._start.records[step.proposal]
        mine = tables.proposals.c.id == record.id
        self._edited.add(record.id)
        if step.how == "off":
            change: Any = update(tables.switches).values(is_on=False)
        elif step.how == "lease":
            change = update(tables.executions).values(lease_until_us=1)
        elif step.how == "forget":
            change = delete(tables.executions).where(tables.executions.c.proposal == record.id)
        elif step.how == "unapprove":
            change = delete(tables.approvals).where(tables.approvals.c.proposal == record.id)
        elif step.how == "prolong":
            change = update(tables.proposals).where(mine).values(expires_us=2**52)
        elif step.how == "approve":
            self._claim(record, step.who)
            return
        else:
            self._restated.add(record.id)
            change = update(tables.proposals).where(mine).values(state=step.how)
        with self._look.begin() as connection:
            connection.execute(change)

    def _claim(self, record: ProposalRecord, who: str) -> None:
        """Write a row that says that somebody approved; it names the entry of some real answer, or of none."""
        given = [body["id"] for _, body in self._entries(record.id, "answer.given")]
        now = self._worker(0).gate.find(record.id)
        row = {
            "proposal": record.id,
            "proposal_digest": record.digest,
            "decision_digest": now.decision_digest,
            "principal": who,
            "action": "approve",
            "entry": FREE,
            "reason": "",
            "at_us": self.clock.now_us(),
        }
        with self._look.begin() as connection:
            there = connection.execute(select(tables.approvals.c.entry, tables.approvals.c.principal)).all()
            taken = {entry for entry, _ in there}
            row["entry"] = next((entry for entry in given if entry not in taken), FREE)
            if row["entry"] not in taken and who not in {principal for _, principal in there}:
                connection.execute(insert(tables.approvals).values(**row))

    # -- at rest ----------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Everything that was begun comes to its end: the lease of a dead executor runs out, and somebody recovers."""
        for step in (Step("wait", how="lease"), Step("choose", how="one"), Step("freeze", who="sam", how="off")):
            self._take(step)
        for number in range(len(self._start.records)):
            self._take(Step("recover", number))
        self._take(Step("expire"))

    def _judge(self) -> None:
        worker = self._worker(0)
        if not worker.log.verify().ok:
            raise Broken("the log does not verify")
        for record in self._start.records:
            life = self.model.lives[record.id]
            moves = [
                (body["event"]["before"], body["event"]["after"])
                for _, body in self._entries(record.id, "proposal.moved")
            ]
            state = self._chained(record.id, moves)
            intents = len(self._entries(record.id, "write.intended"))
            receipts = len(self._entries(record.id, "write.ended"))
            if intents > 1:
                raise Broken("two intents")
            if life.writes and not intents:
                raise Broken("a write without an intent")
            if state in {"done", "failed", "unknown"} and not (intents or record.id in self._restated):
                raise Broken(f"{state} without an intent")
            if state in {"done", "failed"} and not receipts and record.id not in self._restated:
                raise Broken(f"{state} without a receipt")
            if life.closed and state not in {"refused", "withdrawn"} and record.id not in self._restated:
                raise Broken(f"{life.closed}, and now it is {state}")
            if record.id not in self._edited and state == "executing":
                raise Broken("a write that nobody ends")
            self._judge_row(record, state)
            if state == "done" and life.writes == 0 and record.id not in self._restated:
                raise Broken("done, and nobody wrote")
            if state == "failed" and life.writes and not life.repeatable:
                raise Broken("failed, and somebody wrote")
            self.seen[f"ended {state}"] += 1

    def _chained(self, proposal: str, moves: list[tuple[str | None, str]]) -> str | None:
        """Where the log's chain leads. A state that was set by hand may break it, and shows there for good."""
        try:
            return check_chain(moves)
        except Broken:
            if proposal not in self._restated:
                raise
            self.seen["chain broken by hand"] += 1
            return moves[-1][1]

    def _judge_row(self, record: ProposalRecord, state: str | None) -> None:
        with self._look.connect() as connection:
            row = connection.execute(
                select(tables.proposals.c.state).where(tables.proposals.c.id == record.id)
            ).scalar_one()
        if record.id not in self._edited and row != state:
            raise Broken(f"the row says {row}, and the log says {state}")
        name = record.proposal.args["name"]
        found = [path for path in self._start.notes.iterdir() if path.name.startswith(f"{name}.")]
        lines = sum(len(path.read_text().splitlines()) for path in found)
        if lines > 1:
            raise Broken("its effect is there twice")

    def _entries(self, about: str, kind: str) -> list[tuple[int, Any]]:
        """Rows of the log, read without the product."""
        query = text("SELECT seq, body FROM log_entries WHERE subject = :about AND kind = :kind ORDER BY seq")
        with self._look.connect().execution_options(**{database.READ_ONLY: True}) as connection:
            rows = connection.execute(query, {"about": about, "kind": kind}).all()
        return [(row.seq, json.loads(bytes(row.body))) for row in rows]

    def _size(self) -> int:
        with self._look.connect().execution_options(**{database.READ_ONLY: True}) as connection:
            return connection.execute(text("SELECT coalesce(max(size), 0) FROM log_checkpoints")).scalar_one()


@dataclass
class _Frame:
    """A step under way."""

    worker: int
    cut: "tuple[int, Step | Literal['die']] | None"
    since: int
    moments: int = 0


def _asked(record: ProposalRecord) -> Asks:
    """What the card of a proposal says that policy asks for."""
    needed = record.decision.approvals
    if needed is None:
        return Asks((), 0)
    return Asks(tuple(quorum.group for quorum in needed.all_of for _ in range(quorum.n)), needed.expires_s)


# -- plans -----------------------------------------------------------------------------------------------------------


def plan(seed: int) -> list[Step]:
    """A random plan: mostly about one proposal, so that things meet."""
    dice = random.Random(seed)  # noqa: S311 - a plan has to be found again by its number
    about = dice.randrange(len(WRITERS))
    steps: list[Step] = []
    if dice.random() < 0.4:
        steps.append(Step("choose", how=dice.choice(("two", "both", "short"))))
    steps += [_step(dice, about, cut=True) for _ in range(dice.randint(6, 16))]
    return steps


def _step(dice: random.Random, about: int, *, cut: bool) -> Step:
    proposal = about if dice.random() < 0.85 else dice.randrange(len(WRITERS))
    kinds = {
        "click": 30,
        "execute": 18,
        "recover": 6,
        "wait": 8,
        "freeze": 7,
        "choose": 7,
        "member": 7,
        "move": 2,
        "edit": 6,
        "expire": 3,
        "replay": 3,
        "forge": 2,
    }
    what = dice.choices(list(kinds), list(kinds.values()))[0]
    how = {
        "click": ["approve"] * 7 + ["execute"] * 8 + ["refuse", "withdraw"],
        "wait": ["moment", "lease", "lease", "lease", "hour", "day"],
        "freeze": ["on", "off", "off"],
        "choose": ["one", "one", "unrelated", "unrelated", "two", "both", "short", "deny", "silent"],
        "member": ["out", "none", "platform", "platform", "risk", "all", "all"],
        "move": ["1", "2"],
        "edit": ["off", "lease", "forget", "unapprove", "prolong", "approve", *STATES_BY_HAND],
    }.get(what, [""])
    chosen = dice.choice(how)
    if chosen == "withdraw":
        who = "ana"
    elif what == "freeze":
        who = "sam" if chosen == "off" else dice.choice(PEOPLE)
    else:
        who = dice.choices(PEOPLE, (6, 5, 2, 1))[0]
    step = Step(what, proposal, who, chosen, worker=dice.randrange(2))
    if cut and what in MOMENTS and dice.random() < 0.45:
        meanwhile = _step(dice, proposal, cut=False) if dice.random() < 0.6 else Die
        return replace(step, cut=(dice.randint(1, MOMENTS[what]), meanwhile))
    return step


def smaller(steps: list[Step], fails: Callable[[list[Step]], bool]) -> list[Step]:
    """Leave out what a failure does not need: runs of steps, then cuts."""
    size = len(steps)
    while size:
        start = 0
        while start < len(steps):
            shorter = steps[:start] + steps[start + size :]
            if fails(shorter):
                steps = shorter
            else:
                start += size
        size //= 2
    for number, step in enumerate(steps):
        if step.cut is not None:
            plain = [*steps[:number], replace(step, cut=None), *steps[number + 1 :]]
            steps = plain if fails(plain) else steps
    return steps


@contextmanager
def copied(start: Template, live: Path) -> Generator[str]:
    """A fresh copy of the template on SQLite; gives its URL."""
    shutil.rmtree(live, ignore_errors=True)
    (live / "home").mkdir(parents=True)
    for name in ("log.key", "log.key.pin"):
        shutil.copy2(start.folder / "home" / name, live / "home" / name)
    source = Path(start.url.removeprefix("sqlite:///"))
    shutil.copy2(source, live / "store.db")
    clean(start)
    yield f"sqlite:///{live / 'store.db'}"


def clean(start: Template) -> None:
    """Put the target back as it was."""
    for path in start.notes.iterdir():
        if path.name != "rules":
            path.unlink()
    start.notes.with_suffix(".effects").unlink(missing_ok=True)
