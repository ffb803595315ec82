"""Rows of what channels show elsewhere, inside a transaction that the caller holds.

Rules: for one purpose there is one message in a place, and the database itself holds to that. Who posts claims the row
with a lease and commits before anything is sent: a row that says ``posting`` may stand there already, and whoever finds
it looks before they post. ``wanted`` counts the changes that are to be shown, ``version`` the last one that is.
"""

import dataclasses
from typing import Annotated, Any, Final, Literal

from pydantic import StringConstraints, TypeAdapter
from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from twokey.core.values import Channel, Count, ExecutorId, Instant, MessageId
from twokey.store import rows, tables

PROGRESS: Final = "progress:"
"""What the purpose of a message begins with that shows a run; its id follows."""

State = Literal["wanted", "posting", "posted", "failed"]
Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}(:[0-9a-zA-Z_.-]{1,39})?$")]


@dataclasses.dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message as stored. ``remote`` is how the other side names it, once it is known to stand there."""

    id: MessageId
    channel: Channel
    place: str
    purpose: Purpose
    state: State
    wanted: Count
    version: Count
    remote: str | None
    code: str
    attempts: Count
    not_before_us: Instant
    holder: ExecutorId | None
    lease_until_us: Instant
    updated_us: Instant
    wanted_us: Instant
    """When it was last wanted."""
    shown_us: Instant | None = None
    """Where it shows a run: when that had changed last before the words were rendered, by the clock of its driver."""


_RECORD: Final[TypeAdapter[MessageRecord]] = TypeAdapter(MessageRecord)
_M: Final = tables.messages.c


def add_message(connection: Connection, message: str, *, channel: str, place: str, purpose: str, now: int) -> bool:
    """Want a message for the first time; tells whether it was, and not where there is one for that purpose."""
    values = {"id": message, "channel": channel, "place": place, "purpose": purpose, "state": "wanted"}
    try:
        with connection.begin_nested():
            connection.execute(insert(tables.messages).values(**values, updated_us=now, wanted_us=now))
    except IntegrityError:  # the one rule that a whole row can break
        return False
    return True


def want_again(connection: Connection, message: str, *, now: int) -> None:
    """Have a message show how things stand by now. One that is being posted stays so, and is looked at again after.

    One that failed may stand there all the same, so whoever posts it looks first.
    """
    again = update(tables.messages).where(_M.id == message)
    connection.execute(again.values(wanted=_M.wanted + 1, attempts=0, updated_us=now, wanted_us=now))
    connection.execute(again.where(_M.state == "posted").values(state="wanted", code=""))
    connection.execute(again.where(_M.state == "failed").values(state="posting", code=""))


def get_message(connection: Connection, message: str) -> MessageRecord | None:
    """Read one message; raises ``CheckFailed`` where its row is not as it was stored."""
    with rows.reading("message"):
        row = connection.execute(select(tables.messages).where(_M.id == message)).mappings().one_or_none()
        return None if row is None else _RECORD.validate_python(dict(row))


def wanted_since(connection: Connection, seen: MessageRecord) -> bool:
    """Tell whether a message was wanted again since it was ``seen``; nobody else does so until the transaction ends."""
    query = select(_M.wanted).where(_M.id == seen.id).with_for_update()
    return connection.execute(query).scalar_one_or_none() not in {None, seen.wanted}


def find_message(connection: Connection, *, channel: str, place: str, purpose: str) -> str | None:
    """Give the id of the message for a purpose in a place."""
    query = select(_M.id).where(_M.channel == channel, _M.place == place, _M.purpose == purpose)
    return connection.execute(query).scalar_one_or_none()


def list_messages(connection: Connection, purpose: str) -> list[MessageRecord]:
    """Give the messages for a purpose, in every channel and place."""
    query = select(tables.messages).where(_M.purpose == purpose).order_by(_M.id)
    with rows.reading("message"):
        return [_RECORD.validate_python(dict(row)) for row in connection.execute(query).mappings()]


def claim_message(connection: Connection, seen: MessageRecord, *, holder: str, now: int, until: int) -> bool:
    """Begin to post a message as it was ``seen``; tells whether nobody else has it, and it is due.

    Where it shows a run, how far that is now is kept: the words that follow show that, or more.
    """
    run = seen.purpose.removeprefix(PROGRESS)
    shown = select(tables.runs.c.updated_us).where(tables.runs.c.id == run).scalar_subquery()
    shows: dict[str, Any] = {} if run == seen.purpose else {"shown_us": shown}
    free = or_(_M.holder.is_(None), _M.lease_until_us <= now)
    claimed = connection.execute(
        update(tables.messages)
        .where(_M.id == seen.id, _M.state == seen.state, _M.state.in_(("wanted", "posting")), free)
        .where(_M.not_before_us <= now, _M.attempts == seen.attempts, _M.wanted == seen.wanted)
        .values(state="posting", holder=holder, lease_until_us=until, attempts=_M.attempts + 1, updated_us=now, **shows)
    )
    return claimed.rowcount == 1


def end_message(
    connection: Connection, message: str, *, holder: str, state: State, code: str = "", now: int, **changes: object
) -> bool:
    """Say what became of an attempt, and set further columns; tells whether the message was still the holder's."""
    ended = connection.execute(
        update(tables.messages)
        .where(_M.id == message, _M.holder == holder)
        .values(state=state, code=code, holder=None, lease_until_us=0, updated_us=now, **changes)
    )
    return ended.rowcount == 1


def waiting_messages(connection: Connection, *, now: int, before: int, limit: int) -> list[str]:
    """Give the messages that are due, that nobody posts and nobody touched since ``before``, the oldest first."""
    free = or_(_M.holder.is_(None), _M.lease_until_us <= now)
    query = select(_M.id).where(_M.state.in_(("wanted", "posting")), free, _M.not_before_us <= now)
    return list(connection.execute(query.where(_M.updated_us <= before).order_by(_M.updated_us).limit(limit)).scalars())


def outdated_messages(connection: Connection, *, channel: str, limit: int) -> list[str]:
    """Give the purposes of posted messages whose run is no longer as it was when their words were rendered."""
    query = (
        select(_M.purpose)
        .join(tables.runs, tables.runs.c.id == func.substr(_M.purpose, len(PROGRESS) + 1))
        .where(
            _M.channel == channel,
            _M.state == "posted",
            _M.purpose.startswith(PROGRESS, autoescape=True),
            tables.runs.c.updated_us.is_distinct_from(_M.shown_us),
        )
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
