"""Rows of what channels received, inside a transaction that the caller holds.

Rules: one delivery (by its channel and key) has one row, whoever takes it, and the database itself holds to that; the
row outlives its body, so that what comes again is known again; what was handled is never handled again.
"""

import dataclasses
from collections.abc import Collection, Iterator
from typing import Final, Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from twokey.core.values import Channel, Count, InboundId, Instant
from twokey.store import rows, sealing, tables

State = Literal["new", "done", "failed", "ignored"]


@dataclasses.dataclass(frozen=True, slots=True)
class InboundRecord:
    """One delivery as stored. ``body`` is gone some time after it was handled; ``attempts`` counts those that began."""

    id: InboundId
    channel: Channel
    key: str
    kind: str
    body: bytes | None
    state: State
    code: str
    attempts: Count
    received_us: Instant
    updated_us: Instant


_RECORD: Final[TypeAdapter[InboundRecord]] = TypeAdapter(InboundRecord)
_I: Final = tables.inbox.c
_AT_ONCE: Final = 20
"""Rows with bodies that are in memory at a time."""


def add_inbound(connection: Connection, record: InboundRecord) -> bool:
    """Store a delivery; tells whether it was stored, and not where the channel had it before."""
    try:
        with connection.begin_nested():
            values = dataclasses.asdict(record) | {"body": _kept(connection, record.id, record.body)}
            connection.execute(insert(tables.inbox).values(**values))
    except IntegrityError:  # the one rule that a whole row can break
        return False
    return True


def get_inbound(connection: Connection, inbound: str) -> InboundRecord | None:
    """Read one delivery; raises ``CheckFailed`` where its row is not as it was stored."""
    with rows.reading("inbound"):
        row = connection.execute(select(tables.inbox).where(_I.id == inbound)).mappings().one_or_none()
        return None if row is None else _record(connection, row)


def find_inbound(connection: Connection, channel: Channel, key: str) -> InboundRecord | None:
    """Read what a channel had under a key; raises ``CheckFailed`` where its row is not as it was stored."""
    with rows.reading("inbound"):
        query = select(tables.inbox).where(_I.channel == channel, _I.key == key)
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _record(connection, row)


def begin_inbound(connection: Connection, inbound: str, *, now: int) -> InboundRecord | None:
    """Count an attempt to handle a delivery that waits, and give it; none where there is none or it is over."""
    begun = connection.execute(
        update(tables.inbox).where(_I.id == inbound, _I.state == "new").values(attempts=_I.attempts + 1, updated_us=now)
    )
    return get_inbound(connection, inbound) if begun.rowcount == 1 else None


def end_inbound(connection: Connection, inbound: str, state: State, code: str, *, now: int) -> bool:
    """Say what became of a delivery; tells whether it was still waiting to be handled."""
    ended = connection.execute(
        update(tables.inbox).where(_I.id == inbound, _I.state == "new").values(state=state, code=code, updated_us=now)
    )
    return ended.rowcount == 1


def kept_inbound(
    connection: Connection, channel: Channel, kind: str, *, since: int, limit: int
) -> Iterator[InboundRecord]:
    """Give the deliveries of one kind, received since ``since``, whose bodies are kept: the latest first, bit by bit.

    Raises ``CheckFailed`` where a row is not as it was stored.
    """
    query = (
        select(tables.inbox)
        .where(_I.channel == channel, _I.kind == kind, _I.received_us >= since, _I.body.is_not(None))
        .order_by(_I.received_us.desc(), _I.id.desc())
        .limit(limit)
    )
    with rows.reading("inbound"):
        for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)).mappings():
            yield _record(connection, row)


def waiting_inbound(connection: Connection, *, before: int, limit: int) -> list[str]:
    """Give the ids of deliveries that wait and were not touched since ``before``, the oldest first."""
    query = select(_I.id).where(_I.state == "new", _I.updated_us <= before).order_by(_I.updated_us, _I.id).limit(limit)
    return list(connection.execute(query).scalars())


def forget_bodies(connection: Connection, *, before: int, but: Collection[Channel] = ()) -> int:
    """Remove the bodies of deliveries that were over before ``before``, but of some channels; gives how many."""
    over = update(tables.inbox).where(_I.state != "new", _I.updated_us < before, _I.body.is_not(None))
    return connection.execute(over.where(_I.channel.not_in(but)).values(body=None)).rowcount


def aged_inbound(connection: Connection, channel: Channel, *, before: int, limit: int) -> list[InboundRecord]:
    """Give the deliveries of a channel that were over before ``before`` and have a body still, those that wait longest.

    Raises ``CheckFailed`` where a row is not as it was stored.
    """
    query = (
        select(tables.inbox)
        .where(_I.channel == channel, _I.state != "new", _I.updated_us < before, _I.body.is_not(None))
        .order_by(_I.updated_us, _I.id)
        .limit(limit)
    )
    with rows.reading("inbound"):
        return [_record(connection, row) for row in connection.execute(query).mappings()]


def keep_inbound(connection: Connection, inbound: str, body: bytes | None, *, until: int) -> None:
    """Keep something else of a delivery that is over, or nothing; it does not count as old before ``until``."""
    connection.execute(
        update(tables.inbox)
        .where(_I.id == inbound, _I.state != "new")
        .values(body=_kept(connection, inbound, body), updated_us=until)
    )


def uncount_inbound(connection: Connection, inbound: str, *, now: int) -> None:
    """Take back that an attempt was counted: its surroundings were at fault."""
    waiting = update(tables.inbox).where(_I.id == inbound, _I.state == "new", _I.attempts > 0)
    connection.execute(waiting.values(attempts=_I.attempts - 1, updated_us=now))


def _kept(connection: Connection, inbound: str, body: bytes | None) -> bytes | None:
    return None if body is None else sealing.closed(connection, _I.body, inbound, body)


def _record(connection: Connection, row: RowMapping) -> InboundRecord:
    body = sealing.opened(connection, _I.body, row["id"], row["body"])
    return _RECORD.validate_python(dict(row) | {"body": body})
