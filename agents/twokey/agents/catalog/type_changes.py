"""Whether a type still holds what a documented one promised.

Rules: two types are compared by what they can hold, not by their spelling; where either is unknown nothing is claimed.
SQLite does not bind a column to the size of its type, so there only the kind of type counts. A wider type is no break.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from twokey.agents.catalog import types
from twokey.agents.catalog.facts import Family

Verdict: TypeAlias = Literal["same", "wider", "narrower", "other", "unknown"]

_SIZES: Final = re.compile(r"\(\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\)")
_ENDLESS: Final = 10**9
_DIGITS: Final = (
    (re.compile(r"u?tinyint|int1\b|byteint"), 3),
    (re.compile(r"u?smallint|int2\b|int16|smallserial"), 5),
    (re.compile(r"mediumint|int3\b"), 7),
    (re.compile(r"u?bigint|u?int8\b|u?int64|bigserial|serial8|long\b"), 19),
    (re.compile(r"u?hugeint|int128"), 38),
)
_INTEGER_DIGITS: Final = 10
_NUMBER_DIGITS: Final = 38
_EXACT: Final = re.compile(r"dec|numeric|number|bignumeric")
_SINGLE: Final = re.compile(r"real|float4|float\b(?!\s*\(\s*(?:2[5-9]|[3-9]\d))")
_WIDER: Final[frozenset[tuple[Family, Family]]] = frozenset({("date", "timestamp"), ("integer", "decimal")})
"""Kinds of types whose second holds all that the first does."""


@dataclass(frozen=True, slots=True)
class _Room:
    """What a type can hold: digits before and behind the point, or characters."""

    before: int
    behind: int = 0

    def holds(self, other: "_Room") -> bool:
        return self.before >= other.before and self.behind >= other.behind


def compare(documented: str, actual: str, *, dialect: str = "") -> Verdict:
    """Compare the type of a column with the one a file documents.

    Args:
        documented: What the file says.
        actual: What the warehouse declares.
        dialect: SQLAlchemy's name of the dialect.

    Returns:
        ``same``, ``wider`` (it holds all that was promised), ``narrower`` (it does not), ``other`` (another kind of
        type), or ``unknown``.

    """
    said, found = _plain(documented), _plain(actual)
    if said == found:
        return "same"
    kinds = types.family(said), types.family(found)
    if "other" in kinds or not said or not found:
        return "unknown"
    if kinds[0] != kinds[1]:
        if kinds in _WIDER:
            return "wider"
        return "narrower" if kinds[::-1] in _WIDER else "other"
    if dialect == "sqlite":
        return "same"
    rooms = _room(kinds[0], said), _room(kinds[1], found)
    if rooms[0] == rooms[1]:
        return "same"
    return "wider" if rooms[1].holds(rooms[0]) else "narrower"


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _room(kind: Family, text: str) -> _Room:
    sizes = _SIZES.search(text)
    first, second = (int(sizes[1]), int(sizes[2] or 0)) if sizes else (None, 0)
    if kind == "integer":
        if text.startswith("number"):
            return _Room(first if first is not None else _NUMBER_DIGITS)
        return _Room(next((digits for pattern, digits in _DIGITS if pattern.match(text)), _INTEGER_DIGITS))
    if kind == "decimal":
        if _EXACT.match(text):
            return _Room(first - second, second) if first is not None else _Room(_ENDLESS, _ENDLESS)
        return _Room(_ENDLESS, _ENDLESS - 1 if _SINGLE.match(text) else _ENDLESS)
    if kind == "text":
        return _Room(first if first is not None else _ENDLESS)
    return _Room(0)
