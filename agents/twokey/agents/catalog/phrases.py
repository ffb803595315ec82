"""The small grammar behind descriptions: what a row is called, what verbs in names mean, what units they carry.

Rules: a phrase is built from the words of a name only, never completed by imagination; where the words do not give
an English phrase the caller is told so (None), and says something else.
"""

import re
from collections.abc import Sequence
from typing import Final

from twokey.agents.catalog import inert, names
from twokey.agents.catalog.facts import Table

MAX_LEAD: Final = 400
_PERIODS: Final = frozenset({"hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "annual"})
_VERSION: Final = re.compile(r"v?[0-9]+")
_NO_ROWS: Final = frozenset(
    """
    feature output stat metric summary history log data info information detail aggregate snapshot report
    result mapping map xref bridge link staging archive backup export import new old current final all list
    record entry item_list cube
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_THING_WORDS: Final = re.compile(r"[^\W\d_]{2,}", re.UNICODE)

INTRANSITIVE: Final = frozenset(
    """
    started ended finished expired died joined left arrived departed failed succeeded occurred happened began
    elapsed churned graduated retired resigned went came
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_IRREGULAR_PASSIVE: Final = frozenset(
    """
    paid sent sold bought made built read written given taken seen known held kept lost found won put set shut
    hit drawn shipped begun done shown spent lent born run thrown hidden chosen frozen stolen broken
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_NOUNS_IN_ED: Final = frozenset(
    """
    bed seed feed need speed breed shed weed reed deed led red embed
    """.split()  # noqa: SIM905 - a list of words reads better as words
)

_ADVERBS: Final = frozenset({"last", "first", "next", "previously", "soft"})

UNITS: Final = {
    "cents": "cents",
    "cent": "cents",
    "bytes": "bytes",
    "kb": "kilobytes",
    "mb": "megabytes",
    "gb": "gigabytes",
    "tb": "terabytes",
    "ms": "milliseconds",
    "milliseconds": "milliseconds",
    "millis": "milliseconds",
    "us": "microseconds",
    "seconds": "seconds",
    "secs": "seconds",
    "sec": "seconds",
    "minutes": "minutes",
    "mins": "minutes",
    "hours": "hours",
    "hrs": "hours",
    "days": "days",
    "weeks": "weeks",
    "months": "months",
    "years": "years",
    "kg": "kilograms",
    "km": "kilometres",
    "cm": "centimetres",
    "mm": "millimetres",
    "miles": "miles",
    "percent": "percent",
    "usd": "US dollars",
    "eur": "euros",
    "gbp": "pounds sterling",
    "kwh": "kilowatt-hours",
    "celsius": "degrees Celsius",
}
TIMES: Final = frozenset(
    {"milliseconds", "microseconds", "seconds", "minutes", "hours", "days", "weeks", "months", "years"}
)
SIZES: Final = frozenset({"bytes", "kilobytes", "megabytes", "gigabytes", "terabytes"})
_WINDOW: Final = re.compile(r"([0-9]{1,4})(d|h|w|m|y|days?|hours?|weeks?|months?)")
_WINDOWS: Final = {"d": "day", "h": "hour", "w": "week", "m": "month", "y": "year"}


def thing(table: Table) -> str | None:
    """Say what one row is (``invoice line``), or None where the table's name does not tell."""
    found = list(names.entity(table.name))
    while len(found) > 1 and _VERSION.fullmatch(found[-1]):
        found.pop()
    if len(found) > 1 and found[-1] in _PERIODS:
        found = [found[-1], *found[:-1]]
    if not found:
        return None
    found[-1] = names.singular(found[-1])
    if (
        found[-1] in _NO_ROWS
        or _VERSION.fullmatch(found[-1])
        or not all(_THING_WORDS.fullmatch(word) for word in found)
    ):
        return None
    return names.phrase(found)


def of(name: str | None) -> str:
    """Give `` of the NAME``, or nothing where there is no name."""
    return f" of the {name}" if name else ""


def this(name: str | None) -> str:
    """Give ``this NAME``, or ``this row``."""
    return f"this {name or 'row'}"


def is_deed(word: str) -> bool:
    """Tell whether a word is a past participle (``scored``, ``paid``)."""
    return (
        word in _IRREGULAR_PASSIVE
        or word in INTRANSITIVE
        or (len(word) > 4 and word.endswith("ed") and word not in _NOUNS_IN_ED)
    )


def happened(words: Sequence[str], subject: str | None) -> str | None:
    """Give ``the invoice was paid`` for ``paid``; None where the last word is no deed."""
    if not words:
        return None
    verb, rest = words[-1], words[:-1]
    adverb = ""
    if rest and (rest[-1] in _ADVERBS or rest[-1].endswith("ly")):
        adverb, rest = f"{rest[-1]} ", rest[:-1]
    actor = f"the {names.phrase(rest)}" if rest else f"the {subject}" if subject else "it"
    if verb == "due":
        return f"{actor} is due"
    if verb in {"valid", "active", "available"}:
        return f"{actor} is {verb}"
    if verb in {"expires", "starts", "ends", "begins"}:
        return f"{actor} {verb}"
    if not is_deed(verb):
        return None
    return f"{actor} {adverb}{verb}" if verb in INTRANSITIVE else f"{actor} was {adverb}{verb}"


def window(word: str) -> str | None:
    """Give ``30 days`` for ``30d``; None for other words."""
    match = _WINDOW.fullmatch(word)
    if match is None:
        return None
    unit = _WINDOWS.get(match[2][0], match[2])
    return f"{int(match[1])} {unit}{'' if int(match[1]) == 1 else 's'}"


def cryptic(words: Sequence[str]) -> bool:
    """Tell whether a name holds nothing a reader would recognise: single letters, or no vowel at all."""
    telling = [word for word in words if len(word) > 2 and any(char in "aeiouyäöüáéíóúàèìòùâêîôû" for char in word)]
    unknown = [word for word in words if len(word) == 1 or not any(char.isalpha() for char in word)]
    shown = names.phrase(words)
    return (not telling and shown == " ".join(words)) or len(unknown) * 2 > len(words)


def sentence(text: str) -> str:
    """Give a text with a capital at the start and a full stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…")) else ".")


def lead(claim: str) -> str:
    """Give the first sentence of a claim: what a letter repeats of it."""
    first, stop, _ = claim.partition(". ")
    return f"{first}{stop.strip()}"[:MAX_LEAD]


def listed(items: Sequence[str], word: str = "or") -> str:
    """Give ``a, b or c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def place(table: Table, column: str) -> str:
    """Name a column of a table for a reader, harmlessly."""
    return f"{inert.prose(table.name, 80)}.{inert.prose(column, 80)}"
