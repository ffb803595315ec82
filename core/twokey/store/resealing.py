"""Seals what lies in the database unsealed, or sealed with an older key, and counts it.

Rules
- Each batch is one transaction and a bounded amount of memory; what a batch sealed stays sealed, so that whoever is cut
  off goes on where they were, and several may do it at once. What somebody else holds is passed over and tried again.
- A value is only ever exchanged for the same plain bytes under the newest key. One that does not open is left as it is
  and counted; a key that is missing ends everything, before anything more is changed.
- The old bytes of a row linger in a database's files. ``sweep`` has the database write its files anew; copies, backups
  and what a server has shipped elsewhere are not within reach.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Table,
    and_,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError

from twokey.store import sealing, tables
from twokey.store.sealing import Sealer

ROWS: Final = 200
"""Rows of a batch at most."""
BYTES: Final = 4 * 1024 * 1024
"""What the values of a batch come to at most, in bytes, unless one row alone is larger."""
PASSES: Final = 5
"""How often what somebody else held is tried again."""
LOCK_S: Final = 10
"""How long ``sweep`` waits for a table of PostgreSQL's that somebody uses, in seconds."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A table with sealed columns. ``row`` are the columns that the key of a row is made of."""

    table: Table
    columns: tuple[Column[Any], ...]
    row: tuple[Column[Any], ...]
    salted: Column[Any] | None = None
    """The column whose salt, where there is one, moves into the first of ``columns``."""

    @property
    def order(self) -> tuple[Column[Any], ...]:
        """The columns of the primary key."""
        return tuple(self.table.primary_key.columns)


SPOTS: Final = tuple(
    Spot(table, tuple(table.c[name] for name in names), tuple(table.c[name] for name in row), salted)
    for table, names, row, salted in (
        (tables.runs, ("request", "places", "message"), ("id",), None),
        (tables.documents, ("body",), ("run", "name"), None),
        (tables.evidence, ("value", "content"), ("id",), None),
        (tables.openings, ("value",), ("commitment",), tables.openings.c.salt),
        (tables.proposals, ("body", "decision", "result"), ("id",), None),
        (tables.approvals, ("reason",), ("entry",), None),
        (tables.switches, ("reason",), ("name",), None),
        (tables.broken_glass, ("ticket", "reason", "review"), ("id",), None),
        (tables.inbox, ("body",), ("id",), None),
        (tables.decisions, ("document", "answer"), ("entry",), tables.decisions.c.salt),
    )
)
"""Every column that holds words or values."""


@dataclass(slots=True)
class Done:
    """What came of it."""

    sealed: int = 0
    """Rows that were sealed anew."""
    broken: dict[str, int] = field(default_factory=dict[str, int])
    """Rows with a value that does not open, by table."""
    left: int = 0
    """Rows that are not sealed with the newest key at the end."""


def reseal(engine: Engine, sealer: Sealer, tell: Callable[[int], None]) -> Done:
    """Seal every value with the newest key; ``tell`` hears how many rows are done, after each batch.

    Raises:
        EnvironmentFault: a value is sealed with a key that is not there, or the key's file cannot be used.

    """
    done = Done()
    for _ in range(PASSES):
        done.broken = {}
        for spot in SPOTS:
            _through(engine, sealer, spot, done, tell)
        done.left = sum(count_stale(engine, sealer.keys.newest().name).values()) - sum(done.broken.values())
        if done.left <= 0:
            break
    return done


def count_stale(engine: Engine, name: bytes) -> dict[str, int]:
    """Count the rows, by table, that hold a value which is not sealed with the key of that name."""
    found: dict[str, int] = {}
    with engine.connect() as connection:
        for spot in SPOTS:
            query = select(func.count()).select_from(spot.table).where(_stale(spot, name))
            found[spot.table.name] = connection.execute(query).scalar_one()
    return {table: count for table, count in found.items() if count}


def any_plain(connection: Connection) -> bool:
    """Tell whether a row holds a value that is not sealed with any key."""
    for spot in SPOTS:
        query = select(spot.order[0]).where(or_(*(_unlike(each, b"") for each in spot.columns))).limit(1)
        if connection.execute(query).first() is not None:
            return True
    return False


