"""Where each ticket of a folder stands: an index by number, made of names, times and offsets.

Rules: it holds no text of a ticket. It follows the folder: the names are looked at again whenever tickets are listed or
one is not found, what is known of a file is worked out again when it (or the comments beside it) changed, and a file of
rows is gone through again then. Of ``MANY`` tickets and more, a list may rest on what the folder showed a moment ago:
at most a tenth of the time goes into looking, and nothing that was seen is older than half a minute; what Twokey wrote
itself is seen at once. What is no ticket is listed with the reason, up to a bound.
"""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.tools.git_paths import quoted
from twokey.tools.local_tickets import notes
from twokey.tools.local_tickets.files import Files, Seen, Unreadable
from twokey.tools.local_tickets.markdown import MarkdownTicket
from twokey.tools.local_tickets.records import KEY, instant, moment_of, number_of
from twokey.tools.local_tickets.rows import JSON_LINES, Place, Row, comments_of, row_at, rows
from twokey.tools.tickets import Ticket, Unread, UnreadReason

MAX_FILE: Final = 4 * 1024 * 1024
MAX_ROWS_FILE: Final = 4 * 1024 * 1024 * 1024
MAX_UNREAD: Final = 200
MANY: Final = 5_000
"""Tickets from which on a list may rest on what was seen a moment ago."""
SHARE_FOR_LOOKING: Final = 0.1
OLDEST_S: Final = 30.0
_MARKDOWN: Final = ".md"
_ROWS: Final = (*JSON_LINES, ".csv")


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a ticket stands. Without ``place`` it is a file of its own."""

    key: str
    file: str
    changed: str
    place: Place | None = None

    @property
    def number(self) -> int:
        """The ticket's number."""
        return number_of(self.key)


@dataclass(frozen=True, slots=True)
class _RowsFile:
    seen: Seen
    entries: tuple[Entry, ...]
    unread: tuple[tuple[str, UnreadReason], ...]


@dataclass(frozen=True, slots=True)
class _OwnFile:
    """A ticket in a file of its own, as the folder showed it and the comments beside it."""

    seen: Seen
    beside: Seen | None
    entry: Entry
    number: int


