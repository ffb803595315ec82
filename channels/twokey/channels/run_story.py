"""A run as the log tells it while it goes on: each entry about it and its proposals, once, in one sentence.

Rules: it reads and drives nothing; entries are rows of an index, to be looked at and no authority; what was in the log
when the run came to rest is told, whoever drives it, here or in another process.
"""

from collections.abc import Callable, Iterator
from typing import Final

from twokey.channels.card import moment
from twokey.channels.overview import story
from twokey.store import proposals, runs
from twokey.tools.ledger import Ledger

AT_ONCE: Final = 1_000
"""Entries of one run or proposal that one look tells."""


def follow(ledger: Ledger, run: str, pause: Callable[[], bool]) -> Iterator[str]:
    """Tell the entries about a run and its proposals, oldest first, until it waits for people or has ended.

    ``pause`` waits for the next look, and tells whether to end.

    Raises:
        NotFound: there is no such run.

    """
    seen: dict[str, int] = {}
    while True:
        with ledger.look() as connection:
            goes_on = runs.get_run(connection, run).state == "running"
            about = [run, *(record.id for record in proposals.proposals_of(connection, run))]
        found = [item for each in about for item in ledger.log.entries(each, after=seen.get(each, -1), limit=AT_ONCE)]
        for item in found:
            seen[item.entry.subject] = max(seen.get(item.entry.subject, -1), item.seq)
        for item in sorted(found, key=lambda item: item.seq):
            yield f"{moment(item.entry.time_us)}  {story.told(item.entry.event)}"
        if not found and not goes_on:
            return
        if goes_on and pause():
            return
