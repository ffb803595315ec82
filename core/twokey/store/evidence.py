"""Rows of evidence and of what opens commitments, inside a transaction that the caller holds.

Rule: what is read back is checked against its hash, because rows are no authority.
"""

from sqlalchemy import Connection, insert, select

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed, NotFound
from twokey.core.values import Evidence
from twokey.store import tables


def add_evidence(connection: Connection, value: Evidence, content: bytes) -> None:
    """Store one result of a read tool. ``content`` is canonical JSON."""
    connection.execute(
        insert(tables.evidence).values(
            id=value.id,
            run=value.run,
            value=canonical.encode(value.canonical()),
            content=content,
            created_us=value.created_us,
        )
    )


def get_evidence(connection: Connection, evidence_id: str) -> tuple[Evidence, Json]:
    """Read one piece of evidence.

    Raises:
        NotFound: there is none of that id.
        CheckFailed: the content is not what its hash says.

    """
    row = connection.execute(select(tables.evidence).where(tables.evidence.c.id == evidence_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such evidence here.", next="Look at the proposal that cites it.")
    value = Evidence.model_validate(canonical.decode(row.value))
    content = canonical.decode(row.content)
    if canonical.digest(content) != value.sha256 or canonical.commitment(value.salt, content) != value.commitment:
        raise CheckFailed(
            f"Evidence {evidence_id} is not what its hash says: it was changed after it was stored.",
            next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
        )
    return value, content


def list_evidence(connection: Connection, run: str) -> list[Evidence]:
    """What a run has read, oldest first, without the content."""
    query = (
        select(tables.evidence.c.value)
        .where(tables.evidence.c.run == run)
        .order_by(tables.evidence.c.created_us, tables.evidence.c.id)
    )
    return [Evidence.model_validate(canonical.decode(row.value)) for row in connection.execute(query)]


def add_opening(connection: Connection, *, commitment: str, salt: str, value: Json) -> None:
    """Keep what opens a commitment in the log."""
    connection.execute(insert(tables.openings).values(commitment=commitment, salt=salt, value=canonical.encode(value)))
