"""What a team's own labelled tickets teach: a bounded model that can be written down and read again.

Rules
- Learned from the most recent ``MAX_TICKETS``; a kind that fewer than ``LEAST`` tickets carry is not learned, and a
  model needs two kinds. Of one text that occurs several times, one is learned, so that no ticket vouches for itself.
- A probability is the softmax of the scores over a temperature (Guo et al. 2017, arXiv 1706.04599), which is set on the
  scores of tickets left out. Where one project's tickets are harder to tell than another's its temperature says so: it
  is the geometric mean of what suits its own tickets and what suits all.
- It holds words of the tickets it was learned from, and is kept where tickets may be kept. ``written`` puts it into
  bytes.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from twokey.agents.triage import ridge, space
from twokey.agents.triage.confidence import Judged
from twokey.agents.triage.features import Bags, bags_of
from twokey.agents.triage.ridge import Weights
from twokey.agents.triage.space import Floats, Points, Space
from twokey.agents.triage.values import TicketText

MAX_TICKETS: Final = 3_000
MAX_KINDS: Final = 24
MAX_PROJECTS: Final = 12
COLDEST: Final = 0.02
WARMEST: Final = 5.0
_GOLDEN: Final = (math.sqrt(5) - 1) / 2
LEAST: Final = 4
"""Tickets a kind needs to be learned."""
LEAST_APART: Final = 30
"""Tickets a project needs to have weights of its own."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """A ticket of which the kind is known."""

    text: TicketText
    kind: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned."""

    kinds: tuple[str, ...]
    tickets: int
    """How many it was learned from."""
    temperature: float
    left_out: tuple[Judged, ...]
    """What would have been said of each ticket, had it not been learned from."""
    space: Space
    weights: Weights
    temperatures: Mapping[str, float]
    """Of projects that have weights of their own."""

    @classmethod
    def fit(cls, tickets: Sequence[Sorted]) -> Self | None:
        """Learn; later tickets count where there are too many. None where there is too little to learn from."""
        kept = _usable(tickets)
        kinds = tuple(sorted({ticket.kind for ticket in kept}))
        if len(kinds) < 2:
            return None
        return cls.fit_bags([bags_of(ticket.text) for ticket in kept], kept, kinds)

    @classmethod
    def fit_bags(cls, bags: Sequence[Bags], tickets: Sequence[Sorted], kinds: tuple[str, ...]) -> Self:
        """Learn from tickets whose tokens are known."""
        told = np.asarray([[ticket.kind == kind for kind in kinds] for ticket in tickets], dtype=np.float64)
        projects = [ticket.text.project for ticket in tickets]
        counts = Counter(project for project in projects if project)
        apart = [name for name, count in counts.most_common(MAX_PROJECTS) if LEAST_APART <= count < len(projects)]
        found = space.fit(bags)
        fit = ridge.fit(space.place(found, bags), projects, told, frozenset(apart))
        temperature = _temperature(fit.left_out, told)
        temperatures: dict[str, float] = {}
        for name in fit.weights.own:
            of_it = np.asarray([project == name for project in projects])
            temperatures[name] = math.sqrt(temperature * _temperature(fit.left_out[of_it], told[of_it]))
        left_out = _probabilities(fit.left_out, _each(temperature, temperatures, projects))
        best = left_out.argmax(axis=1)
        judged = tuple(
            Judged(permille(row[choice]), bool(truth[choice]))
            for row, truth, choice in zip(left_out, told, best, strict=True)
        )
        return cls(kinds, len(tickets), temperature, judged, found, fit.weights, temperatures)

    def tell(self, points: Points, projects: Sequence[str]) -> Floats:
        """Give the probability of each kind (tickets x kinds); ``points`` are placed in this model's space."""
        temperatures = _each(self.temperature, self.temperatures, projects)
        return _probabilities(ridge.score(self.weights, points, projects), temperatures)


def _each(temperature: float, temperatures: Mapping[str, float], projects: Sequence[str]) -> Floats:
    """Give the temperature of each ticket, as a column."""
    return np.asarray([[temperatures.get(project, temperature)] for project in projects], dtype=np.float64)


def _usable(tickets: Sequence[Sorted]) -> list[Sorted]:
    """Leave out repetitions and rare kinds; the most recent tickets of what is left."""
    once = {(ticket.text.title, ticket.text.body): ticket for ticket in tickets}
    recent = list(once.values())[-MAX_TICKETS:]
    counts = Counter(ticket.kind for ticket in recent)
    kinds = {kind for kind, count in counts.most_common(MAX_KINDS) if count >= LEAST}
    return [ticket for ticket in recent if ticket.kind in kinds]


def _temperature(scores: Floats, told: Floats) -> float:
    """Give the temperature at which the truth is least surprising, by golden-section search (Kiefer 1953)."""

    def surprise(log_temperature: float) -> float:
        given = _probabilities(scores, math.exp(log_temperature))
        return -float(np.log(np.maximum((given * told).sum(axis=1), 1e-12)).mean())

    low, high = math.log(COLDEST), math.log(WARMEST)
    while high - low > 1e-4:
        one, other = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if surprise(one) < surprise(other):
            high = other
        else:
            low = one
    return math.exp((low + high) / 2)


def _probabilities(scores: Floats, temperature: float | Floats) -> Floats:
    raised = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


def permille(share: float) -> int:
    """Give a share as a whole number of thousandths; nothing is ever certain."""
    return min(999, max(0, int(share * 1_000)))
