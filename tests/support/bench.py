"""A workbench: database, log, policy, git repository and gate, composed as the wiring does, with a clock that obeys."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from conftest import CountingIds, FixedClock
from sqlalchemy import Engine

from support.git_repo import drop_samples
from support.templates import templates
from twokey.audit import storage
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.core.events import WorkspaceCreated
from twokey.core.ports import Policy
from twokey.core.values import (
    Action,
    Answer,
    Call,
    Decision,
    Finding,
    GivenOrder,
    Order,
    Principal,
    Provenance,
    Request,
    Resource,
    Statement,
)
from twokey.policies import bundle, facts
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.store import database, evidence, migrate, runs
from twokey.store.proposals import ProposalRecord
from twokey.store.switches import FreezeRecord
from twokey.tools.authority import Rules
from twokey.tools.contract import Place
from twokey.tools.desk import Desk, Office
from twokey.tools.gate import Gate
from twokey.tools.identity import Credential, KeyRing
from twokey.tools.ledger import Ledger
from twokey.tools.places import PlaceBook
from twokey.tools.proposing import Draft, Proposer
from twokey.tools.registry import AnyTool, Registry, installed
from twokey.tools.steps import Steps

WORKSPACE = "w-000000000000"
GROUPS = {
    "ana": ("analysts",),
    "sam": ("platform-owners",),
    "kim": ("platform-owners",),
    "rita": ("risk-owners",),
}
"""Who is in which group when a test begins."""


class People:
    """A directory that a test can change while everything runs (port ``Directory``)."""

    def __init__(self, *people: Principal) -> None:
        self.people = {person.name: person for person in people}

    def principal(self, name: str) -> Principal | None:
        return self.people.get(name)

    def all(self) -> tuple[Principal, ...]:
        return tuple(self.people[name] for name in sorted(self.people))


class Switch:
    """A policy that can be exchanged while everything runs (port ``Policy``)."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def decide(self, call: Call) -> Decision:
        return self.policy.decide(call)


def policy_data(tools: Iterable[AnyTool], **changes: Any) -> dict[str, Any]:
    """The bundle's data for a workspace with analysts and platform owners; ``changes`` replace keys."""
    document = bundle.load().document()
    data = document[facts.ROOT]
    groups = ["analysts", "platform-owners", "risk-owners", "model-owners"]
    data["groups"] = groups
    data["may_name"] = {effect: dict.fromkeys(kinds, groups) for effect, kinds in data["may_name"].items()}
    data |= changes
    listed = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in tools]
    return facts.with_tools(document, listed)


@cache
def own_tools() -> tuple[AnyTool, ...]:
    """The tools that are installed, found once: looking for plugins reads through all that is installed."""
    return tuple(installed({}).all())


@cache
def policy(changes: tuple[tuple[str, Any], ...] = ()) -> Policy:
    """The real bundle in the embedded engine; engines are shared by the tests of a process."""
    held = bundle.load().with_data(policy_data(own_tools(), **dict(changes)))
    # A shared machine may stall for longer than the product's deadline; what is tested here is not speed.
    return Guard(Embedded(held, deadline_s=10.0))


def git(repository: Path, *arguments: str) -> str:
    """Run plain git; gives its output."""
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], check=True, capture_output=True, text=True, timeout=600
    )
    return done.stdout


