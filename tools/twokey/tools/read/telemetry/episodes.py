"""Which deliveries of alerts belong to one incident, whatever the order in which they came, and how often.

Rules:
- what is told twice is one event; the earliest time of it counts;
- a delivery begins an incident where nobody began one for its group that still goes on: one that shares an alert with
  it, or of which an alert is not known to be over before the first alert of the new one. An incident whose end was
  never told holds off others of its group for as long as the replay window;
- an incident runs from ``lead`` before its first alert to ``TAIL_S`` after the last one was over; to now where one goes
  on, and no longer than ``MOST_S``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.tools.read.telemetry.paging import Happened, Page
from twokey.tools.read.telemetry.port import Event, Incident, Interval
from twokey.tools.read.telemetry.scoping import before

TAIL_S: Final = 5 * 60.0
MOST_S: Final = 7 * 24 * 3_600.0
BEGUN: Final = "asked"
"""The code of a delivery that began an incident."""
_MARK: Final = "alert-"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery as it was kept: its id, when it came (seconds), what became of it, what it tells."""

    id: str
    received: float
    code: str
    pages: tuple[Page, ...]


def incident_id(delivery: str) -> str:
    """Name the incident that a delivery begins."""
    return f"{_MARK}{delivery.removeprefix('i-')}"


def goes_on(kept: Sequence[Delivered], fresh: Sequence[Page], now: float, replay_s: float) -> bool:
    """Tell whether an incident that was begun before goes on in what ``fresh`` tells."""
    keys, groups = {page.key for page in fresh}, {page.group for page in fresh}
    first = min(page.began for page in fresh)
    over = _over(kept)
    for delivery in kept:
        pages = [page for page in delivery.pages if page.happened == "page" and page.group in groups]
        if delivery.code != BEGUN or not pages:
            continue
        if keys & {page.key for page in pages}:
            return True
        ends = [over.get(page.key) for page in pages]
        if any(end is None or end >= first for end in ends) and now - delivery.received <= replay_s:
            return True
    return False


def begun_since(kept: Iterable[Delivered], since: float) -> int:
    """Count the incidents that were begun since ``since`` (seconds)."""
    return sum(1 for delivery in kept if delivery.code == BEGUN and delivery.received >= since)


def incidents(kept: Sequence[Delivered], lead_s: float, now: float) -> list[Incident]:
    """Give the incidents that were begun, the latest first."""
    over = _over(kept)
    members: dict[str, list[Page]] = {}
    for delivery in kept:
        for page in delivery.pages:
            members.setdefault(page.group, []).append(page)
    found: list[Incident] = []
    for delivery in kept:
        pages = [page for page in delivery.pages if page.happened == "page"]
        if delivery.code != BEGUN or not pages:
            continue
        first = min(pages, key=lambda page: (page.began, page.title))
        # alerts of the group that began while it went on belong to it, too
        end = max((over.get(page.key) or now) for page in pages)
        joined = [page for page in members.get(first.group, ()) if first.began <= page.began <= end]
        end = max([end, *((over.get(page.key) or now) for page in joined)])
        start = max(0.0, first.began - lead_s)
        window = Interval(start, max(start + 60.0, min(end + TAIL_S, now, start + MOST_S)))
        title = first.title or "an alert without a title"
        found.append(Incident(incident_id(delivery.id), title, first.service, window, before(window)))
    return sorted(found, key=lambda one: (-one.window.start, one.id))


def events(kept: Sequence[Delivered]) -> list[Event]:
    """Give what happened, once each, by time."""
    earliest: dict[tuple[Happened, str], Page] = {}
    for delivery in kept:
        for page in delivery.pages:
            known = earliest.get((page.happened, page.key))
            if known is None or page.at < known.at:
                earliest[page.happened, page.key] = page
    made = [Event(page.at, page.happened, page.service, page.who, page.title) for page in earliest.values()]
    return sorted(made, key=lambda one: (one.time, one.kind, one.service, one.text))


def _over(kept: Sequence[Delivered]) -> dict[str, float]:
    """Give when each alert was over, as any delivery tells it."""
    found: dict[str, float] = {}
    for delivery in kept:
        for page in delivery.pages:
            if page.happened == "resolved":
                found[page.key] = max(found.get(page.key, 0.0), page.at)
    return found
