"""The index of one tracker, kept up with it.

Rules: the index follows the tracker by its order of change: it asks for what changed since the last ticket it holds,
puts that in page by page, and commits with each batch where it is. A call has a deadline: what it did not get to, the
next call goes on with, in this process or another; an answer says whether the index has gone through everything. The
file is readable by the user that runs Twokey alone; one that is damaged or of another version is made again.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Final

from twokey.tools.retrieval import keeping
from twokey.tools.retrieval.index import Index, Text
from twokey.tools.retrieval.meaning import Embeddings
from twokey.tools.retrieval.shelf import Shelf
from twokey.tools.tickets import Query, Ticket, Tickets

BATCH: Final = 500
_CURSOR: Final = "cursor"


def opened(
    folder: Shelf | Path | None, location: str, embeddings: Embeddings | None = None, wait_s: float = 20.0
) -> AbstractContextManager[Index]:
    """Open the index of the tracker at ``location``; see ``retrieval.keeping``."""
    return keeping.opened(folder, location, "tickets", embeddings, wait_s)


def follow(index: Index, tickets: Tickets, until: float, monotonic: Callable[[], float] = time.monotonic) -> bool:
    """Bring the index up to the tracker until ``monotonic`` reaches ``until``; tells whether it went through all."""
    waiting = 0
    since = index.note(_CURSOR) or None
    newest = since or ""
    for page in tickets.list(Query(state="all", since=since)):
        for ticket in page:
            waiting += index.put(text_of(ticket))
            newest = max(newest, ticket.updated_at)
        if waiting >= BATCH:
            index.set_note(_CURSOR, newest)
            index.commit()
            waiting = 0
        if monotonic() >= until:
            index.set_note(_CURSOR, newest)
            index.commit()
            return False
    if waiting or newest != (since or ""):
        index.set_note(_CURSOR, newest)
        index.commit()
    return True


def text_of(ticket: Ticket) -> Text:
    """Give what is indexed of a ticket."""
    return Text(
        number=ticket.number,
        key=ticket.key,
        version=ticket.version or ticket.updated_at,
        made=seconds(ticket.created_at),
        title=ticket.title,
        body=ticket.body,
    )


def seconds(moment: str) -> int:
    """Give an ISO 8601 instant in seconds since 1970; 0 where it is none."""
    try:
        return int(datetime.fromisoformat(moment).timestamp())
    except ValueError:
        return 0
