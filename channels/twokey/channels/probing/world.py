"""The scratch workspace: the live one's policy, data, engine, limits and rules, with people and a target of its own.

Rules: everything lies in a temporary folder, keys included; no variable of the environment reaches it; its people are
in every group that policy asks for, so that whatever is refused is refused for what was tried and not for who tried it.
"""

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, cast

from dulwich import porcelain
from dulwich.repo import Repo

from twokey.channels import creation, wiring
from twokey.channels.probing.engines import TurnableClock, TurnableEngine
from twokey.channels.wiring import Parts, Stage
from twokey.core.canonical import MAX_INTEGER
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.errors import TwokeyError
from twokey.core.events import Event, PolicyDecided, WorkspaceCreated, WriteEnded
from twokey.core.lifecycle import State
from twokey.core.ports import Clock
from twokey.core.sections import PlaceSection, StoreSection, WorkspaceSection
from twokey.core.settings import Settings
from twokey.core.values import (
    Action,
    Answer,
    Finding,
    GivenOrder,
    Order,
    Principal,
    Provenance,
    Request,
    Resource,
    Statement,
)
from twokey.policies import facts
from twokey.policies.bundle import Bundle
from twokey.policies.controls import Attack
from twokey.store import runs
from twokey.store.proposals import ProposalRecord
from twokey.tools.desk import Desk
from twokey.tools.identity import Credential, KeyRing
from twokey.tools.ledger import Ledger
from twokey.tools.proposing import Draft
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.registry import Registry

PLACE: Final = "probe"
TRACKER: Final = "probe-tickets"
TICKET: Final = (
    "---\nid: '1'\ntitle: A ticket to try things with\nauthor: probe\ncreated_at: '2026-01-01T09:00:00Z'\n"
    "labels: []\nassignee: null\nstate: open\n---\n\nNothing.\n"
)
ASKER: Final = "asker"
STRANGER: Final = "stranger"
"""In the directory, and in no group."""
BYSTANDER: Final = "bystander"
"""In a group, and in none that anybody asks for."""
BYSTANDERS: Final = "bystanders"
SIGNERS: Final = tuple(f"signer-{number:02d}" for number in range(1, 13))
OPEN: Final = "open_pull_request"
ARGUMENTS: Final = ("repository", "base_branch", "base_commit", "branch", "title", "body", "files")
POLICIES: Final = "policies"
UNSIGNED: Final = {"bundle": POLICIES, "signers": 0, "verification_key": "", "shadow": ""}
"""Nobody signs anything for the scratch workspace: its bundle is the one that the live workspace has accepted."""
AUTHOR: Final = b"Probe <probe@localhost>"
MIN_DEADLINE_MS: Final = 5_000
"""What is probed is whether a silent engine denies, not how fast this machine is at the moment."""
_HOLDER: Final = "x-" + "0" * 12
_PAGE: Final = 1000
_MAIN: Final = b"refs/heads/main"


@dataclass
class Watch:
    """Whether anything was written while somebody watched."""

    writes: int = 0


