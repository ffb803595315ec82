"""Weighs whether what follows a step changed: shares before and after a moment, with other work in mind.

Rules:
- the stated start of a window is a guess: moments from ``SHIFTS`` of its length around it are tried, and any but the
  stated one costs ``ANOTHER_MOMENT``; each strength pays ``MANY_COMPARED`` for the many that are compared;
- *gone*: what used to follow does so no more. *New*: what hardly ever followed does so now;
- a strength is the common logarithm of how many times likelier what came after is if the way changed than if it did
  not (Bayes factor of beta-binomial shares). What was before counts at most as ``TRUST`` pieces of work: another mix of
  work comes along all the time, and shares move with it;
- that failures end is no harm, and what was usual is told without them; that they begin counts ``FAILURE`` times;
- where work goes on in a way that was known before, it may be other work, and counts ``KNOWN`` times.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

SHIFTS: Final = (-3 / 8, -1 / 4, -3 / 16, -1 / 8, -1 / 16, 0.0, 1 / 16, 1 / 8)
STATED: Final = SHIFTS.index(0.0)
ANOTHER_MOMENT: Final = 0.3
MANY_COMPARED: Final = 1.0
TRUST: Final = 6.0
NOVEL: Final = 20.0
"""The same for a step that the operation did not know at all: other work of the usual kind would have shown it."""
FAILURE: Final = 1.3
KNOWN: Final = 0.5
FEWEST: Final = 4
"""Pieces of work on either side without which nothing is said."""
HELD: Final = 1 / 3
"""Share of cases in which a step has to follow another so that it can be gone."""
RARE: Final = 0.05
LEAST: Final = 0.5
"""Strengths below it are not told."""
GONE: Final = (0.3, 6.0)
"""Beta prior of the share of what is gone."""
NEW: Final = (1.0, 1.0)
BEGIN: Final = 0
END: Final = 1

Kind: TypeAlias = Literal["gone", "new"]
Counts: TypeAlias = Sequence[int]
"""How often, before the first moment, between each and the next, and after the last."""
Of = tuple[int, int]
"""So many of so many."""


@dataclass(frozen=True, slots=True)
class Change:
    """``then`` follows no more, or newly, since the moment number ``at``."""

    kind: Kind
    then: int
    before: Of
    after: Of
    at: int
    strength: float
    failure: bool


def changes(
    thens: Mapping[int, Counts], failures: Collection[int], known: Mapping[int, int], *, stream: bool
) -> dict[Kind, Change]:
    """Give the clearest change of each kind in what follows one step.

    ``known`` says in which stretch between moments each step was first seen in the operation. In a stream of lines
    from several pieces of work at a time, what is new says nothing.
    """
    whole = [sum(column) for column in zip(*thens.values(), strict=True)]
    failed = [sum(column) for column in zip(*(thens[each] for each in thens if each in failures), strict=True)]
    clearest: dict[Kind, Change] = {}
    for at in range(len(SHIFTS)):
        goes_on = _goes_on(thens, failures, at)
        for then, counts in thens.items():
            failure = then in failures
            usual = sum(whole[: at + 1]) - (0 if failure else sum(failed[: at + 1]))
            before, after = (sum(counts[: at + 1]), usual), (sum(counts[at + 1 :]), sum(whole[at + 1 :]))
            if before[1] < FEWEST or after[1] < FEWEST:
                continue
            elsewhere = known[then] <= at
            for kind, strength in _strengths(before, after, TRUST if elsewhere or then == END else NOVEL):
                if kind == "gone":
                    counted, weight = not failure and then != END, KNOWN if goes_on else 1.0
                else:
                    elsewhere = elsewhere and not failure and then != END
                    counted, weight = not stream, FAILURE if failure else KNOWN if elsewhere else 1.0
                paid = weight * strength - MANY_COMPARED - (0.0 if at == STATED else ANOTHER_MOMENT)
                if counted and paid >= LEAST and (kind not in clearest or clearest[kind].strength < paid):
                    clearest[kind] = Change(kind, then, before, after, at, paid, failure)
    return clearest


def _goes_on(thens: Mapping[int, Counts], failures: Collection[int], at: int) -> bool:
    """Tell whether what mostly follows now is no failure and no end, and followed before."""
    now = max(thens, key=lambda then: (sum(thens[then][at + 1 :]), then))
    before = sum(sum(counts[: at + 1]) for counts in thens.values())
    return now != END and now not in failures and sum(thens[now][: at + 1]) > RARE * before


def _strengths(before: Of, after: Of, trust: float) -> Iterator[tuple[Kind, float]]:
    if before[0] >= HELD * before[1]:
        yield "gone", likelier(before, after, GONE)
    if before[0] <= RARE * before[1]:
        yield "new", likelier(before, after, NEW, trust)


def likelier(before: Of, after: Of, changed: tuple[float, float], most: float = TRUST) -> float:
    """Give the common logarithm of the Bayes factor.

    ``changed`` is the beta prior of a share that changed; what was before counts at most as ``most`` pieces of work.
    """
    trust = min(before[1] + 1.0, most)
    usual = trust * (before[0] + 0.5) / (before[1] + 1)
    return (_beta_binomial(after, *changed) - _beta_binomial(after, usual, trust - usual)) / math.log(10)


def _beta_binomial(seen: Of, alpha: float, beta: float) -> float:
    """Give the logarithm of the likelihood, but for the binomial coefficient, which cancels."""
    return _beta(alpha + seen[0], beta + seen[1] - seen[0]) - _beta(alpha, beta)


def _beta(alpha: float, beta: float) -> float:
    return math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