class Index:
    """The index of one folder. Not for two threads at once."""

    def __init__(self, files: Files, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._files = files
        self._monotonic = monotonic
        self._good_until = 0.0
        self._order: list[Entry] | None = None
        self._entries: dict[int, Entry] | None = None
        self._rows: dict[str, _RowsFile] = {}
        self._alone: dict[str, _OwnFile] = {}
        self._looked: dict[str, UnreadReason] = {}
        self._read: dict[str, UnreadReason] = {}

    def in_order(self, since: str | None) -> list[Entry]:
        """Give the tickets changed at ``since`` or later, those changed first coming first; looks afresh."""
        entries = self._entries
        if entries is None or len(entries) < MANY or self._monotonic() >= self._good_until:
            entries = self.refresh()
        if self._order is None:
            self._order = sorted(entries.values(), key=lambda entry: (entry.changed, entry.key))
        first = 0 if since is None else bisect_left(self._order, moment_of(since), key=lambda entry: entry.changed)
        return self._order[first:]

    def outdated(self) -> None:
        """Have the next list look afresh: something was written."""
        self._good_until = 0.0

    def entry(self, number: int, *, fresh: bool) -> Entry | None:
        """Give where a ticket stands; looks afresh where it is asked to, or never has."""
        entries = self.refresh() if fresh or self._entries is None else self._entries
        entry = entries.get(number)
        if entry is not None and entry.place is not None and not fresh:
            known = self._rows.get(entry.file)
            return entry if known is not None and self._files.stat(entry.file) == known.seen else None
        return entry

    def number(self, key: str) -> int | None:
        """Give the number of the ticket called ``key``."""
        if not KEY.fullmatch(key):
            return None
        number, known = number_of(key), self._entries
        if known is None or number not in known or known[number].key != key:
            known = self.refresh()
        if number in known and known[number].key == key:
            return number
        folded = key.casefold()
        found = [number for number, entry in known.items() if entry.key.casefold() == folded]
        return found[0] if len(found) == 1 else None

    def unread(self) -> Sequence[Unread]:
        """Give what is no ticket, as far as it was looked at."""
        found = sorted((self._looked | self._read).items())[:MAX_UNREAD]
        return tuple(Unread(name=_shown(name), reason=reason) for name, reason in found)

    def refresh(self) -> dict[int, Entry]:
        """Look at the folder's names and times again."""
        began = self._monotonic()
        seen = {found.name: found for found in self._files.look() if not found.name.startswith(".")}
        self._rows = {name: found for name, found in self._rows.items() if name in seen}
        if len(self._alone) > len(seen):
            self._alone = {name: found for name, found in self._alone.items() if name in seen}
        self._read = {name: reason for name, reason in self._read.items() if name.partition(":")[0] in seen}
        self._looked = {}
        entries: dict[int, Entry] = {}
        for name in sorted(seen):
            found = seen[name]
            if name.endswith(notes.SUFFIX):
                if f"{name.removesuffix(notes.SUFFIX)}{_MARKDOWN}" not in seen:
                    self._note(name, "orphan")
            elif name.endswith((_MARKDOWN, *_ROWS)):
                self._take(found, seen, entries)
        self._entries, self._order = entries, None
        ended = self._monotonic()
        self._good_until = ended + min(OLDEST_S, (ended - began) / SHARE_FOR_LOOKING)
        return entries

    def ticket(self, entry: Entry) -> Ticket | None:
        """Read a ticket; ``None``, and a line in the list, where it is none."""
        name = _name(entry.file, entry.place.line if entry.place else None)
        self._read.pop(name, None)
        try:
            return self._markdown(entry) if entry.place is None else self._from_row(entry)
        except FileNotFoundError:
            return None
        except Unreadable as error:
            self._misread(name, error.reason)
            return None

    def row(self, entry: Entry) -> Row:
        """Read a row again; raises ``Unreadable`` where it is not the one that the index knows."""
        assert entry.place is not None  # noqa: S101 - callers look
        with self._files.open(entry.file, MAX_ROWS_FILE) as file:
            row = row_at(file, entry.file, entry.place)
        if row.record.key != entry.key:
            raise Unreadable("malformed")
        return row

    def notes(self, entry: Entry) -> bytes | None:
        """Give the file of comments on a Markdown ticket; ``None`` where there is none."""
        try:
            return self._files.read(f"{entry.key}{notes.SUFFIX}", notes.MAX_BYTES)
        except FileNotFoundError:
            return None

    def _from_row(self, entry: Entry) -> Ticket:
        row = self.row(entry)
        number = len(comments_of(row.record))
        return row.record.ticket(key=entry.key, changed=entry.changed, version=row.version, comments=number)

    def _misread(self, name: str, reason: UnreadReason) -> None:
        if len(self._read) < MAX_UNREAD:
            self._read[name] = reason

    def _markdown(self, entry: Entry) -> Ticket | None:
        content = self._files.read(entry.file, MAX_FILE)
        beside = self.notes(entry) or b""
        record = MarkdownTicket(content).record
        said = record.text("id", "key", "number")
        if said and said != entry.key:
            self._misread(entry.file, "wrong_id")
            return None
        times = [self._files.stat(name) for name in (entry.file, f"{entry.key}{notes.SUFFIX}")]
        changed = max(found.changed_ns for found in times if found is not None) if any(times) else None
        version = hashlib.sha256(hashlib.sha256(content).digest() + hashlib.sha256(beside).digest()).hexdigest()
        return record.ticket(
            key=entry.key,
            changed=entry.changed if changed is None else instant(changed),
            version=version,
            comments=len(notes.read(beside)),
        )

    def _take(self, found: Seen, seen: dict[str, Seen], entries: dict[int, Entry]) -> None:
        if found.is_link or not found.is_file:
            self._note(found.name, "symlink" if found.is_link else "no_file")
        elif not found.name.endswith(_MARKDOWN):
            known = self._rows.get(found.name)
            if known is None or known.seen != found:
                known = self._rows[found.name] = self._gone_through(found)
            for name, reason in known.unread:
                self._note(name, reason)
            for entry in known.entries:
                self._add(entry, entry.number, entries)
        elif found.size > MAX_FILE:
            self._note(found.name, "too_large")
        elif found.name not in self._alone and not KEY.fullmatch(found.name.removesuffix(_MARKDOWN)):
            self._note(found.name, "unsafe_name")
        else:
            key = found.name.removesuffix(_MARKDOWN)
            beside = seen.get(f"{key}{notes.SUFFIX}")
            own = self._alone.get(found.name)
            if own is None or own.seen != found or own.beside != beside:
                changed = max(found.changed_ns, beside.changed_ns if beside is not None else 0)
                entry = Entry(key, found.name, instant(changed))
                own = self._alone[found.name] = _OwnFile(found, beside, entry, entry.number)
            self._add(own.entry, own.number, entries)

    def _add(self, entry: Entry, number: int, entries: dict[int, Entry]) -> None:
        if entries.setdefault(number, entry) is not entry:
            self._note(_name(entry.file, entry.place.line if entry.place else None), "twice")

    def _gone_through(self, found: Seen) -> _RowsFile:
        entries: list[Entry] = []
        unread: list[tuple[str, UnreadReason]] = []
        try:
            with self._files.open(found.name, MAX_ROWS_FILE) as file:
                for row in rows(file, found.name):
                    try:
                        entries.append(_entry_of(row, found))
                    except Unreadable as error:
                        unread.append((_name(found.name, error.line), error.reason))
                        del unread[MAX_UNREAD:]
        except FileNotFoundError:
            return _RowsFile(found, (), ())
        except Unreadable as error:
            unread.append((found.name, error.reason))
        return _RowsFile(found, tuple(entries), tuple(unread))

    def _note(self, name: str, reason: UnreadReason) -> None:
        if len(self._looked) < MAX_UNREAD:
            self._looked[name] = reason


def _entry_of(row: Row | Unreadable, found: Seen) -> Entry:
    if isinstance(row, Unreadable):
        raise row
    try:
        changed = row.record.changed() or instant(found.changed_ns)
    except Unreadable as error:
        raise Unreadable(error.reason, row.place.line) from error
    return Entry(row.record.key, found.name, changed, row.place)


def _shown(name: str) -> str:
    return quoted(name.encode("utf-8", "surrogateescape"))


def _name(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"
