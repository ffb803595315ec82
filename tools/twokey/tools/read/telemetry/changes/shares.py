"""How much counts and times changed, as strengths on one scale: 0 is usual, 10 the most.

Rules: few observations make a small strength; a ratio counts in doublings; nothing here knows what it compares.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

MOST: Final = 10.0
_FEW: Final = 2.0
_LEAST: Final = 10
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


def usual_ratio(counts: Sequence[tuple[int, int]]) -> float | None:
    """Give how many there are after for one before, by what most of them did: the median, by weight of what was before.

    A few kinds that burst or vanish do not move it. None where too few were seen on either side.
    """
    if sum(before for before, _ in counts) < _LEAST or sum(after for _, after in counts) < _LEAST:
        return None
    ratios = sorted((after / before, before) for before, after in counts if before)
    half, passed = sum(weight for _, weight in ratios) / 2, 0
    for ratio, weight in ratios:
        passed += weight
        if passed >= half:
            return ratio
    return None


def shifted(before: int, after: int, ratio: float | None) -> float:
    """Give by how many standard errors a count moved beyond what chance does; negative where it fell.

    ``ratio`` is how many were to be expected after for one before; the error is that of two Poisson counts.
    """
    if not ratio:
        return 0.0
    expected = (before + after) * ratio / (1 + ratio)
    distance = (after - ratio * before) / math.sqrt(expected * (1 + ratio) + 1)
    return math.copysign(max(0.0, abs(distance) - START), distance)


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
