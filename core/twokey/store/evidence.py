"""Rows of evidence and of what opens commitments, inside a transaction that the caller holds.

Rules: what is read back is checked against its hash, because rows are no authority; where the store seals, the salt of
an opening lies sealed with its value, since beside the log it would let short values be guessed.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import NotFound
from twokey.core.values import Evidence
from twokey.store import rows, sealing, tables

_E: Final = tables.evidence.c
_O: Final = tables.openings.c

# Statements of every read and write are built once: building one takes longer than running it.
_GATHER: Final = select(tables.evidence).where(tables.evidence.c.id.in_(bindparam("wanted", expanding=True)))
_ADD: Final = insert(tables.evidence)
_GET: Final = select(tables.evidence).where(tables.evidence.c.id == bindparam("wanted"))
_OPEN: Final = insert(tables.openings)
_OPENING: Final = select(tables.openings).where(tables.openings.c.commitment == bindparam("wanted"))


def add_evidence(connection: Connection, value: Evidence, content: bytes) -> None:
    """Store one result of a read tool. ``content`` is canonical JSON."""
    values = {
        "id": value.id,
        "run": value.run,
        "value": sealing.closed(connection, _E.value, value.id, value.encoded()),
        "content": sealing.closed(connection, _E.content, value.id, content),
        "created_us": value.created_us,
    }
    connection.execute(_ADD, values)


def get_evidence(connection: Connection, evidence_id: str) -> tuple[Evidence, Json]:
    """Read one piece of evidence.

    Raises:
        NotFound: there is none of that id.
        CheckFailed: the row is not as it was stored: content and hash disagree, or it is another one's.

    """
    value, _, content = get_evidence_text(connection, evidence_id)
    return value, content


def get_evidence_text(connection: Connection, evidence_id: str) -> tuple[Evidence, bytes, Json]:
    """Read one piece of evidence, and the canonical bytes of its content beside it; raises as ``get_evidence``."""
    with rows.reading("evidence"):
        row = connection.execute(_GET, {"wanted": evidence_id}).one_or_none()
        if row is None:
            raise unknown_evidence()
        return _whole(connection, row)


def gather_evidence(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Evidence, Json]]:
    """Read several pieces of evidence in one statement, by id.

    Raises:
        NotFound: there is none of one of the ids.
        CheckFailed: a row is not as it was stored, see ``get_evidence``.

    """
    if not ids:
        return {}
    with rows.reading("evidence"):
        whole = [_whole(connection, row) for row in connection.execute(_GATHER, {"wanted": list(ids)})]
    held = {value.id: (value, content) for value, _, content in whole}
    if not held.keys() >= set(ids):
        raise unknown_evidence()
    return held


def list_evidence(connection: Connection, run: str) -> list[Evidence]:
    """What a run has read, oldest first, without the content.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    columns = tables.evidence.c
    query = (
        select(columns.id, columns.run, columns.value)
        .where(columns.run == run)
        .order_by(columns.created_us, columns.id)
    )
    with rows.reading("evidence"):
        return [_value(connection, row) for row in connection.execute(query)]


def unknown_evidence() -> NotFound:
    """Say that no evidence is called so."""
    return NotFound("There is no such evidence here.", next="Look at the proposal that cites it.")


def _whole(connection: Connection, row: Row[*tuple[Any, ...]]) -> tuple[Evidence, bytes, Json]:
    value, text = _value(connection, row), rows.octets(sealing.opened(connection, _E.content, row.id, row.content))
    content = rows.json(text)
    if (
        canonical.digest_of_text(text) != value.sha256
        or canonical.commitment_to_text(value.salt, text) != value.commitment
    ):
        raise ValueError("the content does not have the hash or the commitment")
    return value, text, content


def _value(connection: Connection, row: Row[*tuple[Any, ...]]) -> Evidence:
    value = Evidence.model_validate(rows.json(sealing.opened(connection, _E.value, row.id, row.value)))
    if (value.id, value.run) != (row.id, row.run):
        raise ValueError("the row holds the evidence of another row")
    return value


def add_opening(connection: Connection, *, commitment: str, salt: str, value: Json) -> None:
    """Keep what opens a commitment in the log."""
    text = canonical.encode(value)
    if sealing.seals(connection):
        salt, text = "", sealing.closed(connection, _O.value, commitment, sealing.salted(salt, text))
    connection.execute(_OPEN, {"commitment": commitment, "salt": salt, "value": text})


def get_opening(connection: Connection, commitment: str) -> Json:
    """Read the value that a commitment in the log stands for.

    Raises:
        NotFound: nothing opens it here.
        CheckFailed: the row is not as it was stored: it does not open the commitment.

    """
    with rows.reading("opening"):
        row = connection.execute(_OPENING, {"wanted": commitment}).one_or_none()
        if row is None:
            raise NotFound("Nothing here opens that commitment.", next="Restore the database that belongs to the log.")
        salt, text = row.salt, rows.octets(sealing.opened(connection, _O.value, row.commitment, row.value))
        if salt == "":
            salt, text = sealing.unsalted(text)
        value = rows.json(text)
        if canonical.commitment(salt, value) != commitment:
            raise ValueError("the value does not open the commitment")
    return value
