"""Rows of the queue and of schedules, inside a transaction that the caller holds.

Rules: of the same job one waits at most, and of jobs with one lock one runs at most; the database itself holds to both.
A job is claimed with a lease by compare-and-swap; one whose lease ran out may be claimed by anybody. A row of the queue
is no authority: what comes back is validated like input, and names a run or a proposal to be looked at.
"""

import dataclasses
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from twokey.core import canonical
from twokey.core.jobs import Job
from twokey.store import rows, tables

_JOB: Final[TypeAdapter[Job]] = TypeAdapter(Job)
_T: Final = tables.jobs.c


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A job that a holder has taken out of the queue; none where its row is not one that Twokey wrote."""

    id: int
    job: Job | None


def add_job(connection: Connection, job: Job) -> bool:
    """Queue a job; tells whether it was queued, and not where the same one waits already."""
    values: dict[str, Any] = {
        "key": job.key,
        "lock": job.lock,
        "body": canonical.encode(job.canonical()),
        "priority": job.priority,
        "not_before_us": job.not_before_us,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(tables.jobs).values(**values))
    except IntegrityError:  # the one rule that a whole row can break
        return False
    return True


def claim_job(connection: Connection, *, holder: str, now: int, until: int) -> Claim | None:
    """Take the first job that is due and whose lock is free; none where there is none."""
    other = tables.jobs.alias()
    running = exists().where(other.c.lock == _T.lock, other.c.id != _T.id, other.c.holder.is_not(None))
    free = _T.holder.is_(None) | (_T.lease_until_us <= now)
    found = connection.execute(
        select(_T.id, _T.holder, _T.lease_until_us, _T.body)
        .where(free, _T.not_before_us <= now, ~running)
        .order_by(_T.priority.desc(), _T.id)
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    seen = _T.holder.is_(None) if found.holder is None else (_T.holder == found.holder)
    try:
        with connection.begin_nested():
            taken = connection.execute(
                update(tables.jobs)
                .where(_T.id == found.id, seen, _T.lease_until_us == found.lease_until_us)
                .values(holder=holder, lease_until_us=until)
            )
    except IntegrityError:  # a job with the same lock was begun meanwhile
        return None
    return Claim(found.id, _read(found.body)) if taken.rowcount == 1 else None


def _read(body: object) -> Job | None:
    try:
        return _JOB.validate_python(rows.json(body))
    except (ValueError, ValidationError):
        return None


def renew_jobs(connection: Connection, *, holder: str, until: int) -> None:
    """Keep every job of a holder."""
    connection.execute(update(tables.jobs).where(_T.holder == holder).values(lease_until_us=until))


def end_job(connection: Connection, claim: int, *, holder: str) -> bool:
    """Remove a job that was handled; tells whether it still was the holder's."""
    return connection.execute(delete(tables.jobs).where(_T.id == claim, _T.holder == holder)).rowcount == 1


def release_job(connection: Connection, claim: int, *, holder: str) -> None:
    """Hand a job back that was not handled; where the same one waits already, that one stands for both."""
    try:
        with connection.begin_nested():
            connection.execute(
                update(tables.jobs).where(_T.id == claim, _T.holder == holder).values(holder=None, lease_until_us=0)
            )
    except IntegrityError:
        end_job(connection, claim, holder=holder)


def seen_until(connection: Connection, schedule: str) -> int | None:
    """Give the time up to which a schedule has been seen to, in microseconds; none where it is new."""
    return connection.execute(
        select(tables.schedules.c.due_us).where(tables.schedules.c.name == schedule)
    ).scalar_one_or_none()


def see_to(connection: Connection, schedule: str, *, before: int | None, due: int) -> bool:
    """Move a schedule on from where it was seen; tells whether this transaction was the one that did."""
    if before is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(tables.schedules).values(name=schedule, due_us=due))
        except IntegrityError:  # another process was the first to see it
            return False
        return True
    moved = connection.execute(
        update(tables.schedules)
        .where(tables.schedules.c.name == schedule, tables.schedules.c.due_us == before)
        .values(due_us=due)
    )
    return moved.rowcount == 1
