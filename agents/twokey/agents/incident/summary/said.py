"""One sentence of a summary, as a value."""

from dataclasses import dataclass
from typing import Final

from twokey.agents.incident.summary.templates import TEMPLATES, section
from twokey.core.values import Finding

MAX_SENTENCE: Final = 1_000
SURE: Final = 95
CONFIDENCE: Final = {
    "summary_cause": 80,
    "summary_suspect": 60,
    "summary_suspects": 60,
    "links_past": 60,
    "links_run": 60,
}
ATTENTION: Final = frozenset(
    {"summary_no_cause", "detection_no_page", "detection_no_ack", "resolution_open", "factors_unread"}
)
"""Kinds that a person should look at."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with what it is about and the evidence that bears it out. ``at_us`` orders those of the timeline."""

    kind: str
    subject: str
    text: str
    evidence: tuple[str, ...]
    confidence: int = SURE
    attention: bool = False
    at_us: int | None = None

    @property
    def section(self) -> str:
        """The section that it stands in."""
        return section(self.kind)


def say(kind: str, subject: str, evidence: tuple[str, ...], /, **fields: str) -> Said:
    """Fill a template."""
    text = TEMPLATES[kind].format(**fields)
    cited = tuple(dict.fromkeys(evidence))
    return Said(kind, subject, text, cited, CONFIDENCE.get(kind, SURE), kind in ATTENTION)


def as_finding(said: Said, number: int) -> Finding:
    """Write a sentence down as a finding."""
    return Finding(
        id=f"f-{number}",
        subject=said.subject[:400] or "incident",
        kind=said.kind,
        claim=said.text[:MAX_SENTENCE],
        evidence=said.evidence,
        confidence=said.confidence,
        attention=said.attention,
    )
