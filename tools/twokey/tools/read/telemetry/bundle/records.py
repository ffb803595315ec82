"""Lines of JSON in a bundle: logs, spans, events.

Rules: one object per line; what is no object, or lacks a field it cannot do without, is counted and left out; text
is cut at ``MAX_TEXT``, names at ``MAX_NAME``; a time is ISO-8601 and is taken as UTC where it names no zone.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.port import MAX_NAME, MAX_TEXT, Event, Interval, LogRecord, Span

Made = TypeVar("Made")


def moment(text: object) -> float:
    """Give the seconds since 1970 of an ISO-8601 time.

    Raises:
        ValueError: it is none.

    """
    if not isinstance(text, str) or len(text) > MAX_NAME:
        raise ValueError("no time")
    if text.endswith("Z") and text[10:11] == "T" and text[13:14] == ":":
        return _minute(text[:17]) + _seconds(text[17:-1])
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=4096)
def _minute(text: str) -> float:
    return datetime.fromisoformat(f"{text}00+00:00").timestamp()


def _seconds(text: str) -> float:
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        raise ValueError("no seconds")
    seconds = float(text)
    if seconds >= 61:
        raise ValueError("no seconds")
    return seconds


def records(
    blocks: Iterable[bytes], make: Callable[[dict[str, Any]], Made], within: Interval, most: int, tally: Tally
) -> Iterator[Made]:
    """Give what ``make`` makes of each line that lies in the interval, ``most`` at most."""
    count = 0
    for block in blocks:
        for line in block.split(b"\n"):
            if not line or line.isspace():
                continue
            try:
                record = make(orjson.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
                tally.malformed += 1
                continue
            if record.time not in within:  # type: ignore[attr-defined]
                continue
            if count >= most:
                tally.too_much = most
                return
            count += 1
            yield record


def log_record(found: dict[str, Any]) -> LogRecord:
    """Read a line of ``logs.jsonl``."""
    message = found["message"]
    if not isinstance(message, str):
        raise TypeError
    return LogRecord(
        moment(found["time"]), _name(found["service"]), _optional(found.get("level")).lower(), message[:MAX_TEXT]
    )


def span(found: dict[str, Any]) -> Span:
    """Read a line of ``traces.jsonl``."""
    parent, status = found.get("parent_id"), found.get("status")
    milliseconds = found["duration_ms"]
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or not milliseconds >= 0:
        raise TypeError
    return Span(
        moment(found["time"]),
        _name(found["trace_id"]),
        _name(found["span_id"]),
        _name(parent) if parent else None,
        _name(found["service"]),
        _optional(found.get("operation")),
        float(milliseconds),
        None if status is None else str(status)[:MAX_NAME],
    )


def event(found: dict[str, Any]) -> Event:
    """Read a line of ``events.jsonl``."""
    return Event(
        moment(found["time"]),
        _name(found["kind"]),
        _optional(found.get("service")),
        _optional(found.get("actor")),
        _optional(found.get("text"), MAX_TEXT),
    )


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value if len(value) <= MAX_NAME else value[:MAX_NAME]


def _optional(value: object, most: int = MAX_NAME) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value[:most]
