"""The worker: drives runs, carries out what was approved, finds what others left behind, and asks what is due.

Rules: it brings no authority of its own: a run goes on under a lease, a write happens only through the gate, and a
schedule asks in the name that the settings' file gives it. What fails because of its surroundings is tried again, a
bounded number of times; a started write is never tried again from here. Asked to stop, it leaves each run at the next
boundary of a step and hands back what it works on.
"""

import asyncio
import functools
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from twokey.channels.board import Board
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.recovery import PATIENCE_S, QUEUED_S, Failure, Recovery
from twokey.channels.schedules import Schedules
from twokey.channels.service import Service
from twokey.core import jobs
from twokey.core.errors import EnvironmentFault, Halted, LeaseLost, LogUnavailable, Refused, TryLater, TwokeyError
from twokey.core.jobs import Job
from twokey.core.ports import Clock, Dispatcher
from twokey.tools.steps import Result

EVERY_S: Final = 1.0
"""How often a worker looks for what others left behind, and for what is due, in seconds."""
EXPIRY_S: Final = 30.0
"""How often a worker looks for proposals whose time is over, in seconds: that reads all that are open."""
KEPT: Final = 1000
"""How much of what it did a worker remembers; the latest."""
LEFT_ALONE_S: Final = 60.0
"""How long what failed for good is left alone before recovery tries it again, in seconds."""

_logger: Final = logging.getLogger("twokey.worker")

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class Done:
    """What a worker did: where each run and proposal stood when it was left, how many jobs, and what failed."""

    runs: dict[str, str] = field(default_factory=dict[str, str])
    proposals: dict[str, Result] = field(default_factory=dict[str, Result])
    failures: list[Failure] = field(default_factory=list[Failure])
    jobs: int = 0


def _nothing() -> None:
    """Do nothing."""


