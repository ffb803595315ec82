"""Verifies a whole log, alone: nothing but the standard library, ``cryptography`` and canonical JSON.

It shares no code with the writer, so that a mistake there is not repeated here; audit/SPEC.md is all it follows.

Rules: a log is good only if every entry is in canonical form with a known version, in order, without gaps and with
unique ids; every stored hash is the hash of what it stands for; every stored checkpoint is signed by the given key and
has the root of the entries before it; and the last one covers every entry. Whatever is wrong names the first entry that
can be wrong. What a holder of the log key rewrote, and a return to an older state, show only against a checkpoint held
elsewhere: without one the answer says that rollback was not checked. Entries are streamed; memory grows by 16 bytes per
entry (their ids). What is read is hostile: no value of it is repeated in the answer.

``python -m twokey.audit.verify FILE.db --key VKEY [--checkpoint OLD]`` prints the answer as one JSON object and ends
with 0 (good), 1 (not good) or 2 (bad input).
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sqlite3
import sys
from array import array
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from twokey.core import canonical
from twokey.core.canonical import NotCanonicalError

MAX_ENTRY_BYTES: Final = 65_535
ED25519: Final = b"\x01"
"""What stands before the public key in the key of a log (C2SP ``signed-note``)."""
MAX_NOTE_BYTES: Final = 64 * 1024
VERSION: Final = "twokey/entry/v1"

_ENTRY_ID: Final = re.compile(r"l-[0-9a-hjkmnp-tv-z]{12}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_ALPHABET: Final = str.maketrans("0123456789abcdefghjkmnpqrstvwxyz", "0123456789abcdefghijklmnopqrstuv")

Value: TypeAlias = object
EntryRow: TypeAlias = tuple[Value, Value, Value, Value, Value, Value]
"""seq, id, subject, kind, body, leaf_hash: as stored, of whatever type."""
CheckpointRow: TypeAlias = tuple[Value, Value, Value]
"""size, root, note."""

T = TypeVar("T")
Stream: TypeAlias = Generator[T, None, None]
"""Rows one by one; closed by the verifier, which may stop early."""


class Source(Protocol):
    """One consistent view of a stored log."""

    def entries(self) -> Stream[EntryRow]:
        """Every row of ``log_entries`` by ``seq``."""
        ...

    def nodes(self) -> Stream[tuple[Value, Value]]:
        """Every row (pos, hash) of ``log_nodes`` by ``pos``."""
        ...

    def checkpoints(self) -> Stream[CheckpointRow]:
        """Every row of ``log_checkpoints`` by ``size``."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many entries are pending, and how many were refused and set aside."""
        ...


