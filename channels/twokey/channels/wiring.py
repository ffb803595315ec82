"""The one composition root: the only module that names concrete adapters and puts them behind their ports.

Rules: what the settings choose is what runs, nothing is swapped at run time; what was opened is closed; a workspace
whose settings and log disagree about being a demo does not open.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from sqlalchemy.engine import make_url

from twokey.audit import storage
from twokey.audit.keys import LogKey, load_verifier
from twokey.audit.log import Log
from twokey.audit.verify import BadArgument, SqliteSource, verify
from twokey.channels import opa_program
from twokey.channels.connected import Connected
from twokey.channels.controls import MINUTE_US, Controls
from twokey.channels.driving import Drivers, Heart
from twokey.channels.inbox import Handler, Inbox
from twokey.channels.linking import Linking
from twokey.channels.people import People
from twokey.channels.postbox import Postbox, Poster
from twokey.channels.pruning import Pruner
from twokey.channels.readiness import Readiness
from twokey.channels.rejections import Rejections
from twokey.channels.service import Service
from twokey.channels.shadowing import Shadow
from twokey.channels.workspace import POLICY_PROPOSE, REVERT, Workspace
from twokey.core import jobs, settings
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, LogUnavailable, NotFound, Refused
from twokey.core.events import WorkspaceCreated
from twokey.core.jobs import Job
from twokey.core.ports import Clock, Dispatcher, Ids, PolicyEngine
from twokey.core.settings import FileDirectory, Settings
from twokey.core.values import Resource
from twokey.policies import bundle, facts
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.store import database, migrate, runs
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools import registry
from twokey.tools.authority import Rules
from twokey.tools.contract import Place
from twokey.tools.desk import Desk, Office
from twokey.tools.enforcing import Enforcement
from twokey.tools.fencing import FencedLedger
from twokey.tools.forges import Forges, through
from twokey.tools.gate import Gate
from twokey.tools.identity import Credential, KeyRing
from twokey.tools.ledger import Ledger
from twokey.tools.places import PlaceBook
from twokey.tools.proposing import Proposer
from twokey.tools.read.warehouse import canonical_location
from twokey.tools.steps import Steps
from twokey.tools.waivers import Ignored, Waivers, sign
from twokey.tools.write.local_git import LocalGit

if TYPE_CHECKING:
    from twokey.agents.models.port import Models
    from twokey.agents.planner.runner import Runner, Saver
    from twokey.agents.planner.savers import StateStore
    from twokey.agents.state import Progress
    from twokey.channels.worker import Worker
    from twokey.tools.github.health import Found
    from twokey.tools.github.hub import GitHub

LOG_KEY: Final = "log.key"
CHECKPOINTS: Final = "checkpoints.db"
STATE_FOLDER: Final = ".twokey"
DRIVERS: Final = "drivers"
WAITING: Final = 100
"""How many deliveries, and how many messages, one pass of recovery takes up."""
REPLAY_DEADLINE_S: Final = 5.0
"""How long one past decision may take, in seconds: a bundle that is slower than that is a fault, not a wait."""

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Parts:
    """A workspace with what lies beneath its service, for whoever measures single steps."""

    workspace: Workspace
    gate: Gate
    desk: "Callable[[str, str], Desk]"
    """The desk of a run, for the holder of its lease."""
    savers: "Callable[[], AbstractContextManager[Saver]]"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a workspace that is there to be attacked or measured is put together from, instead of what it would take."""

    config: Settings | None = None
    home: Path | None = None
    engine: PolicyEngine | None = None
    """Closed by whoever made it."""
    tools: registry.Registry | None = None
    """Take the place of the installed ones."""
    places: Sequence[Place] = ()
    """Configured beside those of the settings."""
    connect: "Callable[[Workspace], Mapping[str, Connected]] | None" = None
    """Makes the channels to the outside."""


@contextmanager
def opened(folder: Path, *, clock: Clock | None = None, ids: Ids | None = None) -> Generator[Workspace]:
    """Open the workspace at ``folder`` with everything its settings ask for, and close it again.

    ``clock`` and ``ids`` are the machine's own where none are given.

    Raises:
        NotFound: there is no workspace.
        BadInput: its settings cannot be used.
        EnvironmentFault: a part of it is missing or broken.

    """
    with opened_parts(folder, clock=clock, ids=ids) as parts:
        yield parts.workspace


