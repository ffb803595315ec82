"""Series side by side: one row each, one column per sampling step, NaN where nothing was measured.

Rules: the step is the usual distance of two samples, over all series; columns in which no series has a sample are
left out (the collector was not there, or others' incidents were cut out of the baseline), except those of the window
that lie between samples; a series has at most ``MOST_COLUMNS`` columns, so that a long stretch is looked at in wider
steps; the last sample of a step counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from twokey.tools.read.telemetry.port import Floats, Interval, Series

MOST_COLUMNS: Final = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """``before`` and ``after`` have one row per series; ``times`` are the starts of the window's columns."""

    series: tuple[Series, ...]
    before: Floats
    after: Floats
    times: Floats
    step: float
    distant: bool
    """The baseline lies farther from the window than it is long: levels can have moved in between."""


def grid_of(series: Sequence[Series], window: Interval, baseline: Interval) -> Grid:
    """Lay series out over baseline and window."""
    steps = [np.diff(each.times) for each in series if len(each.times) > 1]
    step = float(np.median(np.concatenate(steps))) if steps else window.seconds
    step = max(step, window.seconds / MOST_COLUMNS, baseline.seconds / MOST_COLUMNS, 1e-3)
    before, _ = _laid(series, baseline, step)
    after, columns = _laid(series, window, step)
    apart = max(window.start - baseline.end, baseline.start - window.end)
    return Grid(tuple(series), before, after, window.start + step * columns, step, apart > baseline.seconds)


def _laid(series: Sequence[Series], interval: Interval, step: float) -> tuple[Floats, Floats]:
    """Give rows, and the numbers of the columns that are kept."""
    count = max(1, int(np.ceil(interval.seconds / step - 1e-9)))
    laid = np.full((len(series), count), np.nan)
    if series:
        times = np.concatenate([each.times for each in series])
        rows = np.repeat(np.arange(len(series)), [len(each.times) for each in series])
        inside = (times >= interval.start) & (times < interval.end)
        columns = ((times[inside] - interval.start) / step).astype(np.int64)
        values = np.concatenate([each.values for each in series])[inside]
        laid[rows[inside], np.minimum(columns, count - 1)] = values
    kept = np.flatnonzero(~np.isnan(laid).all(axis=0))
    return laid[:, kept], kept.astype(np.float64)
