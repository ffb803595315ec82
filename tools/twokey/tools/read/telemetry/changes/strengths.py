"""How strongly each series left its usual range: in the window, and for comparison in stretches of its own past.

Rules:
- usual is the baseline: its median, and as scale the largest of 1.4826 MAD, a quarter of the range between the 2 %
  and 98 % quantiles, and 2 % of the median, so that neither heavy tails nor constant series make a change of noise;
- a window is as unusual as its ``k``-th most unusual sample, ``k`` two fifths of its samples and at most ``MOST_K``:
  single spikes do not count, and a missing sample is taken as usual;
- a strength is ``log2(1 + d - START)`` for ``d`` scales from the median, at most ``PER_DOUBLING`` for each doubling or
  halving (a tiny change of a constant series is small) and at most ``MOST``;
- where the baseline is distant, a level that was there from the window's first to its last sample is no change;
- availability counts by what is missing to its full value;
- the same is done to up to ``PASTS`` stretches of the baseline, as long as the window.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from twokey.tools.read.telemetry.changes.grid import Grid
from twokey.tools.read.telemetry.changes.meanings import Sense, sense
from twokey.tools.read.telemetry.port import Floats

PASTS: Final = 40
MOST_K: Final = 5
START: Final = 2.0
PER_DOUBLING: Final = 3.0
MOST: Final = 10.0
FEWEST: Final = 8
"""Samples in the baseline without which nothing is said about a series."""
_FULL_SHARE: Final = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Strengths:
    """Arrays of a grid's rows. ``up`` and ``down`` have a first column for the window, then one per past stretch."""

    senses: tuple[Sense, ...]
    median: Floats
    scale: Floats
    up: Floats
    down: Floats
    before: Floats
    after: Floats
    """The grid's rows, availability turned into what is missing to its full value."""


def strengths_of(grid: Grid) -> Strengths:
    """Measure every row of the grid."""
    senses = tuple(sense(each.metric) for each in grid.series)
    before, after = _as_harm(grid, senses)
    counts = np.sum(~np.isnan(before), axis=1)
    ordered = np.sort(before, axis=1)
    median = quantile(ordered, counts, 0.5)
    spread = quantile(np.sort(np.abs(before - median[:, None]), axis=1), counts, 0.5)
    tails = quantile(ordered, counts, 0.98) - quantile(ordered, counts, 0.02)
    scale = np.maximum.reduce([1.4826 * spread, tails / 4, 0.02 * np.abs(median), np.full(len(median), 1e-12)])
    available = np.array([each.meaning == "availability" for each in senses], dtype=bool)
    scale = np.where(available, np.maximum(scale, 0.005 * _full(grid)), scale)
    if not after.shape[1]:
        after = np.full((len(after), 1), np.nan)
    width = after.shape[1]
    many = min(MOST_K, max(1, int(np.ceil(0.4 * width))))
    stretches = np.concatenate((after[:, None, :], pasts_of(before, width)), axis=1)
    high = -np.partition(np.where(np.isnan(stretches), np.inf, -stretches), many - 1, axis=2)[:, :, many - 1]
    low = np.partition(np.where(np.isnan(stretches), np.inf, stretches), many - 1, axis=2)[:, :, many - 1]
    usual_high = usual_low = np.repeat(median[:, None], high.shape[1], axis=1)
    if grid.distant:
        usual_high = np.maximum(usual_high, np.min(np.where(np.isnan(stretches), np.inf, stretches), axis=2))
        usual_low = np.minimum(usual_low, np.max(np.where(np.isnan(stretches), -np.inf, stretches), axis=2))
    enough = (counts >= FEWEST)[:, None]
    up = _strength(high, usual_high, scale) * enough
    down = _strength(-low, -usual_low, scale) * enough
    return Strengths(senses, median, scale, up, down, before, after)


def quantile(ordered: Floats, counts: np.ndarray[tuple[int], np.dtype[np.int64]], share: float) -> Floats:
    """Give a quantile of each row that is sorted and ends in NaNs; NaN where the row is empty."""
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    place = np.maximum(counts - 1, 0) * share
    below = np.floor(place).astype(np.int64)
    rows = np.arange(len(ordered))
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    part = place - below
    return ordered[rows, below] * (1 - part) + ordered[rows, above] * part


def _strength(found: Floats, usual: Floats, scale: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = (found - usual) / scale[:, None]
        doublings = np.abs(np.log2((np.abs(found) + scale[:, None]) / (np.abs(usual) + scale[:, None])))
        strength = np.minimum(np.log2(1 + np.maximum(0, distance - START)), PER_DOUBLING * doublings)
    return np.clip(np.where(np.isfinite(found) & np.isfinite(strength), strength, 0), 0, MOST)


def _full(grid: Grid) -> Floats:
    """Give the full value of each row, were it an availability: 1 or 100."""
    if not grid.before.shape[1] or not len(grid.before):
        return np.full(len(grid.before), 100.0)
    highest = np.nanmax(np.where(np.isnan(grid.before), -np.inf, grid.before), axis=1)
    return np.where(highest > _FULL_SHARE, 100.0, 1.0)


def _as_harm(grid: Grid, senses: tuple[Sense, ...]) -> tuple[Floats, Floats]:
    available = np.array([each.meaning == "availability" for each in senses], dtype=bool)
    before, after = grid.before, grid.after
    if available.any():
        full = _full(grid)[:, None]
        before = np.where(available[:, None], full - before, before)
        after = np.where(available[:, None], full - after, after)
    return before, after


def pasts_of(before: Floats, width: int) -> Floats:
    """Cut stretches of the window's width out of the baseline, evenly, overlapping where it is short."""
    places = before.shape[1] - width + 1
    if places <= 0 or not width:
        return np.empty((len(before), 0, width))
    starts = np.unique(np.linspace(0, places - 1, min(PASTS, places)).astype(np.int64))
    return before[:, starts[:, None] + np.arange(width)]
