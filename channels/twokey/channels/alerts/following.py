"""Has incidents that alerts began looked at again and again, by the workers, until they are over.

Rules:
- which incidents there are, and whether they are over, follows from verified deliveries and the settings alone, never
  from a row of the queue; it is asked in the name that the trigger gives;
- each look is asked at most once, however many workers there are: the row that says up to when an incident was looked
  at moves on in the transaction that takes the request. What somebody who dies leaves undone the next one does;
- of looks that were missed the latest is made and the others never; the last one comes after the incident was over;
- what a look finds is proposed where it is new (``agents.incident.following``), and waits for people as ever.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from twokey.channels.alerts.book import delivered
from twokey.core.errors import TwokeyError
from twokey.core.ports import Clock
from twokey.core.telemetry_settings import TelemetrySection, TriggerSection
from twokey.core.values import Identity, Principal
from twokey.store import jobs
from twokey.tools.ledger import Ledger, Unit
from twokey.tools.read.telemetry.episodes import BEGUN, Delivered, incident_id, incidents
from twokey.tools.read.telemetry.port import Incident

EVERY_S: Final = 15.0
"""How often a worker looks whether something is due, in seconds."""
_PREFIX: Final = "follow."
_US: Final = 1_000_000

_logger: Final = logging.getLogger("twokey.alerts")


class Leaves(Protocol):
    """Leaves an incident to the workers."""

    def __call__(
        self, identity: Identity, which: str, *, only_if: Callable[[Unit], bool], telemetry: str, follows: bool
    ) -> object:
        """Ask for it if ``only_if`` agrees in the transaction that takes the request."""
        ...


class Following:
    """Follows the incidents of all triggers that say so."""

    def __init__(
        self,
        triggers: Mapping[str, TriggerSection],
        sources: Mapping[str, TelemetrySection],
        *,
        ledger: Ledger,
        clock: Clock,
        leave: Leaves,
        principal: Callable[[str], Principal | None],
        every_s: float = EVERY_S,
    ) -> None:
        """``every_s`` is how often ``look`` looks, in seconds; ``leave`` leaves an incident to the workers."""
        self._every_s = every_s
        self.triggers = {name: trigger for name, trigger in triggers.items() if trigger.follow_minutes}
        self._sources = dict(sources)
        self._ledger = ledger
        self._clock = clock
        self.leave = leave
        self._principal = principal
        self._looked = -every_s

    def look(self) -> None:
        """Ask for the looks that are due; what fails is told in the log of the process and tried again."""
        if time.monotonic() - self._looked < self._every_s:
            return
        self._looked = time.monotonic()
        for name, trigger in sorted(self.triggers.items()):
            try:
                self.ask_due(name, trigger)
            except TwokeyError as error:
                _logger.warning("following the incidents of %s: %s", name, error.message)

    def ask_due(self, name: str, trigger: TriggerSection) -> list[str]:
        """Ask for what is due of one trigger; gives the incidents.

        Raises:
            TwokeyError: it could not be asked now.

        """
        principal = self._principal(trigger.asked_by)
        if principal is None:
            _logger.warning("the trigger %s asks in the name of somebody who is not in the directory", name)
            return []
        asked: list[str] = []
        for incident, begun_us in self._kept(name, trigger):
            if self._ask(incident, begun_us, trigger, principal):
                asked.append(incident.id)
        return asked

    def _kept(self, name: str, trigger: TriggerSection) -> list[tuple[Incident, int]]:
        """Give the incidents that began within the replay window, with the time of their first delivery."""
        now = self._clock.now_us() / _US
        since_us = max(0, round((now - trigger.replay_hours * 3_600.0) * _US))
        labels = self._sources[trigger.telemetry].service_labels
        with self._ledger.look() as connection:
            kept = delivered(connection, name, trigger, labels, since_us=since_us)
        begun = {incident_id(one.id): _received_us(one) for one in kept if one.code == BEGUN}
        return [(one, begun[one.id]) for one in incidents(kept, trigger.lead_minutes * 60.0, now) if one.id in begun]

    def _ask(self, incident: Incident, begun_us: int, trigger: TriggerSection, principal: Principal) -> bool:
        name, every_us, now = f"{_PREFIX}{incident.id}", trigger.follow_minutes * 60 * _US, self._clock.now_us()
        with self._ledger.look() as connection:
            before = jobs.seen_until(connection, name)
        if before is None:
            with self._ledger.change() as unit:
                jobs.see_to(unit.connection, name, before=None, due=begun_us)
            before = begun_us
        over_us = round(incident.window.end * _US)
        due = now - (now - begun_us) % every_us
        if due <= before or before > over_us:
            return False
        left = self.leave(
            Identity(principal=principal, auth="system", channel="worker"),
            incident.id,
            only_if=lambda unit: jobs.see_to(unit.connection, name, before=before, due=due),
            telemetry=trigger.telemetry,
            follows=True,
        )
        return left is not None


def _received_us(one: Delivered) -> int:
    return round(one.received * _US)