@contextmanager
def opened_parts(
    folder: Path, *, clock: Clock | None = None, ids: Ids | None = None, stage: Stage | None = None
) -> Generator[Parts]:
    """Open a workspace like ``opened``, and give its parts; what ``stage`` holds stands in for what it would take."""
    stage = stage or Stage()
    config = stage.config or settings.load(folder)
    home = stage.home or settings.home(config.workspace.id)
    clock, ids = clock or SystemClock(), ids or RandomIds()
    with ExitStack() as stack:
        ledger = stack.enter_context(_ledger(folder, config.store.url, config.workspace.id, home, clock, ids))
        _check_demo(config, ledger)
        held = _enforcement(folder, config, ledger).accepted(folder / config.policy.bundle)
        engine = stage.engine
        if engine is None:
            engine = _engine(folder, config, held)
            stack.callback(engine.close)
        shadow = _shadow(folder, config, ledger)
        stack.callback(shadow.close)
        stack.callback(shadow.catch_up)
        shadow.begin()
        book = PlaceBook([*_places(folder, config), *stage.places])
        github = _github(folder, config, clock, stack)
        forges = Forges(LocalGit(), None if github is None else lambda: github().forge)
        tools = stage.tools or through(forges, registry.installed(config.tools.plugins))
        connect = stage.connect or _connector(github, home, clock)
        yield _parts(
            folder, config, home, ledger, engine, shadow, clock, ids, stack, held, forges, tools, book, connect
        )


