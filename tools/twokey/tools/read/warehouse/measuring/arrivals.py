"""When the rows of a table arrive: the gaps between one day (or hour) in which some did and the next.

Rules: only columns whose name says that something was recorded or happened then, and whose days lie in the past; hours
are told apart only where rows arrive all day long. A sample shows fewer days than there are, so its gaps are never
shorter than the real ones.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, Literal

from twokey.tools.read.warehouse.inspection.times import Dates
from twokey.tools.read.warehouse.measured import Arrivals

ENOUGH: Final = 20
"""Days (or hours) with rows below which there is no rhythm to speak of."""
_RECORDED: Final = frozenset(
    """
    loaded ingested inserted synced extracted imported created recorded received logged updated modified changed
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_HAPPENED: Final = frozenset(
    """
    event occurred happened observed measured issued opened started ordered placed purchased sent scored predicted
    registered signup signed published posted visited viewed timestamp ts
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_OF_PEOPLE: Final = frozenset({"birth", "born", "birthday", "dob", "hired", "joined"})
_HOUR: Final = re.compile(r"[0-9-/]{8,10}[T ]([0-9]{2}):")
_HEADROOM: Final = 1
"""Units that a load may come late by, whatever the gaps."""
_ALL_DAY: Final = 12
"""Different hours of the day in which rows arrive, from which hours are told apart."""


def find(dated: Sequence[Dates], now_us: int) -> Iterator[Arrivals]:
    """Give the rhythm of each column that has one; what was recorded comes before what happened."""
    now = datetime.fromtimestamp(now_us / 1_000_000, tz=UTC)
    for words in (_RECORDED, _HAPPENED):
        for dates in dated:
            named = dates.column.words
            if named.isdisjoint(words) or not named.isdisjoint(_OF_PEOPLE):
                continue
            if words is _HAPPENED and not named.isdisjoint(_RECORDED):
                continue
            rhythm = _rhythm(dates, now)
            if rhythm is not None:
                yield rhythm


def _rhythm(dates: Dates, now: datetime) -> Arrivals | None:
    days = {code: day for code, day in dates.days.items() if day is not None}
    today = now.date().toordinal()
    if not days or max(days.values()) > today + 1:  # what lies ahead did not arrive
        return None
    hours = _hours(dates, days)
    unit: Literal["hour", "day"] = "hour" if hours else "day"
    times = sorted(hours or set(days.values()))
    if len(times) < ENOUGH:
        return None
    gaps = sorted(after - before for before, after in pairwise(times))
    moment = today * 24 + now.hour if hours else today
    return Arrivals(
        column=dates.column.name,
        unit=unit,
        times=len(times),
        gap_middle=gaps[len(gaps) // 2],
        gap_long=gaps[min(len(gaps) - 1, len(gaps) * 19 // 20)],
        gap_longest=gaps[-1],
        age=max(0, moment - times[-1]),
        warn_after=_HEADROOM + gaps[-1] + (gaps[-1] + 1) // 2,
        error_after=_HEADROOM + 3 * gaps[-1],
    )


def _hours(dates: Dates, days: dict[int, int]) -> set[int]:
    """Give the hours in which rows arrived; none where the texts hold no hours, or always the same few."""
    found: set[int] = set()
    for code, day in days.items():
        hour = _HOUR.match(dates.column.texts[code])
        if hour is None:
            return set()
        found.add(day * 24 + min(23, int(hour[1])))
    return found if len({hour % 24 for hour in found}) >= _ALL_DAY else set()