def new_repository(path: Path) -> Path:
    """A git repository with one commit on ``main``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return templates().copy("bench repository", _repository, path)


def _repository(path: Path) -> None:
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    (path / "README.md").write_text("# models\n", encoding="utf-8")
    git(path, "add", ".")
    git(path, "-c", "user.name=Owner", "-c", "user.email=owner@example.com", "commit", "-qm", "Begin")
    drop_samples(path)


@dataclass
class Bench:
    """Everything, composed."""

    engine: Engine
    log: Log
    ledger: Ledger
    people: People
    keys: dict[str, Credential]
    policy: Switch
    registry: Registry
    clock: FixedClock
    ids: CountingIds
    repository: Path
    steps: Steps
    gate: Gate
    office: Office
    book: PlaceBook
    log_key: LogKey
    rules: Rules
    runs: list[str] = field(default_factory=list)

    def desk(self, requester: str = "ana", places: Iterable[Place] = (), *, text: str = "") -> Desk:
        """The desk of a new run."""
        run = self.ids.new("r")
        request = Request(text=text, intent="catalog_propose", channel="cli", requester=requester)
        resource = Resource(kind="repository", id=str(self.repository), granted_by="request")
        more = [place.resource for place in places]
        with self.ledger.change() as unit:
            runs.add_run(
                unit.connection,
                run=run,
                request=request,
                auth="key",
                places=[resource, *more],
                now=self.clock.now_us(),
            )
        self.runs.append(run)
        principal = self.people.principal(requester)
        assert principal is not None
        return Desk(self.office, run=run, requester=principal, places=self.book.places([resource, *more]))

    def draft(self, desk: Desk, *, content: str = "version: 2\n", name: str = "models/a.yml", **changes: Any) -> Draft:
        """A draft that adds one file, with one finding and evidence for it."""
        tip = git(self.repository, "rev-parse", "main").strip()
        reading = self.evidence(desk)
        finding = Finding(
            id="f-1", subject="a", kind="describes", claim="There is a table a.", evidence=(reading,), confidence=90
        )
        label = "code"
        provenance = tuple(
            Provenance(path=path, label=label)
            for path in (
                "repository",
                "base_branch",
                "base_commit",
                "branch",
                "title",
                "body",
                "files.path",
                "files.mode",
            )
        )
        args: dict[str, Any] = {
            "repository": str(self.repository),
            "base_branch": "main",
            "base_commit": tip,
            "branch": f"twokey/{desk.run}",
            "title": "Document a",
            "body": "What was found.",
            "files": [{"path": name, "content": content}],
        }
        return Draft(
            tool="open_pull_request",
            args=args | changes,
            provenance=(*provenance, Provenance(path="files.content", label="evidence", evidence=(reading,))),
            findings=(finding,),
            why="Because a is not documented.",
        )

    def evidence(self, desk: Desk) -> str:
        """Store one piece of evidence for a run."""
        found = desk.read(
            "read_catalog",
            {"repository": str(self.repository)},
            agent="catalog",
            step=1,
            result=self.registry.reader("read_catalog").output_type,
        )
        return found.evidence.id

    def propose(self, **changes: Any) -> ProposalRecord:
        """A proposal of ana's that adds one file."""
        desk = self.desk()
        return desk.propose(self.draft(desk, **changes), agent="catalog", step=2)

    def answer(self, record: ProposalRecord, name: str = "sam", action: Action = "approve", **changes: Any) -> Answer:
        """What ``name`` signs for ``record`` as it stands; ``changes`` replace fields of the statement."""
        statement = Statement(
            workspace=WORKSPACE,
            action=action,
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=name,
            at_us=self.clock.now_us(),
        ).model_copy(update=changes)
        return self.keys[name].sign(statement)

    def order(self, name: str, order: str, **changes: Any) -> GivenOrder:
        """What ``name`` signs to give an order now; ``changes`` replace fields of it."""
        fields = {"workspace": WORKSPACE, "order": order, "principal": name, "at_us": self.clock.now_us()}
        return self.keys[name].order(Order.model_validate(fields | changes))

    def turn(self, on: bool, name: str = "sam", **changes: Any) -> FreezeRecord:
        """Turn the kill switch, a second later."""
        self.clock.advance(1)
        given = self.order(name, "freeze_on" if on else "freeze_off", **changes)
        return self.gate.orders.freeze(given, channel="cli", reason="Something is wrong.")

    def sibling(self, **parts: Any) -> Gate:
        """Another gate on the same workspace; ``parts`` replace its ledger, registry, clock, ids, book or rules."""
        steps = Steps(
            ledger=parts.get("ledger", self.ledger),
            policy=self.policy,
            registry=parts.get("registry", self.registry),
            directory=self.people,
            clock=parts.get("clock", self.clock),
            book=parts.get("book", self.book),
        )
        return Gate(steps, ids=parts.get("ids", self.ids), rules=parts.get("rules", self.rules))

    def branches(self) -> list[str]:
        """The branches Twokey has made."""
        return git(self.repository, "for-each-ref", "--format=%(refname:short)", "refs/heads/twokey/").split()

    def kinds(self, subject: str) -> list[str]:
        """Kinds of the log's entries about something, in order."""
        return [item.entry.kind for item in self.log.entries(subject)]

    def evidence_rows(self, run: str) -> int:
        """How many pieces of evidence a run has."""
        with self.ledger.look() as connection:
            return len(evidence.list_evidence(connection, run))


def build(folder: Path, url: str, clock: FixedClock, ids: CountingIds, tools: Iterable[AnyTool] | None = None) -> Bench:
    """Put a bench together in ``folder`` on the database at ``url``."""
    ring = KeyRing(folder / "home" / "keys")
    keys = {name: ring.create(name) for name in GROUPS}
    people = People(*(Principal(name=name, groups=GROUPS[name], key=keys[name].public) for name in GROUPS))
    engine = database.open_engine(url)
    migrate.migrate(engine)
    storage.migrate(engine)
    log_key = LogKey.create(folder / "home" / "log.key", WORKSPACE)
    log = Log(engine, workspace=WORKSPACE, clock=clock, ids=ids, key=log_key)
    ledger = Ledger(engine, log, ids)
    ledger.record(WorkspaceCreated(workspace=WORKSPACE, demo=False, version="0"))
    registry = Registry(own_tools() if tools is None else tools)
    switch = Switch(policy())
    repository = new_repository(folder / "repository")
    book = PlaceBook()
    rules = Rules(workspace=WORKSPACE, demo=False)
    steps = Steps(ledger=ledger, policy=switch, registry=registry, directory=people, clock=clock, book=book)
    proposer = Proposer(ledger=ledger, policy=switch, registry=registry, directory=people, clock=clock, ids=ids)
    office = Office(ledger=ledger, policy=switch, registry=registry, proposer=proposer, clock=clock, ids=ids)
    return Bench(
        engine=engine,
        log=log,
        ledger=ledger,
        people=people,
        keys=keys,
        policy=switch,
        registry=registry,
        clock=clock,
        ids=ids,
        repository=repository,
        steps=steps,
        gate=Gate(steps, ids=ids, rules=rules),
        office=office,
        book=book,
        log_key=log_key,
        rules=rules,
    )
