"""When the load will reach what an endpoint can carry.

Rules: no forecast from fewer than ``LEAST_DAYS`` whole days; a forecast always comes with its interval, and growth that
its interval does not tell from none is called that.

Formula: the load of a day is the 99th percentile of its stretches (UTC days of which at least 80 % were measured); a
straight line through the days by least squares; the interval of a new day x is t(0.95, n - 2) x s x sqrt(1 + 1/n +
(x - mean)^2 / Sxx), the 90 % prediction interval of simple regression (Draper and Smith, Applied Regression Analysis,
3rd ed., section 3.1). The line knows no seasons: a week that is unlike the weeks before lies outside of it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from twokey.agents.incident.operations.book import Endpoint
from twokey.agents.incident.operations.said import Level, Said, about, day, number
from twokey.agents.incident.operations.tracks import SECOND, Floats, Track

LEAST_DAYS: Final = 5
LEAST_COVERED: Final = 0.8
DAY_S: Final = 86_400
MOST_AHEAD: Final = 365
PEAK: Final = 99
# fmt: off
_T95: Final = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753,
    1.746, 1.740, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
)
# fmt: on
"""The 95th percentile of Student's t for 1 to 30 degrees of freedom."""
_NORMAL95: Final = 1.645


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through daily loads, with what its interval needs."""

    first_us: float
    """When day 0 begins."""
    slope: float
    level: float
    """The line at day 0."""
    spread: float
    """Standard deviation of the days around the line."""
    days: int
    last: float
    """The number of the last day."""
    mean: float
    sxx: float
    t: float

    def at(self, number_of_day: float) -> tuple[float, float, float]:
        """Give the line at a day, and the ends of its 90 % prediction interval."""
        middle = self.level + self.slope * number_of_day
        wide = self.t * self.spread * (1 + 1 / self.days + (number_of_day - self.mean) ** 2 / self.sxx) ** 0.5
        return middle, middle - wide, middle + wide

    @property
    def grows(self) -> bool:
        """Whether the growth differs from none, at 90 %."""
        return self.slope - self.t * self.spread / self.sxx**0.5 > 0


def daily(track: Track) -> tuple[Floats, Floats, float]:
    """Give the numbers of whole days, their loads, and when day 0 begins (microseconds)."""
    zero = track.start_us // (DAY_S * SECOND) * DAY_S * SECOND
    days = (np.arange(len(track.means)) * track.step_s * SECOND + track.start_us - zero) // (DAY_S * SECOND)
    per_day = DAY_S / track.step_s
    kept: list[tuple[float, float]] = []
    for number_of_day in np.unique(days):
        values = track.means[(days == number_of_day) & track.known]
        if len(values) >= LEAST_COVERED * per_day:
            kept.append((float(number_of_day), float(np.percentile(values, PEAK))))
    return np.array([at for at, _ in kept]), np.array([load for _, load in kept]), float(zero)


def line(track: Track) -> Line | None:
    """Fit the line; ``None`` where there are too few days."""
    days, loads, zero = daily(track)
    if len(days) < LEAST_DAYS:
        return None
    mean = float(days.mean())
    sxx = float(((days - mean) ** 2).sum())
    slope = float(((days - mean) * (loads - loads.mean())).sum() / sxx)
    level = float(loads.mean()) - slope * mean
    left = len(days) - 2
    spread = float(np.sqrt(((loads - level - slope * days) ** 2).sum() / left))
    t = _T95[left - 1] if left <= len(_T95) else _NORMAL95
    return Line(zero, slope, level, spread, len(days), float(days[-1]), mean, sxx, t)


def forecast(endpoint: Endpoint, track: Track | None, horizon: int) -> Said | None:
    """Say where the load goes; ``None`` where there are too few days of it."""
    fitted = None if track is None else line(track)
    if fitted is None:
        return None
    ahead = fitted.last + horizon
    middle, low, high = (max(0.0, value) for value in fitted.at(ahead))
    moment = fitted.first_us + ahead * DAY_S * SECOND
    text = (
        f"the daily peak of {endpoint.name} is expected at {about(middle)} requests per second"
        f" on {day(moment)} (90 % between {about(low)} and {about(high)}, from {fitted.days:,} days)"
    )
    if not fitted.grows:
        text += "; no growth can be told from chance"
    limit = endpoint.capacity.requests_per_s
    if limit is None:
        return "capacity", "fine", f"{text}; what it can carry is not stated."
    soonest, likely = (_reached(fitted, limit, which) for which in (2, 0))
    text += f"; it can carry {number(limit)}"
    if soonest is None:
        return "capacity", "fine", f"{text}, which is not reached within a year."
    text += f", reached on {_date(fitted, soonest)} at the earliest"
    text += (
        f" and on {_date(fitted, likely)} by the line" if likely is not None else " and not within a year by the line"
    )
    level: Level = "fine"
    if soonest - fitted.last <= horizon:
        level = "act" if likely is not None and likely - fitted.last <= horizon else "watch"
    return "capacity", level, f"{text}."


def _reached(fitted: Line, limit: float, which: int) -> float | None:
    """Give the first day after the last on which the line (0) or the upper end of its interval (2) is at the limit."""
    for ahead in range(1, MOST_AHEAD + 1):
        if fitted.at(fitted.last + ahead)[which] >= limit:
            return fitted.last + ahead
    return None


def _date(fitted: Line, number_of_day: float) -> str:
    return day(fitted.first_us + number_of_day * DAY_S * SECOND)
