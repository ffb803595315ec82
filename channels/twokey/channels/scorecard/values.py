"""A scorecard as frozen values.

Rules: a figure that nothing is known about has no value and says why; a figure that rests on an assumption names it;
a quarter is one of the calendar, in UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from twokey.core.errors import BadInput

_QUARTER: Final = re.compile(r"(20[0-9]{2})-?[Qq]([1-4])")
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """Three months of the calendar."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026-Q4``; raises ``BadInput``."""
        found = _QUARTER.fullmatch(text.strip())
        if found is None:
            raise BadInput("That is no quarter.", next="Write it like 2026-Q4.", code="no_quarter")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def at(cls, time_us: int) -> Self:
        """Give the quarter in which a moment lies, in UTC."""
        day = datetime.fromtimestamp(time_us / _SECOND_US, tz=UTC)
        return cls(day.year, (day.month + 2) // 3)

    @property
    def before(self) -> "Quarter":
        """The quarter before this one."""
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @property
    def since_us(self) -> int:
        """When it begins, in microseconds."""
        return int(datetime(self.year, self.number * 3 - 2, 1, tzinfo=UTC).timestamp()) * _SECOND_US

    @property
    def until_us(self) -> int:
        """When the next one begins, in microseconds."""
        following = Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)
        return following.since_us

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``value`` is a whole number or exact decimal text, and none where nothing is known."""

    name: str
    """For programs: stable, and one of its section."""
    title: str
    value: int | str | None
    unit: str
    note: str = ""
    """What it rests on, or why it is unknown."""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def shown(self) -> str:
        """The value with its unit, for people."""
        if self.value is None:
            return "unknown"
        text = f"{self.value:,}" if isinstance(self.value, int) else self.value
        return f"{text} {self.unit}".strip()

    def as_json(self) -> dict[str, Any]:
        """Give the figure for programs."""
        return {"title": self.title, "value": self.value, "unit": self.unit, "note": self.note}


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    name: str
    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All figures of one quarter, as of one moment."""

    quarter: Quarter
    as_of_us: int
    sections: tuple[Section, ...]

    @property
    def over(self) -> bool:
        """Whether the quarter had ended when the figures were taken."""
        return self.as_of_us >= self.quarter.until_us

    def as_json(self) -> dict[str, Any]:
        """Give the scorecard for programs."""
        as_of = datetime.fromtimestamp(self.as_of_us / _SECOND_US, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "quarter": str(self.quarter),
            "as_of": as_of,
            "over": self.over,
            "sections": {
                section.name: {figure.name: figure.as_json() for figure in section.figures} for section in self.sections
            },
        }
