"""Rows of what was taken of the budgets, inside a transaction that the caller holds.

Rules: whoever takes something holds the counter's row until the transaction ends, so that nobody else counts meanwhile
(on SQLite the transaction itself is that lock), and takes the next number; what a proposal asked for is counted as it
was when it was made, so that what came later takes nothing from it. Windows slide: an hour is the last 3600 seconds.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Connection, and_, bindparam, func, insert, literal_column, or_, select, update

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
_WINDOWS: Final = {
    "run": (_R.run == bindparam("of_run"), None),
    "requester_hour": (_R.requester == bindparam("by"), HOUR_US),
    "hour": (None, HOUR_US),
    "day": (None, DAY_US),
}


def _number(value: int) -> Any:
    return literal_column(str(value), BigInteger)


def _stage(name: Stage) -> Any:
    return _R.stage == literal_column(f"'{name}'")


def _sums() -> Any:
    """Build the one query: every measure in every window, and the last number that was given away.

    What is the same every time stands in its text: each parameter costs, and psycopg reads a text of more than 4,096
    characters anew each time.
    """
    none = _number(0)
    own = tables.reservations.alias("own")
    mine = (
        select(
            func.coalesce(func.max(own.c.number), MAX_INTEGER).label("before"),
            func.coalesce(func.max(own.c.at_us), bindparam("now")).label("asked"),
        )
        .where(own.c.proposal == bindparam("mine"), own.c.stage == "proposal")
        .subquery("mine")
    )
    before = and_(_stage("proposal"), _R.number < mine.c.before)
    measures = {
        "proposals": (before, _number(1), mine.c.asked),
        "files": (before, _R.files, mine.c.asked),
        "lines": (before, _R.lines, mine.c.asked),
        "writes": (and_(_stage("write"), _R.proposal != bindparam("mine")), _number(1), bindparam("now")),
        "cost": (_stage("model"), _R.cost, bindparam("now")),
    }
    last = select(tables.counters.c.reserved).where(tables.counters.c.name == WORKSPACE).scalar_subquery()
    columns: list[Any] = [last.label("last")]
    for window, (whose, length) in _WINDOWS.items():
        for measure, (what, amount, base) in measures.items():
            conditions = [what] if whose is None else [what, whose]
            if length is not None:
                conditions.append(_R.at_us > base - _number(length))
            total = func.coalesce(func.sum(amount).filter(and_(*conditions)), none)
            columns.append(total.label(f"{window}.{measure}"))
    recent = _R.at_us > mine.c.asked - _number(DAY_US)
    return select(*columns).select_from(_ROWS, mine).where(or_(_R.run == bindparam("of_run"), recent))


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
        found = _SUMS.validate_python(dict(connection.execute(_COUNT, values).mappings().one()))
    used = {window: Usage(**{name: found[f"{window}.{name}"] for name in Usage.model_fields}) for window in _WINDOWS}
    return Counted(Counters(**used), found["last"])


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
