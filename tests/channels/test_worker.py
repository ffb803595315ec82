"""The worker in this process: what it takes up, what it tries again, and what it leaves alone."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FixedClock
from sqlalchemy import create_engine, text
from support.git_repo import run_git
from support.workspace import Place, ana, approve, approve_only

from twokey.agents.state import Progress
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.recovery import Recovery
from twokey.channels.worker import Worker
from twokey.channels.workspace import Workspace
from twokey.core import jobs, settings
from twokey.core.errors import BadInput, EnvironmentFault, LeaseLost, LogUnavailable, Refused
from twokey.core.events import RunEnded, RunTakenOver
from twokey.core.jobs import Job
from twokey.store import runs

OTHER = "x-000000000009"


class Died(BaseException):
    """Ends a driver where it stands, as the end of its process does: nothing of Twokey catches it."""


@pytest.fixture
def clock() -> FixedClock:
    """Now, so that nothing that was asked has expired; it moves only when told to."""
    return FixedClock(time.time_ns() // 1000)


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    return Place(tmp_path, database_url)


@pytest.fixture
def workspace(place: Place, clock: FixedClock) -> Iterator[Workspace]:
    with place.opened(clock) as opened:
        yield opened


def once(workspace: Workspace) -> Any:
    """What a worker does that takes up what is unfinished and works off the queue."""
    return workspace.worker().once(concurrency=2)


def detached(workspace: Workspace, place: Place) -> str:
    return workspace.catalog(ana(workspace), str(place.warehouse), str(place.repository), (), None).run.id


def events(workspace: Workspace, run: str, kind: str) -> list[Any]:
    return list(workspace.ledger.history(run, kind))


def state_of(workspace: Workspace, run: str) -> tuple[str, str]:
    record = workspace.service.outcome(run).run
    return record.state, record.code


def hold(workspace: Workspace, run: str, clock: FixedClock, seconds: float) -> None:
    """Let another process, of which nothing is known, hold the lease."""
    now = clock.now_us()
    with workspace.ledger.change() as unit:
        until = now + int(seconds * 1_000_000)
        assert runs.take_run(unit.connection, run, holder=OTHER, now=now, until=until)


def test_what_is_left_to_the_workers_is_acknowledged_at_once_and_driven_later(workspace: Workspace, place: Place):
    run = detached(workspace, place)
    assert state_of(workspace, run) == ("running", "")
    done = once(workspace)
    assert (done.runs, done.jobs, done.failures) == ({run: "waiting"}, 1, [])
    (record,) = workspace.service.outcome(run).proposals
    assert approve(workspace, record.id) == "done"
    assert state_of(workspace, run) == ("done", "done")
    assert once(workspace).jobs == 0, "nothing is left"
    assert run_git(place.repository, "for-each-ref", "refs/heads/twokey/")


def test_an_address_with_a_password_is_not_left_to_a_worker_that_does_not_know_it(workspace: Workspace, place: Place):
    with pytest.raises(BadInput) as caught:
        workspace.catalog(ana(workspace), "postgresql://ana:planted@127.0.0.1/db", str(place.repository), (), None)
    assert caught.value.code == "password_stays_here"
    assert workspace.service.runs() == []


def test_a_run_of_a_process_that_fell_silent_is_taken_over_and_the_log_says_so(
    workspace: Workspace, place: Place, clock: FixedClock
):
    run = detached(workspace, place)
    hold(workspace, run, clock, 10)
    assert once(workspace).runs == {}, "its lease has not run out"
    clock.advance(10)
    assert once(workspace).runs == {run: "waiting"}
    (taken,) = events(workspace, run, "run.taken_over")
    assert isinstance(taken, RunTakenOver)
    assert (taken.before, taken.code) == (OTHER, "lease_expired")
    assert taken.holder != OTHER


def test_a_job_that_got_lost_is_found_again(workspace: Workspace, place: Place, database_url: str):
    run = detached(workspace, place)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL search_path TO twokey_jobs"))
        table = "jobs" if engine.dialect.name == "sqlite" else "procrastinate_jobs"
        assert connection.execute(text(f"DELETE FROM {table}")).rowcount == 1
    engine.dispose()
    assert once(workspace).runs == {run: "waiting"}


def test_an_approved_proposal_whose_approver_died_is_carried_out(workspace: Workspace, place: Place):
    run = detached(workspace, place)
    once(workspace)
    (record,) = workspace.service.outcome(run).proposals
    assert approve_only(workspace, record.id) == "approved"
    done = once(workspace)
    assert {key: result.state.value for key, result in done.proposals.items()} == {record.id: "done"}
    assert state_of(workspace, run) == ("done", "done"), "and its run comes to its end"
    assert len(run_git(place.repository, "for-each-ref", "refs/heads/twokey/").splitlines()) == 1


class FatalClock(FixedClock):
    """Kills who asks for the time once a write has begun."""

    def __init__(self, database: str) -> None:
        super().__init__(time.time_ns() // 1000)
        self.engine = create_engine(database)
        self.armed = False

    def now_us(self) -> int:
        if self.armed:
            with self.engine.connect() as connection:
                if connection.execute(text("SELECT count(*) FROM proposals WHERE state = 'executing'")).scalar_one():
                    raise Died
        return super().now_us()


def test_a_write_that_was_cut_off_belongs_to_its_executor_until_its_lease_runs_out(place: Place, database_url: str):
    clock = FatalClock(database_url)
    with place.opened(clock) as workspace:
        run = detached(workspace, place)
        once(workspace)
        (record,) = workspace.service.outcome(run).proposals
        clock.armed = True
        with pytest.raises(Died):
            approve(workspace, record.id)
        clock.armed = False
        done = once(workspace)
        assert (done.proposals, done.jobs) == ({}, 0), "nobody else applies"
        clock.advance(1000)
        done = once(workspace)
        assert set(done.proposals) == {record.id}
        # Local git is a keyed target: what is not there is written, once.
        assert done.proposals[record.id].state.value in {"done", "unknown"}
        assert len(run_git(place.repository, "for-each-ref", "refs/heads/twokey/").splitlines()) <= 1
    clock.engine.dispose()


def test_a_waiting_run_whose_proposals_are_over_is_brought_to_its_end(
    workspace: Workspace, place: Place, clock: FixedClock
):
    run = detached(workspace, place)
    once(workspace)
    clock.advance(2 * 24 * 3600)
    assert once(workspace).runs == {run: "done"}, "its proposal expired"
    assert state_of(workspace, run) == ("done", "expired")


def test_a_run_that_somebody_drives_is_left_alone(workspace: Workspace, place: Place, clock: FixedClock):
    run = detached(workspace, place)
    hold(workspace, run, clock, 60)
    done = once(workspace)
    assert (done.runs, done.failures) == ({}, [])
    assert events(workspace, run, "run.taken_over") == []


def test_a_job_for_a_run_that_is_not_here_fails_and_stops_nothing(workspace: Workspace, place: Place):
    workspace.service.dispatcher().submit(jobs.drive("r-000000000000", priority=9))
    run = detached(workspace, place)
    done = once(workspace)
    assert [(failure.subject, failure.code) for failure in done.failures] == [("r-000000000000", "not_found")]
    assert done.runs == {run: "waiting"}


def test_a_job_for_a_proposal_that_is_not_here_fails_and_stops_nothing(workspace: Workspace):
    workspace.service.dispatcher().submit(jobs.execute("p-000000000000"))
    (failure,) = once(workspace).failures
    assert failure.code == "not_found"


def test_one_row_that_was_tampered_with_holds_up_no_other(workspace: Workspace, place: Place, database_url: str):
    bad, good = detached(workspace, place), detached(workspace, place)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET requester = 'sam' WHERE id = :run"), {"run": bad})
    engine.dispose()
    done = once(workspace)
    assert done.runs == {good: "waiting"}
    assert [(failure.subject, failure.code) for failure in done.failures] == [(bad, "run_tampered")]


# -- two at once ----------------------------------------------------------------------------------------------------


def test_two_workers_drive_a_run_once(place: Place, clock: FixedClock):
    with place.opened(clock) as one, place.opened(clock) as two:
        run = detached(one, place)
        states: list[dict[str, str]] = []

        def work(workspace: Workspace) -> None:
            states.append(once(workspace).runs)

        threads = [threading.Thread(target=work, args=(item,)) for item in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # One that looked before the other began may find the run again when it is over, and leaves it as it is.
        assert {run: "waiting"} in states
        assert all(found in ({}, {run: "waiting"}) for found in states)
        assert len(one.service.outcome(run).proposals) == 1
        kinds = [entry.entry.kind for entry in one.ledger.log.entries(run)]
        assert kinds.count("run.planned") == 1


def test_who_drives_a_run_by_hand_at_the_same_time_is_told(workspace: Workspace, place: Place, clock: FixedClock):
    run = detached(workspace, place)
    hold(workspace, run, clock, 60)
    with pytest.raises(Refused) as caught:
        workspace.resume(run, lambda _: None)
    assert caught.value.code == "run_busy"


def test_a_driver_that_is_taken_over_in_the_middle_stops_before_its_next_change(place: Place, clock: FixedClock):
    """The other process sees a lease that ran out; this one finds out at its next word, and does no harm."""
    with place.opened(clock) as slow, place.opened(clock) as fast:
        run = detached(slow, place)
        taken: list[dict[str, str]] = []

        def tell(_progress: Progress) -> None:
            if not taken:
                clock.advance(60)
                taken.append(once(fast).runs)

        with pytest.raises(LeaseLost):
            slow.service.drive(run, tell)
        assert taken == [{run: "waiting"}]
        assert state_of(slow, run) == ("waiting", "waits_for_people")
        assert len(slow.service.outcome(run).proposals) == 1
        assert len(events(slow, run, "run.taken_over")) == 1
        assert events(slow, run, "run.ended") == []


# -- trying again ---------------------------------------------------------------------------------------------------


class Flaky:
    """A service whose runs fail because of their surroundings, as often as a test wants."""

    def __init__(self, workspace: Workspace, error: Exception, times: int) -> None:
        self.workspace, self.error, self.times, self.tried = workspace, error, times, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.workspace.service, name)

    def drive(self, run: str, tell: Callable[[Progress], None], **more: Any) -> Any:
        self.tried += 1
        if self.tried <= self.times:
            raise self.error
        return self.workspace.service.drive(run, tell, **more)


class NoSchedules:
    def ask_due(self) -> tuple[list[str], list[Any]]:
        return [], []


def worker_on(
    service: Any, workspace: Workspace, clock: FixedClock, others: dict[str, Callable[[str], object]] | None = None
) -> Worker:
    inner = workspace.service
    recovery = Recovery(
        ledger=workspace.ledger,
        gate=inner._gate,  # pyright: ignore[reportPrivateUsage]
        drivers=inner._drivers,  # pyright: ignore[reportPrivateUsage]
        dispatcher=inner.dispatcher,
        clock=clock,
    )
    none: Any = NoSchedules()
    return Worker(
        service=service,
        recovery=recovery,
        schedules=none,
        dispatcher=inner.dispatcher(),
        clock=clock,
        others=others,
    )


def tried_until_quiet(worker: Worker, clock: FixedClock) -> Any:
    for _ in range(7):
        worker.once(concurrency=1)
        clock.advance(jobs.LONGEST_PAUSE_S)
    return worker.once(concurrency=1)


FAULT = EnvironmentFault("The warehouse does not answer.", next="Wait.", code="warehouse_away")


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("error", [FAULT, RuntimeError("a fault of Twokey itself")], ids=["fault", "bug"])
def test_what_fails_because_of_its_surroundings_is_tried_again(place: Place, clock: FixedClock, error: Exception):
    with place.opened(clock) as workspace:
        run = detached(workspace, place)
        flaky = Flaky(workspace, error, times=2)
        done = tried_until_quiet(worker_on(flaky, workspace, clock), clock)
        assert flaky.tried == 3
        assert (done.runs, done.failures) == ({run: "waiting"}, [])


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    ("error", "code"), [(FAULT, "warehouse_away"), (RuntimeError("a bug"), "internal")], ids=["fault", "bug"]
)
def test_it_is_tried_a_bounded_number_of_times_and_then_ends_the_run(
    place: Place, clock: FixedClock, error: Exception, code: str
):
    with place.opened(clock) as workspace:
        run = detached(workspace, place)
        flaky = Flaky(workspace, error, times=1000)
        done = tried_until_quiet(worker_on(flaky, workspace, clock), clock)
        assert flaky.tried == jobs.MAX_ATTEMPTS
        assert [(failure.subject, failure.code) for failure in done.failures] == [(run, code)]
        assert state_of(workspace, run) == ("failed", code)
        assert [event.code for event in events(workspace, run, "run.ended") if isinstance(event, RunEnded)] == [code]


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    ("error", "tried"), [(FAULT, 8), (RuntimeError("a bug"), jobs.MAX_ATTEMPTS)], ids=["fault", "bug"]
)
@pytest.mark.parametrize("job", [jobs.handle("i-000000000001"), jobs.post("m-000000000001")], ids=lambda job: job.task)
def test_deliveries_and_messages_wait_for_their_surroundings_however_often(
    place: Place, clock: FixedClock, job: jobs.Job, error: Exception, tried: int
):
    subjects: list[str] = []

    def fails(subject: str) -> None:
        subjects.append(subject)
        raise error

    with place.opened(clock) as workspace:
        workspace.service.dispatcher().submit(job)
        done = tried_until_quiet(worker_on(workspace.service, workspace, clock, {job.task: fails}), clock)
        assert subjects == [job.subject] * tried
        assert [failure.code for failure in done.failures] == ([] if error is FAULT else ["internal"])


@pytest.mark.usefixtures("sqlite_only")
def test_a_log_that_cannot_be_written_never_ends_a_run(place: Place, clock: FixedClock):
    with place.opened(clock) as workspace:
        run = detached(workspace, place)
        flaky = Flaky(workspace, LogUnavailable("The disk is full.", next="Make room."), times=1000)
        done = tried_until_quiet(worker_on(flaky, workspace, clock), clock)
        assert flaky.tried == jobs.MAX_ATTEMPTS
        assert [failure.code for failure in done.failures] == ["log_unavailable"]
        assert state_of(workspace, run) == ("running", "")
        assert once(workspace).runs == {run: "waiting"}, "and whoever comes next takes it up"


@pytest.fixture
def sqlite_only(database_url: str) -> None:
    """Back-off takes the workspace's clock here; PostgreSQL has its own."""
    if not database_url.startswith("sqlite"):
        pytest.skip("the server's clock cannot be moved")