def _parts(  # what that were opened
    folder: Path,
    config: Settings,
    home: Path,
    ledger: Ledger,
    engine: PolicyEngine,
    shadow: "Shadow | _NoShadow",
    clock: Clock,
    ids: Ids,
    stack: ExitStack,
    held: Bundle,
    forges: Forges,
    tools: registry.Registry,
    book: PlaceBook,
    connect: "Callable[[Workspace], Mapping[str, Connected]]",
) -> Parts:
    directory = FileDirectory(folder)
    rules = _rules(config)
    policy = Guard(engine)
    waivers = Waivers(held.document(), directory, config.workspace.id)
    steps = Steps(
        ledger=ledger, policy=policy, registry=tools, directory=directory, clock=clock, book=book, waivers=waivers
    )
    gate = Gate(steps, ids=ids, rules=rules, waivers=waivers)

    def desk(run: str, holder: str) -> Desk:
        with ledger.look() as connection:
            record = runs.get_run(connection, run)
        requester = directory.principal(record.requester)
        if requester is None:
            raise Refused(
                f"{record.requester}, who asked for run {run}, is no longer in the directory.",
                next="Ask somebody who is to repeat the request.",
                code="requester_unknown",
            )
        fenced = FencedLedger(ledger, run=run, holder=holder)
        proposer = Proposer(
            ledger=fenced,
            policy=policy,
            registry=tools,
            directory=directory,
            clock=clock,
            ids=ids,
            waivers=waivers,
        )
        office = Office(ledger=fenced, policy=policy, registry=tools, proposer=proposer, clock=clock, ids=ids)
        return Desk(office, run=run, requester=requester, places=book.places(record.places))

    def new_states() -> "StateStore":
        opened_states = _states(folder, config.store.url, home)
        stack.callback(opened_states.close)
        return opened_states

    states = _Once(new_states)

    @contextmanager
    def savers() -> "Generator[Saver]":
        with states().lent() as lent:
            yield lent.saver

    def new_runner() -> "Runner":
        from twokey.agents.planner.runner import Runner  # noqa: PLC0415 - LangGraph comes in when a run is driven

        return Runner(savers, desk, _models(config, stack))

    def new_dispatcher() -> Dispatcher:
        dispatcher = _dispatcher(folder, config.store.url, ledger, clock, ids)
        stack.callback(dispatcher.close)
        return dispatcher

    def revert(run: RunRecord, _: "Callable[[Progress], None]") -> ProposalRecord:
        return gate.revert(str(run.request.args["proposal"]), run=run.id, requester=run.requester)

    def propose_policy(run: RunRecord, tell: "Callable[[Progress], None]") -> ProposalRecord:
        from twokey.agents.state import Progress  # noqa: PLC0415 - LangGraph comes in when a run is driven
        from twokey.channels.policy_proposing import PolicyProposing  # noqa: PLC0415 - as above
        from twokey.channels.policy_wishes import Wish  # noqa: PLC0415 - as above

        wanted = Wish.of(run.request.args)
        place = book.places(run.places).find("repository", run.places[0].id)
        proposing = PolicyProposing(
            in_force=held, ledger=ledger, forge=forges, engine=batch_engine, opa=opa_program.find(config)
        )
        change = proposing.change(wanted, place, run.id, lambda text: tell(Progress(0, text)))
        return gate.propose_policy(change, run=run.id, requester=run.requester)

    dispatcher = _Once(new_dispatcher)
    drivers = Drivers(folder / STATE_FOLDER / DRIVERS)
    readiness = Readiness(
        workspace=config.workspace.id,
        profile=config.controls.profile,
        ledger=ledger,
        revisions=engine.revisions,
        clock=clock,
    )
    service = Service(
        workspace=config.workspace.id,
        readiness=readiness,
        ledger=ledger,
        gate=gate,
        runner=_Once(new_runner),
        unplanned={REVERT: revert, POLICY_PROPOSE: propose_policy},
        drivers=drivers,
        heart=Heart(ledger, clock),
        dispatcher=dispatcher,
        clock=clock,
        ids=ids,
    )

    outside = _Outside.of(lambda: connect(workspace), config, ledger, dispatcher, clock, ids)

    def worker() -> "Worker":
        from twokey.channels.recovery import Recovery  # noqa: PLC0415 - comes in where there is a worker
        from twokey.channels.schedules import Schedules  # noqa: PLC0415 - as above
        from twokey.channels.worker import Worker  # noqa: PLC0415 - as above

        asking = Schedules(config.schedules, ledger=ledger, clock=clock, ask=workspace.ask_scheduled)
        recovery = Recovery(
            ledger=ledger,
            gate=gate,
            drivers=drivers,
            dispatcher=dispatcher,
            clock=clock,
            waiting=outside.waiting,
            tidy=lambda: outside.inbox.forget(config.server.body_days),
        )
        return Worker(
            service=service,
            recovery=recovery,
            schedules=asking,
            dispatcher=dispatcher(),
            clock=clock,
            aside=outside.beside(shadow.catch_up),
            others={"handle": outside.inbox.handle, "post": outside.postbox.post},
        )

    ring = KeyRing(home / "keys")
    people = People(directory=directory, ring=ring, rules=rules, recorder=ledger)
    workspace = Workspace(
        folder=folder,
        config=config,
        ledger=ledger,
        registry=tools,
        people=people,
        service=service,
        controls=Controls(workspace=config.workspace.id, gate=gate, clock=clock, ids=ids),
        inbox=outside.inbox,
        postbox=outside.postbox,
        connected=outside.connected,
        rejections=outside.rejections,
        linking=Linking(workspace=config.workspace.id, links=gate.links, clock=clock),
        worker=worker,
        book=book,
        engine=engine,
        policy=policy,
        directory=directory,
        readiness=readiness,
        pruner=Pruner(ledger=ledger, states=lambda: states().lent(), clock=clock),
    )
    return Parts(workspace, gate, desk, savers)


@dataclass(frozen=True, slots=True)
class _Outside:
    """What connects a workspace with the outside."""

    connected: Callable[[], Mapping[str, Connected]]
    inbox: Inbox
    postbox: Postbox
    rejections: Rejections

    @classmethod
    def of(
        cls,
        connect: Callable[[], Mapping[str, Connected]],
        config: Settings,
        ledger: Ledger,
        dispatcher: Callable[[], Dispatcher],
        clock: Clock,
        ids: Ids,
    ) -> "_Outside":
        """Put it together; the channels themselves are made when they are first needed."""
        connected = _Once(connect)

        def handlers() -> dict[str, Handler]:
            return {name: made.handler for name, made in connected().items() if made.handler is not None}

        def posters() -> dict[str, Poster]:
            return {name: made.poster for name, made in connected().items() if made.poster is not None}

        return cls(
            connected,
            Inbox(ledger=ledger, dispatcher=dispatcher, handlers=handlers, clock=clock, ids=ids),
            Postbox(ledger=ledger, dispatcher=dispatcher, posters=posters, clock=clock, ids=ids),
            Rejections(workspace=config.workspace.id, recorder=ledger, clock=clock),
        )

    def beside(self, other: Callable[[], None]) -> Callable[[], None]:
        """Give what writes the counts of rejected requests and lets channels look around, after ``other``."""

        def aside() -> None:
            other()
            self.rejections.flush()
            for made in self.connected().values():
                if made.look is not None:
                    made.look()

        return aside

    def waiting(self, before: int) -> list[Job]:
        """Give the jobs of deliveries and messages that nobody has touched since ``before`` (microseconds)."""
        received = [jobs.handle(name) for name in self.inbox.waiting(before=before, limit=WAITING)]
        return [*received, *map(jobs.post, self.postbox.waiting(before=before, limit=WAITING))]


