"""The one place where a state change and its log entries share a transaction.

Rules: no state changes without an entry, no entry without its state; ``change`` returns only when a signed checkpoint
covers what was recorded; where the log or the database cannot take it, ``LogUnavailable`` is raised and nothing
further may happen. ``record`` and rows of the index show; ``proven`` and ``life`` are what may be relied on.

Entries that change no row are committed and signed together with what another thread of this process is about to
commit, where one is; whoever commits takes along what waits, and waits for nobody. A state change is never taken along:
its own thread makes it, in a transaction of its own. What was committed together counts together or not at all, and
nobody is told anything of it before it was.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from twokey.audit import merkle, storage
from twokey.audit.entry import Entry
from twokey.audit.log import Log
from twokey.audit.merkle import BadProof, Frontier
from twokey.audit.storage import Pending, Row
from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed, LogUnavailable
from twokey.core.events import Event, subject
from twokey.core.ports import Ids
from twokey.core.values import Checkpoint
from twokey.store import evidence
from twokey.store.database import BUSY_MS, READ_ONLY
from twokey.tools.turns import Ride, Turns

READING: Final[Mapping[str, Mapping[str, Any]]] = {
    "sqlite": {READ_ONLY: True},
    "postgresql": {"isolation_level": "AUTOCOMMIT", "postgresql_readonly": True},
}
"""How a connection that only reads is opened. On PostgreSQL each statement takes one round trip and sees the latest."""
LAST: Final = storage.LAST_ID
"""The query of ``Ledger.last``, for who reads more in the same statement: ``about`` what, and ``of_kind``."""
COVER_TIMEOUT_S: Final = 30.0
PAGE: Final = 500
TOGETHER: Final = 256
"""How many threads' entries one transaction takes along at most."""


class Unit:
    """One open transaction: rows through ``connection``, entries through ``record``."""

    def __init__(self, connection: Connection, log: Log, ids: Ids, prepared: list[Pending]) -> None:
        """``prepared`` takes the entries, in order."""
        self.connection = connection
        self._log = log
        self._ids = ids
        self.prepared: Final = prepared

    @property
    def entries(self) -> list[str]:
        """Ids of the entries of this transaction, in order."""
        return [entry.entry_id for entry in self.prepared]

    def record(self, event: Event) -> str:
        """Append one event; gives the entry's id. It counts once the transaction has committed."""
        entry = self._log.prepare(event)
        self.prepared.append(entry)
        return entry.entry_id

    def salt(self) -> str:
        """Give fresh randomness for a commitment."""
        return self._ids.salt()

    def commit_to(self, value: Json) -> str:
        """Give a salted commitment to ``value`` for the log, and keep what opens it in the store."""
        salt = self._ids.salt()
        commitment = canonical.commitment(salt, value)
        evidence.add_opening(self.connection, commitment=commitment, salt=salt, value=value)
        return commitment


