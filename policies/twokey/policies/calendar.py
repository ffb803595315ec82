"""Turns local times into instants: when a change freeze holds, and when an exception ends.

Rules: times are written as people of a place write them, with the zone of that place (IANA); Rego compares integers
only, microseconds since 1970-01-01T00:00:00Z. Where a local time does not exist or exists twice (a clock is put forward
or back), a freeze begins at the earlier instant and ends at the later one, and an exception ends at the earlier one.
"""

import datetime as dt
import re
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from twokey.core.values import Code, PrincipalName, ResourceKind, RuleId, Signature, Value

MAX_DAYS: Final = 800
"""How long a freeze may last, in days."""
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _local(text: str) -> str:
    if not _LOCAL.fullmatch(text):
        raise ValueError("write a local time such as 2026-12-20T18:00")
    dt.datetime.fromisoformat(text)
    return text


def _zone(text: str) -> str:
    try:
        if _ZONE.fullmatch(text):
            ZoneInfo(text)
            return text
    except (KeyError, OSError, ValueError):
        pass
    raise ValueError("write a time zone such as Europe/Berlin or UTC")


LocalTime = Annotated[str, AfterValidator(_local)]
ZoneName = Annotated[str, AfterValidator(_zone)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def instant(local: str | dt.datetime, zone: str, *, late: bool) -> int:
    """Give the microseconds since the epoch of a local time; where there are two readings, the later or the earlier."""
    time = dt.datetime.fromisoformat(local) if isinstance(local, str) else local
    place = ZoneInfo(zone)
    readings = [(time.replace(tzinfo=place, fold=fold) - _EPOCH) // dt.timedelta(microseconds=1) for fold in (0, 1)]
    return max(readings) if late else min(readings)


class Weekly(Value):
    """Hours of some days of the week. Where ``until`` is not after ``from``, it is of the next day."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)]
    from_: Annotated[ClockTime, Field(alias="from")]
    until: ClockTime


class Freeze(Value):
    """A time in which nothing of these kinds and environments (all, where none is named) may be changed."""

    name: Code
    from_: Annotated[LocalTime, Field(alias="from")]
    until: LocalTime
    zone: ZoneName
    kinds: tuple[ResourceKind, ...] = ()
    environments: tuple[Code, ...] = ()
    weekly: tuple[Weekly, ...] = ()
    windows: Any = None
    """Worked out from the rest whenever the data is loaded; what is written there counts for nothing."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        begin, end = dt.datetime.fromisoformat(self.from_), dt.datetime.fromisoformat(self.until)
        if not dt.timedelta() < end - begin <= dt.timedelta(days=MAX_DAYS):
            raise ValueError(f"a freeze ends after it begins, within {MAX_DAYS} days")
        return self

    def worked_out(self) -> dict[str, Any]:
        """Give the freeze as Rego reads it."""
        begin = instant(self.from_, self.zone, late=False)
        end = instant(self.until, self.zone, late=True)
        found = [(begin, end)]
        if self.weekly:
            inside = ((max(start, begin), min(stop, end)) for start, stop in self._weeks())
            found = sorted({(start, stop) for start, stop in inside if start < stop})
        return {
            **self.model_dump(mode="json", by_alias=True),
            "windows": [{"from_us": start, "until_us": stop} for start, stop in found],
        }

    def _weeks(self) -> list[tuple[int, int]]:
        first, last = (dt.datetime.fromisoformat(text).date() for text in (self.from_, self.until))
        days = [first + dt.timedelta(days=number) for number in range(-1, (last - first).days + 1)]
        found: list[tuple[int, int]] = []
        for hours in self.weekly:
            opens, closes = dt.time.fromisoformat(hours.from_), dt.time.fromisoformat(hours.until)
            for day in days:
                if _DAYS[day.weekday()] in hours.days:
                    until = day if closes > opens else day + dt.timedelta(days=1)
                    start = instant(dt.datetime.combine(day, opens), self.zone, late=False)
                    found.append((start, instant(dt.datetime.combine(until, closes), self.zone, late=True)))
        return found


class PolicyException(Value):
    """A rule that does not hold for some calls until it ends, signed by somebody who owns the rule."""

    name: Code
    rule: RuleId
    scope: Annotated[
        dict[
            Literal["tool", "kind", "resource", "requester"],
            Annotated[str, StringConstraints(min_length=1, max_length=400)],
        ],
        Field(min_length=1),
    ]
    until: LocalTime
    zone: ZoneName
    why: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    signer: PrincipalName
    signature: Signature = "0" * 128
    """Over the canonical bytes of the rest; one that nobody has signed yet holds for nothing."""
    until_us: Any = None
    """Worked out from ``until`` and ``zone`` whenever the data is loaded."""

    def worked_out(self) -> dict[str, Any]:
        """Give the exception as Rego reads it."""
        return {**self.model_dump(mode="json"), "until_us": self.ends_us()}

    def ends_us(self) -> int:
        """When it ends, in microseconds since the epoch."""
        return instant(self.until, self.zone, late=False)
