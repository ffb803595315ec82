"""State, log, queue and checkpoints of a workspace, and the verification of its log.

Rules: what was opened is closed; a workspace whose settings and log disagree about being a demo does not open.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import make_url

from twokey.audit import storage
from twokey.audit.keys import LogKey, load_verifier
from twokey.audit.log import Log
from twokey.audit.note import Verifier
from twokey.audit.verify import BadArgument, SqliteSource, verify
from twokey.audit.verify_cosigned import witnessed
from twokey.core import settings
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.errors import BadInput, EnvironmentFault, LogUnavailable
from twokey.core.events import WorkspaceCreated
from twokey.core.ports import Clock, Dispatcher, Ids
from twokey.core.sections import StoreSection
from twokey.core.settings import Settings
from twokey.store import database, migrate
from twokey.store.sealing import KeyFile, Sealer, add_key, sealer_in
from twokey.tools.ledger import Ledger

if TYPE_CHECKING:
    from twokey.agents.planner.savers import StateStore

LOG_KEY: Final = "log.key"
STORE_KEY: Final = "store.key"
CHECKPOINTS: Final = "checkpoints.db"
STATE_FOLDER: Final = ".twokey"
TICKETS: Final = "tickets"
RUNBOOKS: Final = "runbooks"
TRIAGE: Final = "triage"
"""What is worked out from tickets and runbooks lies in these folders of the state."""


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
def ledger_of(  # the parts of one
    folder: Path, store: StoreSection, workspace: str, home: Path, clock: Clock, ids: Ids
) -> Generator[Ledger]:
    key = LogKey.load(home / LOG_KEY)
    engine = database.open_engine(store_url(folder, store.url), sealer_of(store, workspace, home))
    try:
        database.check(engine)
        migrate.migrate(engine)
        storage.migrate(engine)
        yield Ledger(engine, Log(engine, workspace=workspace, clock=clock, ids=ids, key=key), ids)
    finally:
        engine.dispose()


def sealer_of(store: StoreSection, workspace: str, home: Path) -> Sealer | None:
    """Give what seals and opens the database; none where nothing is to be sealed and there is no key.

    Raises:
        EnvironmentFault: the key's file cannot be used, or is missing and something is to be sealed.

    """
    path = home / STORE_KEY
    if not store.encrypt and not os.path.lexists(path):
        return None
    return Sealer(KeyFile(path, workspace), seals=store.encrypt)


def seals_of(ledger: Ledger) -> Sealer | None:
    """Give what seals, where something is to be sealed."""
    found = sealer_in(ledger.engine)
    return found if found is not None and found.seals else None


@contextmanager
def new_ledger(folder: Path, workspace: str, home: Path, store: StoreSection) -> Generator[Ledger]:
    """Make the keys and the database of a new workspace."""
    LogKey.create(home / LOG_KEY, workspace)
    add_key(home / STORE_KEY, workspace)
    with ledger_of(folder, store, workspace, home, SystemClock(), RandomIds()) as ledger:
        yield ledger


@contextmanager
def opened_log(folder: Path) -> Generator[Log]:
    """Open only the log of a workspace, to read it."""
    config = settings.load(folder)
    home = settings.home(config.workspace.id)
    with ledger_of(folder, config.store, config.workspace.id, home, SystemClock(), RandomIds()) as ledger:
        yield ledger.log


@contextmanager
def opened_ledger(folder: Path) -> Generator[Ledger]:
    """Open state and log of a workspace, and nothing else of it."""
    config = settings.load(folder)
    home = settings.home(config.workspace.id)
    with ledger_of(folder, config.store, config.workspace.id, home, SystemClock(), RandomIds()) as ledger:
        yield ledger


def check_demo(config: Settings, ledger: Ledger) -> None:
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


def dispatcher_of(folder: Path, url: str, ledger: Ledger, clock: Clock, ids: Ids) -> Dispatcher:
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
    return PostgresqlDispatcher(libpq(address))


def libpq(address: str) -> str:
    return address.replace("postgresql+psycopg://", "postgresql://", 1)


def states_of(folder: Path, url: str, home: Path) -> "StateStore":
    """Open where runs' states lie, sealed with a key from outside workspace and database."""
    from twokey.agents.planner import savers  # noqa: PLC0415 - LangGraph comes in when a run is driven

    address, key = store_url(folder, url), LogKey.load(home / LOG_KEY).checkpoint_key()
    if address.startswith("sqlite"):
        return savers.SqliteStates(folder / STATE_FOLDER / CHECKPOINTS, key, busy_s=database.BUSY_MS / 1000)
    return savers.PostgresqlStates(libpq(address), key)


def verifier_of(folder: Path, key: str | None) -> Verifier:
    """Give the verifier of a workspace's log: of ``key`` (its one line, or a file with it), else of this account's.

    Raises:
        BadInput: the key cannot be read.
        NotFound: no key is given, and there is no workspace.

    """
    if key:
        return load_verifier(key)
    return LogKey.load(settings.home(settings.load(folder).workspace.id) / LOG_KEY).verifier


def verify_log(folder: Path, key: str | None, old: str | None, witnesses: Sequence[str] = ()) -> dict[str, Any]:
    """Verify the whole log of a workspace, without trusting anything in it.

    ``key`` is a verifier key or the path of a file with one; by default the one of this account's log key. ``old`` is a
    checkpoint that was held elsewhere, and ``witnesses`` are verifier keys of those who must have cosigned it.

    Raises:
        BadInput: a key, the checkpoint or the database cannot be read.

    """
    config = settings.load(folder)
    verifier = verifier_of(folder, key).vkey
    address = store_url(folder, config.store.url)
    try:
        if address.startswith("sqlite"):
            with closing(SqliteSource(Path(make_url(address).database or ""))) as source:
                report = verify(source, key=verifier, old=old)
        else:
            engine = database.open_engine(address)
            try:
                with storage.looking(engine) as connection:
                    report = verify(storage.DatabaseSource(connection), key=verifier, old=old)
            finally:
                engine.dispose()
        return witnessed(report, old or "", witnesses).as_json()
    except BadArgument as error:
        raise BadInput(str(error), next="See docs/audit.md for what can be given.") from error