# -- coming to an end -----------------------------------------------------------------------------------------------


def test_asked_to_stop_a_worker_leaves_its_run_between_two_steps_and_hands_it_back(workspace: Workspace, place: Place):
    run = detached(workspace, place)
    stop = Stop()
    stops = StopsAtTheFirstWord(workspace, stop)
    done = worker_on(stops, workspace, FixedClock(time.time_ns() // 1000)).once(concurrency=1, stop=stop)
    assert (done.runs, done.failures) == ({}, [])
    assert state_of(workspace, run) == ("running", "")
    assert workspace.service.outcome(run).proposals == ()
    planned = len(events(workspace, run, "run.planned"))
    assert planned == 1
    assert once(workspace).runs == {run: "waiting"}
    assert len(events(workspace, run, "run.planned")) == planned, "no step was done again"
    assert events(workspace, run, "run.taken_over") == []


class StopsAtTheFirstWord:
    """A service during whose first run somebody asks the process to stop."""

    def __init__(self, workspace: Workspace, stop: Stop) -> None:
        self.workspace, self.stop = workspace, stop

    def __getattr__(self, name: str) -> Any:
        return getattr(self.workspace.service, name)

    def drive(self, run: str, _tell: Callable[[Progress], None], **more: Any) -> Any:
        return self.workspace.service.drive(run, lambda _: self.stop.ask(), **more)


def test_a_cancelled_run_is_driven_no_further(workspace: Workspace, place: Place):
    run = detached(workspace, place)

    def cancel(_progress: Progress) -> None:
        if workspace.service.outcome(run).run.state == "running":
            workspace.service.cancel(ana(workspace), run)

    with pytest.raises(LeaseLost):
        workspace.service.drive(run, cancel)
    assert state_of(workspace, run) == ("cancelled", "cancelled_by_requester")
    assert [event.state for event in events(workspace, run, "run.ended")] == ["cancelled"]
    done = once(workspace)
    assert (done.runs, done.failures) == ({}, []), "a job for it has nothing left to do"


def test_what_failed_is_not_given_up_while_somebody_drives_it(workspace: Workspace, place: Place, clock: FixedClock):
    run = detached(workspace, place)
    hold(workspace, run, clock, 60)
    workspace.service.give_up(run, "internal", "It failed.")
    assert state_of(workspace, run) == ("running", "")


# -- without the log key --------------------------------------------------------------------------------------------


def test_without_the_log_key_nothing_is_taken_up(place: Place, clock: FixedClock):
    with place.opened(clock) as workspace:
        run = detached(workspace, place)
        key = settings.home(workspace.config.workspace.id) / "log.key"
    moved = key.rename(key.with_name("elsewhere.key"))
    with pytest.raises(LogUnavailable), place.opened(clock):
        pass
    moved.rename(key)
    with place.opened(clock) as workspace:
        assert once(workspace).runs == {run: "waiting"}


def test_a_job_names_what_is_to_be_looked_at_again_and_grants_nothing(workspace: Workspace, place: Place):
    """Whoever can write into the queue can have a proposal looked at, and no more."""
    run = detached(workspace, place)
    once(workspace)
    (record,) = workspace.service.outcome(run).proposals
    workspace.service.dispatcher().submit(Job(task="execute", subject=record.id))
    done = once(workspace)
    assert done.proposals[record.id].state.value == "awaiting_approval"
    assert not run_git(place.repository, "for-each-ref", "refs/heads/twokey/")