class Ledger:
    """State and log of one workspace."""

    def __init__(
        self,
        engine: Engine,
        log: Log,
        ids: Ids,
        *,
        cover_timeout_s: float = COVER_TIMEOUT_S,
        turns: Turns[Sequence[Pending]] | None = None,
    ) -> None:
        """``cover_timeout_s`` is how long a change waits for another process to sign, in seconds.

        ``turns`` are those of another ledger of this process on the same database, where there is one.
        """
        self.engine = engine
        self.log = log
        self.ids = ids
        self.cover_timeout_s = cover_timeout_s
        self.turns: Final = turns or Turns[Sequence[Pending]](BUSY_MS / 1000)
        # PostgreSQL has many writers at once: there only entries that change no row take turns.
        self._alone: AbstractContextManager[object] = self.turns if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def change(self) -> Generator[Unit]:
        """Open a transaction; on a clean exit commit it and wait for the checkpoint that covers its entries.

        Raises:
            LogUnavailable: the database or the log did not take it. What the caller meant to do next must not happen.

        """
        ride, prepared = Ride(), list[Pending]()
        with self._transaction(self._alone, prepared, ride) as connection:
            yield Unit(connection, self.log, self.ids, prepared)
        self._cover(prepared, ride)

    @contextmanager
    def _transaction(
        self, turn: AbstractContextManager[object], own: Sequence[Pending], ride: Ride
    ) -> Generator[Connection]:
        """Open a transaction in one's ``turn``; on a clean exit commit it with ``own`` and with what waits.

        Whoever was taken along is let go only after that, whatever it came to.
        """
        try:
            with turn, self.engine.begin() as connection:
                yield connection
                entries = [*own, *chain.from_iterable(self.turns.take_along(ride, TOGETHER))]
                checkpoint = self.log.settle(connection, entries) if entries else None
            if checkpoint is not None:
                self.log.confirm(checkpoint)
            ride.arrive(checkpoint)
        except LogUnavailable as fault:
            ride.fail(fault)
            raise
        except (SQLAlchemyError, TimeoutError) as error:
            fault = _not_taken()
            ride.fail(fault)
            raise fault from error
        finally:
            ride.end()

    def _cover(self, own: Sequence[Pending], ride: Ride) -> None:
        """Wait until a ride has ended and a checkpoint covers ``own``, which went with it."""
        if ride.wait() is None and own:
            self.log.wait_covered([entry.entry_id for entry in own], self.cover_timeout_s)

    @contextmanager
    def look(self) -> Generator[Connection]:
        """Open a transaction for reading only."""
        try:
            with self.engine.connect().execution_options(**READING[self.engine.dialect.name]) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise LogUnavailable(
                "The workspace's database cannot be read.",
                next="Check the database server and the permissions of its file, then try again.",
            ) from error

    def record(self, *events: Event) -> Sequence[str]:
        """Append events that change no row (port ``Recorder``)."""
        own = [self.log.prepare(event) for event in events]
        if own:
            self._cover(own, self._ridden(own))
        return tuple(entry.entry_id for entry in own)

    def _ridden(self, own: Sequence[Pending]) -> Ride:
        """Have ``own`` taken along by whoever is about to commit, or else commit it now, with what waits."""
        try:
            taken = self.turns.come(own)
        except TimeoutError as error:
            raise _not_taken() from error
        if taken is not None:
            return taken
        ride = Ride()
        with ExitStack() as turn:
            turn.callback(self.turns.go)
            with self._transaction(turn, own, ride):
                pass
        return ride

    def catch_up(self) -> None:
        """Sign what is pending, as far as this process may: what another one committed before it died."""
        try:
            with self._alone, self.engine.begin() as connection:
                checkpoint = self.log.settle(connection)
        except (SQLAlchemyError, TimeoutError) as error:
            raise _not_taken() from error
        if checkpoint is not None:
            self.log.confirm(checkpoint)

    def history(self, about: str, kind: str) -> Generator[Event]:
        """Give the events of one kind about one subject, oldest first: rows of the index, no authority."""
        after = -1
        while page := self.log.entries(about, kind=kind, after=after, limit=PAGE):
            for recorded in page:
                yield recorded.entry.event
            after = page[-1].seq

    def last(self, connection: Connection, about: str, kind: str) -> str | None:
        """Give the latest entry of one kind about one subject: a row of the index, no authority."""
        return storage.last_id(connection, about, kind)

    def proven(self, entry: str) -> Entry:
        """Read an entry that is included under a verified checkpoint; raises ``CheckFailed`` or ``NotFound``."""
        return self.log.proven(entry)

    def life(self, about: str, kind: str, *, beside: str = "") -> list[Entry]:
        """Give every entry about one subject since its first one of ``kind``, oldest first: proven, and none left out.

        Entries of the kind ``beside``, whatever they are about, are among them.

        All entries from there to the latest verified checkpoint are hashed onto the stored tree before them; only the
        signed root itself comes out if none was hidden, changed or moved. Costs time in proportion to their number.

        Raises:
            CheckFailed: the log does not bear it out, or has no such entry under a checkpoint.
            LogUnavailable: the log cannot be read, does not verify or was rolled back.

        """
        wanted, found = about.encode(), list[Entry]()
        also = f'"{beside}"'.encode()
        with self.log.view() as (connection, checkpoint):
            page = storage.entries_from_first(connection, about, kind, limit=PAGE)
            if checkpoint is None or not page or page[0].seq >= checkpoint.size:
                raise _not_proven("it has no beginning under a checkpoint")
            try:
                tree = merkle.frontier(page[0].seq, storage.fetch(connection))
            except BadProof as error:
                raise _not_proven(str(error)) from error
            for row in _grown(connection, tree, checkpoint, page):
                if wanted in row.body or (beside and also in row.body):
                    found.append(Entry.decode(row.body))
        return [entry for entry in found if subject(entry.event) == about or entry.kind == beside]

    def every(self, kind: str) -> Generator[Entry]:
        """Give every entry of one kind, oldest first, without holding more than a page of the log.

        What was given counts only once the generator has come to its end: only then is it known that the entries, and
        all those between them, hash to the root that was signed.

        Raises:
            CheckFailed: at the end, where they do not.
            LogUnavailable: the log cannot be read, does not verify or was rolled back.

        """
        wanted = f'"kind":"{kind}"'.encode()
        with self.log.view() as (connection, checkpoint):
            if checkpoint is None:
                return
            for row in _grown(connection, merkle.Frontier(), checkpoint):
                if wanted in row.body:
                    entry = Entry.decode(row.body)
                    if entry.kind == kind:
                        yield entry

    def following(self, tree: Frontier, kinds: Sequence[str]) -> Generator[Entry]:
        """Give every entry of some kinds that comes after those in ``tree``, oldest first, and grow the tree by all.

        Like ``every``, what was given counts only once the generator has come to its end; until then neither does the
        tree. Who keeps the tree reads only what is new the next time.

        Raises:
            CheckFailed: at the end, where the entries do not lead from the tree to the root that was signed.
            LogUnavailable: the log cannot be read, does not verify or was rolled back.

        """
        wanted = [f'"kind":"{kind}"'.encode() for kind in kinds]
        with self.log.view() as (connection, checkpoint):
            if checkpoint is None:
                return
            for row in _grown(connection, tree, checkpoint):
                if any(kind in row.body for kind in wanted):
                    entry = Entry.decode(row.body)
                    if entry.kind in kinds:
                        yield entry

    def checkpoint(self) -> Checkpoint | None:
        """Give the latest signed tree head."""
        return self.log.latest()


def _grown(connection: Connection, tree: Frontier, checkpoint: Checkpoint, page: Sequence[Row] = ()) -> Generator[Row]:
    """Give every entry after those in ``tree`` up to ``checkpoint``, a page at a time, and grow the tree by them.

    ``page`` holds the first of them, where the caller has read some in the same view; none beyond the checkpoint is
    taken.

    Raises:
        CheckFailed: at the end, where they do not lead to the root that was signed.

    """
    while tree.size < checkpoint.size:
        size = min(PAGE, checkpoint.size - tree.size)
        page = page or list(storage.entries(connection, after=tree.size - 1, limit=size))
        if not page:
            raise _not_proven("entries are missing")
        for row in page[:size]:
            tree.append(merkle.leaf_hash(row.body))
            yield row
        page = ()
    if tree.root().hex() != checkpoint.root:
        raise _not_proven("entries were hidden or changed")


def _not_taken() -> LogUnavailable:
    return LogUnavailable(
        "The workspace's database did not take a change, so nothing was done.",
        next="Check the free space, the permissions and the database server, then try again.",
    )


def _not_proven(why: str) -> CheckFailed:
    return CheckFailed(
        f"What became of this cannot be proven from the audit log: {why}.",
        next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
        code="history_not_proven",
    )
