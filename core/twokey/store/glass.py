"""Rows of emergencies (broken glass), inside a transaction that the caller holds.

Rules: nothing here decides anything; a row says where in the log to look, and what comes back is validated like input,
because rows are no authority.
"""

import dataclasses
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, update

from twokey.core.values import EntryId, GlassId, Instant, PrincipalName, ProposalId
from twokey.store import rows, tables


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


def add_glass(connection: Connection, record: GlassRecord) -> None:
    """Index one emergency."""
    connection.execute(insert(tables.broken_glass).values(**dataclasses.asdict(record)))


def list_glass(connection: Connection, *, proposal: str | None = None, limit: int = 200) -> list[GlassRecord]:
    """Give emergencies, the latest first; raises ``CheckFailed`` where a row is not as it was stored."""
    table = tables.broken_glass
    query = select(table).order_by(table.c.opened_us.desc(), table.c.id.desc()).limit(limit)
    if proposal is not None:
        query = query.where(table.c.proposal == proposal)
    with rows.reading("glass"):
        return _RECORDS.validate_python([dict(row) for row in connection.execute(query).mappings()])


def review_glass(connection: Connection, glass: str, *, by: str, words: str, entry: str) -> bool:
    """Note a review; tells whether it was the first."""
    changed = connection.execute(
        update(tables.broken_glass)
        .where(tables.broken_glass.c.id == glass, tables.broken_glass.c.reviewed_by.is_(None))
        .values(reviewed_by=by, review=words, review_entry=entry)
    )
    return changed.rowcount == 1
