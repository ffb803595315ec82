"""What the incident job of a workspace is told by its settings."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twokey.core.ports import Clock
from twokey.core.settings import Settings
from twokey.core.values import Channel
from twokey.tools.ledger import Ledger

if TYPE_CHECKING:
    from twokey.agents.incident.house import House
    from twokey.channels.workspace import Workspace


def names_of(config: Settings) -> frozenset[str]:
    """Give the labels that the settings let the ticket of an incident get."""
    return frozenset({config.incident.label} if config.incident.label and tracker_of(config) else ())


def tracker_of(config: Settings) -> str:
    """Give the name of the place where tickets of incidents are; empty where there is none."""
    return config.incident.tickets or config.triage.tickets


def follower_of(workspace: "Workspace", ledger: Ledger, clock: Clock) -> Callable[[], None]:
    """Give what has the incidents of alerts looked at again; nothing is done where no trigger says so."""
    config = workspace.config
    if not any(trigger.follow_minutes for trigger in config.triggers.values()):
        return _nothing
    from twokey.channels.alerts.following import Following  # noqa: PLC0415 - numpy comes in where it is needed

    return Following(
        config.triggers,
        config.telemetry,
        ledger=ledger,
        clock=clock,
        leave=workspace.leave_incident,
        principal=workspace.directory.principal,
    ).look


def left_of_alerts(config: Settings) -> Mapping[Channel, Callable[[str, bytes], bytes | None]]:
    """Give what is left of deliveries of alerts when their bodies go; nothing of any where there are no triggers."""
    if not config.triggers:
        return {}
    from twokey.channels.alerts.book import reduced  # noqa: PLC0415 - numpy comes in where it is needed

    return {"alerts": functools.partial(reduced, config)}


def _nothing() -> None:
    """Do nothing."""


def house_of(folder: Path, config: Settings) -> "House":
    """Give what the incident agent needs; raises ``BadInput`` where the routing file cannot be used."""
    from twokey.agents.incident.house import House  # noqa: PLC0415 - comes in when a run is driven
    from twokey.agents.triage import routing  # noqa: PLC0415 - as above

    incident, file = config.incident, config.triage.routing
    return House(
        tickets=tracker_of(config),
        repository=incident.repository,
        folder=incident.folder,
        label=incident.label,
        runbooks=incident.runbooks,
        deployed=tuple(sorted(config.deployed_from().items())),
        routing=routing.load(folder / file) if file else None,
    )
