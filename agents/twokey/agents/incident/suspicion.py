"""What the ranking of an incident comes to: which services are suspected, and which one is named, or none.

Rules: a function of the answers that a run holds, so that whoever reviews a summary comes to the same; what was ranked
far below the first is not told; where no cause is named, only what stands out as much as a cause would is told.
"""

from dataclasses import dataclass
from typing import Final

from twokey.agents.incident.material import Material

SHARE: Final = 0.3
"""Share of the first suspect's score from which others are told."""
MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Services, the likeliest first; ``cause`` is one of them or None where none stands out enough to be named."""

    suspects: tuple[str, ...]
    cause: str | None
    evidence: tuple[str, ...]
    """What was looked at."""


def suspected(material: Material) -> Suspicion:
    """Rank what a run has read; without grounds nobody is suspected."""
    held = (material.grounds, material.metrics, material.logs, material.traces, material.topology, material.events)
    evidence = tuple(dict.fromkeys((material.ground, *(one.evidence for one in held if one))))
    if material.grounds is None:
        return Suspicion((), None, evidence)
    from twokey.agents.incident.ranking import rank  # noqa: PLC0415 - numpy comes in where it is needed

    ranking = rank(material.grounds.answer)
    if ranking.cause is None:
        told = [one for one in ranking.suspects if one.score > ranking.threshold]
    else:
        told = [one for one in ranking.suspects if one.score >= SHARE * ranking.suspects[0].score]
    return Suspicion(tuple(one.service for one in told[:MOST]), ranking.cause, evidence)
