"""Which columns hold one of a few known values, and which values those are.

Rules: only where every value was seen and each repeats; never for keys, names of people or things, free text, places,
versions and other open-ended lists, however few values they hold today. What stands for "nothing" (``N/A``, ``-``) and
what reads like a slip of another value is left out and reported, because a test should say what is right, not what is
there. Values that are no plain words are not listed at all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from twokey.agents.catalog import names, types
from twokey.agents.catalog.facts import Column, Profile
from twokey.agents.catalog.judgement import PERSONAL, PLACES, Judgement

MOST_VALUES: Final = 12
MOST_CODES: Final = 6
"""Values of a column of whole numbers."""
ENOUGH_ROWS: Final = 40
REPEATS: Final = 8
"""Rows per value, on average."""
RARE: Final = 0.02
"""Share of rows below which a value may be a slip."""
ALIKE: Final = 0.8

_PLAIN: Final = re.compile(r"(?=.{1,40}\Z)\w[\w.+&/-]*(?: [\w.+&/-]+){0,3}", re.UNICODE)
"""One to four words; what reads as a sentence is no category."""
_NOTHING: Final = frozenset(
    """
    n/a na - -- --- ? null nil nan #n/a (null) undefined n.a. .
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_LISTS: Final = frozenset(
    """
    status state type kind category level tier plan band channel class mode method currency gender sex priority
    severity stage phase role topic reason source size grade segment unit environment frequency interval cycle
    outcome result verdict action direction visibility scope rating score_band team department shift
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_OPEN: Final = frozenset(
    """
    name title browser model version product brand city country region language locale timezone platform device
    os vendor company url host domain label text note description comment address subject filename path tag
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The values a column may hold, as its database stores them, and what was left out (values with their rows)."""

    values: tuple[str | int, ...]
    confidence: int
    nothing: tuple[tuple[str, int], ...] = ()
    slips: tuple[tuple[str, str, int], ...] = ()
    """Value, what it reads like, rows."""

    @property
    def holds(self) -> bool:
        """Whether every row that was looked at holds one of the values."""
        return not self.nothing and not self.slips


def stands_for_nothing(column: Column, judgement: Judgement) -> tuple[tuple[str, int], ...]:
    """Give the texts of a column that stand for a missing value, with their rows. ``NA`` of Namibia does not.

    Where values are withheld, it is their masked forms: what they read is not known.
    """
    profile = column.profile
    if profile is None or profile.texts == 0:
        return ()
    codes = judgement.kind in {"country", "language", "currency", "state"} or profile.share("country") >= 0.9
    shown = [(text, count) for text, count in profile.frequent if text.strip().casefold() in _NOTHING]
    if not profile.frequent:
        shown = [
            (text, count)
            for text, count in profile.shapes
            if text.strip() in {"-", "--", "---", "?"} or text in {"A/A", "a/a"}
        ]
    kept = [(text, count) for text, count in shown if not (codes and text.strip().casefold() == "na")]
    return tuple(kept) if sum(count for _, count in kept) * 2 < profile.filled else ()


def accepted(column: Column, judgement: Judgement) -> Accepted | None:
    """Give the accepted values of a column, or None where there is no honest list."""
    profile = column.profile
    if (
        profile is None
        or profile.withheld
        or not profile.whole
        or profile.filled < ENOUGH_ROWS
        or judgement.kind in _NEVER
    ):
        return None
    if types.meaning(column) == "integer":
        return _codes(column, profile, judgement)
    if types.meaning(column) != "text" or profile.texts < profile.filled:
        return None
    return _words(column, profile, judgement)


_NEVER: Final = (
    (PERSONAL - {"gender"})
    | PLACES
    | {
        "key",
        "free_text",
        "title",
        "company",
        "organisation",
        "place",
        "url",
        "amount",
        "moment",
        "card_number",
        "bank_account",
    }
)


def _codes(column: Column, profile: Profile, judgement: Judgement) -> Accepted | None:
    found = sorted(int(text) for text, _ in profile.frequent if text.lstrip("-").isdigit())
    if not 2 <= len(found) == profile.distinct <= MOST_CODES or profile.filled < REPEATS * len(found):
        return None
    if judgement.kind == "flag" and found == [0, 1]:
        return Accepted((0, 1), 92 if profile.complete else 80)
    named = bool(_LISTS & set(names.words(column.name)[-1:]))
    return Accepted(tuple(found), 72 if profile.complete else 60) if named else None


def _words(column: Column, profile: Profile, judgement: Judgement) -> Accepted | None:
    last = set(names.words(column.name)[-1:])
    if last & _OPEN or profile.share("number", "date", "datetime", "uuid") > 0.5:
        return None
    nothing = stands_for_nothing(column, judgement)
    without = [(text, count) for text, count in profile.frequent if (text, count) not in nothing]
    slips = _slips(without, profile.filled)
    kept = [text for text, _ in without if text not in {slip for slip, _, _ in slips}]
    if not 2 <= len(kept) <= MOST_VALUES or profile.filled < REPEATS * len(kept):
        return None
    if not all(_PLAIN.fullmatch(text) for text in kept):
        return None
    named = bool(last & _LISTS) or judgement.kind == "flag"
    sure = (90 if named else 72) - (0 if profile.complete else 15) - (8 if len(kept) > 6 else 0)
    return Accepted(tuple(sorted(kept)), sure, nothing, slips)


def _slips(found: Sequence[tuple[str, int]], filled: int) -> tuple[tuple[str, str, int], ...]:
    """Find rare values that read like a frequent one."""
    slips: list[tuple[str, str, int]] = []
    for text, count in found:
        if count > filled * RARE:
            continue
        near = [other for other, many in found if many >= 10 * count and _alike(text, other)]
        if near:
            slips.append((text, near[0], count))
    return tuple(slips)


def _alike(text: str, other: str) -> bool:
    one, two = text.strip().casefold(), other.strip().casefold()
    return one == two or (min(len(one), len(two)) >= 4 and SequenceMatcher(None, one, two).ratio() >= ALIKE)
