"""Series in equal stretches of time.

Rules: pure over the telemetry port; a stretch holds the samples from its start up to the next one's; its mean counts
each sample alike; where there is none there is nothing.
"""

import math
from typing import Final

import numpy as np

from twokey.tools.read.telemetry.operations.values import MAX_STRETCHES, Load, OperationsRequest, OperationsResult
from twokey.tools.read.telemetry.port import Floats, Interval, Series, Telemetry
from twokey.tools.read.telemetry.terms import Figure, Stretch, figure

SECOND_US: Final = 1_000_000
_ROUND_S: Final = 60


def operations(telemetry: Telemetry, ask: OperationsRequest, window: Interval) -> OperationsResult:
    """Answer about the series that ``ask`` names over ``window``."""
    step = step_of(window, ask.step_s)
    number = math.ceil(window.seconds / step)
    wanted = {(name.service, name.metric) for name in ask.names}
    loads = [
        _load(series, window, step, number)
        for series in telemetry.series(window)
        if (series.service, series.metric) in wanted
    ]
    return OperationsResult(window=stretch_of(window), start_us=_us(window.start), step_s=step, loads=tuple(loads))


def step_of(window: Interval, wanted: int) -> int:
    """Give the length of a stretch in seconds: whole minutes, and no more stretches than there may be."""
    least = math.ceil(window.seconds / MAX_STRETCHES / _ROUND_S) * _ROUND_S
    return max(wanted, least)


def stretch_of(window: Interval) -> Stretch:
    """Give an interval in microseconds."""
    return Stretch(start_us=_us(window.start), end_us=_us(window.end))


def _load(series: Series, window: Interval, step: int, number: int) -> Load:
    inside = (series.times >= window.start) & (series.times < window.end)
    times, values = series.times[inside], series.values[inside]
    where = np.minimum(((times - window.start) // step).astype(np.int64), number - 1)
    counts = np.bincount(where, minlength=number)
    sums = np.bincount(where, weights=values, minlength=number)
    peaks = np.full(number, -np.inf)
    np.maximum.at(peaks, where, values)
    return Load(
        service=series.service,
        metric=series.metric,
        samples=len(times),
        means=_figures(sums / np.maximum(counts, 1), counts),
        peaks=_figures(peaks, counts),
    )


def _figures(values: Floats, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Figure | None, ...]:
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return tuple(figure(value) if count else None for value, count in pairs)


def _us(moment: float) -> int:
    return round(moment * SECOND_US)