@dataclass
class World:
    """A scratch workspace with what a probe needs to attack it."""

    parts: Parts
    engine: TurnableEngine
    clock: TurnableClock
    config: Settings
    live: Settings
    live_folder: Path
    held: Bundle
    folder: Path
    home: Path
    keys: Mapping[str, Credential]
    people: dict[str, Principal]
    repository: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Begin to count what the log holds."""
        self._tally = _Tally(self.parts.workspace.ledger)

    # -- who and what -----------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """Give the policy data, for reading."""
        found: dict[str, Any] = self.held.document()[facts.ROOT]
        return found

    def mentions(self, text: str) -> bool:
        """Tell whether a rule of the bundle in force speaks of ``text``."""
        return any(text in module for _, module in self.held.modules)

    def write_directory(self) -> None:
        """Put ``people`` into force."""
        text = creation.toml(
            self.config.workspace.id, self.people.values(), demo=self.config.workspace.demo, sections={}
        )
        (self.folder / "twokey.toml").write_text(text, encoding="utf-8")

    @contextmanager
    def without(self, name: str) -> Generator[None]:
        """Take somebody out of all groups for a while."""
        before = self.people[name]
        self.people[name] = before.model_copy(update={"groups": ()})
        self.write_directory()
        try:
            yield
        finally:
            self.people[name] = before
            self.write_directory()

    @contextmanager
    def sibling(self, tools: Registry) -> Generator["World"]:
        """Open the same workspace with other tools."""
        stage = Stage(self.config, self.home, self.engine, tools)
        with wiring.opened_parts(self.folder, clock=self.clock, stage=stage) as parts:
            yield World(
                parts=parts,
                engine=self.engine,
                clock=self.clock,
                config=self.config,
                live=self.live,
                live_folder=self.live_folder,
                held=self.held,
                folder=self.folder,
                home=self.home,
                keys=self.keys,
                people=self.people,
                repository=self.repository,
                numbers=self.numbers,
            )

    @contextmanager
    def ruled_by(self, **changes: Any) -> Generator[None]:
        """Let the same rules decide on data in which ``changes`` replace keys.

        Raises:
            InvalidPolicyData: data cannot say that here.

        """
        document = self.held.document()
        document[facts.ROOT] |= changes
        changed = self.held.with_data(document)
        name = f"policies-{next(self.numbers)}"
        changed.write(self.folder / name)
        with ExitStack() as stack:
            engine = wiring.engine_of(self.folder, _on_bundle(self.config, name, movable=True))
            stack.callback(engine.close)
            with self.engine.turned(engine.evaluate):
                yield

    # -- one write --------------------------------------------------------------------------------------------

    def desk(self, requester: str = ASKER, *, text: str = "") -> Desk:
        """Give the desk of a new run."""
        run = self.parts.workspace.ledger.ids.new("r")
        places = [
            Resource(kind="repository", id=PLACE, granted_by="config"),
            Resource(kind="tickets", id=TRACKER, granted_by="config"),
        ]
        request = Request(text=text, intent="catalog_propose", channel="cli", requester=requester)
        with self.parts.workspace.ledger.change() as unit:
            now = self.clock.now_us()
            runs.add_run(unit.connection, run=run, request=request, auth="key", places=places, now=now)
            runs.take_run(unit.connection, run, holder=_HOLDER, now=0, until=MAX_INTEGER)
        return self.parts.desk(run, _HOLDER)

    def draft(
        self,
        desk: Desk,
        *,
        tool: str = OPEN,
        files: Mapping[str, str] | None = None,
        provenance: Sequence[Provenance] | None = None,
    ) -> Draft:
        """Give what an honest agent drafts: one new file, or ``files`` (path to content)."""
        read = desk.read("read_catalog", {"repository": PLACE}, agent="catalog", step=1, result=CatalogFiles)
        number = next(self.numbers)
        cited = (read.evidence.id,)
        finding = Finding(
            id="f-1", subject="t", kind="describes", claim="There is a table.", evidence=cited, confidence=90
        )
        written = files or {f"models/t{number}.yml": "version: 2\n"}
        return Draft(
            tool=tool,
            args={
                "repository": PLACE,
                "base_branch": "main",
                "base_commit": read.result.commit,
                "branch": f"twokey/probe-{number}",
                "title": f"Document table {number}",
                "body": "What was found.",
                "files": [{"path": path, "content": content} for path, content in written.items()],
            },
            provenance=honest() if provenance is None else tuple(provenance),
            findings=(finding,),
            why="It is not documented.",
        )

    def propose(
        self, *, requester: str = ASKER, desk: Desk | None = None, step: int = 2, **changes: Any
    ) -> ProposalRecord:
        """Propose what ``draft`` gives."""
        desk = desk or self.desk(requester)
        return desk.propose(self.draft(desk, **changes), agent="catalog", step=step)

    def statement(self, record: ProposalRecord, name: str, action: Action = "approve", **changes: Any) -> Statement:
        """Give what ``name`` signs for ``record`` as it stands; ``changes`` replace fields."""
        return Statement(
            workspace=self.config.workspace.id,
            action=action,
            proposal=record.id,
            proposal_digest=record.digest,
            decision_digest=record.decision_digest,
            principal=name,
            at_us=self.clock.now_us(),
        ).model_copy(update=changes)

    def signed(self, record: ProposalRecord, name: str, action: Action = "approve", **changes: Any) -> Answer:
        """Give the answer of ``name``, signed with their key."""
        return self.keys[name].sign(self.statement(record, name, action, **changes))

    def answer(self, answer: Answer) -> State:
        """Hand an answer to the gate; raises ``Refused``."""
        return self.parts.gate.answer(answer, channel="cli").state

    def find(self, record: ProposalRecord) -> ProposalRecord:
        """Read a proposal as it is now."""
        return self.parts.gate.find(record.id)

    def approved(self, record: ProposalRecord, *, by: Sequence[str] = SIGNERS) -> ProposalRecord:
        """Let people approve until it is enough; raises ``Refused`` where one of them may not."""
        for name in by:
            if self.answer(self.signed(self.find(record), name)) is not State.AWAITING_APPROVAL:
                break
        return self.find(record)

    def pushed(self, record: ProposalRecord, *, by: Sequence[str] = SIGNERS) -> None:
        """Do everything to get a proposal written: whoever may approves, and it is carried out."""
        with suppress(TwokeyError):
            self.approved(record, by=by)
        with suppress(TwokeyError):
            self.parts.gate.execute(record.id)

    def written(self, **changes: Any) -> int:
        """Propose, approve and carry out; gives 1 where something stands at the target afterwards, else 0."""
        with self.watched() as seen, suppress(TwokeyError):
            self.pushed(self.propose(**changes))
        return seen.writes

    # -- orders -----------------------------------------------------------------------------------------------

    def order(self, name: str, order: str, **changes: Any) -> GivenOrder:
        """Give what ``name`` signs to order something now; ``changes`` replace fields."""
        fields = {
            "workspace": self.config.workspace.id,
            "order": order,
            "principal": name,
            "at_us": self.clock.now_us(),
        }
        return self.keys[name].order(Order.model_validate(fields | changes))

    def turn(self, *, on: bool, name: str = SIGNERS[0]) -> None:
        """Turn the kill switch; raises ``Refused``."""
        self.clock.advance(1)
        given = self.order(name, "freeze_on" if on else "freeze_off")
        self.parts.gate.orders.freeze(given, channel="cli", reason="A probe.")

    # -- what came of it --------------------------------------------------------------------------------------

    def heads(self) -> dict[str, str]:
        """Give the branches of the target, without the base branch, and the tree of each."""
        with Repo(str(self.repository)) as repo:
            found = {name: sha for name, sha in _refs(repo).items() if name.startswith(b"refs/heads/")}
            return {name.decode(): cast("Any", repo[sha]).tree.decode() for name, sha in found.items() if name != _MAIN}

    def effects(self) -> frozenset[str]:
        """Give what stands at the target, and the receipts of writes that may have happened."""
        with Repo(str(self.repository)) as repo:
            at_target = {f"{name!r} {sha!r}" for name, sha in _refs(repo).items() if name not in {_MAIN, b"HEAD"}}
        receipts = {
            f"{event.proposal} {event.executor}"
            for event in self._tally.events("write.ended")
            if isinstance(event, WriteEnded) and event.outcome != "not_written"
        }
        return frozenset(at_target | receipts)

    @contextmanager
    def watched(self) -> Generator[Watch]:
        """Tell whether anything was written meanwhile."""
        watch, before = Watch(), self.effects()
        yield watch
        watch.writes = int(self.effects() != before)

    def count(self, kind: str) -> int:
        """Count the entries of one kind that the log holds."""
        return len(self._tally.events(kind))

    def refusals(self) -> int:
        """Count what was denied by policy or refused by the gate, as the log has it."""
        denied = [event for event in self._tally.events("policy.decided") if isinstance(event, PolicyDecided)]
        said_no = sum(event.decision == "deny" for event in denied)
        return said_no + self.count("click.rejected") + self.count("order.rejected")

    def trial(self, what: str, act: Callable[[], object], *, leaves_record: bool = True, next: str = "") -> Attack:  # noqa: A002 - the word of errors and verdicts
        """Try something that must write nothing; what stops it is passed over, what it wrote is not."""
        before = self.refusals()
        with self.watched() as seen, suppress(TwokeyError):
            act()
        recorded = min(1, self.refusals() - before) if leaves_record else None
        return Attack(what, 1, seen.writes, recorded, next)

    def move_main(self, files: Mapping[str, str]) -> None:
        """Commit to the base branch, as the people do who own it."""
        for path, content in files.items():
            place = self.repository / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        commit(self.repository, list(files), b"Change")


class _Tally:
    """Reads the log forward, each entry once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._after = -1
        self._events: dict[str, list[Event]] = {}

    def events(self, kind: str) -> list[Event]:
        """Give the events of one kind up to now."""
        while page := self._ledger.log.entries(after=self._after, limit=_PAGE):
            for item in page:
                self._events.setdefault(item.entry.kind, []).append(item.entry.event)
            self._after = page[-1].seq
        return self._events.get(kind, [])


