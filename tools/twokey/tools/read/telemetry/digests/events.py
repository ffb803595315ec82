"""What was done and said, each once.

Rules: two records are the same event where kind, service, actor and text are the same but for blanks and capitals, and
they lie at most ``APART_S`` apart: several systems tell of one page or deploy, and deliver it twice. The earliest time
counts. What is cut says so.
"""

from collections.abc import Sequence
from typing import Final

from twokey.tools.read.telemetry.port import Event
from twokey.tools.read.telemetry.values import EventSeen

APART_S: Final = 90.0
MAX_TEXT: Final = 1_000


def each_once(events: Sequence[Event]) -> list[EventSeen]:
    """Give the events by time, copies counted."""
    found: list[tuple[Event, int]] = []
    latest: dict[tuple[str, ...], int] = {}
    for event in sorted(events, key=lambda one: (one.time, one.kind, one.service, one.actor, one.text)):
        key = tuple(" ".join(part.lower().split()) for part in (event.kind, event.service, event.actor, event.text))
        place = latest.get(key)
        if place is not None and event.time - found[place][0].time <= APART_S:
            found[place] = found[place][0], found[place][1] + 1
            continue
        latest[key] = len(found)
        found.append((event, 1))
    return [_seen(event, copies) for event, copies in found]


def _seen(event: Event, copies: int) -> EventSeen:
    return EventSeen(
        at_us=round(event.time * 1_000_000),
        kind=event.kind,
        service=event.service,
        actor=event.actor,
        text=event.text[:MAX_TEXT],
        cut=len(event.text) > MAX_TEXT,
        copies=copies,
    )
