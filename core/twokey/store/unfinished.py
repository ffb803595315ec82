"""What was begun and has not come to its end: ids only, mostly oldest first, and never more than asked for.

Rules: nothing but ids and leases is read here, so that one row that was tampered with hides no other; whoever takes an
id up reads its row again, with every check.
"""

import dataclasses

from sqlalchemy import Connection, exists, func, or_, select

from twokey.core.lifecycle import OPEN, State
from twokey.store import tables

_RUNS = tables.runs.c
_PROPOSALS = tables.proposals.c


@dataclasses.dataclass(frozen=True, slots=True)
class Driven:
    """A run in state ``running`` that somebody drives, or drove: who, and until when the lease goes (microseconds)."""

    run: str
    holder: str
    until_us: int


def driven(connection: Connection, *, limit: int) -> list[Driven]:
    """Give the runs in state ``running`` that have a driver, dead or alive; those whose lease ends first come first."""
    query = (
        select(_RUNS.id, _RUNS.holder, _RUNS.lease_until_us)
        .where(_RUNS.state == "running", _RUNS.holder.is_not(None))
        .order_by(_RUNS.lease_until_us, _RUNS.id)
        .limit(limit)
    )
    return [Driven(row.id, row.holder, row.lease_until_us) for row in connection.execute(query)]


def undriven(connection: Connection, *, before: int, limit: int) -> list[str]:
    """Give the runs in state ``running`` that nobody drives, and that have been there since ``before`` or longer."""
    query = (
        select(_RUNS.id)
        .where(_RUNS.state == "running", _RUNS.holder.is_(None), _RUNS.updated_us <= before)
        .order_by(_RUNS.created_us, _RUNS.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def answered(connection: Connection, *, now: int, before: int, limit: int) -> list[str]:
    """Give the runs in state ``waiting`` whose proposals have all come to an end at ``before`` or earlier.

    A run that is being driven is left out. Times are in microseconds.
    """
    held = exists().where(
        _PROPOSALS.run == _RUNS.id,
        or_(_PROPOSALS.state.in_([state.value for state in OPEN]), _PROPOSALS.updated_us > before),
    )
    free = or_(_RUNS.holder.is_(None), _RUNS.lease_until_us <= now)
    query = (
        select(_RUNS.id).where(_RUNS.state == "waiting", free, ~held).order_by(_RUNS.created_us, _RUNS.id).limit(limit)
    )
    return list(connection.execute(query).scalars())


def approved(connection: Connection, *, before: int, limit: int) -> list[str]:
    """Give the proposals that have been ``approved`` since ``before`` or longer (microseconds)."""
    query = (
        select(_PROPOSALS.id)
        .where(_PROPOSALS.state == State.APPROVED.value, _PROPOSALS.updated_us <= before)
        .order_by(_PROPOSALS.created_us, _PROPOSALS.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def uncounted(connection: Connection, *, after: str = "", limit: int) -> list[str]:
    """Give the proposals after ``after`` that wait for an answer and whose decision several people approved.

    One approval is counted as it is stored; of several, the last may have been stored and not counted with the others.
    They come in the order of their ids, so that whoever asks for the next ones comes to the end.
    """
    given = tables.approvals.c
    several = (
        select(func.count(given.principal.distinct()))
        .where(
            given.proposal == _PROPOSALS.id,
            given.decision_digest == _PROPOSALS.decision_digest,
            given.action == "approve",
        )
        .scalar_subquery()
    )
    query = (
        select(_PROPOSALS.id)
        .where(_PROPOSALS.state == State.AWAITING_APPROVAL.value, _PROPOSALS.id > after, several > 1)
        .order_by(_PROPOSALS.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def abandoned(connection: Connection, *, now: int, limit: int) -> list[str]:
    """Give the proposals that are ``executing`` under a lease that ran out, or under none."""
    leased = exists().where(tables.executions.c.proposal == _PROPOSALS.id, tables.executions.c.lease_until_us > now)
    query = (
        select(_PROPOSALS.id)
        .where(_PROPOSALS.state == State.EXECUTING.value, ~leased)
        .order_by(_PROPOSALS.created_us, _PROPOSALS.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
