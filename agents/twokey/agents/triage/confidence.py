"""How far a confidence can be trusted, and from which one on a reader may speak.

Rules
- Pure functions over ``Judged`` pairs: what was claimed and whether it was right. They come from tickets that were left
  out when a model was fitted, and, as soon as there are enough, from what people made of recent proposals.
- A share is never taken at face value. ``threshold`` admits a confidence only if, of the next as many tickets, at
  least the target share will be right with the given assurance: the beta-binomial prediction from a uniform prior
  (Gelman et al., Bayesian Data Analysis, section 2). Thresholds are tried from the strictest to the loosest and the
  first that fails ends the search, so that trying many does not find a lucky one (fixed-sequence testing; Angelopoulos
  et al. 2021, "Learn then test", arXiv 2110.01052).
- Where nothing is admitted the answer is ``None``: abstain from everything. Too little experience is a reason to
  abstain.
- A kind that people refuse too often is braked, whatever the model thinks of itself, until experience is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.triage.values import Outcome

ASSURANCE: Final = 0.95
WINDOW: Final = 400
"""Most recent outcomes that count."""
WINDOW_US: Final = 180 * 24 * 3_600 * 1_000_000
"""An outcome older than this, in microseconds, counts no more."""
ENOUGH: Final = 60
"""Outcomes from which on experience replaces what a model says of tickets left out."""
BRAKE_AFTER: Final = 5
STEPS: Final = 40
BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement of which it is known whether it was right."""

    confidence_permille: int
    right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """What was claimed and what was true among judgements of about the same confidence; shares in permille."""

    lowest_permille: int
    highest_permille: int
    judged: int
    claimed_permille: int
    right_permille: int


def recent(outcomes: Sequence[Outcome], now: int) -> list[Outcome]:
    """Give the outcomes that still count, oldest first."""
    held = [outcome for outcome in outcomes if now - WINDOW_US <= outcome.at <= now]
    return sorted(held, key=lambda outcome: outcome.at)[-WINDOW:]


def judged(outcomes: Sequence[Outcome]) -> list[Judged]:
    """Give outcomes as judgements of which it is known whether they were right."""
    return [Judged(outcome.confidence_permille, outcome.right) for outcome in outcomes]


def lower_bound(right: int, of: int, assurance: float = ASSURANCE) -> float:
    """Give the share below which the true one hardly lies: the one-sided bound of Clopper and Pearson (1934)."""
    from scipy.stats import beta  # noqa: PLC0415 - a second of loading that most commands do without

    return float(beta.ppf(1 - assurance, right, of - right + 1)) if right else 0.0


def upper_bound(right: int, of: int, assurance: float = ASSURANCE) -> float:
    """Give the share above which the true one hardly lies, as ``lower_bound``."""
    return 1.0 - lower_bound(of - right, of, assurance)


def next_right(right: int, of: int, assurance: float = ASSURANCE) -> float:
    """Give the share of the next ``of`` judgements of the same sort that will at least be right."""
    from scipy.stats import betabinom  # noqa: PLC0415 - as above

    return float(betabinom.ppf(1 - assurance, of, right + 1, of - right + 1)) / of if of else 0.0


def threshold(known: Sequence[Judged], target_permille: int, assurance: float = ASSURANCE) -> int | None:
    """Give the lowest confidence at which speaking keeps the target; None where no confidence does."""
    ranked = sorted(known, key=lambda each: -each.confidence_permille)
    rights = [0]
    for each in ranked:
        rights.append(rights[-1] + each.right)
    found: int | None = None
    for end in _steps(ranked):
        if next_right(rights[end], end, assurance) * 1_000 >= target_permille:
            found = ranked[end - 1].confidence_permille
        elif found is not None:
            break
    return found


def _steps(ranked: Sequence[Judged]) -> list[int]:
    """Give how many of the ranked are admitted at each threshold tried: all of equal confidence, or none."""
    ends: list[int] = []
    for step in range(1, STEPS + 1):
        end = len(ranked) * step // STEPS
        while 0 < end < len(ranked) and ranked[end].confidence_permille == ranked[end - 1].confidence_permille:
            end += 1
        if end and (not ends or end > ends[-1]):
            ends.append(end)
    return ends


def braked(outcomes: Sequence[Outcome], target_permille: int, assurance: float = ASSURANCE) -> frozenset[str]:
    """Give the values of which even a kind reading of recent outcomes says that they miss the target."""
    by_value: dict[str, list[bool]] = {}
    for outcome in outcomes:
        by_value.setdefault(outcome.value, []).append(outcome.right)
    return frozenset(
        value
        for value, rights in by_value.items()
        if len(rights) >= BRAKE_AFTER and upper_bound(sum(rights), len(rights), assurance) * 1_000 < target_permille
    )


def reliability(known: Sequence[Judged], bins: int = BINS) -> tuple[Bin, ...]:
    """Compare claimed with true, in bins of equal width of the confidence; empty bins are left out."""
    held: dict[int, list[Judged]] = {}
    for each in known:
        held.setdefault(min(bins - 1, each.confidence_permille * bins // 1_000), []).append(each)
    return tuple(
        Bin(
            number * 1_000 // bins,
            (number + 1) * 1_000 // bins,
            len(members),
            sum(each.confidence_permille for each in members) // len(members),
            sum(each.right for each in members) * 1_000 // len(members),
        )
        for number, members in sorted(held.items())
    )


def calibration_error(known: Sequence[Judged], bins: int = BINS) -> float:
    """Give the expected calibration error, 0 to 1 (Guo et al. 2017, arXiv 1706.04599)."""
    gaps = sum(abs(each.claimed_permille - each.right_permille) * each.judged for each in reliability(known, bins))
    return gaps / (1_000 * len(known)) if known else 0.0
