"""How rows come back: checked like input, because rows are no authority.

Rules: a row that does not fit is reported as tampering, by what it is a row of; nothing of it is used or shown.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Column, ColumnElement, and_, or_

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed
from twokey.core.values import Instant

_INSTANT: Final[TypeAdapter[int]] = TypeAdapter(Instant)


@contextmanager
def reading(what: str) -> Generator[None]:
    """Guard the reading of rows of ``what`` (one word, such as ``proposal``).

    Raises:
        CheckFailed: bytes that are no canonical JSON, a value outside its model, a state that does not exist: whatever
            the block raises as ``ValueError``.

    """
    try:
        yield
    except ValueError as error:
        raise CheckFailed(
            f"The database holds a row ({what}) that is not as Twokey wrote it: something else has changed it.",
            next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
            code=f"{what}_tampered",
        ) from error


def behind(created: Column[Any], name: Column[Any], at_us: Any, last: Any) -> ColumnElement[bool]:
    """Give the condition for rows behind one in the order of the newest: made at ``at_us``, called ``last``.

    The first half says nothing that the second does not; it is what an index can be walked by.
    """
    return and_(created <= at_us, or_(created < at_us, and_(created == at_us, name < last)))


def octets(stored: object) -> bytes:
    """Read bytes from a column; raises ``ValueError``. SQLite stores any type in any column."""
    if not isinstance(stored, bytes):
        raise ValueError("the column does not hold bytes")  # noqa: TRY004 - see ``reading``
    return stored


def json(stored: object) -> Json:
    """Read canonical JSON from a column; raises ``ValueError``."""
    return canonical.decode(octets(stored))


def instant(stored: object) -> int:
    """Read a time in microseconds from a column; raises ``ValueError``."""
    return _INSTANT.validate_python(stored, strict=True)