def used_keys(engine: Engine, names: Sequence[bytes]) -> frozenset[bytes]:
    """Give those of the named keys that a value is sealed with, once nobody changes anything meanwhile."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            listed = ", ".join(spot.table.name for spot in SPOTS)
            connection.execute(text(f"LOCK TABLE {listed} IN SHARE MODE"))
        return frozenset(name for name in names if any(_uses(connection, spot, name) for spot in SPOTS))


def _uses(connection: Connection, spot: Spot, name: bytes) -> bool:
    query = select(spot.order[0]).where(or_(*(_like(each, name) for each in spot.columns))).limit(1)
    return connection.execute(query).first() is not None


def _through(engine: Engine, sealer: Sealer, spot: Spot, done: Done, tell: Callable[[int], None]) -> None:
    behind: tuple[Any, ...] | None = None
    while True:
        with engine.begin() as connection:
            name = sealer.keys.newest().name
            last = _end_of_batch(connection, spot, name, behind)
            if last is None:
                return
            for row in _batch(connection, spot, name, behind, last):
                try:
                    values = _anew(connection, spot, row)
                except ValueError:
                    done.broken[spot.table.name] = done.broken.get(spot.table.name, 0) + 1
                    continue
                same = and_(*(column == row[column.name] for column in spot.order))
                connection.execute(update(spot.table).where(same).values(**values))
                done.sealed += 1
        behind = last
        tell(done.sealed)


def _end_of_batch(
    connection: Connection, spot: Spot, name: bytes, behind: tuple[Any, ...] | None
) -> tuple[Any, ...] | None:
    """Give the primary key with which the next batch behind ``behind`` ends; none where there is nothing more."""
    query = select(*spot.order, _size(spot)).where(_stale(spot, name), *_behind(spot, behind))
    whole, last = 0, None
    for *key, size in connection.execute(query.order_by(*spot.order).limit(ROWS)):
        whole += size
        if last is not None and whole > BYTES:
            break
        last = tuple(key)
    return last


def _batch(
    connection: Connection, spot: Spot, name: bytes, behind: tuple[Any, ...] | None, last: tuple[Any, ...]
) -> Sequence[RowMapping]:
    """Read the rows of a batch, but those that somebody else holds, and hold them until the transaction ends."""
    batch = select(spot.table).where(_stale(spot, name), *_behind(spot, behind), tuple_(*spot.order) <= tuple_(*last))
    return (
        connection.execute(batch.order_by(*spot.order).limit(ROWS).with_for_update(skip_locked=True)).mappings().all()
    )


def _behind(spot: Spot, behind: tuple[Any, ...] | None) -> list[ColumnElement[bool]]:
    return [] if behind is None else [tuple_(*spot.order) > tuple_(*behind)]


def _anew(connection: Connection, spot: Spot, row: RowMapping) -> dict[str, Any]:
    """Give the columns of a row as they are to be; raises ``ValueError`` where one does not open."""
    key = "/".join(row[column.name] for column in spot.row)  # as ``runs.slot`` has it
    values: dict[str, Any] = {}
    for column in spot.columns:
        stored = row[column.name]
        if isinstance(stored, str) and _is_text(column):
            plain = str(sealing.opened_text(connection, column, key, stored))
            values[column.name] = sealing.closed_text(connection, column, key, plain)
        elif stored is not None:
            opened = sealing.opened(connection, column, key, stored)
            if not isinstance(opened, bytes):
                raise ValueError("the column does not hold bytes")
            if spot.salted is not None and column is spot.columns[0] and row[spot.salted.name] != "":
                opened = sealing.salted(row[spot.salted.name], opened)
                values[spot.salted.name] = ""
            values[column.name] = sealing.closed(connection, column, key, opened)
    return values


def _is_text(column: Column[Any]) -> bool:
    return column.type.python_type is str


def _like(column: Column[Any], name: bytes) -> ColumnElement[bool]:
    """Give the condition for values that are sealed with the key of that name, or with any where it is empty."""
    if _is_text(column):
        head = sealing.text_head(name) if name else sealing.TEXT_SEALED
        return func.substr(column, 1, len(head)) == head
    mark = sealing.SEALED + name
    return func.substr(column, 1, len(mark)) == mark


def _unlike(column: Column[Any], name: bytes) -> ColumnElement[bool]:
    """Give the condition for values that are there and not sealed so."""
    there = column != "" if _is_text(column) else column.is_not(None)
    return and_(there, ~_like(column, name))


def _stale(spot: Spot, name: bytes) -> ColumnElement[bool]:
    return or_(*(_unlike(column, name) for column in spot.columns))


def _size(spot: Spot) -> ColumnElement[int]:
    whole: Any = 0
    for column in spot.columns:
        whole = func.coalesce(func.length(column), 0) + whole
    return whole


def sweep(engine: Engine) -> bool:
    """Have the database write its files anew, without what was there before; tells whether it could.

    Others wait meanwhile. It cannot where somebody else uses the database for longer than this one waits.
    """
    try:
        if engine.dialect.name == "sqlite":
            return _swept_sqlite(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"SET lock_timeout = '{LOCK_S}s'"))
            for spot in SPOTS:
                connection.execute(text(f"VACUUM (FULL) {spot.table.name}"))
            connection.execute(text("RESET lock_timeout"))
    except (DBAPIError, sqlite3.Error):
        return False
    return True


def _swept_sqlite(engine: Engine) -> bool:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, *_ = cursor.fetchone() or (1,)
        cursor.close()
        return not busy
    finally:
        raw.close()
