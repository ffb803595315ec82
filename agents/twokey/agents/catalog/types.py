"""What a declared type means, and what to write as ``data_type``.

Rules: the warehouse's own spelling is kept (dbt compares it with the warehouse), only white space is evened out; where
nothing is declared, the type is read off the values if they agree, and left out if they do not.
"""

import re
from collections.abc import Mapping
from typing import Final

from twokey.agents.catalog.facts import Column, Family, Profile

_BLANKS: Final = re.compile(r"\s+")
_WRITTEN: Final = re.compile(r"[\w][\w ,()<>\[\].:\"'-]{0,199}", re.UNICODE)
_PATTERNS: Final[tuple[tuple[Family, str], ...]] = (
    ("boolean", r"bool|bit$|bit\(1\)|tinyint\(1\)"),
    ("timestamp", r"timestamp|datetime|smalldatetime"),
    ("date", r"date"),
    ("time", r"time"),
    ("uuid", r"uuid|uniqueidentifier|guid"),
    ("json", r"json|variant|object|struct|map|array|super|row"),
    ("integer", r"u?(?:tiny|small|medium|big|huge)?int(?:eger|[0-9]+)?\b|(?:big|small)?serial|number\(\d+(?:, ?0)?\)"),
    ("decimal", r"dec|numeric|number|real|float|double|money|smallmoney|bignumeric"),
    ("binary", r"blob|bytea|binary|varbinary|image|raw"),
    ("text", r".*(?:char|text|clob|string|enum|name|xml)"),
)
_FAMILIES: Final[tuple[tuple[Family, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _PATTERNS
)
_IN_TEXT: Final[tuple[tuple[Family, str], ...]] = (("date", "date"), ("timestamp", "datetime"), ("uuid", "uuid"))
_NEARLY_ALL: Final = 0.95
_INFERRED: Final[Mapping[Family, str]] = {
    "integer": "INTEGER",
    "decimal": "REAL",
    "text": "TEXT",
    "date": "TEXT",
    "timestamp": "TEXT",
    "uuid": "TEXT",
}
"""What SQLite, the one database without declared types, would call a column that holds only such values."""


def family(declared: str) -> Family:
    """Give the family of a declared type; ``other`` where it is unknown or there is none."""
    text = _BLANKS.sub(" ", declared.strip())
    for name, pattern in _FAMILIES:
        if pattern.match(text):
            return name
    return "other"


def seen(profile: Profile | None) -> Family:
    """Give the family that the values themselves show, whatever is declared; ``other`` where they disagree."""
    if profile is None or profile.filled == 0:
        return "other"
    filled = profile.filled
    if profile.booleans == filled:
        return "boolean"
    if profile.integers == filled:
        return "integer"
    if profile.integers + profile.decimals == filled:
        return "decimal"
    if profile.texts < filled:
        return "other"
    for name, pattern in _IN_TEXT:
        if profile.share(pattern) >= _NEARLY_ALL:
            return name
    return "text"


def meaning(column: Column) -> Family:
    """Give the family to reason with: dates kept in text count as dates, numbers in untyped columns as numbers."""
    shown = seen(column.profile)
    if column.family in {"text", "other"} and shown in {"date", "timestamp", "uuid"}:
        return shown
    if column.family == "other":
        return shown
    return column.family


def data_type(column: Column) -> str | None:
    """Give the text of ``data_type``, or None where there is nothing sure to say."""
    text = _BLANKS.sub(" ", column.declared_type.strip())
    if text:
        return text if _WRITTEN.fullmatch(text) else None
    return _INFERRED.get(seen(column.profile))
