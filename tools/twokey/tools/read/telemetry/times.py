"""Reads times as logs and services write them, and gives seconds since 1970 (UTC).

Rules: a time without a zone is in the zone that is given, UTC unless said otherwise; a fraction of any length is read;
what is no time, or lies before 1970 or after 9999, gives nothing. Formats: ISO 8601 and RFC 3339, with a blank or a
comma where loggers write them; the Common Log Format of web servers (``10/Oct/2000:13:55:36 -0700``); syslog of RFC
3164 (``Oct 10 13:55:36``, without a year: the latest one that does not lie after ``latest``); seconds, milliseconds,
microseconds or nanoseconds since 1970.
"""

import datetime as dt
import re
from typing import Final

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?(?![\d:])"
)
_COMMON: Final = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})")
_SYSLOG: Final = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?!\d)")
_EPOCH: Final = re.compile(r"(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d{1,9}))?(?![\d.])")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LAST: Final = 253_402_300_799.0
"""The end of the year 9999."""
_DAY: Final = 24 * 3600.0


def moment(text: str, zone: dt.tzinfo = dt.UTC, latest: float = LAST) -> float | None:
    """Read ``text`` as a whole as a time."""
    found = leading(text.strip(), zone, latest)
    return found[0] if found is not None and found[1] == len(text.strip()) else None


def leading(text: str, zone: dt.tzinfo = dt.UTC, latest: float = LAST) -> tuple[float, int] | None:
    """Read the time with which ``text`` begins; gives it and where it ends."""
    for pattern, read in _READERS:
        match = pattern.match(text)
        if match is not None:
            try:
                at = read(match, zone, latest)
            except (ValueError, OverflowError, OSError):  # no such day, or none that a computer counts
                return None
            return (at, match.end()) if at is not None and 0 <= at <= LAST else None
    return None


def _iso(match: re.Match[str], zone: dt.tzinfo, _: float) -> float:
    year, month, day, hour, minute, second, fraction, named = match.groups()
    leap = second == "60"  # counted as the second after, as UNIX time does
    at = dt.datetime(
        int(year), int(month), int(day), int(hour), int(minute), 59 if leap else int(second or 0),
        tzinfo=_zone(named) or zone,
    )  # fmt: skip
    return at.timestamp() + leap + (float(f"0.{fraction}") if fraction else 0.0)


def _common(match: re.Match[str], _: dt.tzinfo, __: float) -> float:
    day, month, year, hour, minute, second, named = match.groups()
    at = dt.datetime(
        int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=_zone(named)
    )
    return at.timestamp()


def _syslog(match: re.Match[str], zone: dt.tzinfo, latest: float) -> float | None:
    month, day, hour, minute, second = match.groups()
    number = _MONTHS.index(month) + 1
    last = min(latest, LAST - _DAY)
    year = dt.datetime.fromtimestamp(last, tz=zone).year
    for tried in range(year + 1, year - 5, -1):  # a day of February is not in every year
        try:
            at = dt.datetime(tried, number, int(day), int(hour), int(minute), int(second), tzinfo=zone).timestamp()
        except ValueError:
            continue
        if at <= last + _DAY:
            return at
    return None


def _epoch(match: re.Match[str], _: dt.tzinfo, __: float) -> float:
    digits, fraction = match.groups()
    return (int(digits) + (float(f"0.{fraction}") if fraction else 0.0)) / 10 ** (len(digits) - 10)


def _zone(named: str | None) -> dt.tzinfo | None:
    if named is None:
        return None
    if named[0] not in "+-":
        return dt.UTC
    hours, minutes = int(named[1:3]), int(named[-2:])
    sign = -1 if named[0] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=hours, minutes=minutes))


_READERS: Final = ((_ISO, _iso), (_COMMON, _common), (_SYSLOG, _syslog), (_EPOCH, _epoch))
