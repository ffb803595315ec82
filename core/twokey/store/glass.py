"""Rows of emergencies (broken glass), inside a transaction that the caller holds.

Rules: nothing here decides anything; a row says where in the log to look, and what comes back is validated like input,
because rows are no authority.
"""

import dataclasses
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, insert, select, update

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
_G: Final = tables.broken_glass.c
_LIST: Final = select(tables.broken_glass).order_by(_G.opened_us.desc(), _G.id.desc()).limit(bindparam("most"))
_LIST_OF: Final = _LIST.where(_G.proposal == bindparam("of_proposal"))


def add_glass(connection: Connection, record: GlassRecord) -> None:
    """Index one emergency."""
    connection.execute(insert(tables.broken_glass).values(**dataclasses.asdict(record)))


def list_glass(connection: Connection, *, proposal: str | None = None, limit: int = 200) -> list[GlassRecord]:
    """Give emergencies, the latest first; raises ``CheckFailed`` where a row is not as it was stored."""
    query, values = (_LIST, {}) if proposal is None else (_LIST_OF, {"of_proposal": proposal})
    with rows.reading("glass"):
        found = connection.execute(query, {"most": limit, **values}).mappings()
        return _RECORDS.validate_python([dict(row) for row in found])


def review_glass(connection: Connection, glass: str, *, by: str, words: str, entry: str) -> bool:
    """Note a review; tells whether it was the first."""
    changed = connection.execute(
        update(tables.broken_glass)
        .where(tables.broken_glass.c.id == glass, tables.broken_glass.c.reviewed_by.is_(None))
        .values(reviewed_by=by, review=words, review_entry=entry)
    )
    return changed.rowcount == 1
