"""How much counts and times changed, as strengths on one scale: 0 is usual, 10 the most.

Rules: few observations make a small strength; a ratio counts in doublings; nothing here knows what it compares.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

MOST: Final = 10.0
_FEW: Final = 3.0
_LEAST: Final = 10
_UNSURE: Final = 2 / 3
START: Final = 2.0
"""Standard errors that a share may differ by without being a change."""


def slower(before: Sequence[float], after: Sequence[float], usual: float | None = None) -> float:
    """Give the doublings of the median, less where there are few.

    ``usual`` (ms) stands in where nothing was before, and then they count two thirds.

    Times in milliseconds; one is added to both, so that what takes microseconds does not count.
    """
    if len(before) > 1:
        base, count, sure = median(before), min(len(before), len(after)), 1.0
    elif usual is not None:
        base, count, sure = usual, len(after), _UNSURE
    else:
        return 0.0
    if not after:
        return 0.0
    doublings = math.log2((median(after) + 1) / (base + 1))
    return min(MOST, max(0.0, sure * doublings * count / (count + _FEW)))


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
