"""What the incident job of a workspace is told by its settings."""

from pathlib import Path
from typing import TYPE_CHECKING

from twokey.core.settings import Settings

if TYPE_CHECKING:
    from twokey.agents.incident.house import House


def names_of(config: Settings) -> frozenset[str]:
    """Give the labels that the settings let the ticket of an incident get."""
    return frozenset({config.incident.label} if config.incident.label and tracker_of(config) else ())


def tracker_of(config: Settings) -> str:
    """Give the name of the place where tickets of incidents are; empty where there is none."""
    return config.incident.tickets or config.triage.tickets


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
        routing=routing.load(folder / file) if file else None,
    )
