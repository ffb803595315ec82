"""What the asks and answers of ``query_telemetry`` are made of: numbers as text, stretches of time, names.

Rules: those of ``values``; here so that the parts of that vocabulary may be defined apart and still be one.
"""

from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import StringConstraints, model_validator

from twokey.core.values import Instant, Value

DIGITS: Final = 6
"""Significant digits of a measured number."""
_SMALL: Final = 1e-6
_WHOLE: Final = 1e15
DAY_US: Final = 24 * 60 * 60 * 1_000_000
MAX_STRETCH_US: Final = 35 * DAY_US

Name = Annotated[str, StringConstraints(max_length=300)]
"""A service, a metric, an operation, an actor, a kind of event."""
Text = Annotated[str, StringConstraints(max_length=2_000)]
Figure = Annotated[str, StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?(e[+-][0-9]{1,3})?$", max_length=40)]
"""A measured number in decimal digits, in the unit in which it was measured."""


class Stretch(Value):
    """A stretch of time in microseconds since 1970 (UTC): its start belongs to it, its end does not."""

    start_us: Instant
    end_us: Instant

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not 0 < self.end_us - self.start_us <= MAX_STRETCH_US:
            raise ValueError("a stretch of time ends after it starts, and is at most 35 days long")
        return self


class Scope(Value):
    """What is looked at.

    ``incident`` is the id of an incident that the source knows; it may be empty where the source knows one, or where
    ``window`` is given. ``window`` and ``baseline`` take the place of the incident's own; without a baseline the window
    is compared with what lies before it: four times as long, and at least an hour.
    """

    incident: Annotated[str, StringConstraints(max_length=200)] = ""
    window: Stretch | None = None
    baseline: Stretch | None = None


class SeriesName(Value):
    """One metric of one service."""

    service: Name
    metric: Name


def figure(number: float) -> Figure:
    """Write a finite number as text: ``DIGITS`` significant digits, a whole number below 10**15 as it is.

    Numbers from a millionth to 10**15 are written without an exponent.
    """
    size = abs(number)
    if size < _WHOLE and number == int(number):
        return str(int(number))
    text = f"{number:.{DIGITS}g}"
    return format(Decimal(text), "f") if _SMALL <= size < _WHOLE else text
