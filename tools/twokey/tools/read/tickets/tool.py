"""The read tool ``search_tickets``: what a team's tickets say, which are alike, and what the team made of them.

Rules: it reads only trackers this run was granted, and the location comes from the run's places, never from an
argument; what is searched for is text and no expression; every answer is bounded and says where it goes on;
candidates for a duplicate are made before the ticket; a summary names counts and the tracker, never a word of a
ticket.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from twokey.core.canonical import Json
from twokey.core.errors import NotFound, ToolRetry
from twokey.core.values import ResourceKind
from twokey.tools.contract import Context, Limits, ReadTool
from twokey.tools.read.ticket_pages import PageRequest, TicketsRead, page_of
from twokey.tools.read.tickets.values import (
    MAX_COMMENTS,
    GetRequest,
    GetResult,
    HistoryRequest,
    HistoryResult,
    Indexed,
    LabelCount,
    LabelsRequest,
    LabelsResult,
    ListRequest,
    ListResult,
    Next,
    PastTicket,
    SearchRequest,
    SearchResult,
    ShownTicket,
    SimilarRequest,
    SimilarResult,
    TicketsArgs,
    TicketsResult,
)
from twokey.tools.tickets import Query, Ticket, TicketComment, Tickets

if TYPE_CHECKING:
    from twokey.tools.retrieval.index import Index
    from twokey.tools.retrieval.meaning import Embeddings
    from twokey.tools.retrieval.shelf import Shelf

MAX_BODY: Final = 20_000
MAX_PAST_BODY: Final = 8_000
MAX_LABELS: Final = 500
_LISTED: Final = frozenset({"number", "label", "labels", "assignees"})
"""Parts of an answer that the tracker keeps by itself. Names of parts are our own: no outside text is one."""
_SHARE_FOR_INDEX: Final = 0.7
"""Share of the time of a call after which no further ticket is put into the index, or counted."""
SLOW_S: Final = 0.5
"""A tracker that takes longer than this to say what changed is asked less often."""
SHARE_FOR_ASKING: Final = 0.1
"""Then at most this share of the time goes into asking it."""
OLDEST_S: Final = 30.0
"""The index is never older than this, in seconds."""


class SearchTickets(ReadTool[TicketsArgs, TicketsResult]):
    """Reads a tracker through the ticket port.

    ``indexes`` is the folder in which what it searches by is kept; without one it is made anew for each call.
    ``embeddings`` gets texts of tickets, where there are any. Of a tracker that is slow to say what changed, what was
    asked up to half a minute ago is still good for a search.
    """

    name: ClassVar[str] = "search_tickets"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "tickets"
    limits: ClassVar[Limits] = Limits(timeout_s=60)
    input_type = TicketsArgs
    output_type = TicketsResult

    def __init__(
        self,
        open_tracker: Callable[[str], Tickets],
        indexes: "Shelf | Path | None" = None,
        monotonic: Callable[[], float] = time.monotonic,
        embeddings: "Embeddings | None" = None,
    ) -> None:
        self._embeddings = embeddings
        self._open = open_tracker
        self._indexes = indexes
        self._monotonic = monotonic
        self._good_until: dict[str, float] = {}

    def place_name(self, args: TicketsArgs) -> str:
        """Give the name of the tracker."""
        return args.tracker

    def call(self, args: TicketsArgs, context: Context) -> TicketsResult:
        """Read.

        Raises:
            OutsideContract: this run was not granted that tracker.
            ToolRetry: there is no such ticket.
            TwokeyError: the tracker cannot be read.

        """
        location = context.places.find(self.kind, args.tracker).location
        tickets = self._open(location)
        until = self._monotonic() + self.limits.timeout_s * _SHARE_FOR_INDEX
        ask = args.ask
        if isinstance(ask, GetRequest):
            answer = _get(tickets, ask)
        elif isinstance(ask, ListRequest):
            answer = _listed(tickets, ask)
        elif isinstance(ask, PageRequest):
            answer = page_of(tickets, ask)
        elif isinstance(ask, HistoryRequest):
            answer = _history(tickets, ask)
        elif isinstance(ask, LabelsRequest):
            answer = self._labels(tickets, until)
        else:
            answer = self._looked_up(location, tickets, ask, until)
        return TicketsResult(tracker=args.tracker, answer=answer)

    def listed(self, content: Json) -> Json:
        """Give numbers, labels and assignees: the rest of a ticket is anybody's text."""
        found: list[Json] = []
        waiting: list[Json] = [content]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                found += [value for name, value in node.items() if name in _LISTED and not isinstance(value, dict)]
                waiting += node.values()
            elif isinstance(node, list):
                waiting += node
        return found

    def summary(self, args: TicketsArgs, result: TicketsResult) -> str:  # noqa: ARG002 - the contract passes both
        """Say what was read, in numbers."""
        answer = result.answer
        if isinstance(answer, GetResult):
            text = f"1 ticket with {len(answer.comments)} comments"
        elif isinstance(answer, ListResult):
            text = (
                f"{len(answer.tickets)} tickets{' and more' if answer.next else ''}, {len(answer.unread)} not readable"
            )
        elif isinstance(answer, TicketsRead):
            text = f"{len(answer.tickets)} tickets{' and more' if answer.since else ''}"
        elif isinstance(answer, HistoryResult):
            text = f"{len(answer.tickets)} tickets with labels{' and more' if answer.next else ''}"
        elif isinstance(answer, LabelsResult):
            text = f"{len(answer.labels)} labels on {answer.tickets} tickets{'' if answer.complete else ' so far'}"
        elif isinstance(answer, SearchResult):
            text = f"{len(answer.found)} tickets found among {_searched(answer.indexed)}"
        else:
            text = f"{len(answer.candidates)} earlier tickets that are alike, among {_searched(answer.indexed)}"
        return f"{text} of the tracker."

    def _looked_up(
        self, location: str, tickets: Tickets, ask: SearchRequest | SimilarRequest, until: float
    ) -> SearchResult | SimilarResult:
        from twokey.tools.read.tickets import indexing, looking  # noqa: PLC0415 - numpy comes in where it is needed

        with indexing.opened(self._indexes, location, self._embeddings) as index:
            complete = self._follow(index, location, tickets, until)
            indexed = Indexed(tickets=len(index), complete=complete)
            answer = (
                looking.search(index, ask, indexed)
                if isinstance(ask, SearchRequest)
                else looking.similar(index, _named(tickets, ask.key), ask, indexed)
            )
            if self._embeddings is not None:
                index.commit()  # keeps the vectors that were made
            return answer.model_copy(update={"indexed": indexed.model_copy(update={"meaning": index.meaning})})

    def _follow(self, index: "Index", location: str, tickets: Tickets, until: float) -> bool:
        """Bring an index up to date, unless that took long and was done a moment ago."""
        from twokey.tools.read.tickets import indexing  # noqa: PLC0415 - as above

        began = self._monotonic()
        if began < self._good_until.get(location, 0.0) and self._indexes is not None and len(index):
            return True
        complete = indexing.follow(index, tickets, until, self._monotonic)
        ended = self._monotonic()
        if complete and ended - began > SLOW_S:
            self._good_until[location] = ended + min(OLDEST_S, (ended - began) / SHARE_FOR_ASKING)
        return complete

    def _labels(self, tickets: Tickets, until: float) -> LabelsResult:
        counts: Counter[str] = Counter()
        gone_through = 0
        complete = True
        for page in tickets.list(Query(state="all")):
            for ticket in page:
                counts.update(set(ticket.labels))
            gone_through += len(page)
            if self._monotonic() >= until:
                complete = False
                break
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_LABELS]
        labels = tuple(LabelCount(label=label, tickets=number) for label, number in ranked)
        return LabelsResult(labels=labels, tickets=gone_through, complete=complete)


