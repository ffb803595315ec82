"""What ``search_tickets`` finds in an index, with the passages that show why.

Rules: passages are cut from the text that was indexed and from the ticket as it is read now; their offsets count
characters of title or text. What is alike is said in shares of a thousand, as it was measured; what follows from it is
for an agent to judge.
"""

from datetime import UTC, datetime

from twokey.tools.read.tickets.indexing import text_of
from twokey.tools.read.tickets.values import (
    CandidateTicket,
    FoundTicket,
    Indexed,
    MatchingPassages,
    Passage,
    SearchRequest,
    SearchResult,
    SimilarRequest,
    SimilarResult,
)
from twokey.tools.retrieval.index import KEPT_BODY, Found, Index
from twokey.tools.retrieval.passages import Span, matches
from twokey.tools.tickets import Ticket


def search(index: Index, ask: SearchRequest, indexed: Indexed) -> SearchResult:
    """Give the tickets that speak of a text."""
    return SearchResult(
        found=tuple(
            FoundTicket(
                number=found.number,
                key=found.key,
                title=found.title,
                created_at=_instant(found.made),
                alike=_permille(found.likeness["words"]),
                passages=tuple(
                    _passage(found.title, match.theirs)
                    for match in matches(ask.text, _whole(found.title, found.body), index.rarity)
                ),
            )
            for found in index.search(ask.text, ask.most)
        ),
        indexed=indexed,
    )


def similar(index: Index, ticket: Ticket, ask: SimilarRequest, indexed: Indexed) -> SimilarResult:
    """Give the earlier tickets that are like one."""
    text = text_of(ticket)
    return SimilarResult(
        key=ticket.key,
        version=ticket.version,
        candidates=tuple(_candidate(index, ticket, found) for found in index.similar(text, ask.most)),
        indexed=indexed,
    )


def _candidate(index: Index, ticket: Ticket, found: Found) -> CandidateTicket:
    mine, theirs = _whole(ticket.title, ticket.body[:KEPT_BODY]), _whole(found.title, found.body)
    return CandidateTicket(
        number=found.number,
        key=found.key,
        title=found.title,
        created_at=_instant(found.made),
        words=_permille(found.likeness["words"]),
        title_words=_permille(found.likeness["title"]),
        runs=_permille(found.likeness["runs"]),
        signs=_permille(found.likeness["signs"]),
        named=found.named,
        lead_permille=round(1_000 * found.lead),
        passages=tuple(
            MatchingPassages(
                mine=_passage(ticket.title, match.mine), theirs=_passage(found.title, match.theirs), shared=match.shared
            )
            for match in matches(mine, theirs, index.rarity)
        ),
    )


def _whole(title: str, body: str) -> str:
    return f"{title}\n{body}"


def _passage(title: str, span: Span) -> Passage:
    """Give a passage of title and text together as one of either."""
    in_title = span.start <= len(title)
    offset = 0 if in_title else len(title) + 1
    return Passage(
        where="title" if in_title else "body", start=span.start - offset, end=span.end - offset, text=span.text
    )


def _permille(share: float) -> int:
    return min(1_000, max(0, round(1_000 * share)))


def _instant(made: int) -> str:
    return datetime.fromtimestamp(made, UTC).isoformat().replace("+00:00", "Z")
