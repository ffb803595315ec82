"""The index of one tracker, kept up with it.

Rules: the index follows the tracker by its order of change: it asks for what changed since the last ticket it holds,
puts that in page by page, and commits with each batch where it is. A call has a deadline: what it did not get to, the
next call goes on with, in this process or another; an answer says whether the index has gone through everything. The
file is readable by the user that runs Twokey alone; one that is damaged or of another version is made again.
"""

import hashlib
import os
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from twokey.core.errors import EnvironmentFault, TryLater
from twokey.tools import file_locks
from twokey.tools.retrieval.index import Index, Text
from twokey.tools.retrieval.meaning import Embeddings
from twokey.tools.tickets import Query, Ticket, Tickets

BATCH: Final = 500
_CURSOR: Final = "cursor"
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def opened(
    folder: Path | None, location: str, embeddings: Embeddings | None = None, wait_s: float = 20.0
) -> Generator[Index]:
    """Open the index of the tracker at ``location``: a file in ``folder``; without one, an index for this once.

    Raises:
        TryLater: another process keeps it for longer than ``wait_s`` seconds.
        EnvironmentFault: the file cannot be used.

    """
    if folder is None:
        with closing(Index(embeddings=embeddings)) as index:
            yield index
        return
    name = hashlib.sha256(location.encode()).hexdigest()[:32]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (folder / f"{name}.db", folder / f"{name}.lock"):
            os.close(os.open(path, _FLAGS, 0o600))
    except OSError as error:
        raise EnvironmentFault(
            f"The index of tickets cannot be written: {error.strerror or type(error).__name__}.",
            next="Check the permissions of the workspace's folder .twokey.",
            code="index_broken",
        ) from error
    with _alone(folder / f"{name}.lock", wait_s), closing(Index(folder / f"{name}.db", embeddings)) as index:
        yield index


@contextmanager
def _alone(path: Path, wait_s: float) -> Generator[None]:
    """Hold an index against other processes and threads."""
    handle = os.open(path, _FLAGS)
    try:
        busy = TryLater(
            "Another Twokey process is going through these tickets.", next="Try again in a minute.", code="index_busy"
        )
        file_locks.hold(handle, wait_s, busy)
        yield
    finally:
        os.close(handle)


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
