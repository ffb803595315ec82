"""Tickets that are files of one folder: ``KEY.md`` each, or lines of ``*.jsonl``, ``*.ndjson`` and ``*.csv``.

Rules, beside those of the port: the folder itself is read and no folder in it. A Markdown ticket is called what its
file is called; an ``id`` in it that says otherwise makes it none. A ticket was changed when its file was (or its
comments'); a row when it says so. Listing looks at names and times and reads the files page by page; what is kept
between calls is where each ticket stands. Only Markdown tickets are written to. Who may write into the folder is
trusted like the people of a tracker: a comment is ours where it bears our marker beside the ticket.
"""

import hashlib
import heapq
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from twokey.core.entropy import SystemClock
from twokey.core.errors import BadInput, EnvironmentFault, NotFound, Refused
from twokey.core.ports import Clock
from twokey.tools.local_tickets import making, notes
from twokey.tools.local_tickets.files import Files, Unreadable
from twokey.tools.local_tickets.index import MAX_FILE, Entry, Index
from twokey.tools.local_tickets.markdown import MarkdownTicket
from twokey.tools.local_tickets.records import instant
from twokey.tools.local_tickets.rows import comments_of
from twokey.tools.tickets import NewTicket, Query, Ticket, TicketComment, TicketState, Unread, struck

PAGE: Final = 100
AT_A_TIME: Final = 20
"""Tickets that a page of a list holds: what a reader of pages reads ahead and does not need is read for nothing."""
MOST_LOOKS: Final = 3
"""How often one list looks at the folder, where tickets change while it is given."""
MAX_PAGE_CHARS: Final = 8 * 1024 * 1024
MAX_PHRASE: Final = 200
AUTHOR: Final = "twokey"
_MARKER: Final = re.compile(r"[a-z0-9][a-z0-9:_-]{0,127}")
_MAX_NAME: Final = 100


