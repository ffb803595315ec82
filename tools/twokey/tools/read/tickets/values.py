"""What ``search_tickets`` is asked and answers.

Rules: titles, texts, names, labels and passages are outside text, whoever wrote them. Every list is bounded and says
whether there is more. A share is a whole number of permille.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from twokey.core.values import Count, Value
from twokey.tools.read.ticket_pages import PageRequest, TicketsRead
from twokey.tools.tickets import Ticket, TicketComment, TicketState, Unread

MAX_LISTED: Final = 100
MAX_FOUND: Final = 50
MAX_COMMENTS: Final = 100
Permille = Annotated[int, Field(ge=0, le=1_000)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]
When = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")]


class Next(Value):
    """Where a list goes on: from this instant on, after so many that were changed at it."""

    since: When
    skip: Count


class GetRequest(Value):
    """One ticket, with its comments."""

    kind: Literal["get"] = "get"
    key: Key


class ListRequest(Value):
    """Tickets in the order in which they were changed."""

    kind: Literal["list"] = "list"
    state: TicketState | Literal["all"] = "open"
    labels: tuple[Label, ...] = ()
    since: When | None = None
    after: Next | None = None
    """Go on where an answer ended; ``since`` is not looked at then."""
    most: Annotated[int, Field(ge=1, le=MAX_LISTED)] = MAX_LISTED


class SearchRequest(Value):
    """Tickets that speak of ``text``."""

    kind: Literal["search"] = "search"
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    most: Annotated[int, Field(ge=1, le=MAX_FOUND)] = 10


class SimilarRequest(Value):
    """Earlier tickets that one ticket may be a duplicate of."""

    kind: Literal["similar"] = "similar"
    key: Key
    most: Annotated[int, Field(ge=1, le=MAX_FOUND)] = 5


class LabelsRequest(Value):
    """The labels in use, and how often."""

    kind: Literal["labels"] = "labels"


class HistoryRequest(Value):
    """Tickets that carry labels, to learn from: page by page, in the order in which they were changed."""

    kind: Literal["history"] = "history"
    after: Next | None = None
    most: Annotated[int, Field(ge=1, le=500)] = 500


Ask = Annotated[
    GetRequest | ListRequest | PageRequest | SearchRequest | SimilarRequest | LabelsRequest | HistoryRequest,
    Field(discriminator="kind"),
]


class TicketsArgs(Value):
    """Arguments of ``search_tickets``. ``tracker`` is the name of a place this run may touch."""

    tracker: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    ask: Ask


class ShownTicket(Value):
    """A ticket, its text cut to the bound where it is longer."""

    ticket: Ticket
    cut: bool = False


class GetResult(Value):
    """One ticket. ``more_comments`` tells that there are more than are given (the last ones are)."""

    kind: Literal["get"] = "get"
    shown: ShownTicket
    comments: tuple[TicketComment, ...]
    more_comments: bool = False


class ListResult(Value):
    """A page of tickets; ``next`` where it goes on."""

    kind: Literal["list"] = "list"
    tickets: tuple[ShownTicket, ...]
    next: Next | None = None
    unread: tuple[Unread, ...] = ()


class Passage(Value):
    """Characters ``start`` to ``end`` of a ticket's title or text."""

    where: Literal["title", "body"]
    start: Count
    end: Count
    text: str


class MatchingPassages(Value):
    """Two passages that say the same: of the ticket or text that was asked about, and of the one that was found."""

    mine: Passage
    theirs: Passage
    shared: tuple[str, ...]


class FoundTicket(Value):
    """A ticket that was found, the best first. ``passages`` speak of what was searched for."""

    number: Count
    key: str
    title: str
    created_at: str
    alike: Permille
    passages: tuple[Passage, ...] = ()


class Indexed(Value):
    """What was searched: so many tickets; not ``complete`` where the index has not yet gone through all of them."""

    tickets: Count
    complete: bool
    meaning: Literal["off", "used", "unreachable"] = "off"
    """Whether likeness of meaning was compared, by the model that the settings name."""


class SearchResult(Value):
    """What was found."""

    kind: Literal["search"] = "search"
    found: tuple[FoundTicket, ...]
    indexed: Indexed


class CandidateTicket(Value):
    """An earlier ticket that may be the same. ``words`` to ``signs`` say how alike they are in each respect."""

    number: Count
    key: str
    title: str
    created_at: str
    words: Permille
    title_words: Permille
    runs: Permille
    """Runs of characters: spelling, names and versions."""
    signs: Permille
    """Names of exceptions and methods, error codes, paths, keys of tickets."""
    meaning: Permille = 0
    """Of their meaning, where a model told it; it orders the candidates."""
    named: bool = False
    """The ticket names this one by its key."""
    lead_permille: int
    """How far it is ahead of the other candidates, in thousandths of their standard deviation."""
    passages: tuple[MatchingPassages, ...] = ()


class SimilarResult(Value):
    """Earlier tickets that are like ``key``, the likest first."""

    kind: Literal["similar"] = "similar"
    key: str
    version: str
    candidates: tuple[CandidateTicket, ...]
    indexed: Indexed


class LabelCount(Value):
    """A label and how many tickets carry it."""

    label: str
    tickets: Count


class LabelsResult(Value):
    """The labels in use, the most used first; counted over so many tickets."""

    kind: Literal["labels"] = "labels"
    labels: tuple[LabelCount, ...]
    tickets: Count
    complete: bool


class PastTicket(Value):
    """A ticket with labels, its text cut."""

    key: str
    title: str
    body: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    state: TicketState
    created_at: str


class HistoryResult(Value):
    """A page of the past."""

    kind: Literal["history"] = "history"
    tickets: tuple[PastTicket, ...]
    next: Next | None = None


class TicketsResult(Value):
    """The answer, of the kind that was asked for."""

    tracker: str
    answer: Annotated[
        GetResult | ListResult | TicketsRead | SearchResult | SimilarResult | LabelsResult | HistoryResult,
        Field(discriminator="kind"),
    ]

    @property
    def page(self) -> TicketsRead | None:
        """The page of tickets, where one was asked for."""
        return self.answer if isinstance(self.answer, TicketsRead) else None
