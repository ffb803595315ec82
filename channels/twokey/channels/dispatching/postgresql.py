"""The queue on PostgreSQL: Procrastinate, in a schema of its own beside the store's tables.

Rules: its tables are made once, by whoever comes first; a worker is woken by LISTEN/NOTIFY and looks every ``POLL_S``
besides; it says that it lives four times in ``STALLED_S``, and a job of one that has said nothing for so long goes back
into the queue, put there by any worker. A connection that is lost stops nothing: the worker begins again once the
server answers. Jobs that were handled leave no row: what became of them is in the run's record and in the log.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import procrastinate
import psycopg
from procrastinate import exceptions, jobs, manager
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker
from psycopg_pool import ConnectionPool
from pydantic import TypeAdapter, ValidationError

from twokey.channels.dispatching.threads import GRACE_S, in_a_thread
from twokey.core.errors import LogUnavailable
from twokey.core.jobs import Job
from twokey.core.ports import Stopping

SCHEMA: Final = "twokey_jobs"
QUEUE: Final = "twokey"
TASK: Final = "twokey.job"
LOCK: Final = 0x74_77_6F_6B_65_79_6A
"""Key of the advisory lock under which the schema is made."""
POLL_S: Final = 1.0
STALLED_S: Final = 10.0
AGAIN_S: Final = 1.0
"""How long to wait before a worker that lost its database begins again, in seconds."""

_logger: Final = logging.getLogger("twokey.dispatching")
_JOB: Final[TypeAdapter[Job]] = TypeAdapter(Job)


class PostgresqlDispatcher:
    """Jobs in Procrastinate's tables (port ``Dispatcher``)."""

    def __init__(self, address: str, *, grace_s: float = GRACE_S, stalled_s: float = STALLED_S) -> None:
        """``address`` is a libpq URL; connects when it is first needed.

        Times are in seconds: how long what is worked on is waited for at the end, and after what silence a worker is
        taken for dead.
        """
        self._address = address
        self._grace_s = grace_s
        self._stalled_s = stalled_s
        self._lock = threading.Lock()
        self._submitting: tuple[procrastinate.App, ConnectionPool[psycopg.Connection]] | None = None

    def submit(self, job: Job) -> bool:
        """Queue a job; see ``Dispatcher.submit``."""
        due = dt.datetime.fromtimestamp(job.not_before_us / 1e6, tz=dt.UTC) if job.not_before_us else None
        try:
            app = self._opened()
            app.configure_task(
                TASK, queue=QUEUE, lock=job.lock, queueing_lock=job.key, priority=job.priority, schedule_at=due
            ).defer(job=job.model_dump(mode="json"))
        except exceptions.AlreadyEnqueued:
            return False
        except (exceptions.ProcrastinateException, psycopg.Error) as error:
            raise _unreachable() from error
        return True

    async def work(self, handle: Callable[[Job], None], stop: Stopping, *, concurrency: int, drain: bool) -> int:
        """Work off jobs; see ``Dispatcher.work``."""
        counted = _Counted(handle)
        while not stop.asked:
            before = counted.handled
            try:
                await self._work(counted, stop, concurrency=concurrency, drain=drain)
            except (exceptions.ProcrastinateException, psycopg.Error, LogUnavailable) as error:
                _logger.warning("the queue cannot be reached (%s); trying again", type(error).__name__)
                if drain:
                    raise _unreachable() from error
            if drain and counted.handled == before:
                break
            if not drain and not stop.asked:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AGAIN_S)
        return counted.handled

    def close(self) -> None:
        """Release the connections that jobs were submitted through."""
        with self._lock:
            if self._submitting is not None:
                self._submitting[1].close()
                self._submitting = None

    async def _work(self, handle: "_Counted", stop: Stopping, *, concurrency: int, drain: bool) -> None:
        await asyncio.to_thread(self._opened)  # the tables are there from here on
        connector = procrastinate.PsycopgConnector(
            conninfo=self._address, kwargs=_in_schema(), min_size=1, max_size=concurrency + 2, timeout=10
        )
        app = procrastinate.App(connector=connector)
        app.job_manager = _Patient(connector)

        @app.task(name=TASK, queue=QUEUE)
        async def work_on(job: Any) -> None:
            try:
                await in_a_thread(lambda: handle(job))
            except asyncio.CancelledError:  # its time is over: the job goes back to the queue
                await asyncio.to_thread(self.submit, _JOB.validate_python(job))
                raise

        del work_on
        async with app.open_async():
            worker = Worker(
                app,
                queues=[QUEUE],
                concurrency=concurrency,
                wait=not drain,
                fetch_job_polling_interval=POLL_S,
                shutdown_graceful_timeout=self._grace_s,
                delete_jobs=jobs.DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
                update_heartbeat_interval=self._stalled_s / 4,
                stalled_worker_timeout=self._stalled_s,
            )
            tending = asyncio.create_task(_tend(app.job_manager, self._stalled_s))
            stopping = asyncio.create_task(_stop(worker, stop))
            try:
                await worker.run()
            finally:
                for task in (tending, stopping):
                    task.cancel()
                await asyncio.gather(tending, stopping, return_exceptions=True)

    def _opened(self) -> procrastinate.App:
        """Give the app that jobs are submitted through; makes Procrastinate's tables where there are none."""
        with self._lock:
            if self._submitting is None:
                self._make_tables()
                pool: ConnectionPool[psycopg.Connection] = ConnectionPool(
                    self._address,
                    connection_class=psycopg.Connection,
                    kwargs=_in_schema(),
                    min_size=0,
                    max_size=2,
                    timeout=10,
                    num_workers=1,
                    open=True,
                    check=ConnectionPool.check_connection,
                )
                app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
                app.open(pool)
                self._submitting = app, pool
                return app
            return self._submitting[0]

    def _make_tables(self) -> None:
        with psycopg.connect(self._address, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            there = connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.procrastinate_jobs"]).fetchone()
            if there is None or there[0] is None:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                connection.execute(f"SET LOCAL search_path TO {SCHEMA}")
                connection.execute(SchemaManager.get_schema())


class _Counted:
    """Reads jobs back and hands them on; counts them."""

    def __init__(self, handle: Callable[[Job], None]) -> None:
        self._handle = handle
        self.handled = 0

    def __call__(self, stored: object) -> None:
        self.handled += 1
        try:
            job = _JOB.validate_python(stored)
        except ValidationError:
            _logger.warning("a job was dropped that Twokey did not write")
            return
        self._handle(job)


class _Patient(manager.JobManager):
    """Ends a job also where the server is away for a moment: else it would be held for as long as this worker lives."""

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        deadline = asyncio.get_running_loop().time() + STALLED_S
        while True:
            try:
                return await super().finish_job(job, status, delete_job)
            except exceptions.ConnectorException as error:
                if isinstance(error.__cause__, psycopg.errors.RaiseException):
                    _logger.info("job %s was given to another worker meanwhile", job.id)
                    return None
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                await asyncio.sleep(AGAIN_S)


async def _stop(worker: Worker, stop: Stopping) -> None:
    await stop.wait()
    worker.stop()


async def _tend(queue: manager.JobManager, stalled_s: float) -> None:
    """Put the jobs of workers that died back into the queue, over and over."""
    while True:
        with contextlib.suppress(exceptions.ConnectorException):  # the worker itself reports it
            for job in await queue.get_stalled_jobs(seconds_since_heartbeat=stalled_s):
                await _requeue(queue, job)
            await queue.prune_stalled_workers(stalled_s * 6)
        await asyncio.sleep(POLL_S)


async def _requeue(queue: manager.JobManager, job: jobs.Job) -> None:
    try:
        await queue.retry_job(job)
    except exceptions.UniqueViolation:  # the same job waits already, and stands for both
        await queue.finish_job(job, jobs.Status.ABORTED, delete_job=True)
    _logger.info("job %s of a worker that died goes back into the queue", job.id)


def _in_schema() -> dict[str, str]:
    return {"options": f"-c search_path={SCHEMA}", "application_name": "twokey-jobs"}


def _unreachable() -> LogUnavailable:
    return LogUnavailable(
        "The queue of jobs cannot be reached.",
        next="Check the database server and store.url in twokey.toml, then try again.",
        code="queue_unavailable",
    )
