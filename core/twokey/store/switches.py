"""The row of the kill switch, inside a transaction that the caller holds.

Rules: there is one row, made with the tables; whoever turns the switch holds it alone, and whoever
begins a write holds it shared until the intent is committed, so that no write begins behind a freeze. On SQLite the
transaction itself is that lock. What comes back is validated like input, because rows are no authority.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import StrictBool, TypeAdapter
from sqlalchemy import Connection, ScalarSelect, Select, insert, select, update

from twokey.core.values import EntryId, Instant, PrincipalName
from twokey.store import rows, sealing, tables

FREEZE: Final = "freeze"
Hold = Literal["nothing", "shared", "alone"]


@dataclasses.dataclass(frozen=True, slots=True)
class FreezeRecord:
    """The freeze as its row tells it. ``entry`` is the log entry of the last turn; none where it was never turned."""

    is_on: StrictBool
    entry: EntryId | None
    principal: PrincipalName | None
    reason: str
    changed_us: Instant


_FREEZE: Final[TypeAdapter[FreezeRecord]] = TypeAdapter(FreezeRecord)
_BESIDE: Final = "beside"
_S: Final = tables.switches.c
_GET: Final = select(_S.is_on, _S.entry, _S.principal, _S.reason, _S.changed_us).where(_S.name == FREEZE)
_READ: Final[dict[Hold, Any]] = {
    "nothing": _GET,
    "shared": _GET.with_for_update(read=True),
    "alone": _GET.with_for_update(),
}


def get_freeze(connection: Connection, *, hold: Hold = "nothing") -> FreezeRecord:
    """Read the freeze; raises ``CheckFailed`` where its row is gone or not as it was stored."""
    with rows.reading("freeze"):
        return _FREEZE.validate_python(_row(connection, _READ[hold], {}))


def beside(value: ScalarSelect[Any]) -> Select[Any]:
    """Give the query of ``get_freeze_beside``: the freeze, and one more value as of the same moment."""
    return _GET.add_columns(value.label(_BESIDE))


def get_freeze_beside(
    connection: Connection, query: Select[Any], values: Mapping[str, Any]
) -> tuple[FreezeRecord, object]:
    """Read the freeze and the value beside it in one statement; raises as ``get_freeze``."""
    with rows.reading("freeze"):
        row = _row(connection, query, values)
        value = row.pop(_BESIDE)
        return _FREEZE.validate_python(row), value


def _row(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    row = connection.execute(query, values).mappings().one_or_none()
    if row is None:
        raise ValueError("the row is gone")
    return dict(row) | {"reason": sealing.opened_text(connection, _S.reason, FREEZE, row["reason"])}


def set_freeze(connection: Connection, record: FreezeRecord) -> None:
    """Turn the switch. The caller holds the row alone; one that somebody removed is made again."""
    values = dataclasses.asdict(record)
    values["reason"] = sealing.closed_text(connection, _S.reason, FREEZE, record.reason)
    changed = connection.execute(update(tables.switches).where(tables.switches.c.name == FREEZE).values(**values))
    if changed.rowcount == 0:
        connection.execute(insert(tables.switches).values(name=FREEZE, **values))
