"""Rows of emergencies (broken glass), inside a transaction that the caller holds.

Rules: nothing here decides anything; a row says where in the log to look, and what comes back is validated like input,
because rows are no authority.
"""

import dataclasses
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from twokey.core.values import EntryId, GlassId, Instant, PrincipalName, ProposalId
from twokey.store import rows, sealing, tables


@dataclasses.dataclass(frozen=True, slots=True)
class GlassRecord:
    """One emergency as stored. ``ticket`` and ``reason`` are what the person wrote."""

    id: GlassId
    proposal: ProposalId
    principal: PrincipalName
    ticket: str
    reason: str
    entry: EntryId
    opened_us: Instant
    until_us: Instant
    reviewed_by: PrincipalName | None = None
    review: str = ""
    review_entry: EntryId | None = None


_RECORDS: Final[TypeAdapter[list[GlassRecord]]] = TypeAdapter(list[GlassRecord])
_G: Final = tables.broken_glass.c
_WORDS: Final = (_G.ticket, _G.reason, _G.review)
_LIST: Final = select(tables.broken_glass).order_by(_G.opened_us.desc(), _G.id.desc()).limit(bindparam("most"))
_LIST_OF: Final = _LIST.where(_G.proposal == bindparam("of_proposal"))


def add_glass(connection: Connection, record: GlassRecord) -> None:
    """Index one emergency."""
    values = dataclasses.asdict(record)
    for column in _WORDS:
        values[column.name] = sealing.closed_text(connection, column, record.id, values[column.name])
    connection.execute(insert(tables.broken_glass).values(**values))


def list_glass(connection: Connection, *, proposal: str | None = None, limit: int = 200) -> list[GlassRecord]:
    """Give emergencies, the latest first; raises ``CheckFailed`` where a row is not as it was stored."""
    query, values = (_LIST, {}) if proposal is None else (_LIST_OF, {"of_proposal": proposal})
    with rows.reading("glass"):
        found = connection.execute(query, {"most": limit, **values}).mappings()
        return _RECORDS.validate_python([_plain(connection, row) for row in found])


def _plain(connection: Connection, row: RowMapping) -> dict[str, Any]:
    words = {each.name: sealing.opened_text(connection, each, row["id"], row[each.name]) for each in _WORDS}
    return {**row, **words}


def review_glass(connection: Connection, glass: str, *, by: str, words: str, entry: str) -> bool:
    """Note a review; tells whether it was the first."""
    changed = connection.execute(
        update(tables.broken_glass)
        .where(tables.broken_glass.c.id == glass, tables.broken_glass.c.reviewed_by.is_(None))
        .values(reviewed_by=by, review=sealing.closed_text(connection, _G.review, glass, words), review_entry=entry)
    )
    return changed.rowcount == 1
