"""An alert that fires, as a source of telemetry tells of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert. ``since`` is seconds since 1970 (UTC); every text is outside text, cut by the source."""

    name: str
    service: str
    severity: str
    state: Literal["firing", "pending"]
    since: float
    text: str
