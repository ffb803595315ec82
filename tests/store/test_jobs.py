"""Rows of the queue: once each, by priority, one per lock, and back from the dead."""

import threading
import time

import pytest
from sqlalchemy import Connection, Engine, update

from twokey.core import jobs as made
from twokey.core.jobs import Job
from twokey.store import jobs, tables
from twokey.store.jobs import Claim

ONE, TWO, THREE = (f"r-00000000000{number}" for number in (1, 2, 3))


def claim(connection: Connection, holder: str = "x-1", now: int = 10, until: int = 20) -> Claim | None:
    return jobs.claim_job(connection, holder=holder, now=now, until=until)


def subject(claimed: Claim | None) -> str | None:
    return claimed.job.subject if claimed is not None and claimed.job is not None else None


def test_a_job_waits_once(connection: Connection):
    assert jobs.add_job(connection, made.drive(ONE))
    assert not jobs.add_job(connection, made.drive(ONE, priority=3))
    assert jobs.add_job(connection, made.execute("p-000000000001"))
    claimed = claim(connection)
    assert claimed is not None
    assert claimed.job == made.execute("p-000000000001")


def test_a_job_that_is_worked_on_may_be_queued_again(connection: Connection):
    jobs.add_job(connection, made.drive(ONE))
    assert subject(claim(connection)) == ONE
    assert jobs.add_job(connection, made.drive(ONE))
    assert claim(connection, "x-2") is None, "one at a time"


def test_what_is_more_urgent_comes_first_and_among_equals_the_older(connection: Connection):
    for run, priority in ((ONE, 0), (TWO, 5), (THREE, 0)):
        jobs.add_job(connection, made.drive(run, priority=priority))
    assert [subject(claim(connection)) for _ in range(4)] == [TWO, ONE, THREE, None]


def test_a_job_is_not_begun_before_its_time(connection: Connection):
    jobs.add_job(connection, Job(task="drive", subject=ONE, not_before_us=11))
    assert claim(connection, now=10) is None
    assert subject(claim(connection, now=11)) == ONE


def test_a_job_whose_lease_ran_out_is_anybodys(connection: Connection):
    jobs.add_job(connection, made.drive(ONE))
    first = claim(connection)
    assert first is not None
    jobs.renew_jobs(connection, holder="x-1", until=30)
    assert claim(connection, "x-2", now=29) is None
    second = claim(connection, "x-2", now=30, until=40)
    assert second == first
    assert not jobs.end_job(connection, first.id, holder="x-1"), "it is theirs no more"
    assert jobs.end_job(connection, first.id, holder="x-2")
    assert claim(connection, "x-3", now=99) is None


def test_a_job_that_is_handed_back_is_there_for_the_next(connection: Connection):
    jobs.add_job(connection, made.drive(ONE))
    first = claim(connection)
    assert first is not None
    jobs.release_job(connection, first.id, holder="x-2")  # not theirs to give
    assert claim(connection, "x-2") is None
    jobs.release_job(connection, first.id, holder="x-1")
    assert subject(claim(connection, "x-2")) == ONE


def test_of_a_job_handed_back_and_the_same_one_queued_one_is_left(connection: Connection):
    jobs.add_job(connection, made.drive(ONE))
    first = claim(connection)
    assert first is not None
    jobs.add_job(connection, made.drive(ONE))
    jobs.release_job(connection, first.id, holder="x-1")
    assert subject(claim(connection)) == ONE
    assert claim(connection, "x-2") is None


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"subject":"r-000000000001","task":"approve"}'])
def test_a_row_that_is_no_job_is_claimed_as_none(connection: Connection, body: bytes):
    jobs.add_job(connection, made.drive(ONE))
    connection.execute(update(tables.jobs).values(body=body))
    claimed = claim(connection)
    assert claimed is not None
    assert claimed.job is None


def test_of_many_who_want_a_job_one_gets_it(engine: Engine):
    with engine.begin() as connection:
        jobs.add_job(connection, made.drive(ONE))
    assert sorted(map(str, together(engine, 4))) == ["None", "None", "None", ONE]


def test_of_two_jobs_with_one_lock_one_is_begun(engine: Engine):
    with engine.begin() as connection:
        jobs.add_job(connection, made.drive(ONE))
        jobs.add_job(connection, Job(task="execute", subject=ONE, priority=1))
    assert sorted(map(str, together(engine, 2))) == ["None", ONE]


@pytest.mark.postgresql
def test_a_lock_is_held_against_a_claim_that_did_not_see_it(engine: Engine):
    """On PostgreSQL a claim may be begun before another one commits; the database itself holds to one per lock."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    with engine.begin() as connection:
        jobs.add_job(connection, Job(task="execute", subject=ONE, priority=1))
        jobs.add_job(connection, made.drive(ONE))
    looked, answers = threading.Event(), list[Claim | None]()

    def second() -> None:
        with engine.begin() as connection:
            # It cannot see yet that the other one was begun, and takes this one to be first.
            connection.execute(update(tables.jobs).where(tables.jobs.c.priority == 0).values(priority=9))
            looked.set()
            answers.append(jobs.claim_job(connection, holder="x-2", now=10, until=20))

    with engine.begin() as connection:
        assert subject(jobs.claim_job(connection, holder="x-1", now=10, until=20)) == ONE
        thread = threading.Thread(target=second)
        thread.start()
        assert looked.wait(60)
        until = time.monotonic() + 60
        while blocked(engine) == 0:
            assert time.monotonic() < until
    thread.join()
    assert answers == [None]


def blocked(engine: Engine) -> int:
    """How many transactions of this database wait for another one."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(waits).scalar_one())


def together(engine: Engine, count: int) -> list[str | None]:
    """What ``count`` claims at the same moment get."""
    start, got = threading.Barrier(count), list[str | None]()

    def want(number: int) -> None:
        start.wait(60)
        with engine.begin() as connection:
            got.append(subject(jobs.claim_job(connection, holder=f"x-{number}", now=10, until=20)))

    threads = [threading.Thread(target=want, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


# -- schedules ------------------------------------------------------------------------------------------------------


def test_a_due_time_is_seen_to_once(connection: Connection):
    assert jobs.seen_until(connection, "nightly") is None
    assert jobs.see_to(connection, "nightly", before=None, due=5)
    assert not jobs.see_to(connection, "nightly", before=None, due=6), "another process was the first to see it"
    assert jobs.seen_until(connection, "nightly") == 5
    assert jobs.see_to(connection, "nightly", before=5, due=9)
    assert not jobs.see_to(connection, "nightly", before=5, due=9)
    assert jobs.seen_until(connection, "nightly") == 9
