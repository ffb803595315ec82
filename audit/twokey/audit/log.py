"""The append-only log of one workspace: the only writer, and the reader that the gate relies on.

Rules:

- ``append`` puts entries into the caller's transaction, so that a state change and its entry commit together or not at
  all. It counts only once a signed checkpoint covers it: ``settle`` or ``wait_covered`` see to that.
- Whoever has the log key and holds the lease on the head integrates what is pending, in order, and signs. Of two
  transactions, the one that began after the other had committed comes later in the log. (Call ``append`` after the
  statements whose effect it records: a transaction that waits for another one's rows must not have queued before.)
- A pending row without a valid MAC of a writer, or with an event its writer may not record, is never integrated. It is
  set aside, and an error is logged.
- Nothing is signed that does not extend the last checkpoint which verifies. A log that is smaller than, or
  inconsistent with, the largest checkpoint this process or its pin has seen is refused as rolled back.
- ``proven`` gives an entry only with a checked inclusion proof under such a checkpoint. ``entries`` and ``find`` read
  database rows, which are an index and no authority: they may show, never decide. Absence is proven by nothing here.
- A fault of the database is ``LogUnavailable``; the caller must then treat the transaction as not done.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from twokey.audit import keys, merkle, storage
from twokey.audit.entry import Entry
from twokey.audit.keys import LogKey, Role, WriterKey
from twokey.audit.merkle import BadProof, Frontier
from twokey.audit.note import Verifier
from twokey.audit.pin import Pin
from twokey.audit.proof import InclusionProof
from twokey.audit.storage import Growth, Head, Pending, Row, faults, looking
from twokey.audit.verify import BadArgument, Report, verify
from twokey.core.canonical import MAX_INTEGER
from twokey.core.errors import BadInput, CheckFailed, LogUnavailable, NotFound, Refused
from twokey.core.events import Event
from twokey.core.ports import Clock, Ids
from twokey.core.values import Checkpoint

FIRST_PAUSE_S: Final = 0.002
LONGEST_PAUSE_S: Final = 0.1
OWN_ENTRIES: Final = 4096
"""How many entries that this process queued it remembers until they are integrated."""

SEARCHED_AT_ONCE: Final = 2_000
"""Entries that a search reads in one go."""

_logger: Final = logging.getLogger("twokey.audit")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the index shows it, with its place in the log."""

    seq: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Signed:
    """What this process signed last, and on top of what. Counts once its transaction has committed."""

    transaction: object
    checkpoint: Checkpoint
    frontier: Frontier
    above: Checkpoint | None