class Worker:
    """One worker of one workspace."""

    def __init__(
        self,
        *,
        service: Service,
        recovery: Recovery,
        schedules: Schedules,
        dispatcher: Dispatcher,
        clock: Clock,
        aside: Callable[[], None] = _nothing,
        others: Mapping[str, Callable[[str], object]] | None = None,
        board: Board | None = None,
    ) -> None:
        """Do jobs of other tasks by ``others``, which gets the job's subject.

        ``aside`` is done whenever the worker has looked around; it raises nothing and does not take long. ``board``
        shows what runs say of themselves.
        """
        self._others = dict(others or {})
        self._board = board or Board()
        self._aside = aside
        self._service = service
        self._recovery = recovery
        self._schedules = schedules
        self._dispatcher = dispatcher
        self._clock = clock
        self._stop = Stop()
        self._lock = threading.Lock()
        self._done = Done()
        self._left_alone: dict[str, float] = {}
        self._told: dict[tuple[str, str], None] = {}
        self._expired_at = -math.inf

    def run(self, *, concurrency: int, stop: Stop | None = None) -> Done:
        """Work until asked to stop, by SIGTERM, SIGINT or ``stop``; gives what was done since."""
        self._stop = stop or self._stop
        asyncio.run(self._until_stopped(concurrency))
        return self._done

    def once(self, *, concurrency: int, stop: Stop | None = None) -> Done:
        """Take up what is unfinished, work off what is queued and due, and give what was done."""
        self._stop = stop or self._stop
        asyncio.run(self._until_drained(concurrency))
        return self._done

    async def _until_stopped(self, concurrency: int) -> None:
        with self._stop.on_signals():
            await asyncio.to_thread(self._look_after, 0.0, 0.0)
            looking = asyncio.create_task(self._keep_looking())
            try:
                self._done.jobs += await self._dispatcher.work(
                    self._handle, self._stop, concurrency=concurrency, drain=False
                )
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)

    async def _until_drained(self, concurrency: int) -> None:
        with self._stop.on_signals():
            await asyncio.to_thread(self._look_after, 0.0, 0.0)
            self._done.jobs += await self._dispatcher.work(
                self._handle, self._stop, concurrency=concurrency, drain=True
            )

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await asyncio.to_thread(self._look_after, PATIENCE_S, QUEUED_S)
            except Exception:  # a fault of Twokey itself must not end the looking, unseen
                _logger.exception("looking for unfinished work failed")

    def _look_after(self, patience_s: float, queued_s: float) -> None:
        expire = time.monotonic() - self._expired_at >= EXPIRY_S
        if expire:
            self._expired_at = time.monotonic()
        found = self._recovery.recover(patience_s=patience_s, queued_s=queued_s, expire=expire, leave=self._leaves)
        _, failed = self._schedules.ask_due()
        for failure in (*found.failures, *failed):
            self._failed(failure)
        self._aside()

    def _leaves(self, job: Job) -> bool:
        """Tell whether a job was found, or failed for good, a moment ago; if not, it is found now."""
        now = time.monotonic()
        with self._lock:
            if self._left_alone.get(job.key, 0.0) > now:
                return True
            self._left_alone = {key: until for key, until in self._left_alone.items() if until > now}
            self._left_alone[job.key] = now + QUEUED_S
            return False

    def _handle(self, job: Job) -> None:
        """Do one job; what becomes of one that fails is decided here. Raises nothing."""
        try:
            self._tasks[job.task](job)
        except Halted as halted:
            _logger.info("%s", halted.message)
            self._submit(job)
        except LeaseLost as lost:
            _logger.info("%s", lost.message)
        except TryLater as later:
            _logger.info("%s: %s", job.key, later.message)
            until = self._clock.now_us() + int(later.seconds * 1_000_000)
            self._submit(job.model_copy(update={"not_before_us": until}))
        except EnvironmentFault as fault:
            self._try_again(job, fault.code, fault.message, bounded=job.task not in jobs.BY_AGE)
        except TwokeyError as error:
            self._failed(Failure(job.subject, error.code, error.message), job)
        except Exception as error:  # a fault of Twokey itself in one job must not end the others
            _logger.exception("%s failed", job.key)
            self._try_again(job, "internal", f"Twokey itself failed ({type(error).__name__}).")

    @property
    def _tasks(self) -> dict[str, Callable[[Job], None]]:
        channels = {task: functools.partial(self._other, do) for task, do in self._others.items()}
        return {"drive": self._drive, "execute": self._execute, **channels}

    @staticmethod
    def _other(do: Callable[[str], object], job: Job) -> None:
        do(job.subject)

    def _drive(self, job: Job) -> None:
        tell = functools.partial(self._board.tell, job.subject)
        try:
            outcome = self._service.drive(job.subject, tell, halted=lambda: self._stop.asked, patient=True)
        except Refused as refusal:
            if refusal.code in {"run_busy", "ended"}:  # somebody else drives it, or it is over: nothing is left to do
                _logger.info("%s", refusal.message)
                return
            raise
        finally:
            self._board.wipe(job.subject)
        with self._lock:
            _keep(self._done.runs, job.subject, outcome.run.state)

    def _execute(self, job: Job) -> None:
        result = self._service.carry_out(job.subject)
        with self._lock:
            _keep(self._done.proposals, job.subject, result)

    def _try_again(self, job: Job, code: str, message: str, *, bounded: bool = True) -> None:
        later = jobs.again(job, self._clock.now_us(), bounded=bounded)
        if later is not None:
            _logger.warning("%s: %s Tried again later (%d).", job.key, message, later.attempt)
            self._submit(later)
            return
        if job.task == "drive" and code != LogUnavailable.default_code:
            self._give_up(job, code, message)
        self._failed(Failure(job.subject, code, message), job)

    def _give_up(self, job: Job, code: str, message: str) -> None:
        try:
            self._service.give_up(job.subject, code, message)
        except TwokeyError as error:
            _logger.warning("%s: %s", job.key, error.message)

    def _submit(self, job: Job) -> None:
        try:
            self._dispatcher.submit(job)
        except LogUnavailable as error:  # recovery finds it again
            _logger.warning("%s could not be queued: %s", job.key, error.message)

    def _failed(self, failure: Failure, job: Job | None = None) -> None:
        with self._lock:
            if job is not None:
                self._left_alone[job.key] = time.monotonic() + LEFT_ALONE_S
            if (failure.subject, failure.code) in self._told:
                return
            _keep(self._told, (failure.subject, failure.code), None)
            self._done.failures.append(failure)
            del self._done.failures[:-KEPT]
        _logger.warning("%s: %s", failure.subject, failure.message)


def _keep(kept: dict[Key, Value], key: Key, value: Value) -> None:
    """Remember one more thing, and forget the oldest where there are too many."""
    kept[key] = value
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
