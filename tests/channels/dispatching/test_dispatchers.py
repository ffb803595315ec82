"""Both dispatchers: once each, in order, one per lock, back from the dead, and to an end when asked."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import create_engine, text
from support import job_process
from support.command import warm
from support.job_process import LEASE_S, dispatcher
from support.warm import Started

from twokey.channels.dispatching.stopping import Stop
from twokey.core import jobs
from twokey.core.errors import LogUnavailable
from twokey.core.jobs import Job
from twokey.core.ports import Dispatcher

ONE, TWO, THREE = (f"r-00000000000{number}" for number in (1, 2, 3))
PATIENCE_S = 120.0


@pytest.fixture
def queue(database_url: str, tmp_path: Path) -> Iterator[Dispatcher]:
    with dispatcher(database_url, tmp_path, lease_s=LEASE_S) as made:
        yield made


def drain(queue: Dispatcher, handle: Callable[[Job], None], concurrency: int = 1) -> int:
    return asyncio.run(queue.work(handle, Stop(), concurrency=concurrency, drain=True))


class Working:
    """A queue that is worked on in a thread until the test is over."""

    def __init__(self, queue: Dispatcher, handle: Callable[[Job], None], concurrency: int = 1) -> None:
        self.stop, self.handled = Stop(), 0
        self._work = lambda: queue.work(handle, self.stop, concurrency=concurrency, drain=False)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.handled = asyncio.run(self._work())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self.stop.ask()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def test_the_same_job_waits_once_and_is_done_once(queue: Dispatcher):
    seen: list[Job] = []
    assert queue.submit(jobs.drive(ONE))
    assert not queue.submit(jobs.drive(ONE, priority=4))
    assert drain(queue, seen.append) == 1
    assert seen == [jobs.drive(ONE)]
    assert drain(queue, seen.append) == 0
    assert queue.submit(jobs.drive(ONE)), "what was done may be asked for again"


def test_what_is_more_urgent_comes_first(queue: Dispatcher):
    seen: list[str] = []
    for run, priority in ((ONE, 0), (TWO, 7), (THREE, 0)):
        queue.submit(jobs.drive(run, priority=priority))
    assert drain(queue, lambda job: seen.append(job.subject)) == 3
    assert seen == [TWO, ONE, THREE]


def test_jobs_with_one_lock_are_worked_on_one_after_the_other(queue: Dispatcher):
    at_once: list[int] = []
    now, lock = 0, threading.Lock()
    for task in ("drive", "execute"):
        queue.submit(Job.model_validate({"task": task, "subject": ONE}))

    def handle(_job: Job) -> None:
        nonlocal now
        with lock:
            now += 1
            at_once.append(now)
        time.sleep(0.1)  # long enough for a second one to begin, if it could
        with lock:
            now -= 1

    assert drain(queue, handle, concurrency=4) == 2
    assert at_once == [1, 1]


def test_jobs_with_different_locks_are_worked_on_at_once(queue: Dispatcher):
    both = threading.Barrier(2)
    for run in (ONE, TWO):
        queue.submit(jobs.drive(run))
    assert drain(queue, lambda _: [both.wait(PATIENCE_S)].clear(), concurrency=2) == 2


def test_a_job_is_not_begun_before_its_time(queue: Dispatcher):
    begun: list[tuple[str, int]] = []
    done = threading.Event()

    def handle(job: Job) -> None:
        begun.append((job.subject, time.time_ns() // 1000))
        done.set()

    now = time.time_ns() // 1000
    queue.submit(Job(task="drive", subject=TWO, not_before_us=now + 3_600_000_000))
    assert drain(queue, handle) == 0
    soon = time.time_ns() // 1000 + 1_200_000
    queue.submit(Job(task="drive", subject=ONE, not_before_us=soon))
    with Working(queue, handle):
        assert done.wait(PATIENCE_S)
    ((subject, at),) = begun
    assert subject == ONE
    assert at >= soon


def test_a_worker_wakes_up_for_a_job_of_its_own_process(queue: Dispatcher):
    seen, done = list[str](), threading.Event()

    def handle(job: Job) -> None:
        seen.append(job.subject)
        if job.subject == ONE:
            queue.submit(jobs.drive(TWO))
        else:
            done.set()

    with Working(queue, handle) as working:
        queue.submit(jobs.drive(ONE))
        assert done.wait(PATIENCE_S)
        working.end()
    assert seen == [ONE, TWO]
    assert working.handled == 2


def test_a_row_that_is_no_job_is_dropped(queue: Dispatcher, database_url: str):
    queue.submit(jobs.drive(ONE))
    engine = create_engine(database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("UPDATE jobs SET body = x'00'"))
        else:
            connection.execute(text("""UPDATE twokey_jobs.procrastinate_jobs SET args = '{"job": {"task": "rm"}}'"""))
    engine.dispose()
    seen: list[Job] = []
    drain(queue, seen.append)
    assert seen == []
    assert drain(queue, seen.append) == 0


def test_asked_to_stop_a_worker_waits_for_what_it_works_on(queue: Dispatcher):
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def handle(_job: Job) -> None:
        begun.set()
        go_on.wait(PATIENCE_S)
        ended.set()

    queue.submit(jobs.drive(ONE))
    queue.submit(jobs.drive(TWO))
    with Working(queue, handle) as working:
        assert begun.wait(PATIENCE_S)
        working.stop.ask()
        working.stop.ask()
        go_on.set()
        working.end()
    assert ended.is_set()
    assert working.handled == 1
    rest: list[str] = []
    drain(queue, lambda job: rest.append(job.subject))
    assert rest == [TWO], "what was not begun is still there"


def test_what_does_not_come_to_its_end_in_time_is_handed_back(database_url: str, tmp_path: Path):
    begun, never = threading.Event(), threading.Event()

    def handle(_job: Job) -> None:
        begun.set()
        never.wait(PATIENCE_S)

    with dispatcher(database_url, tmp_path, grace_s=0.1) as queue:
        queue.submit(jobs.drive(ONE))
        with Working(queue, handle) as working:
            assert begun.wait(PATIENCE_S)
            working.end()
        again: list[Job] = []
        assert drain(queue, again.append) == 1
        assert again == [jobs.drive(ONE)]
    never.set()


def start(url: str, folder: Path, mode: str) -> Started:
    return warm().start(Path(job_process.__file__), url, folder, mode)


def line(process: Started) -> str:
    return process.stdout.readline().strip()


def test_a_job_of_a_worker_that_was_killed_is_taken_up_by_another(queue: Dispatcher, database_url: str, tmp_path: Path):
    queue.submit(jobs.drive(ONE))
    process = start(database_url, tmp_path, "hold")
    assert line(process) == f"began {ONE}"
    assert not asyncio.run(queue.work(lambda _: None, Stop(), concurrency=1, drain=True)), "it is being worked on"
    process.send_signal(signal.SIGKILL)
    process.finish()
    done = threading.Event()
    with Working(queue, lambda _: done.set()):
        assert done.wait(PATIENCE_S)


@pytest.mark.postgresql
def test_of_a_dead_workers_job_and_the_same_one_queued_one_is_left(postgresql_url: str, tmp_path: Path):
    with dispatcher(postgresql_url, tmp_path, lease_s=LEASE_S) as queue:
        queue.submit(jobs.drive(ONE))
        process = start(postgresql_url, tmp_path, "hold")
        assert line(process) == f"began {ONE}"
        process.send_signal(signal.SIGKILL)
        process.finish()
        assert queue.submit(jobs.drive(ONE))
        seen, done = list[str](), threading.Event()

        def handle(job: Job) -> None:
            seen.append(job.subject)
            done.set()

        with Working(queue, handle):
            assert done.wait(PATIENCE_S)
        assert drain(queue, handle) == 0
        assert seen == [ONE]


def test_a_worker_ends_on_sigterm_and_hands_back_what_it_holds(queue: Dispatcher, database_url: str, tmp_path: Path):
    queue.submit(jobs.drive(ONE))
    process = start(database_url, tmp_path, "hold")
    assert line(process) == f"began {ONE}"
    process.send_signal(signal.SIGTERM)
    out = process.finish()
    assert (process.returncode, out) == (0, "ended\n")
    seen: list[str] = []
    assert drain(queue, lambda job: seen.append(job.subject)) == 1
    assert seen == [ONE]


# -- what only one of them has --------------------------------------------------------------------------------------


@pytest.mark.postgresql
def test_of_many_processes_one_makes_procrastinates_tables(postgresql_url: str, tmp_path: Path):
    start_together = threading.Barrier(4)
    failures: list[BaseException] = []

    def submit(number: int) -> None:
        try:
            with dispatcher(postgresql_url, tmp_path) as made:
                start_together.wait(PATIENCE_S)
                made.submit(jobs.drive(f"r-00000000000{number}"))
        except BaseException as error:  # noqa: BLE001 - carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with dispatcher(postgresql_url, tmp_path) as made:
        assert drain(made, lambda _: None) == 4


def test_a_queue_that_cannot_be_reached_says_so(tmp_path: Path):
    with dispatcher("postgresql://nobody@127.0.0.1:1/nothing", tmp_path) as made:
        with pytest.raises(LogUnavailable) as caught:
            made.submit(jobs.drive(ONE))
        assert caught.value.code == "queue_unavailable"
        with pytest.raises(LogUnavailable):
            drain(made, lambda _: None)


@pytest.mark.postgresql
def test_a_worker_outlives_connections_that_are_cut(postgresql_url: str, tmp_path: Path):
    seen = list[str]()
    first, second = threading.Event(), threading.Event()

    def handle(job: Job) -> None:
        seen.append(job.subject)
        (first if job.subject == ONE else second).set()

    with dispatcher(postgresql_url, tmp_path) as queue, Working(queue, handle):
        queue.submit(jobs.drive(ONE))
        assert first.wait(PATIENCE_S)
        engine = create_engine(postgresql_url)
        left = "SELECT count(*) FROM twokey_jobs.procrastinate_jobs"
        until = time.monotonic() + PATIENCE_S
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while connection.execute(text(left)).scalar_one():  # that it was done is noted a moment later
                assert time.monotonic() < until
                time.sleep(0.01)
        with engine.begin() as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'twokey-jobs'"
            assert connection.execute(text(cut)).rowcount > 0
        engine.dispose()
        queue.submit(jobs.drive(TWO))
        assert second.wait(PATIENCE_S)
    assert seen == [ONE, TWO]
