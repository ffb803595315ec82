"""What a team's past tickets taught, in one value."""

from dataclasses import dataclass
from typing import Final

from twokey.agents.triage.learned import Learned


@dataclass(frozen=True, slots=True)
class Taught:
    """What was learned of kinds and areas, and which labels there are."""

    kinds: Learned | None
    areas: Learned | None
    kind_labels: tuple[str, ...]
    """Labels that say a kind, the most used first."""
    area_labels: tuple[str, ...]


NOTHING: Final = Taught(None, None, (), ())
