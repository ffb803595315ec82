"""Works off what alerts tell: starts a run for an incident that is new, in the name of whom the trigger says.

Rules:
- whether an incident is new is decided in the transaction that starts its run (``episodes``), so that two workers start
  one; what came out of order, or twice, makes no difference;
- an alert that began before the replay window, or lies in the future, starts nothing: it is kept as an event;
- a trigger starts so many runs in an hour; what is beyond is kept as an event, and its code says so;
- nothing of a delivery reaches the request: a run is asked to look at an incident of the source by its id, and what the
  alert says is read there, as outside text.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from twokey.channels.alerts.book import delivered
from twokey.channels.inbox import Inbound
from twokey.core.errors import Refused
from twokey.core.ports import Clock
from twokey.core.telemetry_settings import TelemetrySection, TriggerSection
from twokey.core.values import Identity, Principal
from twokey.tools.ledger import Unit
from twokey.tools.read.telemetry.episodes import BEGUN, Delivered, begun_since, goes_on, incident_id
from twokey.tools.read.telemetry.paging import Page, told

AHEAD_S: Final = 600.0
"""By how much the clock of a sender may be ahead of this one, in seconds."""
HOUR_S: Final = 3_600.0
_US: Final = 1_000_000


class Leaves(Protocol):
    """Leaves an incident to the workers."""

    def __call__(
        self, identity: Identity, which: str, *, run: str, only_if: Callable[[Unit], bool], telemetry: str
    ) -> object:
        """Ask for it if ``only_if`` agrees in the transaction that takes the request."""
        ...


class Handler:
    """Works off the deliveries of all triggers."""

    def __init__(
        self,
        triggers: Mapping[str, TriggerSection],
        sources: Mapping[str, TelemetrySection],
        *,
        leave: Leaves,
        settle: Callable[[Unit, Inbound, str], bool],
        principal: Callable[[str], Principal | None],
        clock: Clock,
    ) -> None:
        self._triggers = dict(triggers)
        self._sources = dict(sources)
        self._leave = leave
        self._settle = settle
        self._principal = principal
        self._clock = clock

    def handle(self, inbound: Inbound) -> str:
        """Work off one delivery; gives the code of what became of it.

        Raises:
            Refused: whom the trigger asks in the name of is not in the directory.
            EnvironmentFault: it could not be done now; nothing is lost where it is called again.

        """
        kind, _, name = inbound.kind.partition(".")
        trigger = self._triggers.get(name)
        if trigger is None or trigger.kind != kind:
            return "ignored_no_trigger"
        labels = self._sources[trigger.telemetry].service_labels
        pages = told(trigger.kind, inbound.body, labels)
        if pages is None:
            return "ignored_unreadable"
        now, replay_s = self._clock.now_us() / _US, trigger.replay_hours * HOUR_S
        over = {page.key for page in pages if page.happened == "resolved"}
        open_pages = [page for page in pages if page.happened == "page" and page.key not in over]
        if not open_pages:
            return "noted"
        fresh = [page for page in open_pages if now - replay_s <= page.began <= now + AHEAD_S]
        if not fresh:
            return "noted_stale"
        return self._begin(inbound, name, trigger, fresh, now)

    def _begin(self, inbound: Inbound, name: str, trigger: TriggerSection, fresh: list[Page], now: float) -> str:
        principal = self._principal(trigger.asked_by)
        if principal is None:
            raise Refused(
                f"The trigger {name} asks in the name of {trigger.asked_by}, who is not in the directory.",
                next="Change the trigger in twokey.toml.",
                code="requester_unknown",
            )
        labels = self._sources[trigger.telemetry].service_labels
        since_us = max(0, round((now - trigger.replay_hours * HOUR_S) * _US))
        became: list[str] = []

        def only_if(unit: Unit) -> bool:
            kept = delivered(unit.connection, name, trigger, labels, since_us=since_us, but=inbound.id)
            became.append(_verdict(kept, fresh, trigger, now))
            return became[-1] == BEGUN and self._settle(unit, inbound, BEGUN)

        self._leave(
            Identity(principal=principal, auth="system", channel="worker"),
            incident_id(inbound.id),
            run=f"r-{inbound.id.removeprefix('i-')}",
            only_if=only_if,
            telemetry=trigger.telemetry,
        )
        return became[-1] if became else "over"


def _verdict(kept: list[Delivered], fresh: list[Page], trigger: TriggerSection, now: float) -> str:
    if goes_on(kept, fresh, now, trigger.replay_hours * HOUR_S):
        return "noted"
    if begun_since(kept, now - HOUR_S) >= trigger.most_per_hour:
        return "held_back"
    return BEGUN
