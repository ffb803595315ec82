"""Fewer points of a series, with its extremes: what a plot shows.

Rules: the first and the last sample stay; of each stretch between them the least and the greatest are kept, at the
times at which they were measured.
"""

import itertools

import numpy as np

from twokey.tools.read.telemetry.port import Series
from twokey.tools.read.telemetry.values import Point, Points, figure


def thinned(series: Series, most: int) -> Points:
    """Give at most ``most`` points of ``series`` (at least 8 are asked for)."""
    count = len(series.times)
    kept = np.arange(count)
    if count > most:
        edges = np.linspace(1, count - 1, (most - 2) // 2 + 1).astype(np.int64)
        places = {0, count - 1}
        for start, end in itertools.pairwise(edges):
            part = series.values[start:end]
            places |= {int(start + np.argmin(part)), int(start + np.argmax(part))} if len(part) else set()
        kept = np.array(sorted(places))
    points = tuple(
        Point(at_us=round(float(series.times[at]) * 1_000_000), value=figure(float(series.values[at]))) for at in kept
    )
    return Points(service=series.service, metric=series.metric, samples=count, points=points)
