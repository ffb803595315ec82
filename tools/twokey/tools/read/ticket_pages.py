"""Pages of tickets: by name, or in the order in which they changed. ``search_tickets`` gives them.

Rules: a page is bounded in tickets and in text; what is cut says so, and its digest is that of the whole text; a next
page is asked for by what the last one gave, so that it can be gone on with after any pause. Text and names are outside
text. What the tracker itself lists are numbers, labels and who is assigned: titles, texts and authors are anybody's.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from twokey.core.errors import NotFound
from twokey.core.values import Count, Digest, Value
from twokey.tools.tickets import Query, Ticket, Tickets, TicketState

PAGE: Final = 100
MAX_TITLE: Final = 1_000
MAX_BODY: Final = 20_000
MAX_PAGE_CHARS: Final = 1_000_000
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")]


class PageRequest(Value):
    """Which tickets. With ``keys`` these alone; else those changed at ``since`` or later, but for those ``passed``."""

    kind: Literal["page"] = "page"
    keys: Annotated[tuple[Key, ...], Field(max_length=PAGE)] = ()
    numbers: Annotated[tuple[Count, ...], Field(max_length=PAGE)] = ()
    state: TicketState | None = "open"
    since: Moment | None = None
    passed: Annotated[tuple[Count, ...], Field(max_length=10 * PAGE)] = ()
    """Tickets changed exactly at ``since`` that were given before."""

    @model_validator(mode="after")
    def _says_which(self) -> "PageRequest":
        if (self.keys or self.numbers) and self.since:
            raise ValueError("tickets are named, or listed since a moment")
        return self


class TicketRead(Value):
    """A ticket as it was read."""

    number: Count
    key: str
    title: str
    body: str
    cut: bool
    """Whether title or body are longer than what is given."""
    text_digest: Digest
    """SHA-256 of the whole text, cut or not."""
    state: TicketState
    author: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    comments: Count
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, ticket: Ticket) -> "TicketRead":
        """Give what is kept of a ticket."""
        return cls(
            number=ticket.number,
            key=ticket.key[:200],
            title=ticket.title[:MAX_TITLE],
            body=ticket.body[:MAX_BODY],
            cut=len(ticket.title) > MAX_TITLE or len(ticket.body) > MAX_BODY,
            text_digest=ticket.text_digest,
            state=ticket.state,
            author=ticket.author[:200],
            labels=tuple(label[:100] for label in ticket.labels[:100]),
            assignees=tuple(name[:100] for name in ticket.assignees[:20]),
            comments=ticket.comments,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
        )


class TicketsRead(Value):
    """What was read. ``since`` and ``passed`` ask for the next page; without ``since`` there is none."""

    kind: Literal["page"] = "page"
    tickets: tuple[TicketRead, ...]
    absent: tuple[str, ...] = ()
    """Keys and numbers that name nothing here."""
    since: str | None = None
    passed: tuple[Count, ...] = ()


def page_of(tickets: Tickets, ask: PageRequest) -> TicketsRead:
    """Read the tickets that are asked for."""
    return _named(tickets, ask) if ask.keys or ask.numbers else _listed(tickets, ask)


def _named(tickets: Tickets, args: PageRequest) -> TicketsRead:
    found: dict[int, TicketRead] = {}
    absent: list[str] = []
    for key in (*args.keys, *args.numbers):
        try:
            ticket = tickets.get(key) if isinstance(key, int) else tickets.named(key)
        except NotFound:
            absent.append(str(key))
        else:
            found[ticket.number] = TicketRead.of(ticket)
    return TicketsRead(tickets=tuple(found.values()), absent=tuple(absent))


def _listed(tickets: Tickets, args: PageRequest) -> TicketsRead:
    passed, room = set(args.passed), MAX_PAGE_CHARS
    page: list[TicketRead] = []
    last = args.since or ""
    for ticket in _each(tickets.list(Query(state=args.state or "all", since=args.since))):
        if ticket.updated_at == args.since and ticket.number in passed:
            continue
        read = TicketRead.of(ticket)
        if len(page) >= PAGE or room < len(read.title) + len(read.body):
            at_last = tuple(each.number for each in page if each.updated_at == last)
            kept = args.passed if last == args.since else ()
            return TicketsRead(tickets=tuple(page), since=last, passed=(*kept, *at_last))
        room -= len(read.title) + len(read.body)
        last = read.updated_at
        page.append(read)
    return TicketsRead(tickets=tuple(page))


def _each(pages: Iterator[Sequence[Ticket]]) -> Iterator[Ticket]:
    for page in pages:
        yield from page
