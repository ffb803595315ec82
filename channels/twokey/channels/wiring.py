"""The one composition root: the only module that names concrete adapters and puts them behind their ports.

Rules: what the settings choose is what runs, nothing is swapped at run time; what was opened is closed; a workspace
whose settings and log disagree about being a demo does not open.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import make_url

from twokey.audit import storage
from twokey.audit.keys import LogKey, load_verifier
from twokey.audit.log import Log
from twokey.audit.verify import BadArgument, SqliteSource, verify
from twokey.channels.controls import MINUTE_US, Controls
from twokey.channels.driving import Drivers
from twokey.channels.people import People
from twokey.channels.service import Service
from twokey.channels.workspace import Workspace
from twokey.core import settings
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.errors import BadInput, CheckFailed, LogUnavailable, Refused
from twokey.core.events import WorkspaceCreated
from twokey.core.ports import Clock, Ids, PolicyEngine
from twokey.core.settings import FileDirectory, Settings
from twokey.core.values import Resource
from twokey.policies import bundle, facts
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.store import database, migrate, runs
from twokey.tools import registry
from twokey.tools.authority import Rules
from twokey.tools.contract import Place
from twokey.tools.desk import Desk, Office
from twokey.tools.gate import Gate
from twokey.tools.identity import KeyRing
from twokey.tools.ledger import Ledger
from twokey.tools.places import PlaceBook
from twokey.tools.proposing import Proposer
from twokey.tools.read.warehouse import canonical_location
from twokey.tools.steps import Steps

if TYPE_CHECKING:
    from twokey.agents.models.port import Models
    from twokey.agents.planner.runner import Runner, Saver

LOG_KEY: Final = "log.key"
CHECKPOINTS: Final = "checkpoints.db"
STATE_FOLDER: Final = ".twokey"
DRIVERS: Final = "drivers"


@contextmanager
def opened(folder: Path, *, clock: Clock | None = None, ids: Ids | None = None) -> Generator[Workspace]:
    """Open the workspace at ``folder`` with everything its settings ask for, and close it again.

    ``clock`` and ``ids`` are the machine's own where none are given.

    Raises:
        NotFound: there is no workspace.
        BadInput: its settings cannot be used.
        EnvironmentFault: a part of it is missing or broken.

    """
    config = settings.load(folder)
    home = settings.home(config.workspace.id)
    clock, ids = clock or SystemClock(), ids or RandomIds()
    with ExitStack() as stack:
        ledger = stack.enter_context(_ledger(folder, config.store.url, config.workspace.id, home, clock, ids))
        _check_demo(config, ledger)
        engine = _engine(folder, config)
        stack.callback(engine.close)
        yield _workspace(folder, config, home, ledger, engine, clock, ids, stack)


def _workspace(  # the parts that were opened
    folder: Path,
    config: Settings,
    home: Path,
    ledger: Ledger,
    engine: PolicyEngine,
    clock: Clock,
    ids: Ids,
    stack: ExitStack,
) -> Workspace:
    directory = FileDirectory(folder)
    tools = registry.installed(config.tools.plugins)
    rules = Rules(
        workspace=config.workspace.id,
        demo=config.workspace.demo,
        owners=config.controls.owners,
        break_glass_us=config.controls.break_glass_minutes * MINUTE_US,
    )
    book = PlaceBook(_places(folder, config))
    policy = Guard(engine)
    proposer = Proposer(ledger=ledger, policy=policy, registry=tools, directory=directory, clock=clock, ids=ids)
    office = Office(ledger=ledger, policy=policy, registry=tools, proposer=proposer, clock=clock, ids=ids)
    steps = Steps(ledger=ledger, policy=policy, registry=tools, directory=directory, clock=clock, book=book)
    gate = Gate(steps, ids=ids, rules=rules)

    def desk(run: str) -> Desk:
        with ledger.look() as connection:
            record = runs.get_run(connection, run)
        requester = directory.principal(record.requester)
        if requester is None:
            raise Refused(
                f"{record.requester}, who asked for run {run}, is no longer in the directory.",
                next="Ask somebody who is to repeat the request.",
                code="requester_unknown",
            )
        return Desk(office, run=run, requester=requester, places=book.places(record.places))

    def runner() -> "Runner":
        from twokey.agents.planner.runner import Runner  # noqa: PLC0415 - LangGraph comes in when a run is driven

        return Runner(_savers(folder, config.store.url), desk, _models(config, stack))

    service = Service(
        workspace=config.workspace.id,
        ledger=ledger,
        gate=gate,
        runner=runner,
        drivers=Drivers(folder / STATE_FOLDER / DRIVERS),
        clock=clock,
        ids=ids,
    )
    ring = KeyRing(home / "keys")
    people = People(directory=directory, ring=ring, rules=rules, recorder=ledger)
    return Workspace(
        folder=folder,
        config=config,
        ledger=ledger,
        registry=tools,
        people=people,
        service=service,
        controls=Controls(workspace=config.workspace.id, gate=gate, clock=clock, ids=ids),
        book=book,
        engine=engine,
        policy=policy,
        directory=directory,
    )


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


def _savers(folder: Path, url: str) -> "Callable[[], AbstractContextManager[Saver]]":
    address = store_url(folder, url)
    if address.startswith("sqlite"):
        return lambda: _sqlite_saver(folder / STATE_FOLDER / CHECKPOINTS)
    return lambda: _postgresql_saver(address)


@contextmanager
def _sqlite_saver(path: Path) -> "Generator[Saver]":
    from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415 - comes in when a run is driven

    from twokey.agents.planner.runner import serializer  # noqa: PLC0415 - as above

    connection = sqlite3.connect(path, check_same_thread=False, timeout=database.BUSY_MS / 1000)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        yield SqliteSaver(connection, serde=serializer())
    except sqlite3.Error as error:  # tools contain their own, so that this one comes from the saver
        raise _no_checkpoints(error) from error
    finally:
        with contextlib.suppress(sqlite3.Error):  # with nothing uncommitted, it has nothing more to lose
            connection.close()


def _no_checkpoints(error: Exception) -> LogUnavailable:
    return LogUnavailable(
        f"The run could not write down where it stands ({type(error).__name__}), so it stopped there.",
        next="Check the free space, the permissions and the database server; then `twokey runs resume RUN`.",
        code="checkpoints_unavailable",
    )


@contextmanager
def _postgresql_saver(address: str) -> "Generator[Saver]":
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415 - comes with the extra for PostgreSQL
    from psycopg import Connection, Error  # noqa: PLC0415 - as above
    from psycopg.rows import DictRow, dict_row  # noqa: PLC0415 - as above

    from twokey.agents.planner.runner import serializer  # noqa: PLC0415 - comes in when a run is driven

    plain = address.replace("postgresql+psycopg://", "postgresql://", 1)
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0}
    try:
        with Connection[DictRow].connect(plain, row_factory=dict_row, **options) as connection:
            saver = PostgresSaver(connection, serde=serializer())
            saver.setup()
            yield saver
    except Error as error:  # tools contain their own, so that this one comes from the saver
        raise _no_checkpoints(error) from error


def tools_not_listed(names: Sequence[str]) -> CheckFailed:
    """Say that policy does not know tools that are installed."""
    return CheckFailed(
        f"Policy's allow-list does not hold these tools as installed: {', '.join(names)}; agents cannot call them.",
        next="Review them, then renew the list in the bundle's data.json.",
    )


def _engine(folder: Path, config: Settings) -> PolicyEngine:
    """Start the one policy engine that the settings name."""
    section = config.policy
    held = bundle.load(folder / section.bundle)
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


def write_policies(folder: Path, groups: Sequence[str]) -> None:
    """Copy the bundle into a new workspace, with this workspace's groups and the tools as they are installed."""
    own = bundle.load()
    tools = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in registry.installed({}).all()]
    document = own.document()
    document[facts.ROOT] |= _for_groups(document[facts.ROOT], groups)
    own.with_data(facts.with_tools(document, tools)).write(folder)


def _for_groups(data: dict[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    """Give the parts of the policy data that name groups, for a workspace with ``groups``: all of them may ask."""
    everybody = sorted({*groups, data["default_owner"]})
    may_name = {effect: dict.fromkeys(kinds, everybody) for effect, kinds in data["may_name"].items()}
    return {"groups": everybody, "may_name": may_name}


def listed_tools(folder: Path) -> set[tuple[str, str, str]]:
    """Give name, version and schema digest of every tool on a workspace's allow-list."""
    config = settings.load(folder)
    document = bundle.load(folder / config.policy.bundle).document()
    return {(tool["name"], tool["version"], tool["schema"]) for tool in document[facts.ROOT]["tools"]}


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
