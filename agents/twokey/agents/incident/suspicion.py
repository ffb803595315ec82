"""What the ranking of an incident comes to: which services are suspected, and which one is named, or none.

Rules: a function of the answers that a run holds, so that whoever reviews a summary comes to the same; absence of
evidence names nobody.
"""

from dataclasses import dataclass

from twokey.agents.incident.material import DEGRADES, Material


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Services, the likeliest first; ``cause`` is one of them or None where none stands out enough to be named."""

    suspects: tuple[str, ...]
    cause: str | None
    evidence: tuple[str, ...]
    """What was looked at."""


def suspected(material: Material) -> Suspicion:
    """Rank what a run has read."""
    held = (material.metrics, material.logs, material.traces, material.topology, material.events)
    evidence = tuple(dict.fromkeys((material.ground, *(one.evidence for one in held if one))))
    scores: dict[str, float] = {}
    for one in material.metrics.answer.changes if material.metrics else ():
        if one.meaning in DEGRADES and one.abnormal >= 300:
            scores[one.service] = max(scores.get(one.service, 0), abs(float(one.deviation)))
    ranked = sorted(scores, key=lambda service: -scores[service])
    return Suspicion(tuple(ranked[:5]), ranked[0] if ranked else None, evidence)