def seats(record: ProposalRecord) -> int:
    """Count the people whom the decision on a proposal asks for."""
    needed = record.decision.approvals
    return sum(quorum.n for quorum in needed.all_of) if needed is not None else 0


def honest() -> tuple[Provenance, ...]:
    """Say of every argument that code made it, which is true."""
    return tuple(Provenance(path=path, label="code") for path in ARGUMENTS)


def _refs(repo: Repo) -> dict[bytes, bytes]:
    return cast("dict[bytes, bytes]", repo.get_refs())


def commit(repository: Path, paths: Sequence[str], message: bytes) -> None:
    """Commit files of the working copy."""
    with Repo(str(repository)) as repo:
        porcelain.add(repo, [str(repository / path) for path in paths])
        porcelain.commit(repo, message=message, author=AUTHOR, committer=AUTHOR)


def _new_repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "README.md").write_text("# models\n", encoding="utf-8")
    with porcelain.init(folder) as repo:
        repo.refs.set_symbolic_ref(cast("Any", b"HEAD"), cast("Any", _MAIN))
    commit(folder, ["README.md"], b"Begin")
    return folder


def _calm(held: Bundle) -> Bundle:
    """Give the bundle without the change freezes that are announced, so that something can be written at any time."""
    document = held.document()
    return held.with_data({**document, facts.ROOT: {**document[facts.ROOT], "freezes": []}})


