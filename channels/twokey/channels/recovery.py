"""Finds what was begun and is worked on by nobody, whoever began it and however it ended.

Rules: the store's rows say what is unfinished, never LangGraph's state; what is found becomes a job, so that it is done
once however many processes find it, in order and not all at once; whether an approved proposal may be written, and what
became of a started write, is the gate's to find out; answers that suffice are counted together where whoever was to do
it died. One thing that cannot be dealt with holds up no other.
"""

import functools
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.channels.driving import Drivers
from twokey.core import jobs
from twokey.core.errors import TwokeyError
from twokey.core.jobs import Job
from twokey.core.lifecycle import State
from twokey.core.ports import Clock, Dispatcher
from twokey.store import unfinished
from twokey.tools.gate import Gate
from twokey.tools.ledger import Ledger

LIMIT: Final = 100
"""How many of each kind one pass takes up; the rest is found by the next."""
PATIENCE_S: Final = 3.0
"""How long a process that took an answer is given to follow it up itself, in seconds."""
QUEUED_S: Final = 30.0
"""How long a run that nobody drives is taken to wait in the queue, in seconds."""

_logger: Final = logging.getLogger("twokey.recovery")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that was not done: what (a run, a proposal, a part of recovery), and why."""

    subject: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one pass found: runs and proposals that are to be taken up, and what failed."""

    runs: tuple[str, ...]
    proposals: tuple[str, ...]
    failures: tuple[Failure, ...]


class Recovery:
    """Looks for unfinished work of one workspace. Safe in several processes at once."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        gate: Gate,
        drivers: Drivers,
        dispatcher: Callable[[], Dispatcher],
        clock: Clock,
        waiting: Callable[[int], Sequence[Job]] = lambda _: (),
        tidy: Callable[[], object] = lambda: None,
    ) -> None:
        """``waiting`` gives the jobs of channels that wait since before a time; ``tidy`` removes what is too old."""
        self._waiting = waiting
        self._tidy = tidy
        self._ledger = ledger
        self._gate = gate
        self._drivers = drivers
        self._dispatcher = dispatcher
        self._clock = clock

    def recover(
        self,
        *,
        patience_s: float = 0.0,
        queued_s: float = 0.0,
        expire: bool = True,
        leave: Callable[[Job], bool] = lambda _: False,
    ) -> Found:
        """Expire what is due, unless told not to, and queue a job for everything unfinished that nobody works on.

        ``patience_s`` is how long an answer must have been given before somebody else follows it up, ``queued_s`` how
        long a run must have waited for a driver before it is queued again; ``leave`` tells which jobs to leave alone.
        """
        failures: list[Failure] = []
        now = self._clock.now_us()
        before = now - int(patience_s * 1_000_000)
        if expire:
            self._part("expiry", self._gate.expire_due, failures)
            self._part("old deliveries", self._tidy, failures)
        proposals: list[str] = []
        runs: list[str] = []
        self._part("started writes", lambda: proposals.extend(self._abandoned(now)), failures)
        self._part("uncounted answers", lambda: proposals.extend(self._counted(failures)), failures)
        self._part("approved proposals", lambda: proposals.extend(self._approved(before)), failures)
        self._part("driven runs", lambda: runs.extend(self._stranded(now)), failures)
        queued = now - int(queued_s * 1_000_000)
        self._part("undriven runs", lambda: runs.extend(self._undriven(queued)), failures)
        self._part("waiting runs", lambda: runs.extend(self._answered(now, before)), failures)
        channels: list[Job] = []
        self._part("deliveries and messages", lambda: channels.extend(self._waiting(queued)), failures)
        proposals = list(dict.fromkeys(proposals))
        for job in (*map(jobs.execute, proposals), *channels, *map(jobs.drive, runs)):
            if not leave(job):
                self._part(job.subject, functools.partial(self._submit, job), failures)
        return Found(tuple(runs), tuple(proposals), tuple(failures))

    def _abandoned(self, now: int) -> list[str]:
        with self._ledger.look() as connection:
            return unfinished.abandoned(connection, now=now, limit=LIMIT)

    def _counted(self, failures: list[Failure]) -> list[str]:
        """Give what is approved now that the answers it has were counted together."""
        approved: list[str] = []

        def count(proposal: str) -> None:
            if self._gate.recount(proposal).state is State.APPROVED:
                approved.append(proposal)

        after = ""
        while True:
            with self._ledger.look() as connection:
                page = unfinished.uncounted(connection, after=after, limit=LIMIT)
            for proposal in page:
                self._part(proposal, functools.partial(count, proposal), failures)
            if len(page) < LIMIT:
                return approved
            after = page[-1]

    def _approved(self, before: int) -> list[str]:
        with self._ledger.look() as connection:
            return unfinished.approved(connection, before=before, limit=LIMIT)

    def _stranded(self, now: int) -> list[str]:
        with self._ledger.look() as connection:
            driven = unfinished.driven(connection, limit=LIMIT * 10)
        gone = (item.run for item in driven if item.until_us <= now or self._drivers.life(item.holder) == "dead")
        return list(itertools.islice(gone, LIMIT))

    def _undriven(self, before: int) -> list[str]:
        with self._ledger.look() as connection:
            return unfinished.undriven(connection, before=before, limit=LIMIT)

    def _answered(self, now: int, before: int) -> list[str]:
        with self._ledger.look() as connection:
            return unfinished.answered(connection, now=now, before=before, limit=LIMIT)

    def _submit(self, job: Job) -> None:
        self._dispatcher().submit(job)

    @staticmethod
    def _part(subject: str, do: Callable[[], object], failures: list[Failure]) -> None:
        try:
            do()
        except TwokeyError as error:
            _logger.warning("recovery: %s: %s", subject, error.message)
            failures.append(Failure(subject, error.code, error.message))
