"""The ticket port: where a team keeps its tickets.

Rules every adapter keeps:

- reading is by page, so that the memory it takes does not grow with the number of tickets;
- text and names of a ticket are untrusted, whoever wrote them;
- setting labels, assignees or a state that are there already changes nothing; a comment is keyed by its marker, so that
  making it twice is making it once, even for two that make it at the same moment;
- a ticket has a number, by which programs name it, and a key, by which people do (``131``, ``FERN-131``);
- a ticket has a version, which changes with it: whoever writes on the ground of what was read compares it first;
- a ticket of ours is opened under a marker, too: whole and in one step, and once, however often;
- a comment of ours is never taken away; it is struck, with a note that says why;
- what cannot be read as a ticket is named with the reason, and keeps nobody from reading the others.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Protocol

from pydantic import StringConstraints

from twokey.core import canonical
from twokey.core.values import Count, Value

TicketState = Literal["open", "closed"]
UnreadReason = Literal[
    "symlink", "no_file", "unsafe_name", "too_large", "binary", "not_text", "malformed", "wrong_id", "twice", "orphan"
]
"""``wrong_id``: a file's name says another key; ``twice``: two tickets have one key; ``orphan``: comments on none."""
MarkerText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9:_-]{0,127}$")]
"""What a comment is found again by: an id or a key of Twokey's own, never text from outside."""


class Ticket(Value):
    """A ticket as its tracker shows it. Everything but the number is outside text."""

    number: Count
    key: str
    """What people call it."""
    title: str
    body: str
    state: TicketState
    reason: str = ""
    author: str
    author_id: str
    """The author's id for good, as ``github:583231``; empty where the tracker does not say."""
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    comments: Count = 0
    created_at: str = ""
    updated_at: str = ""
    version: str = ""
    """Compared and never read: whatever about the ticket changes, this does too, as far as its tracker tells."""

    @property
    def text_digest(self) -> str:
        """SHA-256 of the whole text."""
        return canonical.digest({"type": "twokey/ticket-text/v1", "title": self.title, "body": self.body})


class TicketComment(Value):
    """A comment on a ticket."""

    id: str
    body: str
    author: str
    author_id: str
    created_at: str = ""
    ours: bool = False
    """Whether Twokey made it, as far as the tracker itself bears that out."""


class Unread(Value):
    """Something that is kept among the tickets and could not be read as one."""

    name: str
    """Quoted so that it can be shown: it is outside text, too."""
    reason: Literal[
        "symlink",
        "no_file",
        "unsafe_name",
        "too_large",
        "binary",
        "not_text",
        "malformed",
        "wrong_id",
        "twice",
        "orphan",
    ]


class NewTicket(Value):
    """A ticket that is to be opened. Its text is written as it stands."""

    title: str
    body: str
    labels: tuple[str, ...] = ()


class Query(Value):
    """Which tickets to list. ``since`` is an ISO 8601 instant in UTC: those changed then or later."""

    state: Literal["open", "closed", "all"] = "open"
    labels: tuple[str, ...] = ()
    since: str | None = None


class Tickets(Protocol):
    """The tickets of one project."""

    def list(self, query: Query) -> Iterator[Sequence[Ticket]]:
        """Give the tickets page by page, those changed first coming first, so that none is missed while others move."""
        ...

    def search(self, text: str, limit: int) -> Sequence[Ticket]:
        """Give tickets that hold ``text``, the best first; nothing in ``text`` is an instruction to the tracker."""
        ...

    def get(self, number: int) -> Ticket:
        """Read one ticket; raises ``NotFound``."""
        ...

    def named(self, key: str) -> Ticket:
        """Read the ticket that people call ``key``; raises ``NotFound``."""
        ...

    def unread(self) -> Sequence[Unread]:
        """Name what was not read as a ticket when the tickets were last gone through; bounded."""
        ...

    def comments(self, number: int) -> Iterator[Sequence[TicketComment]]:
        """Give the comments on a ticket page by page, oldest first; raises ``NotFound``."""
        ...

    def label(self, number: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
        """Put labels on and take labels off."""
        ...

    def assign(self, number: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
        """Assign people and take them off.

        Raises:
            Refused: somebody cannot be assigned there (code ``cannot_assign``).

        """
        ...

    def comment(self, number: int, body: str, marker: str) -> TicketComment:
        """Comment once under ``marker``; gives the comment that is there where it was made before."""
        ...

    def find_comment(self, number: int, marker: str) -> TicketComment | None:
        """Look for the comment that was made under ``marker``."""
        ...

    def strike(self, number: int, marker: str, note: str) -> TicketComment:
        """Strike out the comment made under ``marker`` and say why in ``note``; once, however often.

        Raises:
            NotFound: there is no such comment.

        """
        ...

    def create(self, new: NewTicket, marker: str) -> Ticket:
        """Open a ticket once under ``marker``; gives the one that is there where it was opened before."""
        ...

    def find_created(self, marker: str) -> Ticket | None:
        """Look for the ticket that was opened under ``marker``."""
        ...

    def move(self, number: int, state: TicketState, reason: str = "") -> Ticket:
        """Close a ticket (``reason``: ``completed`` or ``not_planned``) or open it again."""
        ...


class Trackers(Protocol):
    """Where tickets are kept: gives the adapter for a location, as the settings or a person named it."""

    def open(self, location: str) -> Tickets:
        """Open the tickets at ``location``: a folder, or the address of a project.

        Raises:
            BadInput: it is neither, or nothing is set up for it.

        """
        ...


def struck(body: str, note: str) -> str:
    """Give a comment struck out line by line (Markdown's ``~~``), and the note below it; the same again if it was."""
    if body.endswith(f"\n\n{note}") and body.startswith("~~"):
        return body
    lines = [f"~~{line.strip()}~~" if line.strip() else "" for line in body.strip().split("\n")]
    return "\n".join(lines) + f"\n\n{note}"
