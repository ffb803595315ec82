"""Rows of linked identities, inside a transaction that the caller holds.

Rules: one external identity has one row, and a principal one per provider; the database itself holds to both. A row is
an index and no authority: what comes back is validated like input, and counts only where the log says the same.
"""

import dataclasses
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from twokey.core.values import EntryId, ExternalId, Instant, PrincipalName, Provider
from twokey.store import rows, tables


@dataclasses.dataclass(frozen=True, slots=True)
class LinkRecord:
    """One linked identity as stored."""

    external: ExternalId
    principal: PrincipalName
    provider: Provider
    entry: EntryId
    linked_us: Instant


_LINK: Final[TypeAdapter[LinkRecord]] = TypeAdapter(LinkRecord)
_L: Final = tables.links.c


def add_link(connection: Connection, record: LinkRecord) -> bool:
    """Index a link; tells whether it was added, and not where the identity or the principal has one already."""
    try:
        with connection.begin_nested():
            connection.execute(insert(tables.links).values(**dataclasses.asdict(record)))
    except IntegrityError:  # one of the rules that a whole row can break
        return False
    return True


def remove_link(connection: Connection, external: str) -> bool:
    """Remove the row of an external identity; tells whether there was one."""
    return connection.execute(delete(tables.links).where(_L.external == external)).rowcount == 1


def is_indexed(connection: Connection, external: str) -> bool:
    """Tell whether an external identity has a row, whatever stands in it."""
    return connection.execute(select(_L.external).where(_L.external == external)).one_or_none() is not None


def get_link(connection: Connection, external: str) -> LinkRecord | None:
    """Read the row of an external identity; raises ``CheckFailed`` where it is not as it was stored."""
    with rows.reading("link"):
        row = connection.execute(select(tables.links).where(_L.external == external)).mappings().one_or_none()
        return None if row is None else _LINK.validate_python(dict(row))


def find_link(connection: Connection, principal: str, provider: str) -> LinkRecord | None:
    """Read the row of a principal with a provider; raises ``CheckFailed`` where it is not as it was stored."""
    query = select(tables.links).where(_L.principal == principal, _L.provider == provider)
    with rows.reading("link"):
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _LINK.validate_python(dict(row))


def list_links(connection: Connection) -> list[LinkRecord]:
    """Read every row, by principal; raises ``CheckFailed`` where one is not as it was stored."""
    with rows.reading("link"):
        found = connection.execute(select(tables.links).order_by(_L.principal, _L.provider)).mappings()
        return [_LINK.validate_python(dict(row)) for row in found]
