"""How much counts and times changed, as strengths on one scale: 0 is usual, 10 the most.

Rules: few observations make a small strength; a ratio counts in doublings; nothing here knows what it compares.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

MOST: Final = 10.0
_FEW: Final = 3.0
_LEAST: Final = 10
_SEEN: Final = 5
_KEPT: Final = 5
_MANY_COMPARED: Final = 2.5
"""Standard errors beyond which a following broke: more than elsewhere, for each service has hundreds of them."""
_UNSURE: Final = 2 / 3
START: Final = 2.0
"""Standard errors that a share may differ by without being a change."""


def slower(before: Sequence[float], after: Sequence[float], usual: float | None = None) -> float:
    """Give the doublings of the median, less where there are few; ``usual`` (ms) stands in where nothing was before.

    Times in milliseconds; one is added to both, so that what takes microseconds does not count.
    """
    if len(before) > 1:
        base, count = median(before), min(len(before), len(after))
    elif usual is not None:
        base, count = usual, len(after)
    else:
        return 0.0
    if not after:
        return 0.0
    doublings = math.log2((median(after) + 1) / (base + 1))
    return min(MOST, max(0.0, doublings * count / (count + _FEW)))


@dataclass(frozen=True, slots=True)
class Broken:
    """``then`` used to follow ``first``: so many times of so many, before and after."""

    first: str
    then: str
    before: tuple[int, int]
    after: tuple[int, int]
    strength: float


def broken(followings: Iterable[tuple[str, str, tuple[int, int], tuple[int, int]]]) -> tuple[Broken, ...]:
    """Give the followings that broke, the clearest first: those that held in more than half of all cases before.

    Each is two texts, and how often the second followed of how often the first was there, before and after. The error
    is that of two shares.
    """
    found: list[Broken] = []
    for first, then, before, after in followings:
        if before[1] < _SEEN or after[1] < _SEEN or before[0] <= before[1] / 2:
            continue
        share = (before[0] + after[0]) / (before[1] + after[1])
        error = math.sqrt(share * (1 - share) * (1 / before[1] + 1 / after[1])) or 1.0
        strength = (before[0] / before[1] - after[0] / after[1]) / error - _MANY_COMPARED
        if strength > 0:
            found.append(Broken(first, then, before, after, min(MOST, strength)))
    return tuple(sorted(found, key=lambda each: (-each.strength, each.first, each.then))[:_KEPT])


def more(before: float, after: float, all_before: float, all_after: float) -> float:
    """Give how much more often something bad occurs than the volume explains: doublings of the excess
    beyond chance.

    Where hardly anything was seen before, all of it may have been there always: then it counts two thirds.
    """
    if all_before < 5 * _LEAST:
        return min(MOST, math.log2(1 + after) * _UNSURE)
    ratio = all_after / all_before
    expected = (before + after) * ratio / (1 + ratio)
    chance = START * math.sqrt(expected * (1 + ratio) + 1)
    return min(MOST, math.log2(1 + max(0.0, after - ratio * before - chance)))
