"""A ledger with an inbox and a postbox on it, and no workspace around them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conftest import CountingIds, FixedClock
from sqlalchemy import Engine

from twokey.audit import storage
from twokey.audit.keys import LogKey
from twokey.audit.log import Log
from twokey.channels.dispatching.local import LocalDispatcher
from twokey.channels.inbox import Handler, Inbound, Inbox
from twokey.channels.postbox import Message, Postbox, Poster
from twokey.core.errors import LogUnavailable
from twokey.core.jobs import Job
from twokey.store import database, migrate
from twokey.tools.ledger import Ledger

WORKSPACE = "w-000000000000"


class Queue(LocalDispatcher):
    """The real queue, which remembers what was submitted and can be out of reach."""

    def __init__(self, ledger: Ledger, clock: FixedClock, ids: CountingIds) -> None:
        super().__init__(ledger, clock, ids)
        self.jobs: list[Job] = []
        self.away = False

    def submit(self, job: Job) -> bool:
        if self.away:
            raise LogUnavailable("The queue is away.", next="Wait.")
        self.jobs.append(job)
        return super().submit(job)


@dataclass
class Answering:
    """A handler that does what a test tells it (port ``Handler``)."""

    do: Callable[[Inbound], str] = lambda _: "handled"
    seen: list[Inbound] = field(default_factory=list[Inbound])

    def handle(self, inbound: Inbound) -> str:
        self.seen.append(inbound)
        return self.do(inbound)


@dataclass
class Wall:
    """The other side, as a wall that messages are pinned to; ``before`` and ``after`` stand around a post."""

    pinned: list[str] = field(default_factory=list[str])
    updates: list[str] = field(default_factory=list[str])
    looks: int = 0
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def find(self, message: Message) -> str | None:
        self.looks += 1
        return f"w/{message.id}" if message.id in self.pinned else None

    def post(self, message: Message) -> str:
        self.before()
        self.pinned.append(message.id)
        self.after()
        return f"w/{message.id}"

    def update(self, message: Message, remote: str) -> None:
        self.before()
        assert remote == f"w/{message.id}"
        self.updates.append(message.id)


@dataclass
class Post:
    """Everything, composed."""

    engine: Engine
    ledger: Ledger
    clock: FixedClock
    ids: CountingIds
    queue: Queue
    handlers: dict[str, Handler] = field(default_factory=dict[str, Handler])
    posters: dict[str, Poster] = field(default_factory=dict[str, Poster])

    def inbox(self, handlers: Callable[[], Mapping[str, Handler]] | None = None) -> Inbox:
        return Inbox(
            workspace=WORKSPACE,
            ledger=self.ledger,
            dispatcher=lambda: self.queue,
            handlers=handlers or (lambda: self.handlers),
            clock=self.clock,
            ids=self.ids,
        )

    def postbox(self, posters: Callable[[], Mapping[str, Poster]] | None = None) -> Postbox:
        return Postbox(
            ledger=self.ledger,
            dispatcher=lambda: self.queue,
            posters=posters or (lambda: self.posters),
            clock=self.clock,
            ids=self.ids,
        )


def build(folder: Path, url: str, clock: FixedClock, ids: CountingIds) -> Post:
    """Put it together on the database at ``url``."""
    engine = database.open_engine(url)
    migrate.migrate(engine)
    storage.migrate(engine)
    key = LogKey.create(folder / "log.key", WORKSPACE)
    ledger = Ledger(engine, Log(engine, workspace=WORKSPACE, clock=clock, ids=ids, key=key), ids)
    return Post(engine, ledger, clock, ids, Queue(ledger, clock, ids))
