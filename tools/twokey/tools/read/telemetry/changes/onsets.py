"""When a series began to be unusual, and how: one row of a grid in words of its own unit."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from twokey.tools.read.telemetry.changes.grid import Grid
from twokey.tools.read.telemetry.changes.strengths import START, Strengths
from twokey.tools.read.telemetry.port import Floats

_LONG_GAP: Final = 1.5


@dataclass(frozen=True, slots=True)
class Shift:
    """``deviation`` in robust standard deviations, negative where it fell; times in seconds since 1970."""

    before: float | None
    after: float | None
    extreme: float | None
    extreme_at: float | None
    deviation: float
    abnormal: float
    onset: float | None
    gap: float


def shift_of(grid: Grid, strengths: Strengths, row: int) -> Shift:
    """Describe how one row changed."""
    harm, before, after = strengths.after[row], grid.before[row], grid.after[row]
    median, scale = float(strengths.median[row]), float(strengths.scale[row])
    seen = np.flatnonzero(~np.isnan(after))
    usual = float(np.median(before[~np.isnan(before)])) if np.any(~np.isnan(before)) else None
    gap = _gap(grid, after)
    if not len(seen) or usual is None or not np.isfinite(scale):
        found = float(np.median(after[seen])) if len(seen) else None
        return Shift(usual, found, None, None, 0.0, 0.0, None, gap)
    distance = (harm[seen] - median) / scale
    farthest = int(seen[np.argmax(np.abs(distance))])
    direction = 1.0 if float(np.median(distance)) >= 0 or abs(distance.max()) >= abs(distance.min()) else -1.0
    unusual = np.abs(distance) > START
    strong = distance * direction > START
    onset = float(grid.times[seen[np.flatnonzero(strong)[0]]]) if strong.any() else None
    # availability was turned round: harm up is availability down
    turned = -1.0 if strengths.senses[row].meaning == "availability" else 1.0
    return Shift(
        before=usual,
        after=float(np.median(after[seen])),
        extreme=float(after[farthest]),
        extreme_at=float(grid.times[farthest]),
        deviation=turned * float((harm[farthest] - median) / scale),
        abnormal=float(np.mean(unusual)),
        onset=onset,
        gap=gap,
    )


def _gap(grid: Grid, after: Floats) -> float:
    """Give the longest stretch within the window without a sample, in seconds, if longer than a step and a half."""
    seen = grid.times[~np.isnan(after)]
    if not len(grid.times):
        return 0.0
    if not len(seen):
        return float(grid.times[-1] - grid.times[0] + grid.step)
    edges = np.concatenate(([grid.times[0] - grid.step], seen, [grid.times[-1] + grid.step]))
    longest = float(np.diff(edges).max())
    return longest - grid.step if longest > _LONG_GAP * grid.step else 0.0
