"""What was delivered about the alerts of a trigger, read back from where deliveries are kept.

Rules: only deliveries that proved where they are from are there; the latest ``MOST`` of a trigger are looked at. After
``server.body_days`` what an incident needs is left of them (``paging.essence``), for more than a year. Nothing of it is
authority: it tells which incidents there are and when somebody was paged.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection

from twokey.core.ports import Clock
from twokey.core.settings import Settings
from twokey.core.telemetry_settings import TelemetrySection, TriggerSection
from twokey.store import inbox
from twokey.tools.ledger import Ledger
from twokey.tools.read.telemetry.episodes import Delivered, events, incidents
from twokey.tools.read.telemetry.paging import essence, told
from twokey.tools.read.telemetry.port import Event, Incident

MOST: Final = 2_000
MOST_PAGES: Final = 50_000
"""Pages of all of them together; what is older than the latest so many is not looked at."""
_US: Final = 1_000_000
Made = TypeVar("Made")


def delivered(
    connection: Connection,
    name: str,
    trigger: TriggerSection,
    labels: Sequence[str],
    *,
    since_us: int = 0,
    but: str = "",
) -> list[Delivered]:
    """Give what was delivered to a trigger since then, the oldest first, without the delivery ``but``."""
    found: list[Delivered] = []
    left = MOST_PAGES
    kind = f"{trigger.kind}.{name}"
    for record in inbox.kept_inbound(connection, "alerts", kind, since=since_us, limit=MOST):
        pages = told(trigger.kind, record.body, labels) if record.body is not None and record.id != but else None
        if pages:
            left -= len(pages)
            found.append(Delivered(record.id, record.received_us / _US, record.code, pages))
        if left <= 0:
            break
    return found[::-1]


def reduced(config: Settings, kind: str, body: bytes) -> bytes | None:
    """Give what is left of a delivery when its body goes; nothing where its trigger is gone or it tells nothing."""
    sender, _, name = kind.partition(".")
    trigger = config.triggers.get(name)
    if trigger is None or trigger.kind != sender:
        return None
    return essence(trigger.kind, body, config.telemetry[trigger.telemetry].service_labels)


class PageBook:
    """Incidents and events of the triggers that look at one source of telemetry."""

    def __init__(
        self,
        triggers: Mapping[str, TriggerSection],
        section: TelemetrySection,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._triggers = dict(triggers)
        self._labels = section.service_labels
        self._ledger = ledger
        self._clock = clock

    def incidents(self) -> tuple[Incident, ...]:
        """Give the incidents that alerts began, the latest first."""
        now = self._clock.now_us() / _US
        found = self._each(lambda trigger, kept: incidents(kept, trigger.lead_minutes * 60.0, now))
        return tuple(sorted(found, key=lambda one: (-one.window.start, one.id)))

    def events(self) -> tuple[Event, ...]:
        """Give when somebody was paged, took over, and when it was over, by time."""
        return tuple(sorted(self._each(lambda _, kept: events(kept)), key=lambda one: one.time))

    def _each(self, make: Callable[[TriggerSection, list[Delivered]], list[Made]]) -> list[Made]:
        with self._ledger.look() as connection:
            return [
                made
                for name, trigger in self._triggers.items()
                for made in make(trigger, delivered(connection, name, trigger, self._labels))
            ]
