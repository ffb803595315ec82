"""Rows of what was taken of the budgets, inside a transaction that the caller holds.

Rules: whoever takes something holds the counter's row until the transaction ends, so that nobody else counts meanwhile
(on SQLite the transaction itself is that lock), and takes the next number; what a proposal asked for is counted as it
was when it was made, so that what came later takes nothing from it. Windows slide: an hour is the last 3600 seconds.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from twokey.core.canonical import MAX_INTEGER
from twokey.core.values import Counters, Instant, Usage
from twokey.store import rows, tables

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
WORKSPACE: Final = "workspace"
Stage = Literal["proposal", "write", "model"]

_ROWS: Final = tables.reservations.alias("r")
_R: Final = _ROWS.c
_NUMBER: Final[TypeAdapter[int]] = TypeAdapter(Instant)
_SUMS: Final[TypeAdapter[dict[str, int]]] = TypeAdapter(dict[str, Instant])
_WINDOWS: Final = ("run", "requester_hour", "hour", "day")


def _number(value: int) -> Any:
    return literal_column(str(value), BigInteger)


def _stage(name: Stage) -> Any:
    return _R.stage == literal_column(f"'{name}'")


def _sums() -> Any:
    """Build the one query: what counts, summed up by stage and by which windows it lies in, and the last number.

    A row is looked at once and not once for each figure, because a busy day has many. One row comes back even where
    nothing counts. What is the same every time stands in the query's text: each parameter costs, and psycopg reads a
    text of more than 4,096 characters anew each time.
    """
    own = tables.reservations.alias("own")
    mine = (
        select(
            func.coalesce(func.max(own.c.number), MAX_INTEGER).label("before"),
            func.coalesce(func.max(own.c.at_us), bindparam("now")).label("asked"),
        )
        .where(own.c.proposal == bindparam("mine"), own.c.stage == "proposal")
        .subquery("mine")
    )
    counts = or_(
        and_(_stage("proposal"), _R.number < mine.c.before),
        and_(_stage("write"), _R.proposal != bindparam("mine")),
        _stage("model"),
    )
    base = case((_stage("proposal"), mine.c.asked), else_=bindparam("now"))
    recent = _R.at_us > mine.c.asked - _number(DAY_US)
    keys = (
        _R.stage.label("stage"),
        (_R.run == bindparam("of_run")).label("run"),
        (_R.requester == bindparam("by")).label("by"),
        (_R.at_us > base - _number(HOUR_US)).label("hour"),
        (_R.at_us > base - _number(DAY_US)).label("day"),
    )
    last = select(tables.counters.c.reserved).where(tables.counters.c.name == WORKSPACE).scalar_subquery()
    return (
        select(
            last.label("last"),
            *keys,
            func.count(_R.number).label("times"),
            func.sum(_R.files).label("files"),
            func.sum(_R.lines).label("lines"),
            func.sum(_R.cost).label("cost"),
        )
        .select_from(mine.outerjoin(_ROWS, and_(counts, or_(_R.run == bindparam("of_run"), recent))))
        .group_by(*(literal_column(str(place)) for place in range(2, 2 + len(keys))))
    )


_COUNT: Final = _sums()
_ADD: Final = insert(tables.reservations)
_NEXT: Final = (
    update(tables.counters)
    .where(tables.counters.c.name == WORKSPACE)
    .values(reserved=tables.counters.c.reserved + 1)
    .returning(tables.counters.c.reserved)
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What others took of the budgets, and the number of the last reservation that this was counted after."""

    counters: Counters
    last: int


def count(connection: Connection, *, run: str, requester: str, now: int, proposal: str = "") -> Counted:
    """Count what others took of the budgets of ``run``, ``requester`` and the workspace.

    For a ``proposal`` that has a reservation, what was proposed is counted as of that reservation.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    with rows.reading("usage"):
        values = {"of_run": run, "by": requester, "mine": proposal, "now": now}
        groups = connection.execute(_COUNT, values).all()
        found = {f"{window}.{name}": 0 for window in _WINDOWS for name in Usage.model_fields}
        for group in groups:
            for window in _windows_of(group):
                for name, amount in _measures_of(group):
                    found[f"{window}.{name}"] += amount
        found = _SUMS.validate_python({**found, "last": groups[0].last})
    used = {window: Usage(**{name: found[f"{window}.{name}"] for name in Usage.model_fields}) for window in _WINDOWS}
    return Counted(Counters(**used), found["last"])


def _windows_of(group: Row[Any]) -> tuple[str, ...]:
    """Give the windows in which a group of reservations lies."""
    within = {
        "run": group.run,
        "requester_hour": group.by and group.hour,
        "hour": group.hour,
        "day": group.day,
    }
    return tuple(window for window in _WINDOWS if within[window])


def _measures_of(group: Row[Any]) -> tuple[tuple[str, int], ...]:
    """Give what a group of reservations adds to which figures."""
    match group.stage:
        case "proposal":
            return ("proposals", group.times), ("files", group.files), ("lines", group.lines)
        case "write":
            return (("writes", group.times),)
        case _:
            return (("cost", group.cost),)


def hold(connection: Connection) -> int:
    """Keep everybody else from reserving until the transaction ends; gives the next number.

    Raises:
        CheckFailed: the counter's row is gone.

    """
    with rows.reading("usage"):
        return _NUMBER.validate_python(connection.execute(_NEXT).scalar_one_or_none())


def add(  # the fields of one row
    connection: Connection,
    number: int,
    stage: Stage,
    *,
    run: str,
    requester: str,
    now: int,
    proposal: str | None = None,
    files: int = 0,
    lines: int = 0,
    cost: int = 0,
) -> None:
    """Store one reservation under a number that ``hold`` gave."""
    values = {
        "number": number,
        "stage": stage,
        "proposal": proposal,
        "run": run,
        "requester": requester,
        "files": files,
        "lines": lines,
        "cost": cost,
        "at_us": now,
    }
    connection.execute(_ADD, values)
