"""The queue in the workspace's own database, for a laptop: no server, and still several processes.

Rules: a job is claimed with a lease that is renewed while it is worked on; one of a process that died or stands still
comes back when the lease has run out. A job that was submitted in this process begins at once, one of another process
within ``POLL_S``. A fault of the database stops nothing: it is looked at again later.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from twokey.channels.dispatching.threads import GRACE_S, in_a_thread
from twokey.core.errors import LogUnavailable
from twokey.core.jobs import Job
from twokey.core.ports import Clock, Ids, Stopping
from twokey.store import jobs
from twokey.store.jobs import Claim
from twokey.tools.ledger import Ledger

POLL_S: Final = 0.5
LEASE_S: Final = 10.0
"""How long a process that says nothing keeps its jobs, in seconds; it renews them four times as often."""

_logger: Final = logging.getLogger("twokey.dispatching")


class LocalDispatcher:
    """Jobs in a table of the store (port ``Dispatcher``)."""

    def __init__(
        self, ledger: Ledger, clock: Clock, ids: Ids, *, grace_s: float = GRACE_S, lease_s: float = LEASE_S
    ) -> None:
        """Times are in seconds: how long what is worked on is waited for at the end, and how long a job is claimed."""
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._grace_s = grace_s
        self._lease_s = lease_s
        self._wake: Callable[[], None] | None = None

    def submit(self, job: Job) -> bool:
        """Queue a job; see ``Dispatcher.submit``."""
        with self._ledger.change() as unit:
            queued = jobs.add_job(unit.connection, job)
        if queued and self._wake is not None:
            self._wake()
        return queued

    async def work(self, handle: Callable[[Job], None], stop: Stopping, *, concurrency: int, drain: bool) -> int:
        """Work off jobs; see ``Dispatcher.work``."""
        loop, woken, holder = asyncio.get_running_loop(), asyncio.Event(), self._ids.new("x")

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._wake = wake
        running: set[asyncio.Task[None]] = set()
        heart = asyncio.create_task(self._beat(holder))
        stopping = asyncio.create_task(stop.wait())
        handled = 0
        try:
            while not stop.asked:
                woken.clear()
                claim = await self._claim(holder) if len(running) < concurrency else None
                if claim is not None:
                    handled += 1
                    task = asyncio.create_task(self._one(claim, holder, handle))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    task.add_done_callback(lambda _: woken.set())
                    continue
                if drain and not running:
                    break
                waking = asyncio.create_task(woken.wait())
                await asyncio.wait({waking, stopping}, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
            if running:
                await asyncio.wait(running, timeout=self._grace_s)
        finally:
            self._wake = None
            for task in (heart, stopping, *running):
                task.cancel()
            await asyncio.gather(heart, stopping, *running, return_exceptions=True)
        return handled

    def close(self) -> None:
        """Release nothing: the connections are the ledger's."""

    async def _one(self, claim: Claim, holder: str, handle: Callable[[Job], None]) -> None:
        try:
            if claim.job is not None:
                job = claim.job
                await in_a_thread(lambda: handle(job))
        except asyncio.CancelledError:  # its time is over: the job goes back to the queue
            self._put_away(claim.id, holder, done=False)
            raise
        await asyncio.to_thread(self._put_away, claim.id, holder, done=True)

    def _put_away(self, claim: int, holder: str, *, done: bool) -> None:
        try:
            with self._ledger.change() as unit:
                if done:
                    jobs.end_job(unit.connection, claim, holder=holder)
                else:
                    jobs.release_job(unit.connection, claim, holder=holder)
        except LogUnavailable as error:
            _logger.warning("job %d comes back when its lease has run out: %s", claim, error.message)

    async def _claim(self, holder: str) -> Claim | None:
        def claim() -> Claim | None:
            now = self._clock.now_us()
            with self._ledger.change() as unit:
                return jobs.claim_job(unit.connection, holder=holder, now=now, until=self._until(now))

        try:
            return await asyncio.to_thread(claim)
        except LogUnavailable as error:
            _logger.warning("the queue cannot be read: %s", error.message)
            return None

    async def _beat(self, holder: str) -> None:
        def renew() -> None:
            with self._ledger.change() as unit:
                jobs.renew_jobs(unit.connection, holder=holder, until=self._until(self._clock.now_us()))

        while True:
            await asyncio.sleep(self._lease_s / 4)
            try:
                await asyncio.to_thread(renew)
            except LogUnavailable as error:
                _logger.warning("leases on jobs could not be renewed: %s", error.message)

    def _until(self, now: int) -> int:
        return now + int(self._lease_s * 1_000_000)