class Log:
    """The log of one workspace. One object may be used by several threads."""

    def __init__(
        self,
        engine: Engine,
        *,
        workspace: str,
        clock: Clock,
        ids: Ids,
        key: LogKey | WriterKey | Verifier,
        pin: Path | None = None,
    ) -> None:
        """``key`` says what this process may do: sign and write, write only, or read only.

        ``pin`` is where the largest checkpoint seen is remembered; by default beside the key's file.

        Raises:
            LogUnavailable: the key is the key of another workspace.

        """
        self._engine = engine
        self._workspace = workspace
        self._clock = clock
        self._ids = ids
        self._log_key: Final = key if isinstance(key, LogKey) else None
        self._verifier: Final = key if isinstance(key, Verifier) else key.verifier
        if self._verifier.name != f"twokey/{workspace}":
            raise LogUnavailable(
                "The audit log's key belongs to another workspace.", next="Check which key file the workspace names."
            )
        self._writer: Final = key.writer("gate") if isinstance(key, LogKey) else _as_writer(key)
        self._writers: dict[str, tuple[Role, WriterKey]] = (
            {"gate": ("gate", key.writer("gate")), "agent": ("agent", key.writer("agent"))}
            if isinstance(key, LogKey)
            else {}
        )
        path = None if isinstance(key, Verifier) else key.path
        if pin is None and path is not None:
            pin = path.with_name(f"{path.name}.pin")
        self._pin: Final = Pin(pin, self._verifier) if pin else None
        self._holder: Final = ids.new("x") if isinstance(key, LogKey) else ""
        self._lock = threading.Lock()
        self._seen: Checkpoint | None = None
        self._pin_read = False
        self._signed: _Signed | None = None
        self._own: OrderedDict[str, tuple[Entry, bytes]] = OrderedDict()

    def prepare(self, event: Event) -> Pending:
        """Make the entry of ``event``. It counts once ``append`` or ``settle`` has taken it and a checkpoint covers it.

        Raises:
            LogUnavailable: this process has no right to write.
            Refused: this writer's role may not record such an event.

        """
        writer = self._writer
        if writer is None:
            raise LogUnavailable(
                "This process can read the audit log but not write it.", next="Start it with a log or writer key."
            )
        if not keys.may_write(writer.role, event):
            raise Refused(
                f"A process with the role {writer.role} may not record {event.kind}.",
                next="Only the gate's process records this.",
                code="not_this_writer",
            )
        entry = Entry(id=self._ids.new("l"), time_us=self._clock.now_us(), workspace=self._workspace, event=event)
        body = entry.encode()
        self._keep(entry, body)
        return Pending(entry.id, writer.role, body, writer.mac(body))

    def append(self, connection: Connection, *events: Event) -> tuple[str, ...]:
        """Put ``events`` into the open transaction of ``connection``; gives their entry ids, in order.

        Raises:
            LogUnavailable: this process has no right to write, or the database failed.
            Refused: this writer's role may not record such an event.

        """
        rows = [self.prepare(event) for event in events]
        if rows:
            with faults():
                storage.queue(connection, rows)
        return tuple(row.entry_id for row in rows)

    def settle(self, connection: Connection, own: Sequence[Pending] = ()) -> Checkpoint | None:
        """Integrate everything pending, and ``own`` behind it, and sign, inside the open transaction of ``connection``.

        Gives the checkpoint that covers it all once the transaction has committed (call ``confirm`` then), or ``None``
        where this process has no log key or another one holds the lease: then ``own`` is pending, and ``wait_covered``
        after the commit sees to it.

        Raises:
            LogUnavailable: the log cannot be written or does not verify. The transaction must be rolled back.

        """
        with faults():
            head = storage.lease(connection) if self._log_key is not None else None
            if self._log_key is not None and head is not None:
                return self._integrate(connection, head, self._log_key, own)
            if own:
                storage.queue(connection, own)
        return None

    def confirm(self, checkpoint: Checkpoint) -> None:
        """Remember a checkpoint of ``settle`` whose transaction has committed. Costs no disk flush."""
        self._remember(checkpoint)

    def wait_covered(self, entry_ids: Sequence[str], timeout: float) -> Checkpoint:
        """Wait until a signed checkpoint covers these entries, whose transaction has committed.

        A process with the log key sequences itself, queueing for the lease; any other one polls. ``timeout`` is in
        seconds; on SQLite queueing for the database's lock may take its busy timeout on top.

        Raises:
            LogUnavailable: no checkpoint covered them in time, or they are neither in the log nor pending.

        """
        deadline = time.monotonic() + timeout
        pause = FIRST_PAUSE_S
        while True:
            covering = self._covering(entry_ids)
            if covering is not None:
                return covering
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise LogUnavailable(
                    f"No checkpoint covered the new log entries within {timeout:g} seconds.",
                    next="Check that a process with the log key is running (`twokey up` or `twokey worker`).",
                )
            if self._log_key is not None:
                self._sequence(self._log_key, remaining)
            else:
                time.sleep(min(pause, remaining))
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def latest(self) -> Checkpoint | None:
        """Give the latest checkpoint, verified: its signature, and that it extends what was seen before.

        Raises:
            LogUnavailable: the log does not verify or was rolled back.

        """
        with self.view() as (_, checkpoint):
            return checkpoint

    @contextmanager
    def view(self) -> Generator[tuple[Connection, Checkpoint | None]]:
        """Open one consistent view for reading only, with the latest checkpoint in it, verified as by ``latest``.

        Raises:
            LogUnavailable: the log does not verify or was rolled back.

        """
        seen = self._known()
        with looking(self._engine) as connection:
            checkpoint = self._accept(connection, seen)
            yield connection, checkpoint
        self._remember(checkpoint)

    def proven(self, entry_id: str) -> Entry:
        """Give an entry that is included under the latest verified checkpoint.

        Raises:
            NotFound: there is no such entry.
            CheckFailed: it is not covered, or the row is not what was logged.
            LogUnavailable: the log does not verify or was rolled back.

        """
        with self.view() as (connection, checkpoint):
            row = storage.entry(connection, entry_id)
            if row is None:
                raise _unknown(entry_id)
            return self._check(connection, row, entry_id, checkpoint)

    def proven_about(
        self, subject: str, kind: str, wanted: Callable[[Event], bool], *, after: int = -1, limit: int = 1000
    ) -> tuple[list[Entry], int | None]:
        """Read entries of one kind about one subject as the index shows them; give those ``wanted``, each proven.

        Beside them the place to go on ``after``; ``None`` where there are no more.

        Raises:
            CheckFailed: a wanted row is not covered or not what was logged, or a row cannot be read as an entry.
            LogUnavailable: the log does not verify or was rolled back.

        """
        with self.view() as (connection, checkpoint):
            rows = list(storage.entries(connection, subject=subject, kind=kind, after=after, limit=limit))
            chosen = [row for row in rows if wanted(Entry.decode(row.body).event)]
            found = [self._check(connection, row, row.id, checkpoint) for row in chosen]
        return found, rows[-1].seq if rows else None

    def entries(
        self, subject: str | None = None, *, kind: str | None = None, after: int = -1, limit: int = 1000
    ) -> tuple[Recorded, ...]:
        """Give entries in order for display, from the one after ``after``: rows of the index, no authority.

        Raises:
            CheckFailed: a row cannot be read as an entry.

        """
        with looking(self._engine) as connection:
            rows = tuple(storage.entries(connection, subject=subject, kind=kind, after=after, limit=limit))
        return tuple(Recorded(row.seq, Entry.decode(row.body)) for row in rows)

    def newest(
        self, subjects: Sequence[str] = (), *, kind: str | None = None, before: int | None = None, limit: int = 100
    ) -> tuple[Recorded, ...]:
        """Give entries newest first, from the one before the number ``before``: rows of the index, no authority.

        ``subjects`` are ids of a few runs and proposals; none means everything.

        Raises:
            CheckFailed: a row cannot be read as an entry.

        """
        with looking(self._engine) as connection:
            end = MAX_INTEGER if before is None else before
            rows = storage.newest(connection, subjects=subjects, kind=kind, before=end, limit=limit)
        return tuple(Recorded(row.seq, Entry.decode(row.body)) for row in rows)

    def search(  # the filters of a list
        self,
        words: str,
        *,
        kind: str | None = None,
        before: int | None = None,
        limit: int,
        through: int,
        keep: Callable[[Sequence[Entry]], Sequence[bool]] | None = None,
    ) -> tuple[tuple[Recorded, ...], int | None, int]:
        """Look for words in the bytes of entries, newest first, through so many entries at most.

        Gives what was found, the number before which to go on (none where the beginning was reached), and how many
        entries were looked at. ASCII letters count as the same in both cases. Rows of the index, no authority.
        ``keep`` tells of entries that hold the words which of them count; the others are passed over like any entry
        that does not hold them.

        Raises:
            CheckFailed: a row that holds the words cannot be read as an entry.

        """
        wanted, at, seen = words.lower().encode(), MAX_INTEGER if before is None else before, 0
        found: list[Recorded] = []
        with looking(self._engine) as connection:
            while seen < through and len(found) < limit:
                size = min(SEARCHED_AT_ONCE, through - seen)
                rows = storage.newest(connection, kind=kind, before=at, limit=size)
                places = [place for place, row in enumerate(rows) if wanted in row.body.lower()]
                for start in range(0, len(places), limit):
                    held = [(place, Entry.decode(rows[place].body)) for place in places[start : start + limit]]
                    counts = [True] * len(held) if keep is None else keep([entry for _, entry in held])
                    for (place, entry), counting in zip(held, counts, strict=True):
                        if counting:
                            found.append(Recorded(rows[place].seq, entry))
                        if len(found) == limit:
                            return tuple(found), rows[place].seq or None, seen + place + 1
                seen, at = seen + len(rows), rows[-1].seq if rows else at
                if len(rows) < size:
                    return tuple(found), None, seen
        return tuple(found), at or None, seen

    def proof(self, entry_id: str) -> InclusionProof:
        """Give what shows an outsider that an entry is in the log, checked before it is given.

        Raises:
            NotFound: there is no such entry.
            CheckFailed: it is not covered, or the row is not what was logged.
            LogUnavailable: the log does not verify or was rolled back.

        """
        with self.view() as (connection, checkpoint):
            row = storage.entry(connection, entry_id)
            if row is None:
                raise _unknown(entry_id)
            covering = _covering(checkpoint, row, entry_id)
            self._check(connection, row, entry_id, covering)
            hashes = merkle.inclusion_proof(row.seq, covering.size, storage.fetch(connection))
        return InclusionProof(row.seq, row.body, tuple(hashes), covering, self._verifier)

    def find(self, subject: str, kind: str) -> tuple[Recorded, ...]:
        """Give the entries of one kind about one subject, in order: rows of the index, no authority."""
        return self.entries(subject, kind=kind)

    def rejected(self) -> int:
        """Number of pending rows that were refused and set aside. Anything but 0 is a reason to look."""
        with looking(self._engine) as connection:
            return storage.rejected(connection)

    def verify(self, old: str | None = None) -> Report:
        """Verify the whole log with the stand-alone verifier; ``old`` is a checkpoint that was held elsewhere.

        Raises:
            BadInput: ``old`` is no checkpoint signed by this log's key.
            LogUnavailable: the database cannot be opened.

        """
        with looking(self._engine) as connection:
            try:
                return verify(storage.DatabaseSource(connection), key=self._verifier.vkey, old=old)
            except BadArgument as error:
                raise BadInput(str(error), next="Give the file with the checkpoint as it was published.") from error

    def _sequence(self, key: LogKey, remaining: float) -> None:
        with faults(), self._engine.begin() as connection:
            head = storage.lease(connection, wait_ms=int(remaining * 1000))
            if head is None:
                raise LogUnavailable("The audit log's tables are not complete.", next="Run `twokey doctor`.")
            checkpoint = self._integrate(connection, head, key)
        self._remember(checkpoint)

    def _covering(self, entry_ids: Sequence[str]) -> Checkpoint | None:
        with self.view() as (connection, checkpoint):
            for entry_id in entry_ids:
                row = storage.entry(connection, entry_id)
                if row is None:
                    if entry_id in storage.waiting(connection, [entry_id]):
                        return None
                    raise LogUnavailable(
                        f"The log entry {entry_id[:40]!r} is neither recorded nor pending: it was refused or removed.",
                        next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
                    )
                self._check(connection, row, entry_id, checkpoint)
            return checkpoint

    def _check(self, connection: Connection, row: Row, entry_id: str, checkpoint: Checkpoint | None) -> Entry:
        covering = _covering(checkpoint, row, entry_id)
        entry = Entry.decode(row.body)
        if entry.id != entry_id or entry.workspace != self._workspace:
            raise _not_logged(entry_id, "the row holds another entry")
        try:
            merkle.check_inclusion(
                leaf=merkle.leaf_hash(row.body),
                index=row.seq,
                size=covering.size,
                root=bytes.fromhex(covering.root),
                proof=merkle.inclusion_proof(row.seq, covering.size, storage.fetch(connection)),
            )
        except BadProof as error:
            raise _not_logged(entry_id, str(error)) from error
        return entry

    def _known(self) -> Checkpoint | None:
        """Give the largest checkpoint seen. Ask before reading the database: what is read later must not be older."""
        with self._lock:
            if not self._pin_read:
                self._seen = self._pin.read() if self._pin else None
                self._pin_read = True
            return self._seen

    def _remember(self, checkpoint: Checkpoint | None) -> None:
        with self._lock:
            if checkpoint is None or (self._seen is not None and self._seen.size >= checkpoint.size):
                return
            self._seen = checkpoint
            if self._pin:
                self._pin.advance(checkpoint)

    def _accept(self, connection: Connection, seen: Checkpoint | None) -> Checkpoint | None:
        """Read the latest checkpoint; give it only if it verifies and extends ``seen``."""
        return self._accepted(connection, seen, storage.latest_note(connection))

    def _accepted(self, connection: Connection, seen: Checkpoint | None, note: str | None) -> Checkpoint | None:
        if seen is not None and note == seen.note:
            return seen
        if note is None:
            if seen is not None:
                raise _rolled_back(f"it has no checkpoint, and one of size {seen.size} was seen")
            return None
        signed = self._signed
        if signed is not None and signed.checkpoint.note == note and signed.above == seen:
            return signed.checkpoint
        try:
            checkpoint = self._verifier.checkpoint(note)
        except CheckFailed as error:
            raise LogUnavailable(
                "The audit log's latest checkpoint does not verify.",
                next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
            ) from error
        if seen is None:
            return checkpoint
        if checkpoint.size < seen.size:
            raise _rolled_back(f"it has size {checkpoint.size}, and size {seen.size} was seen")
        try:
            merkle.check_consistency(
                old=seen.size,
                old_root=bytes.fromhex(seen.root),
                size=checkpoint.size,
                root=bytes.fromhex(checkpoint.root),
                proof=merkle.consistency_proof(seen.size, checkpoint.size, storage.fetch(connection)),
            )
        except BadProof as error:
            raise _rolled_back(f"it does not continue the log of size {seen.size} that was seen ({error})") from error
        return checkpoint

    def _integrate(
        self, connection: Connection, head: Head, key: LogKey, own: Sequence[Pending] = ()
    ) -> Checkpoint | None:
        seen = self._known()
        last = self._accepted(connection, seen, head.note)
        size = last.size if last else 0
        if not size == head.size == head.entries:
            raise LogUnavailable(
                "The audit log holds entries that no checkpoint covers: somebody wrote to it behind Twokey's back.",
                next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
            )
        signed = self._signed
        transaction = connection.get_transaction()
        if (
            last is not None
            and signed is not None
            and signed.checkpoint == last
            and signed.transaction is not transaction
        ):
            self._remember(last)  # signed here, read in another transaction: it has committed
            seen = self._known()
        frontier = self._frontier(connection, last)
        self._take_in(connection, frontier, waiting=head.waiting)
        growth = _grown(frontier, [(row, self._kept(row) or Entry.decode(row.body)) for row in own])
        if frontier.size == size:
            return last
        checkpoint = key.signer.checkpoint(frontier.size, frontier.root())
        storage.extend(
            connection,
            head,
            growth,
            size=frontier.size,
            root=frontier.root(),
            note=checkpoint.note,
            time_us=self._clock.now_us(),
            holder=self._holder,
        )
        self._signed = _Signed(transaction, checkpoint, frontier, seen)
        return checkpoint

    def _frontier(self, connection: Connection, last: Checkpoint | None) -> Frontier:
        """Give the frontier under ``last``; stored nodes are believed only if they lead to the signed root."""
        if last is None:
            return Frontier()
        signed = self._signed
        if signed is not None and signed.checkpoint == last:
            return signed.frontier.copy()
        with suppress(BadProof):
            frontier = merkle.frontier(last.size, storage.fetch(connection))
            if frontier.root().hex() == last.root:
                return frontier
        raise LogUnavailable(
            "The audit log's stored tree does not lead to its signed checkpoint.",
            next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
        )

    def _take_in(self, connection: Connection, frontier: Frontier, *, waiting: bool) -> None:
        """Move what is pending, if anything is ``waiting``, into the log, in order, and grow ``frontier`` by it."""
        while waiting and (rows := storage.pending(connection)):
            own = [self._kept(row) for row in rows]
            others = [row.entry_id for row, kept in zip(rows, own, strict=True) if kept is None]
            taken = storage.taken(connection, others) if others else set[str]()
            accepted: list[tuple[Pending, Entry]] = []
            for row, kept in zip(rows, own, strict=True):
                entry = kept or self._examine(row, taken)
                if isinstance(entry, str):
                    _logger.error("audit log: pending row %d refused and set aside: %s", row.id, entry)
                    storage.set_aside(connection, row, reason=entry, time_us=self._clock.now_us())
                    continue
                taken.add(entry.id)
                accepted.append((row, entry))
            storage.grow(connection, _grown(frontier, accepted))
            storage.dequeue(connection, rows)
            if len(rows) < storage.CHUNK:
                return

    def _keep(self, entry: Entry, body: bytes) -> None:
        if self._log_key is not None:
            with self._lock:
                self._own[entry.id] = entry, body
                if len(self._own) > OWN_ENTRIES:
                    self._own.popitem(last=False)

    def _kept(self, row: Pending) -> Entry | None:
        """Give an entry that this process itself queued a moment ago, byte for byte; it needs no examination twice."""
        with self._lock:
            entry, body = self._own.pop(row.entry_id, (None, b""))
        return entry if row.body == body else None

    def _examine(self, row: Pending, taken: set[str]) -> Entry | str:
        """Give the entry of a pending row, or the code of why it is refused."""
        if row.writer not in self._writers:
            return "unknown_writer"
        role, writer = self._writers[row.writer]
        if not keys.same_mac(writer.mac(row.body), row.mac):
            return "bad_mac"
        try:
            entry = Entry.decode(row.body)
        except CheckFailed:
            return "unreadable"
        if entry.workspace != self._workspace:
            return "other_workspace"
        if entry.id != row.entry_id or entry.id in taken:
            return "replayed"
        if not keys.may_write(role, entry.event):
            return "not_allowed"
        return entry