class LocalTickets:
    """The tickets in the folder at ``location``, read through ``files``; threads may share it."""

    def __init__(
        self, location: str | Path, *, clock: Clock | None = None, wait_s: float = 10.0, files: Files | None = None
    ) -> None:
        self._files = files or Files(Path(location), wait_s)
        self._index = Index(self._files)
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()

    def list(self, query: Query) -> Iterator[Sequence[Ticket]]:
        """Give the tickets page by page, those changed first coming first.

        One that changed since the folder was looked at comes after those that did not, at its new place.
        """
        page: list[Ticket] = []
        room = MAX_PAGE_CHARS
        for ticket in self._in_order(query.since):
            if not _is_asked_for(ticket, query):
                continue
            page.append(ticket)
            room -= len(ticket.body)
            if len(page) >= AT_A_TIME or room < 0:
                yield page
                page, room = [], MAX_PAGE_CHARS
        if page:
            yield page

    def _in_order(self, since: str | None) -> Iterator[Ticket]:
        last_given = set[int]()
        for look in range(1, MOST_LOOKS + 1):
            with self._lock:
                waiting = self._index.in_order(since)
            moved = False
            for entry in waiting:
                ticket = None if entry.number in last_given and entry.changed == since else self._ticket(entry)
                if ticket is None:
                    continue
                if ticket.updated_at == entry.changed or look == MOST_LOOKS:
                    last_given = last_given if entry.changed == since else set()
                    since = entry.changed
                    last_given.add(entry.number)
                    yield ticket
                else:
                    moved = True
            if not moved:
                return
            self._index.outdated()

    def search(self, text: str, limit: int) -> Sequence[Ticket]:
        """Give tickets that hold ``text`` as a phrase: those with it in the title first, then those changed last."""
        phrase = " ".join(text.split())[:MAX_PHRASE].casefold()
        if not phrase:
            return []

        def ranked() -> Iterator[tuple[bool, str, int, Ticket]]:
            for page in self.list(Query(state="all")):
                for ticket in page:
                    titled = phrase in ticket.title.casefold()
                    if titled or phrase in " ".join(ticket.body.split()).casefold():
                        yield titled, ticket.updated_at, ticket.number, ticket

        return [found[3] for found in heapq.nlargest(max(limit, 0), ranked(), key=lambda found: found[:3])]

    def get(self, number: int) -> Ticket:
        """Read one ticket; raises ``NotFound``."""
        return self._found(number)[1]

    def named(self, key: str) -> Ticket:
        """Read the ticket that people call ``key``; capitals do not matter where one ticket alone is meant."""
        with self._lock:
            number = self._index.number(key)
        if number is None:
            raise _none_there()
        return self.get(number)

    def unread(self) -> Sequence[Unread]:
        """Name what is no ticket, as far as it has been looked at."""
        with self._lock:
            self._index.refresh()
            return self._index.unread()

    def comments(self, number: int) -> Iterator[Sequence[TicketComment]]:
        """Give the comments on a ticket page by page, oldest first; raises ``NotFound``."""
        entry, _ = self._found(number)
        items = self._notes(entry)[1]
        for start in range(0, len(items), PAGE):
            yield [notes.shown(item, start + at) for at, item in enumerate(items[start : start + PAGE])]

    def label(self, number: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
        """Put labels on and take labels off."""
        names = (*add, *remove)
        _check_names(names)
        return self._edit(number, lambda file: _with_list(file, ("labels", "label"), add, remove))

    def assign(self, number: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
        """Assign people and take them off; a folder knows nobody, so anybody can be assigned."""
        _check_names((*add, *remove))
        return self._edit(number, lambda file: _with_list(file, ("assignees", "assignee"), add, remove))

    def move(self, number: int, state: TicketState, reason: str = "") -> Ticket:
        """Close a ticket or open it again."""
        kept = reason if state == "closed" and reason in {"completed", "not_planned"} else ""

        def change(file: MarkdownTicket) -> bytes | None:
            content: bytes | None = None
            if (file.record.text("state").lower() or "open") != state:
                content = file.setting("state", state)
            if file.record.text("reason") != kept:
                file = MarkdownTicket(content) if content is not None else file
                content = file.setting("reason", kept) if kept else file.without("reason")
            return content

        return self._edit(number, change)

    def comment(self, number: int, body: str, marker: str) -> TicketComment:
        """Comment once under ``marker``."""
        _check_marker(marker)
        with self._files.alone():
            entry = self._writable(number)
            content, items = self._notes(entry)
            there = _under(items, marker)
            if there is None:
                there = {
                    "id": f"c-{hashlib.sha256(f'{entry.key} {marker}'.encode()).hexdigest()[:16]}",
                    "author": AUTHOR,
                    "created_at": instant(self._clock.now_us() * 1_000),
                    "marker": marker,
                    "body": body[: notes.MAX_BODY],
                }
                self._put_notes(entry, content, notes.appended(content or b"", there))
            return notes.shown(there, len(items))

    def create(self, new: NewTicket, marker: str) -> Ticket:
        """Open a ticket once under ``marker``: a new Markdown file, whose name follows from the marker."""
        _check_marker(marker)
        _check_names(new.labels)
        with self._files.alone():
            for key in making.keys(marker):
                there = self._made(key)
                if there is None:
                    moment = instant(self._clock.now_us() * 1_000)
                    content = making.written(key, new, author=AUTHOR, moment=moment, marker=marker)
                    self._files.replace(f"{key}.md", None, content, MAX_FILE)
                    self._index.outdated()
                    return self.named(key)
                if making.marker_of(there) == marker:
                    return self.named(key)
        raise making.none_free()

    def find_created(self, marker: str) -> Ticket | None:
        """Look for the ticket that was opened under ``marker``."""
        _check_marker(marker)
        for key in making.keys(marker):
            there = self._made(key)
            if there is None:
                return None
            if making.marker_of(there) == marker:
                return self.named(key)
        return None

    def _made(self, key: str) -> bytes | None:
        """Give the file of that key; None where there is none."""
        try:
            return self._files.read(f"{key}.md", MAX_FILE)
        except FileNotFoundError:
            return None
        except Unreadable:
            return b""

    def find_comment(self, number: int, marker: str) -> TicketComment | None:
        """Look for the comment that was made under ``marker``."""
        _check_marker(marker)
        entry, _ = self._found(number)
        there = _under(self._notes(entry)[1], marker)
        return None if there is None else notes.shown(there, 0)

    def strike(self, number: int, marker: str, note: str) -> TicketComment:
        """Strike out the comment made under ``marker``."""
        _check_marker(marker)
        with self._files.alone():
            entry = self._writable(number)
            content, items = self._notes(entry)
            there = _under(items, marker)
            if there is None or content is None:
                raise NotFound("There is no such comment of ours.", next="Look at the ticket.", code="no_comment")
            before = str(there.get("body", ""))
            after = struck(before, note)
            if after != before:
                self._put_notes(entry, content, notes.with_body(content, marker, after))
            return notes.shown(there | {"body": after}, 0)

    def _edit(self, number: int, change: Callable[[MarkdownTicket], bytes | None]) -> Ticket:
        with self._files.alone():
            entry = self._writable(number)
            try:
                before = self._files.read(entry.file, MAX_FILE)
                after = change(MarkdownTicket(before))
            except (FileNotFoundError, Unreadable) as error:
                raise _none_there() from error
            if after is not None and after != before:
                self._files.replace(entry.file, before, after, MAX_FILE)
                self._index.outdated()
        return self.get(number)

    def _writable(self, number: int) -> Entry:
        entry, _ = self._found(number)
        if entry.place is not None:
            raise Refused(
                "That ticket is a line of a file of many tickets, which Twokey only reads.",
                next="Keep tickets as Markdown files, or use a tracker.",
                code="read_only_tickets",
            )
        return entry

    def _found(self, number: int) -> tuple[Entry, Ticket]:
        with self._lock:
            for fresh in (False, True):
                entry = self._index.entry(number, fresh=fresh)
                ticket = self._ticket(entry) if entry is not None else None
                if entry is not None and ticket is not None:
                    return entry, ticket
        raise _none_there()

    def _ticket(self, entry: Entry) -> Ticket | None:
        with self._lock:
            return self._index.ticket(entry)

    def _notes(self, entry: Entry) -> tuple[bytes | None, Sequence[dict[str, Any]]]:
        """Give the file of comments and what stands in it; of a row, what the row carries."""
        try:
            if entry.place is not None:
                return None, comments_of(self._index.row(entry).record)
            content = self._index.notes(entry)
        except (FileNotFoundError, Unreadable) as error:
            raise EnvironmentFault(
                "The comments on the ticket cannot be read.",
                next="Look at its file of comments: it has to be a regular file of at most 16 MiB.",
                code="comments_unreadable",
            ) from error
        return content, notes.read(content or b"")

    def _put_notes(self, entry: Entry, before: bytes | None, after: bytes) -> None:
        if len(after) > notes.MAX_BYTES:
            raise Refused("The ticket has too many comments.", next="Close it and open another.", code="too_long")
        self._files.replace(f"{entry.key}{notes.SUFFIX}", before, after, notes.MAX_BYTES)
        self._index.outdated()


def _none_there() -> NotFound:
    return NotFound("There is no such ticket.", next="Name one of the folder by its key.", code="no_ticket")


def _under(items: Sequence[dict[str, Any]], marker: str) -> dict[str, Any] | None:
    return next((item for item in items if item.get("marker") == marker), None)


def _is_asked_for(ticket: Ticket, query: Query) -> bool:
    return (
        (query.state in {"all", ticket.state})
        and set(query.labels) <= set(ticket.labels)
        and (query.since is None or ticket.updated_at >= query.since)
    )


def _with_list(file: MarkdownTicket, names: tuple[str, str], add: Sequence[str], remove: Sequence[str]) -> bytes | None:
    """Give the file with a changed list, ``None`` where nothing changes. ``names``: of many, and of one."""
    before = file.record.names(*names)
    after = tuple(name for name in dict.fromkeys((*before, *add)) if name not in remove or name in add)
    if after == before:
        return None
    many, one = names
    name = one if file.has(one) and not file.has(many) else many
    if name == one and len(after) <= 1:
        return file.setting(name, after[0] if after else None)
    return file.setting(name, after)


def _check_marker(marker: str) -> None:
    if not _MARKER.fullmatch(marker):
        raise BadInput("That is no marker.", next="Use small letters, digits, colons and dashes.", code="bad_marker")


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not name.strip() or name != name.strip() or len(name) > _MAX_NAME or not name.isprintable() or "," in name:
            raise BadInput(
                "A label or a person's name is a short text of one line, without commas.",
                next="Correct the name.",
                code="bad_name",
            )
