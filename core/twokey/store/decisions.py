"""What policy's decisions were taken on, inside a transaction that the caller holds.

Rules: a row belongs to one entry of the log and is no authority: whoever reads it holds it against the commitments of
that entry (``opens``). Where the store seals, the salt lies sealed with the document. Bytes come back as they were
given, however they were packed; what unpacks to more than a document may have, or does not unpack, is reported as
tampering. The rows may be removed; then the decision cannot be taken again.
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from twokey.store import sealing, tables

PACK_ABOVE: Final = 512
"""Shorter documents are kept as they are, in bytes."""
MAX_BYTES: Final = 64 * 1024 * 1024
_PACKED: Final = b"\x78"
"""First byte of a zlib stream (RFC 1950) of a 32 KiB window. JSON never begins with it."""
_ADD: Final = insert(tables.decisions)
_COLUMNS: Final = tables.decisions.c
_BATCH: Final = select(_COLUMNS.entry, _COLUMNS.salt, _COLUMNS.document, _COLUMNS.answer).where(
    _COLUMNS.entry.in_(bindparam("entries", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One row: what the engine was given, and what it answered, as bytes."""

    entry: str
    salt: str
    document: bytes
    answer: bytes

    def opens(self, document: str, answer: str | None) -> bool:
        """Tell whether the row is what the log's commitments to the document and the answer were made of."""
        return commitment(self.salt, self.document) == document and commitment(self.salt, self.answer) == answer


def commitment(salt: str, text: bytes) -> str:
    """Give the salted commitment to JSON bytes: the SHA-256 of ``["SALT",TEXT]``.

    Where ``text`` is canonical it is the commitment of ``twokey.core.canonical``.
    """
    return hashlib.sha256(b'["%b",%b]' % (salt.encode(), text)).hexdigest()


def add_decision(connection: Connection, kept: Kept, *, at_us: int) -> None:
    """Keep what a decision was taken on. ``at_us`` is the time of the call, in microseconds."""
    salt, document = kept.salt, _pack(kept.document)
    if sealing.seals(connection):
        salt, document = "", sealing.salted(salt, document)
    connection.execute(
        _ADD,
        {
            "entry": kept.entry,
            "salt": salt,
            "document": sealing.closed(connection, _COLUMNS.document, kept.entry, document),
            "answer": sealing.closed(connection, _COLUMNS.answer, kept.entry, kept.answer),
            "at_us": at_us,
        },
    )


def get_decisions(connection: Connection, entries: Sequence[str]) -> dict[str, Kept | None]:
    """Give what is kept of these entries, by entry; ``None`` for a row that is not as it was stored."""
    found = connection.execute(_BATCH, {"entries": list(entries)})
    return {row.entry: _read(connection, row) for row in found}


def _read(connection: Connection, row: Row[str, str, bytes, bytes]) -> Kept | None:
    try:
        document = sealing.opened(connection, _COLUMNS.document, row.entry, row.document)
        answer = sealing.opened(connection, _COLUMNS.answer, row.entry, row.answer)
        salt: object = row.salt
        if salt == "" and isinstance(document, bytes):
            salt, document = sealing.unsalted(document)
    except ValueError:
        return None
    plain = _unpack(document)
    if plain is None or not isinstance(answer, bytes) or not isinstance(salt, str):
        return None
    return Kept(row.entry, salt, plain, answer)


def not_shadowed(connection: Connection, bundle: str, *, since_us: int, limit: int) -> list[str]:
    """Give entries since ``since_us`` at which the shadow ``bundle`` has not looked, oldest first."""
    unseen = or_(_COLUMNS.shadowed.is_(None), _COLUMNS.shadowed != bundle)
    query = select(_COLUMNS.entry).where(_COLUMNS.at_us >= since_us, unseen)
    return list(connection.execute(query.order_by(_COLUMNS.at_us, _COLUMNS.entry).limit(limit)).scalars())


def take_for_shadow(connection: Connection, bundle: str, entries: Sequence[str]) -> list[str]:
    """Mark entries as looked at by the shadow ``bundle``; gives those that nobody else had marked."""
    unseen = or_(_COLUMNS.shadowed.is_(None), _COLUMNS.shadowed != bundle)
    query = (
        update(tables.decisions)
        .where(_COLUMNS.entry.in_(list(entries)), unseen)
        .values(shadowed=bundle)
        .returning(_COLUMNS.entry)
    )
    return list(connection.execute(query).scalars())


def count_before(connection: Connection, before: int) -> int:
    """Count what is kept of decisions taken before ``before`` (microseconds)."""
    query = select(func.count()).select_from(tables.decisions).where(_COLUMNS.at_us < before)
    return connection.execute(query).scalar_one()


def forget_before(connection: Connection, before: int, *, limit: int) -> int:
    """Remove what is kept of at most ``limit`` decisions taken before ``before``; gives how many went."""
    old = select(_COLUMNS.entry).where(_COLUMNS.at_us < before).limit(limit)
    return connection.execute(delete(tables.decisions).where(_COLUMNS.entry.in_(old))).rowcount


def _pack(document: bytes) -> bytes:
    return zlib.compress(document, 1) if len(document) > PACK_ABOVE else document


def _unpack(stored: object) -> bytes | None:
    if not isinstance(stored, bytes):
        return None
    if not stored.startswith(_PACKED):
        return stored
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(stored, MAX_BYTES)
    except zlib.error:
        return None
    return plain if reader.eof and not reader.unused_data else None