def _connector(
    github: "Callable[[], GitHub] | None", home: Path, clock: Clock
) -> "Callable[[Workspace], Mapping[str, Connected]]":
    """Give what makes the channels to the outside that the settings configure."""

    def connect(workspace: Workspace) -> Mapping[str, Connected]:
        made: dict[str, Connected] = {}
        if github is not None:
            from twokey.channels.github import connection  # noqa: PLC0415 - comes in where GitHub is set up

            made["github"] = connection.connected(workspace, github, clock, os.environ)
        if workspace.config.slack.mode != "off":
            from twokey.channels.slack.channel import SlackChannel  # noqa: PLC0415 - comes in where Slack is configured

            made["slack"] = SlackChannel(workspace=workspace, home=home, clock=clock).connected()
        return made

    return connect


def _rules(config: Settings) -> Rules:
    return Rules(
        workspace=config.workspace.id,
        demo=config.workspace.demo,
        owners=config.controls.owners,
        break_glass_us=config.controls.break_glass_minutes * MINUTE_US,
    )


def enforcement_of(folder: Path, config: Settings, ledger: Ledger) -> Enforcement:
    """Give what tells which bundle may decide in ``folder`` under the settings ``config``."""
    return _enforcement(folder, config, ledger)


def _enforcement(folder: Path, config: Settings, ledger: Ledger) -> Enforcement:
    return Enforcement(folder, config.policy, ledger=ledger, directory=FileDirectory(folder), rules=_rules(config))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What it takes to sign a bundle and to put it in force: no engine, so that it works where none would start."""

    config: Settings
    ledger: Ledger
    enforcement: Enforcement
    people: People


@contextmanager
def opened_rulebook(folder: Path) -> Generator[Rulebook]:
    """Open a workspace for changes of its policy."""
    config = settings.load(folder)
    with opened_ledger(folder) as ledger:
        _check_demo(config, ledger)
        people = People(
            directory=FileDirectory(folder),
            ring=KeyRing(settings.home(config.workspace.id) / "keys"),
            rules=_rules(config),
            recorder=ledger,
        )
        yield Rulebook(config, ledger, _enforcement(folder, config, ledger), people)


class _NoShadow:
    """What stands for the shadow where the settings name none."""

    def begin(self) -> None:
        """Do nothing."""

    def catch_up(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _shadow(folder: Path, config: Settings, ledger: Ledger) -> "Shadow | _NoShadow":
    if not config.policy.shadow:
        return _NoShadow()

    def load() -> tuple[bundle.Bundle, Embedded]:
        held = bundle.load(folder / config.policy.shadow)
        return held, Embedded(held, deadline_s=config.policy.deadline_ms / 1000)

    return Shadow(config.workspace.id, ledger, load)


class _Once(Generic[Part]):
    """Makes a part when it is first needed, and gives the same one from then on, to any thread."""

    def __init__(self, make: Callable[[], Part]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Part | None = None

    def __call__(self) -> Part:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def _dispatcher(folder: Path, url: str, ledger: Ledger, clock: Clock, ids: Ids) -> Dispatcher:
    """Give the queue that goes with the store."""
    address = store_url(folder, url)
    if address.startswith("sqlite"):
        from twokey.channels.dispatching.local import LocalDispatcher  # noqa: PLC0415 - comes in where a job is queued

        return LocalDispatcher(ledger, clock, ids)
    try:
        from twokey.channels.dispatching.postgresql import PostgresqlDispatcher  # noqa: PLC0415 - of the extra
    except ImportError as error:
        raise EnvironmentFault(
            "Procrastinate, which queues jobs on PostgreSQL, is not installed.",
            next="pip install 'twokey[postgresql]'",
            code="no_dispatcher",
        ) from error
    return PostgresqlDispatcher(_libpq(address))


def _libpq(address: str) -> str:
    return address.replace("postgresql+psycopg://", "postgresql://", 1)


# -- store and log --------------------------------------------------------------------------------------------------


def store_has_password(url: str) -> bool:
    """Tell whether a store's address holds a password; raises ``BadInput`` where it cannot be a store's address."""
    return bool(database.parse(url).password)


def store_url(folder: Path, url: str) -> str:
    """Give the store's address with a relative SQLite path made relative to the workspace."""
    parsed = database.parse(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).is_absolute():
        parsed = parsed.set(database=str((folder / parsed.database).resolve()))
    return parsed.render_as_string(hide_password=False)


