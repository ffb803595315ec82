"""When a metric was well again, from its points.

Rules: well is what the baseline was: within a robust band around its median (median absolute deviation; Leys et al.,
2013), with room for a tenth of the median so that a flat line does not make everything unusual. It is well again at the
first point after the last unusual one, where at least three points follow and none of them is unusual; where the last
points are unusual, or too few follow, nothing is said. Points are those that were kept of the series, extremes among
them.
"""

import statistics
from dataclasses import dataclass
from typing import Final

from twokey.agents.incident.material import Material

_WIDTH: Final = 6.0
_TO_SIGMA: Final = 1.4826
_SHARE: Final = 0.1
_AFTER: Final = 3
_LEAST: Final = 5


@dataclass(frozen=True, slots=True)
class Recovered:
    """When, and the evidence that shows it."""

    at_us: int
    evidence: tuple[str, ...]


def band(values: list[float]) -> tuple[float, float]:
    """Give the lowest and the highest value that is usual."""
    middle = statistics.median(values)
    spread = _TO_SIGMA * statistics.median([abs(value - middle) for value in values])
    room = max(_WIDTH * spread, _SHARE * abs(middle))
    return middle - room, middle + room


def recovered(material: Material, service: str, metric: str, onset_us: int) -> Recovered | None:
    """Tell when a metric that was unusual from ``onset_us`` on was well again; None where it cannot be told."""
    held = material.series.get((service, metric))
    if held is None:
        return None
    window = material.about.window
    before = [float(point.value) for point in held.answer.points if point.at_us < min(onset_us, window.start_us)]
    after = [point for point in held.answer.points if point.at_us >= onset_us]
    if len(before) < _LEAST:
        return None
    low, high = band(before)
    unusual = [at for at, point in enumerate(after) if not low <= float(point.value) <= high]
    if not unusual or len(after) - unusual[-1] - 1 < _AFTER:
        return None
    return Recovered(after[unusual[-1] + 1].at_us, (held.evidence,))
