"""Takes every decision of the past again, on any bundle: streamed, several engines at once, in the log's order.

Rules: an engine gets the stored bytes, never a document written anew; memory does not grow with the log (a few batches
are under way at a time); leaving the generator early ends the engines. Nothing is written to the log or the store.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Final, Protocol, TypeVar

from twokey.policies.bundle import BundleRevisions
from twokey.policies.replay import Outcome, Tally, judge
from twokey.tools.history import Past

BATCH: Final = 64
"""Documents per turn of an engine."""
AHEAD: Final = 2
"""Batches under way per engine."""
_T = TypeVar("_T")


class Engine(Protocol):
    """An engine that takes several decisions in one turn."""

    def evaluate_many(self, documents: list[bytes], /) -> list[object]:
        """Give the raw result, or the fault, for each document."""
        ...

    def revisions(self) -> BundleRevisions:
        """Digests of what it decides on."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class Again:
    """One decision of the past and what became of it; ``None`` where it could not be taken again."""

    past: Past
    outcome: Outcome | None


def replay(
    pasts: Iterable[Past],
    engine: Callable[[], Engine],
    *,
    engines: int,
    tally: Tally,
    known: Callable[[Past], Outcome | None] = lambda _: None,
) -> Generator[Again]:
    """Take each of ``pasts`` again, counting in ``tally``; gives them in order.

    ``engine`` makes one engine; ``engines`` of them work at once. ``known``, asked in order, gives what became of a
    decision that was taken again before.
    """
    with ExitStack() as stack:
        made = [engine() for _ in range(engines)]
        for each in made:
            stack.callback(each.close)
        free: SimpleQueue[Engine] = SimpleQueue()
        for each in made:
            free.put(each)
        revisions = made[0].revisions()
        pool = stack.enter_context(ThreadPoolExecutor(engines, thread_name_prefix="twokey-replay"))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)

        def take(batch: list[Again]) -> list[Again]:
            mine = free.get()
            try:
                return list(_again(batch, mine))
            finally:
                free.put(mine)

        waiting: deque[Future[list[Again]]] = deque()
        for batch in _batches(Again(past, known(past)) for past in pasts):
            waiting.append(pool.submit(take, batch))
            if len(waiting) > engines * AHEAD:
                yield from _counted(waiting.popleft().result(), revisions, tally)
        while waiting:
            yield from _counted(waiting.popleft().result(), revisions, tally)


def _again(batch: list[Again], engine: Engine) -> Iterator[Again]:
    open_ones = [each.past.kept for each in batch if each.outcome is None and each.past.kept is not None]
    raw = iter(engine.evaluate_many([kept.document for kept in open_ones]) if open_ones else ())
    for each in batch:
        kept = each.past.kept
        if each.outcome is not None or kept is None:
            yield each
        else:
            yield Again(each.past, judge(kept.answer, next(raw), kept.document))


def _counted(batch: list[Again], revisions: BundleRevisions, tally: Tally) -> Iterator[Again]:
    for again in batch:
        past, outcome = again.past, again.outcome
        if outcome is not None:
            same = (past.event.policy_revision, past.event.data_revision) == (revisions.policy, revisions.data)
            tally.count(past.entry, outcome, same_policy=same)
        elif past.altered:
            tally.count_altered(past.entry)
        else:
            tally.count_unkept()
        yield again


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    each = iter(items)
    while batch := list(islice(each, BATCH)):
        yield batch
