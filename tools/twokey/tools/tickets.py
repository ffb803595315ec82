"""The ticket port: where a team keeps its tickets.

Rules every adapter keeps:

- reading is by page, so that the memory it takes does not grow with the number of tickets;
- text and names of a ticket are untrusted, whoever wrote them;
- setting labels, assignees or a state that are there already changes nothing; a comment is keyed by its marker, so that
  making it twice is making it once;
- a ticket has a version (``updated_at``): whoever writes on the ground of what was read compares it first.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Protocol

from pydantic import StringConstraints

from twokey.core.values import Count, Value

TicketState = Literal["open", "closed"]
MarkerText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9:_-]{0,127}$")]
"""What a comment is found again by: an id or a key of Twokey's own, never text from outside."""


class Ticket(Value):
    """A ticket as its tracker shows it. Everything but the number is outside text."""

    number: Count
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


class TicketComment(Value):
    """A comment on a ticket."""

    id: str
    body: str
    author: str
    author_id: str
    created_at: str = ""


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

    def move(self, number: int, state: TicketState, reason: str = "") -> Ticket:
        """Close a ticket (``reason``: ``completed`` or ``not_planned``) or open it again."""
        ...