@contextmanager
def _ledger(  # the parts of one
    folder: Path, url: str, workspace: str, home: Path, clock: Clock, ids: Ids
) -> Generator[Ledger]:
    key = LogKey.load(home / LOG_KEY)
    engine = database.open_engine(store_url(folder, url))
    try:
        database.check(engine)
        migrate.migrate(engine)
        storage.migrate(engine)
        yield Ledger(engine, Log(engine, workspace=workspace, clock=clock, ids=ids, key=key), ids)
    finally:
        engine.dispose()


@contextmanager
def new_ledger(folder: Path, workspace: str, home: Path, url: str) -> Generator[Ledger]:
    """Make the log key and the database of a new workspace."""
    LogKey.create(home / LOG_KEY, workspace)
    with _ledger(folder, url, workspace, home, SystemClock(), RandomIds()) as ledger:
        yield ledger


@contextmanager
def opened_log(folder: Path) -> Generator[Log]:
    """Open only the log of a workspace, to read it."""
    config = settings.load(folder)
    home = settings.home(config.workspace.id)
    with _ledger(folder, config.store.url, config.workspace.id, home, SystemClock(), RandomIds()) as ledger:
        yield ledger.log


@contextmanager
def opened_ledger(folder: Path) -> Generator[Ledger]:
    """Open state and log of a workspace, and nothing else of it."""
    config = settings.load(folder)
    home = settings.home(config.workspace.id)
    with _ledger(folder, config.store.url, config.workspace.id, home, SystemClock(), RandomIds()) as ledger:
        yield ledger


def _check_demo(config: Settings, ledger: Ledger) -> None:
    """Hold the settings to the log: whether identities may be asserted was fixed in its first entry."""
    first = ledger.log.entries(limit=1)
    event = ledger.proven(first[0].entry.id).event if first else None
    if not isinstance(event, WorkspaceCreated) or event.workspace != config.workspace.id:
        raise LogUnavailable(
            "The log does not begin with this workspace.",
            next="Check store.url and workspace.id in twokey.toml; run `twokey audit verify`.",
        )
    if event.demo != config.workspace.demo:
        raise LogUnavailable(
            "twokey.toml and the log disagree on whether this is a demo workspace; the log is right.",
            next=f"Set workspace.demo back to {str(event.demo).lower()}.",
        )


# -- policy, tools, places, models ----------------------------------------------------------------------------------


def _places(folder: Path, config: Settings) -> list[Place]:
    places: list[Place] = []
    for name, section in config.places.items():
        location = section.location
        if section.kind == "warehouse":
            location = canonical_location(_with_password(location, section.password_env))
        elif "://" not in location:
            location = str((folder / location).resolve())
        resource = Resource(kind=section.kind, id=name, granted_by="config", environment=section.environment)
        places.append(Place(resource, location))
    return places


def _with_password(location: str, variable: str | None) -> str:
    if variable is None:
        return location
    password = os.environ.get(variable)
    if not password:
        raise BadInput(
            f"The variable {variable}, which holds a warehouse's password, is not set.", next=f"Set {variable}."
        )
    return make_url(location).set(password=password).render_as_string(hide_password=False)


def _models(config: Settings, stack: ExitStack) -> "Models":

    from twokey.agents.models.none import NoModels  # noqa: PLC0415 - comes in when a run is driven
    from twokey.agents.models.openai_tier import OpenAIModels  # noqa: PLC0415 - as above

    if not config.model.base_url:
        return NoModels()
    models = OpenAIModels(config.model, os.environ.get(config.model.key_env, ""))
    stack.callback(models.close)
    return models