def _searched(indexed: Indexed) -> str:
    return f"{indexed.tickets} tickets" + ("" if indexed.complete else " indexed so far")


def _named(tickets: Tickets, key: str) -> Ticket:
    try:
        return tickets.named(key)
    except NotFound as error:
        raise ToolRetry("The tracker has no such ticket.", next="Name one by its key.", code="no_ticket") from error


def _shown(ticket: Ticket, most: int = MAX_BODY) -> ShownTicket:
    if len(ticket.body) <= most:
        return ShownTicket(ticket=ticket)
    return ShownTicket(ticket=ticket.model_copy(update={"body": ticket.body[:most]}), cut=True)


def _get(tickets: Tickets, ask: GetRequest) -> GetResult:
    ticket = _named(tickets, ask.key)
    last: list[TicketComment] = []
    total = 0
    for comment in chain.from_iterable(tickets.comments(ticket.number)):
        total += 1
        body = comment.body[:MAX_BODY]
        last = [*last[-(MAX_COMMENTS - 1) :], comment.model_copy(update={"body": body})]
    return GetResult(shown=_shown(ticket), comments=tuple(last), more_comments=total > len(last))


def _from(
    tickets: Tickets, query: Query, after: Next | None, wanted: Callable[[Ticket], bool] = lambda _: True
) -> Iterator[Ticket]:
    """Go through the wanted tickets in order of change, from where an answer ended."""
    skip = after.skip if after is not None else 0
    query = query if after is None else query.model_copy(update={"since": after.since})
    for ticket in chain.from_iterable(tickets.list(query)):
        if not wanted(ticket):
            continue
        if after is not None and skip and ticket.updated_at == after.since:
            skip -= 1
            continue
        yield ticket


def _page(found: Iterator[Ticket], most: int, after: Next | None) -> tuple[list[Ticket], Next | None]:
    """Take a page off, and say where the next begins; ``None`` at the end."""
    page: list[Ticket] = []
    for ticket in found:
        if len(page) == most:
            since = page[-1].updated_at
            at = sum(1 for item in page if item.updated_at == since)
            before = after.skip if after is not None and after.since == since else 0
            return page, Next(since=since, skip=at + before)
        page.append(ticket)
    return page, None


def _listed(tickets: Tickets, ask: ListRequest) -> ListResult:
    query = Query(state=ask.state, labels=ask.labels, since=ask.since)
    page, following = _page(_from(tickets, query, ask.after), ask.most, ask.after)
    return ListResult(tickets=tuple(_shown(ticket) for ticket in page), next=following, unread=tuple(tickets.unread()))


def _history(tickets: Tickets, ask: HistoryRequest) -> HistoryResult:
    labelled = _from(tickets, Query(state="all"), ask.after, lambda ticket: bool(ticket.labels))
    page, following = _page(labelled, ask.most, ask.after)
    return HistoryResult(tickets=tuple(_past(ticket) for ticket in page), next=following)


def _past(ticket: Ticket) -> PastTicket:
    return PastTicket(
        key=ticket.key,
        title=ticket.title,
        body=ticket.body[:MAX_PAST_BODY],
        labels=ticket.labels,
        assignees=ticket.assignees,
        state=ticket.state,
        created_at=ticket.created_at,
    )
