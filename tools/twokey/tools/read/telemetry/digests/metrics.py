"""How one metric changed: the window against the baseline.

Rules: usual is the baseline's median, and its scale the largest of 1.4826 MAD, a quarter of the range between its 2 %
and 98 % quantiles and 2 % of the median, so that noise is no change. A sample is unusual beyond ``UNUSUAL`` scales. The
deviation is that of the ``k``-th most unusual sample on the side that has more of them (``k`` two fifths of the window,
at most ``MOST_K``), so that one odd sample is no incident; it is bounded by ``MOST``. Onset is the first unusual sample
of the first ``k`` in a row on that side. What was measured after is told from the onset on, where there is one. With
fewer than ``FEWEST`` samples before there is no deviation. A gap is a stretch without a sample that is longer than any
usual one of the baseline.
"""

from typing import Final

import numpy as np

from twokey.tools.read.telemetry.changes.meanings import sense
from twokey.tools.read.telemetry.port import Floats, Interval, Series
from twokey.tools.read.telemetry.values import MetricChange, figure

UNUSUAL: Final = 3.0
FEWEST: Final = 8
MOST: Final = 1_000_000.0
MOST_K: Final = 5
_LARGEST: Final = 1e300
"""What is larger is taken as this, so that sums and differences stay numbers."""
_GAP: Final = 2.5
"""How many usual distances of two samples a gap is at least."""


def changes(series: tuple[Series, ...], window: Interval, baseline: Interval) -> list[MetricChange]:
    """Give how each series changed, the strongest change first."""
    found = [(one, _change(one, window, baseline)) for one in series]
    made = [change for _, change in found if change is not None]
    return sorted(made, key=lambda one: (-abs(float(one.deviation)), -one.abnormal, one.service, one.metric))


def _change(series: Series, window: Interval, baseline: Interval) -> MetricChange | None:
    before = _inside(series, baseline)
    after = _inside(series, window)
    if not len(before[0]) and not len(after[0]):
        return None
    deviation, abnormal, onset, extreme = 0.0, 0, None, None
    later = after[1]
    if len(after[0]):
        extreme = len(after[1]) - 1
    if len(after[0]) and len(before[0]):
        usual = float(np.median(before[1]))
        with np.errstate(over="ignore"):
            distances = np.clip((after[1] - usual) / _scale(before[1], usual), -MOST, MOST)
        extreme = int(np.argmax(np.abs(distances)))
        if len(before[0]) >= FEWEST:
            deviation, abnormal, onset = _unusual(distances, after[0])
    if onset is not None:
        later = after[1][after[0] >= onset]
    return MetricChange(
        service=series.service,
        metric=series.metric,
        meaning=sense(series.metric).meaning,
        samples_before=len(before[0]),
        samples_after=len(after[0]),
        before=figure(float(np.median(before[1]))) if len(before[0]) else None,
        after=figure(float(np.median(later))) if len(later) else None,
        extreme=figure(float(after[1][extreme])) if extreme is not None else None,
        extreme_us=_us(float(after[0][extreme])) if extreme is not None else None,
        deviation=figure(round(deviation, 2)),
        abnormal=abnormal,
        onset_us=_us(onset) if onset is not None else None,
        gap_s=_gap(before[0], after[0], window),
    )


def _scale(values: Floats, usual: float) -> float:
    low, high = np.quantile(values, (0.02, 0.98))
    return max(
        1.4826 * float(np.median(np.abs(values - usual))),
        float(high - low) / 4,
        0.02 * abs(usual),
        1e-9 * (1 + abs(usual)),
    )


def _unusual(distances: Floats, times: Floats) -> tuple[float, int, float | None]:
    """Give the deviation, the share of unusual samples in permille, and when they begin."""
    many = min(MOST_K, max(1, int(np.ceil(0.4 * len(distances)))))
    up, down = distances > UNUSUAL, distances < -UNUSUAL
    sign = 1.0 if up.sum() > down.sum() or (up.sum() == down.sum() and distances.sum() >= 0) else -1.0
    on_side = up if sign > 0 else down
    kth = float(np.sort(sign * distances)[-many])
    deviation = sign * min(max(kth, 0.0), MOST)
    share = round(1000 * float(np.mean(up | down)))
    run = 0
    for place, odd in enumerate(on_side):
        run = run + 1 if odd else 0
        if run == many:
            return deviation, share, float(times[place - many + 1])
    return deviation, share, None


def _gap(before: Floats, after: Floats, window: Interval) -> int:
    if len(before) < FEWEST:
        return 0
    distances = np.diff(before)
    usual = float(np.median(distances))
    longest = float(np.max(distances, initial=usual))
    edges = np.concatenate(([max(window.start, float(before[-1]))], after, [window.end]))
    found = float(np.max(np.diff(edges)))
    return round(found) if found > max(_GAP * usual, longest) else 0


def _inside(series: Series, within: Interval) -> tuple[Floats, Floats]:
    start, end = np.searchsorted(series.times, (within.start, within.end), side="left")
    return series.times[start:end], np.clip(series.values[start:end], -_LARGEST, _LARGEST)


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)