def _states(folder: Path, url: str, home: Path) -> "StateStore":
    """Open where runs' states lie, sealed with a key from outside workspace and database."""
    from twokey.agents.planner import savers  # noqa: PLC0415 - LangGraph comes in when a run is driven

    address, key = store_url(folder, url), LogKey.load(home / LOG_KEY).checkpoint_key()
    if address.startswith("sqlite"):
        return savers.SqliteStates(folder / STATE_FOLDER / CHECKPOINTS, key, busy_s=database.BUSY_MS / 1000)
    return savers.PostgresqlStates(_libpq(address), key)


def tools_not_listed(names: Sequence[str]) -> CheckFailed:
    """Say that policy does not know tools that are installed."""
    return CheckFailed(
        f"Policy's allow-list does not hold these tools as installed: {', '.join(names)}; agents cannot call them.",
        next="Review them, then renew the list in the bundle's data.json.",
    )


def engine_of(folder: Path, config: Settings) -> PolicyEngine:
    """Start the engine that ``config`` names, on the bundle that it names in ``folder``."""
    return _engine(folder, config, bundle.load(folder / config.policy.bundle))


def _engine(folder: Path, config: Settings, held: Bundle) -> PolicyEngine:
    """Make the one policy engine that the settings name."""
    section = config.policy
    match section.engine:
        case "embedded":
            return Embedded(held, deadline_s=section.deadline_ms / 1000)
        case "opa-managed":
            from twokey.policies.engines.managed import Managed  # noqa: PLC0415 - brings an HTTP client

            if not section.opa_path or section.opa_sha256 is None:
                raise BadInput(
                    "The engine opa-managed needs policy.opa_path and policy.opa_sha256.",
                    next="Name the opa binary and its SHA-256 in twokey.toml.",
                    code="bad_settings",
                )
            return Managed(
                held,
                binary=Path(section.opa_path),
                sha256=section.opa_sha256,
                deadline_s=section.deadline_ms / 1000,
            )
        case "opa":
            from twokey.policies.engines.server import Server  # noqa: PLC0415 - brings an HTTP client

            token = os.environ.get(section.token_env)
            ca_file = folder / section.ca_file if section.ca_file else None
            return Server(held, url=section.url, token=token, ca_file=ca_file, deadline_s=section.deadline_ms / 1000)


def bundle_of(workspace: Path, folder: Path | None = None) -> bundle.Bundle:
    """Load the bundle in ``folder``, or the one that the workspace's settings name."""
    return bundle.load(folder if folder is not None else workspace / settings.load(workspace).policy.bundle)


def batch_engine(held: bundle.Bundle, *, deadline_s: float = REPLAY_DEADLINE_S) -> Embedded:
    """Give an engine for many decisions at once. What counts there is the answer and not the time it takes."""
    return Embedded(held, deadline_s=deadline_s)


def managed_engine(held: bundle.Bundle, program: Path) -> PolicyEngine:
    """Give an OPA server of our own, of the program as it is now: for a benchmark, which pins nothing."""
    from twokey.policies.engines.managed import Managed  # noqa: PLC0415 - brings an HTTP client

    return Managed(held, binary=program, sha256=hashlib.sha256(program.read_bytes()).hexdigest())


def write_policies(folder: Path, groups: Sequence[str]) -> None:
    """Copy the bundle into a new workspace, with this workspace's groups and the tools as they are installed."""
    own = bundle.load()
    tools = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in registry.installed({}).all()]
    document = own.document()
    document[facts.ROOT] |= _for_groups(document[facts.ROOT], groups)
    own.with_data(facts.with_tools(document, tools)).write(folder)


