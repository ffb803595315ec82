"""What a ranking says: suspects with reasons, and the one that is named as the cause, or none."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

ReasonKind: TypeAlias = Literal[
    "slow",
    "fails",
    "strained",
    "grown",
    "restarted",
    "silent",
    "waited_for",
    "calls_stopped",
    "explains_callers",
    "slow_operation",
    "slow_way",
    "errors",
    "broken",
    "answers_badly",
    "changed",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a service is suspected. ``score`` is its share; the rest is what was seen, where there is one thing to see.

    ``metric`` is a metric, an operation, a service, a template of lines or a source, as the kind has it; ``before`` and
    ``after`` are decimal text in its unit (for ``broken``, so many of so many); ``onset_us`` is in microseconds.
    """

    kind: ReasonKind
    score: float
    metric: str = ""
    before: str | None = None
    after: str | None = None
    onset_us: int | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """One service; ``reasons`` are the strongest first."""

    service: str
    score: float
    reasons: tuple[Reason, ...]

    @property
    def onset_us(self) -> int | None:
        """When the earliest of the things that weigh most began."""
        onsets = [each.onset_us for each in self.reasons[:3] if each.onset_us is not None]
        return min(onsets, default=None)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Suspects, the likeliest first. ``cause`` is the first one's service where its score lies above ``threshold``."""

    suspects: tuple[Suspect, ...]
    cause: str | None
    threshold: float
    """The score that quiet stretches of the past reach, too."""
