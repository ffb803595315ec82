"""How reliable the job's judgements have been: what was proposed, what people made of it, and when it speaks.

Rules: pure functions; only what a person ended counts in a share, and each share comes with the interval that so few
cases leave open (Wilson 1927, two-sided, 95 %); where too few were answered, the team's own sorted tickets decide when
the job speaks, and that is said.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twokey.agents.triage import confidence
from twokey.agents.triage.confidence import ENOUGH
from twokey.agents.triage.lessons import Lesson
from twokey.agents.triage.values import Outcome

Z: Final = 1.959964
"""Of the normal distribution, 95 % lie within so many standard deviations."""
BANDS: Final = (0, 60, 70, 80, 90, 95)
"""Where each band of confidence begins, in percent."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind in one band of confidence, in percent from ``lowest`` to below ``highest``."""

    kind: str
    lowest: int
    highest: int
    open: int
    """Proposed, and not ended by a person."""
    approved: int
    corrected: int
    refused: int
    taken_back: int

    @property
    def answered(self) -> int:
        """How many a person ended."""
        return self.approved + self.corrected + self.refused + self.taken_back

    @property
    def proposed(self) -> int:
        """How many were proposed."""
        return self.open + self.answered

    def as_json(self) -> dict[str, Any]:
        """Give the row for programs; shares in percent, none where nothing was answered."""
        bounds = wilson(self.approved, self.answered)
        right = None if bounds is None else round(100 * self.approved / self.answered)
        return {
            "kind": self.kind,
            "confidence": [self.lowest, self.highest],
            "proposed": self.proposed,
            "approved": self.approved,
            "corrected": self.corrected,
            "refused": self.refused,
            "taken_back": self.taken_back,
            "right": right,
            "between": None if bounds is None else list(bounds),
        }


@dataclass(frozen=True, slots=True)
class Speaking:
    """When the job says what a ticket is."""

    target: int
    """How often that has to be right, in percent."""
    answers: int
    """How many recent answers count."""
    by_answers: bool
    """Whether they decide; else the team's own sorted tickets do, or the general reader's caution."""
    speaks_from: int | None
    """From this confidence on, in percent; none where answers decide and none is enough, or where they do not."""
    braked: tuple[str, ...]
    """Kinds that people refuse too often: nothing is said of them."""

    def as_json(self) -> dict[str, Any]:
        """Give it for programs."""
        return {
            "target": self.target,
            "answers": self.answers,
            "enough": ENOUGH,
            "by_answers": self.by_answers,
            "speaks_from": self.speaks_from,
            "braked": list(self.braked),
        }


def table(lessons: Iterable[Lesson], waiting: Iterable[tuple[str, int]]) -> tuple[Row, ...]:
    """Count by kind and band; ``waiting`` are kinds and confidences (permille) that no person has ended."""
    counts: dict[tuple[str, int], Counter[str]] = {}
    for lesson in lessons:
        counts.setdefault((lesson.kind, _band(lesson.confidence_permille)), Counter())[lesson.fate] += 1
    for kind, permille in waiting:
        counts.setdefault((kind, _band(permille)), Counter())["open"] += 1
    ends = (*BANDS[1:], 100)
    return tuple(
        Row(
            kind,
            BANDS[at],
            ends[at],
            open=count["open"],
            approved=count["approved"],
            corrected=count["corrected"],
            refused=count["refused"],
            taken_back=count["taken_back"],
        )
        for (kind, at), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[0][1]))
    )


def speaking(outcomes: Sequence[Outcome], target: int, now: int) -> Speaking:
    """Say when the job speaks, as far as answers tell; ``target`` in percent, ``now`` in microseconds."""
    counted = confidence.recent(outcomes, now)
    enough = len(counted) >= ENOUGH
    found = confidence.threshold(confidence.judged(counted), 10 * target) if enough else None
    braked = tuple(sorted(confidence.braked(counted, 10 * target)))
    return Speaking(target, len(counted), enough, None if found is None else math.ceil(found / 10), braked)


def wilson(right: int, of: int) -> tuple[int, int] | None:
    """Give between which percentages the true share lies; none where nothing was seen."""
    if not of:
        return None
    share, spread = right / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return math.floor(100 * max(0.0, middle - half)), math.ceil(100 * min(1.0, middle + half))


def _band(permille: int) -> int:
    return max(at for at, lowest in enumerate(BANDS) if 10 * lowest <= permille)