def _for_groups(data: dict[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    """Give the parts of the policy data that name groups, for a workspace with ``groups``: all of them may ask.

    What is for a group that this workspace does not have is for the default owner.
    """
    everybody = sorted({*groups, data["default_owner"]})
    may_name = {effect: dict.fromkeys(kinds, everybody) for effect, kinds in data["may_name"].items()}

    def known(group: str) -> str:
        return group if group in everybody else data["default_owner"]

    return {
        "groups": everybody,
        "may_name": may_name,
        "escalation": [{**entry, "group": known(entry["group"])} for entry in data["escalation"]],
        "rule_owners": {rule: known(group) for rule, group in data["rule_owners"].items()},
    }


def listed_tools(folder: Path) -> set[tuple[str, str, str]]:
    """Give name, version and schema digest of every tool on a workspace's allow-list."""
    config = settings.load(folder)
    document = bundle.load(folder / config.policy.bundle).document()
    return {(tool["name"], tool["version"], tool["schema"]) for tool in document[facts.ROOT]["tools"]}


def exceptions(folder: Path) -> tuple[tuple[str, ...], list[Ignored]]:
    """Give the names of the exceptions in a workspace's policy data that hold now, and those that do not."""
    config = settings.load(folder)
    document = bundle.load(folder / config.policy.bundle).document()
    waivers = Waivers(document, FileDirectory(folder), config.workspace.id)
    now = SystemClock().now_us()
    return waivers.in_force(now), waivers.ignored(now)


def sign_exception(folder: Path, name: str, credential: Credential) -> None:
    """Sign one exception of a workspace's policy data and write it back, in one step.

    Raises:
        NotFound: the data has no such exception.
        BadInput: the data cannot be used.

    """
    config = settings.load(folder)
    held = bundle.load(folder / config.policy.bundle)
    path = folder / config.policy.bundle / "data.json"
    document = json.loads(path.read_bytes())
    listed: list[dict[str, Any]] = document[facts.ROOT].get("exceptions", [])
    found = [number for number, item in enumerate(listed) if item["name"] == name]
    if not found:
        raise NotFound(
            f"The policy data has no exception {name[:60]!r}.", next="Write it there first, without a signature."
        )
    exception = {key: value for key, value in listed[found[0]].items() if key not in {"signature", "until_us"}}
    listed[found[0]] = sign(credential, config.workspace.id, exception)
    held.with_data(document)
    fresh = path.with_name("data.json.new")
    fresh.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)


# -- GitHub ---------------------------------------------------------------------------------------------------------


def _github(folder: Path, config: Settings, clock: Clock, stack: ExitStack) -> "Callable[[], GitHub] | None":
    """Give the GitHub that the settings name, once something is wanted of it; nothing where they name none."""
    if not config.github.used:
        return None

    def make() -> "GitHub":
        hub = github_of(folder, config, clock)
        stack.callback(hub.close)
        return hub

    return _Once(make)


def github_of(folder: Path, config: Settings, clock: Clock | None = None) -> "GitHub":
    """Give the GitHub that ``config`` names; closed by whoever asked for it.

    Raises:
        BadInput: it is not set up, or its key or token is not where the settings say.

    """
    from twokey.tools.github.hub import GitHub  # noqa: PLC0415 - github3.py comes in when GitHub is asked

    return GitHub(config.github, folder, clock=clock or SystemClock(), pause=time.sleep)


def github_health(folder: Path, config: Settings) -> "list[Found]":
    """Look for the usual mistakes of an installation on GitHub; nothing is looked for where none is set up."""
    places = {
        name: section.location
        for name, section in config.places.items()
        if section.kind == "repository" and section.location.startswith("https://")
    }
    if not config.github.used and not places and not config.github.webhook_secret_envs:
        return []
    from twokey.tools.github import health  # noqa: PLC0415 - github3.py comes in when GitHub is asked

    with ExitStack() as stack:

        def hub() -> "GitHub":
            made = github_of(folder, config)
            stack.callback(made.close)
            return made

        return list(health.examine(config.github, hub, SystemClock(), places, os.environ))


# -- verification ---------------------------------------------------------------------------------------------------


def verify_log(folder: Path, key: str | None, old: Path | None) -> dict[str, Any]:
    """Verify the whole log of a workspace, without trusting anything in it.

    ``key`` is a verifier key or the path of a file with one; by default the one of this account's log key. ``old`` is a
    file with a checkpoint that was held elsewhere.

    Raises:
        BadInput: the key, the checkpoint or the database cannot be read.

    """
    config = settings.load(folder)
    verifier = (load_verifier(key) if key else LogKey.load(settings.home(config.workspace.id) / LOG_KEY).verifier).vkey
    address = store_url(folder, config.store.url)
    try:
        held = old.read_text(encoding="utf-8") if old is not None else None
        if address.startswith("sqlite"):
            with closing(SqliteSource(Path(make_url(address).database or ""))) as source:
                return verify(source, key=verifier, old=held).as_json()
        engine = database.open_engine(address)
        try:
            with storage.looking(engine) as connection:
                return verify(storage.DatabaseSource(connection), key=verifier, old=held).as_json()
        finally:
            engine.dispose()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The checkpoint {old} cannot be read.", next="Name a file with a signed checkpoint.") from error
    except BadArgument as error:
        raise BadInput(str(error), next="See docs/audit.md for what can be given.") from error