def _grown(frontier: Frontier, accepted: Sequence[tuple[Pending, Entry]]) -> Growth:
    """Grow ``frontier`` by entries at the end of the log; gives the rows and nodes that this adds."""
    first = frontier.size - frontier.size.bit_count()
    rows: list[Row] = []
    nodes: list[bytes] = []
    for row, entry in accepted:
        leaf = merkle.leaf_hash(row.body)
        rows.append(Row(frontier.size, entry.id, entry.subject, entry.kind, row.body, leaf))
        nodes += frontier.append(leaf)
    return Growth(rows, first, nodes)


def _as_writer(key: WriterKey | Verifier) -> WriterKey | None:
    return key if isinstance(key, WriterKey) else None


def _covering(checkpoint: Checkpoint | None, row: Row, entry_id: str) -> Checkpoint:
    if checkpoint is None or row.seq >= checkpoint.size:
        raise _not_logged(entry_id, "no signed checkpoint covers it")
    return checkpoint


def _unknown(entry_id: str) -> NotFound:
    return NotFound(f"The audit log has no entry {entry_id[:40]!r}.", next="Run `twokey audit show`.")


def _not_logged(entry_id: str, why: str) -> CheckFailed:
    return CheckFailed(
        f"The entry {entry_id[:40]!r} is not proven to be in the audit log: {why}.",
        next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
    )


def _rolled_back(why: str) -> LogUnavailable:
    return LogUnavailable(
        f"The audit log was rolled back or replaced: {why}.",
        next="Restore the newest database. If an older one was restored on purpose, a person must remove the pin file "
        "beside the log key after comparing checkpoints held elsewhere.",
    )
