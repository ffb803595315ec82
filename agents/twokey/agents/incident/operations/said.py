"""How the review says things: findings before they are numbered, and numbers, times and names in a sentence.

Rules: every number in a sentence was worked out here or stands in the operations file; a name from outside loses
whatever could act where it is shown; a time is in UTC, to the minute.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from twokey.tools.plain_text import is_shown

Level: TypeAlias = Literal["fine", "watch", "act", "unknown"]
Said: TypeAlias = tuple[str, Level, str]
"""Kind, level and sentence."""
SECOND: Final = 1_000_000
MAX_NAME: Final = 60
_KEPT: Final = re.compile(r"[^\w.:/+ -]+")
_LEADS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}:)?//|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Noticed:
    """One thing that the review says. ``owner`` answers for it, ``then`` comes next on the ladder."""

    kind: str
    subject: str
    level: Level
    claim: str
    evidence: tuple[str, ...]
    owner: str
    then: str


def name(text: str) -> str:
    """Give a name from outside so that it can stand in a sentence."""
    visible = "".join(char if is_shown(char) else " " for char in text[: 4 * MAX_NAME])
    return " ".join(_KEPT.sub(" ", _LEADS.sub(" ", visible)).split())[:MAX_NAME].strip() or "unnamed"


def names(texts: Iterable[str], most: int = 5) -> str:
    """Give several names, and how many more there are."""
    every = list(texts)
    shown = [name(text) for text in every[:most]]
    return ", ".join([*shown, *([f"{len(every) - most:,} more"] if len(every) > most else [])])


def number(value: float) -> str:
    """Write a number with three digits that count, or all of a whole one."""
    if value == round(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{min(max(digits, 0), 9)}f}".rstrip("0").rstrip(".")


def digits(value: float) -> float:
    """Cut a number to three digits that count, so that a sentence says no more than was measured."""
    return float(f"{value:.3g}")


def about(value: float) -> str:
    """Write a measured number."""
    return number(digits(value))


def percent(share: float) -> str:
    """Write a share of 1 in percent; close to all or nothing with more digits, so that it is neither."""
    value = 100 * share
    if value in {0.0, 100.0}:
        return f"{value:.0f} %"
    if min(value, abs(100 - value)) < 0.001:
        return "less than 0.001 %" if value < 50 else "more than 99.999 %"
    edge = min(value, abs(100 - value))
    places = 1 if edge >= 1 else 2 if edge >= 0.1 else 3
    return f"{value:.{places}f} %"


def money(value: float, currency: str) -> str:
    """Write an amount."""
    return f"{value:,.2f} {currency}" if abs(value) >= 0.1 or not value else f"{number(value)} {currency}"


def when(moment_us: float) -> str:
    """Write a time."""
    return f"{datetime.fromtimestamp(moment_us / SECOND, UTC):%Y-%m-%d %H:%M} UTC"


def day(moment_us: float) -> str:
    """Write a day."""
    return f"{datetime.fromtimestamp(moment_us / SECOND, UTC):%Y-%m-%d}"


def lasting(seconds: float) -> str:
    """Write how long something took."""
    if seconds < 60:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h" if hours_left else f"{days} d"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def many(count: int, one: str, more: str = "") -> str:
    """Write how many of something."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def times(count: int) -> str:
    """Write how often."""
    return "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"