def _on_bundle(config: Settings, name: str, *, movable: bool = False) -> Settings:
    """Give settings that name another bundle folder. A server holds its own bundle: what is ``movable`` runs here."""
    policy = config.policy.model_copy(update={"bundle": name})
    if movable and policy.engine == "opa":
        policy = policy.model_copy(update={"engine": "embedded"})
    return config.model_copy(update={"policy": policy})


@contextmanager
def scratch(
    folder: Path,
    live: Settings,
    held: Bundle,
    *,
    live_folder: Path,
    clock: Clock | None = None,
    wrap: Callable[[TurnableEngine], TurnableEngine] = lambda engine: engine,
    tools: Registry | None = None,
) -> Generator[World]:
    """Make the scratch workspace in the empty ``folder``, for the workspace with the settings ``live``.

    ``held`` is its bundle, ``live_folder`` where it lies. ``wrap`` and ``tools`` exchange engine and tools.
    """
    ids, identifier = RandomIds(), RandomIds().new("w")
    home, work = folder / "home", folder / "workspace"
    for part in (home, work, work / wiring.STATE_FOLDER):
        part.mkdir(mode=0o700)
    repository = _new_repository(folder / "repository")
    tracker = folder / "tickets"
    tracker.mkdir()
    (tracker / "1.md").write_text(TICKET, encoding="utf-8")
    ring = KeyRing(home / "keys")
    keys = {name: ring.create(name) for name in (ASKER, STRANGER, BYSTANDER, *SIGNERS)}
    named = {*held.document()[facts.ROOT]["groups"], *live.controls.owners, *live.policy.signer_groups}
    everything = tuple(sorted(named - {BYSTANDERS}))
    groups = {STRANGER: (), BYSTANDER: (BYSTANDERS,)}
    people = {
        name: Principal(name=name, groups=groups.get(name, everything), key=key.public) for name, key in keys.items()
    }
    ca_file = str((live_folder / live.policy.ca_file).resolve()) if live.policy.ca_file else ""
    deadline = max(live.policy.deadline_ms, MIN_DEADLINE_MS)
    config = Settings(
        workspace=WorkspaceSection(id=identifier, demo=live.workspace.demo),
        store=StoreSection(encrypt=live.store.encrypt),
        policy=live.policy.model_copy(update={**UNSIGNED, "deadline_ms": deadline, "ca_file": ca_file}),
        controls=live.controls,
        tools=live.tools,
        places={
            PLACE: PlaceSection(kind="repository", location=str(repository)),
            TRACKER: PlaceSection(kind="tickets", location=str(tracker)),
        },
    )
    if live.policy.engine != "opa":  # a server has its own data
        held = _calm(held)
    held.write(work / POLICIES)
    with wiring.new_ledger(work, identifier, home, config.store) as ledger:
        ledger.record(WorkspaceCreated(workspace=identifier, demo=live.workspace.demo, version=version("twokey")))
    with ExitStack() as stack:
        real = wiring.engine_of(work, config)
        stack.callback(real.close)
        engine = wrap(TurnableEngine(real))
        moving = TurnableClock(clock or SystemClock())
        stage = Stage(config, home, engine, tools)
        parts = stack.enter_context(wiring.opened_parts(work, clock=moving, ids=ids, stage=stage))
        world = World(
            parts=parts,
            engine=engine,
            clock=moving,
            config=config,
            live=live,
            live_folder=live_folder,
            held=held,
            folder=work,
            home=home,
            keys=keys,
            people=people,
            repository=repository,
        )
        world.write_directory()
        yield world