class BadLog(Exception):  # noqa: N818 - the answer of the verifier, not a fault of it
    """The log is not good. ``seq`` is the first entry that can be wrong, where one can be named."""

    def __init__(self, reason: str, seq: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seq = seq


class Damaged(Exception):  # noqa: N818 - what a source says when it cannot go on reading
    """The storage cannot be read to its end."""


class BadArgument(ValueError):  # noqa: N818 - what the caller gave
    """The key, or the checkpoint held elsewhere, is not what it should be."""


@dataclass(frozen=True, slots=True)
class Report:
    """What verification found. ``size`` and ``root`` are those of the last checkpoint whose tree was confirmed."""

    ok: bool
    size: int
    root: str
    first_bad: int | None
    reason: str
    rollback_checked: bool
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Give the form that ``twokey audit verify --json`` prints."""
        return {
            "ok": self.ok,
            "size": self.size,
            "root": self.root,
            "first_bad": self.first_bad,
            "reason": self.reason,
            "rollback_checked": self.rollback_checked,
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier key of C2SP ``signed-note`` with an Ed25519 public key."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Key":
        """Read ``NAME+ID+KEY``; raises ``BadArgument``."""
        found = parts_of_key(vkey, ED25519)
        if found is None:
            raise BadArgument("The key is not an Ed25519 verifier key (NAME+ID+KEY).")
        name, stated, key_id, public = found
        if not name or stated != key_id.hex():
            raise BadArgument("The key's id does not belong to its name and public key.")
        return cls(name, key_id, public)

    def checkpoint(self, note: str) -> tuple[int, bytes]:
        """Give size and root of a checkpoint signed by this key; raises ``BadArgument`` that says what is wrong."""
        if len(note) > MAX_NOTE_BYTES or _CONTROL.search(note) or _SURROGATE.search(note):
            raise BadArgument("is too long or holds control characters")
        text, blank, tail = note.rpartition("\n\n")
        lines = text.split("\n")
        if not blank or not tail.endswith("\n") or len(lines) != 3:
            raise BadArgument("is not three lines, a blank line and signatures")
        self._check_signature(text + "\n", tail[:-1].split("\n"))
        root = unbase64(lines[2])
        if lines[0] != self.name or not _SIZE.fullmatch(lines[1]) or root is None or len(root) != 32:
            raise BadArgument("is signed but is no checkpoint of this log")
        return int(lines[1]), root

    def _check_signature(self, text: str, lines: Sequence[str]) -> None:
        public = Ed25519PublicKey.from_public_bytes(self.public)
        found = False
        for line in lines:
            mark, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            raw = unbase64(encoded)
            if mark != "\u2014" or not name or raw is None or len(raw) < 5:
                raise BadArgument("has a malformed signature line")
            if name != self.name or raw[:4] != self.key_id:
                continue  # somebody else's, a witness for instance
            try:
                public.verify(raw[4:], text.encode())
            except InvalidSignature as error:
                raise BadArgument("carries a signature of this log's key that does not fit") from error
            found = True
        if not found:
            raise BadArgument("is not signed by this log's key")


def parts_of_key(vkey: str, algorithm: bytes) -> tuple[str, str, bytes, bytes] | None:
    """Take a verifier key apart: its name, the id that it states, the id that it has, and 32 bytes of public key.

    ``None`` where it is no key of that ``algorithm`` (the byte before the public key).
    """
    parts = vkey.strip().split("+", 2)
    raw = unbase64(parts[2]) if len(parts) == 3 else None
    if raw is None or len(raw) != 33 or raw[:1] != algorithm or not parts[0].isascii():
        return None
    return parts[0], parts[1], hashlib.sha256(parts[0].encode() + b"\n" + raw).digest()[:4], raw[1:]


def verify(source: Source, *, key: str, old: str | None = None) -> Report:
    """Verify a whole log.

    ``key`` is the verifier key in one line; ``old`` a checkpoint (signed note) of this log that was held elsewhere.

    Raises:
        BadArgument: ``key`` is no verifier key, or ``old`` no checkpoint signed by it.

    """
    verifier = Key.parse(key)
    held: tuple[int, bytes] | None = None
    if old is not None:
        try:
            held = verifier.checkpoint(old)
        except BadArgument as error:
            raise BadArgument(f"The checkpoint held elsewhere {error}.") from error
    run = _Run(verifier, held)
    remarks: list[str] = []
    try:
        run.all(source)
        pending, rejected = source.counts()
        if pending:
            remarks.append(f"{pending} entries are pending: no checkpoint covers them yet, so they do not count")
        if rejected:
            remarks.append(f"{rejected} pending rows were refused and set aside: somebody wrote to the database")
        bad = None
    except BadLog as error:
        bad = error
    except Damaged:
        bad = BadLog("the database is damaged and cannot be read to its end", run.tree.size)
    if held is None:
        remarks.append("rollback was not checked: give a checkpoint that was held elsewhere")
    return Report(
        ok=bad is None,
        size=run.good_size,
        root=run.good_root.hex(),
        first_bad=bad.seq if bad else None,
        reason=bad.reason if bad else "every entry is covered by a checkpoint that verifies",
        rollback_checked=held is not None,
        remarks=tuple(remarks),
    )


class Tree:
    """The frontier of RFC 6962's tree: one hash for every one-bit of the size."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash; give the interior nodes that it completes."""
        completed: list[bytes] = []
        size = self.size
        while size % 2:
            leaf = hashlib.sha256(b"\x01" + self.peaks.pop() + leaf).digest()
            completed.append(leaf)
            size //= 2
        self.peaks.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Give the root of what was added: at least one leaf."""
        value = self.peaks[-1]
        for left in self.peaks[-2::-1]:
            value = hashlib.sha256(b"\x01" + left + value).digest()
        return value


class Ids:
    """Every id that occurred, 16 bytes each, in buckets by their leading bits; duplicates are found at the end."""

    def __init__(self) -> None:
        self._ids = [array("Q") for _ in range(256)]
        self._seqs = [array("Q") for _ in range(256)]

    def add(self, entry_id: str, seq: int) -> None:
        number = int(entry_id[2:].translate(_ALPHABET), 32)
        self._ids[number >> 52].append(number)
        self._seqs[number >> 52].append(seq)

    def first_duplicate(self) -> int | None:
        """Give the lowest ``seq`` whose id occurred before."""
        again: list[int] = []
        for ids, seqs in zip(self._ids, self._seqs, strict=True):
            if len(set(ids)) < len(ids):
                first = dict(zip(reversed(ids), reversed(seqs), strict=True))
                again += [seq for number, seq in zip(ids, seqs, strict=True) if first[number] != seq]
        return min(again, default=None)


@dataclass(slots=True)
class _Run:
    """One pass over a log."""

    key: Key
    held: tuple[int, bytes] | None
    good_size: int = 0
    good_root: bytes = field(default_factory=lambda: hashlib.sha256(b"").digest())
    tree: Tree = field(default_factory=Tree)
    ids: Ids = field(default_factory=Ids)
    node_position: int = 0
    bad_node: int | None = None
    """First entry under the first stored tree node that is not the hash of its entries."""
    rewritten: bool = False
    """Whether the entries contradict the checkpoint held elsewhere."""

    def all(self, source: Source) -> None:
        """Go through the log; raises ``BadLog`` at the first fault."""
        with (
            closing(source.entries()) as entries,
            closing(source.nodes()) as nodes,
            closing(source.checkpoints()) as checkpoints,
        ):
            self._pass(entries, nodes, checkpoints)

    def _pass(
        self, entries: Iterator[EntryRow], nodes: Iterator[tuple[Value, Value]], checkpoints: Iterator[CheckpointRow]
    ) -> None:
        for row in checkpoints:
            size, root = self._checkpoint(row)
            while self.tree.size < size:
                entry = next(entries, None)
                if entry is None:
                    raise self._missing(size)
                self._entry(entry, nodes)
                self._compare_held()
            if self.tree.root() != root:
                raise self._other_root()
            self.good_size, self.good_root = size, root
            if self.rewritten:
                raise BadLog(
                    "the log contradicts the checkpoint held elsewhere: its signed history was rewritten", None
                )
        self._end(entries, nodes)

    def _checkpoint(self, row: CheckpointRow) -> tuple[int, bytes]:
        size, root, note = row
        bad_from = self.good_size
        if not isinstance(size, int) or not isinstance(note, str) or size <= self.good_size:
            raise BadLog(f"the checkpoint after size {self.good_size} is malformed or out of order", bad_from)
        try:
            signed = self.key.checkpoint(note)
        except BadArgument as error:
            raise BadLog(f"the checkpoint of size {size} {error}", bad_from) from error
        if signed != (size, root):
            raise BadLog(f"the checkpoint of size {size} says something else than its signed note", bad_from)
        return signed

    def _entry(self, row: EntryRow, nodes: Iterator[tuple[Value, Value]]) -> None:
        seq, entry_id, subject, kind, body, stored = row
        expected = self.tree.size
        if not isinstance(seq, int) or seq != expected:
            raise BadLog(f"entry {expected} is missing", expected)
        if not isinstance(body, bytes):
            raise BadLog(f"entry {seq} has no bytes", seq)
        leaf = hashlib.sha256(b"\x00" + body).digest()
        if leaf != stored:
            raise BadLog(f"entry {seq} is not what its stored hash stands for", seq)
        own_id, event = event_of(seq, body, self.key.name)
        if own_id != entry_id:
            raise BadLog(f"entry {seq} has another id than it is stored under", seq)
        self.ids.add(own_id, seq)
        if (kind, subject) != (event.get("kind"), _subject(event)):
            raise BadLog(f"entry {seq} is indexed as something else than it is", seq)
        for level, value in enumerate(self.tree.add(leaf), start=1):
            if next(nodes, None) != (self.node_position, value) and self.bad_node is None:
                self.bad_node = max(self.good_size, self.tree.size - 2**level)
            self.node_position += 1

    def _compare_held(self) -> None:
        # Told only once the log's own checkpoint confirms the entries: else it is those that were changed.
        if self.held is not None and self.tree.size == self.held[0] and self.tree.root() != self.held[1]:
            self.rewritten = True

    def _missing(self, size: int) -> BadLog:
        first = self.tree.size if self.bad_node is None else self.bad_node
        return BadLog(f"entries are missing: a checkpoint covers {size}, and there are {self.tree.size}", first)

    def _other_root(self) -> BadLog:
        """Name the first entry that can be wrong where a signed root and the entries disagree.

        The checkpoint tells only the range. Within it the stored tree points at a place, unless it was changed too.
        """
        first = self.good_size if self.bad_node is None else self.bad_node
        return BadLog(
            f"the entries {self.good_size} to {self.tree.size - 1} are not those that the checkpoint of size "
            f"{self.tree.size} was signed for",
            first,
        )

    def _end(self, entries: Iterator[EntryRow], nodes: Iterator[tuple[Value, Value]]) -> None:
        duplicate = self.ids.first_duplicate()
        if duplicate is not None:
            raise BadLog(f"entry {duplicate} has the id of an earlier entry", duplicate)
        if self.good_size == 0:
            raise BadLog("there is no checkpoint, so nothing is proven", 0)
        if next(entries, None) is not None:
            raise BadLog(f"there are entries from {self.good_size} on that no checkpoint covers", self.good_size)
        if self.held is not None and self.held[0] > self.good_size:
            raise BadLog(
                f"the log was rolled back: it ends at {self.good_size}, "
                f"and the checkpoint that was held elsewhere has size {self.held[0]}",
                self.good_size,
            )
        if self.bad_node is not None or next(nodes, None) is not None:
            raise BadLog("the entries are those that were signed, but the stored tree was changed", None)


def event_of(seq: int, body: bytes, name: str) -> tuple[str, Mapping[str, Value]]:
    """Give id and event of an entry of the log whose key has this name.

    Raises:
        BadLog: it is no entry of that log.

    """
    if len(body) > MAX_ENTRY_BYTES:
        raise BadLog(f"entry {seq} has more than {MAX_ENTRY_BYTES} bytes", seq)
    try:
        entry = canonical.decode(body)
    except NotCanonicalError as error:
        raise BadLog(f"entry {seq} is not canonical JSON", seq) from error
    if not isinstance(entry, dict) or set(entry) != {"v", "id", "time_us", "workspace", "event"}:
        raise BadLog(f"entry {seq} has not the fields of an entry", seq)
    if entry["v"] != VERSION:
        raise BadLog(f"entry {seq} has a version unknown to this verifier", seq)
    own_id, time_us, event = entry["id"], entry["time_us"], entry["event"]
    if not isinstance(own_id, str) or not _ENTRY_ID.fullmatch(own_id):
        raise BadLog(f"entry {seq} has no id", seq)
    if f"twokey/{entry['workspace']}" != name:
        raise BadLog(f"entry {seq} belongs to another workspace", seq)
    if not isinstance(time_us, int) or isinstance(time_us, bool) or time_us < 0:
        raise BadLog(f"entry {seq} has no time", seq)
    if not isinstance(event, dict) or not isinstance(event.get("kind"), str):
        raise BadLog(f"entry {seq} has no event", seq)
    return own_id, cast("Mapping[str, Value]", event)


def _subject(event: Mapping[str, Value]) -> Value:
    """Give the id an entry is indexed by (audit/SPEC.md, section 2)."""
    kind = event["kind"]
    if kind == "answer.given":
        answer = event.get("answer")
        statement = cast("Mapping[str, Value]", answer).get("statement") if isinstance(answer, dict) else None
        return cast("Mapping[str, Value]", statement).get("proposal") if isinstance(statement, dict) else None
    if kind == "click.rejected":
        return event.get("proposal") or "-"
    for name in ("proposal", "run", "workspace", "principal"):
        if event.get(name) is not None:
            return event[name]
    return None


def unbase64(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


class SqliteSource:
    """A log in a SQLite file, opened for reading only, as one consistent view.

    Close it after use. Raises ``BadArgument`` where the file is no such log, ``Damaged`` where it cannot be read on.
    """

    TABLES: Final = ("log_entries", "log_nodes", "log_checkpoints", "log_pending", "log_rejected")

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
            self._connection.execute("PRAGMA trusted_schema=OFF")
            self._connection.execute("PRAGMA cell_size_check=ON")
            self._connection.execute("BEGIN")
            found = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        except sqlite3.Error as error:
            raise BadArgument("The file cannot be opened as a SQLite database.") from error
        if not set(self.TABLES) <= {name for (name,) in found}:  # a view could compute what it shows
            self._connection.close()
            raise BadArgument("The database holds no audit log.")

    def entries(self) -> Stream[EntryRow]:
        """Every row of ``log_entries``."""
        return self._rows("SELECT seq, id, subject, kind, body, leaf_hash FROM log_entries ORDER BY seq")

    def nodes(self) -> Stream[tuple[Value, Value]]:
        """Every row of ``log_nodes``."""
        return self._rows("SELECT pos, hash FROM log_nodes ORDER BY pos")

    def checkpoints(self) -> Stream[CheckpointRow]:
        """Every row of ``log_checkpoints``."""
        return self._rows("SELECT size, root, note FROM log_checkpoints ORDER BY size")

    def counts(self) -> tuple[int, int]:
        """Pending and refused rows."""
        return next(self._rows("SELECT (SELECT count(*) FROM log_pending), (SELECT count(*) FROM log_rejected)"))

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _rows(self, query: str) -> Stream[Any]:
        try:
            yield from self._connection.execute(query)
        except sqlite3.Error as error:
            raise Damaged from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verifier on a SQLite file."""
    parser = argparse.ArgumentParser(prog="twokey.audit.verify", description="Verify an audit log in a SQLite file.")
    parser.add_argument("file", type=Path, help="the database")
    parser.add_argument("--key", required=True, help="verifier key: its line, or a file that holds it")
    parser.add_argument("--checkpoint", type=Path, help="file with an older checkpoint that was held elsewhere")
    options = parser.parse_args(arguments)

    def look(key: str, old: str | None) -> Report:
        with closing(SqliteSource(options.file)) as source:
            return verify(source, key=key, old=old)

    return answered(options, look)


def answered(options: argparse.Namespace, look: Callable[[str, str | None], Report]) -> int:
    """Verify with the key and the old checkpoint of ``options``, print the answer, and give the exit code."""
    try:
        key = Path(options.key).read_text("utf-8") if "+" not in options.key else options.key
        report = look(key, options.checkpoint.read_text("utf-8") if options.checkpoint else None)
    except (BadArgument, OSError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, BadArgument) else "A file that was named cannot be read."
        sys.stderr.write(f"{reason}\n")
        return 2
    sys.stdout.write(json.dumps(report.as_json(), indent=1) + "\n")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
