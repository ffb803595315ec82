"""Learning which kind a ticket is from tickets whose kind is known: ridge regression in its dual form.

Rules
- One score per kind, fitted by least squares on 1 for the kind and 0 for the others, with the squared weights held
  small (Hoerl & Kennard 1970). The dual form solves a system as large as there are tickets, not as there are words, so
  that learning from a few hundred tickets takes a second.
- Projects share what they can and differ where they must: every column exists once for all and once per project (Daumé
  2007, "Frustratingly easy domain adaptation"), which in the dual form is a factor on the product of two tickets.
- How well a ticket would have been told had it not been learned from is known exactly and for nothing: with ``A`` the
  inverse of the system, the score of a ticket left out is ``y_i - (A y)_i / A_ii`` (leave-one-out of linear smoothers,
  Golub, Heath & Wahba 1979). Confidence is set on those scores, never on fitted ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from twokey.agents.triage.space import Floats, Points, combined, likeness, scores

HELD: Final = 0.4
"""How strongly weights are held small."""
APART: Final = 1.0
"""Weight of what a project has for itself beside what all share."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Scores are ``points @ shared`` plus ``level``, plus ``points @ own[project]`` for a project that has it."""

    shared: Floats
    own: dict[str, Floats]
    level: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights, and the score each ticket would have had if it had been left out."""

    weights: Weights
    left_out: Floats


def fit(points: Points, projects: Sequence[str], told: Floats, apart: frozenset[str]) -> Fit:
    """Fit scores to ``told`` (tickets x kinds, 1 or 0), the projects in ``apart`` having weights of their own too."""
    names = np.asarray([project if project in apart else "" for project in projects])
    same = (names[:, None] == names[None, :]) & (names != "")[:, None]
    system = likeness(points, points) * (1 + APART * same) / (1 + APART) + HELD * np.eye(len(names))
    inverse = np.linalg.inv(system)
    level = told.mean(axis=0)
    factors = inverse @ (told - level)
    left_out = told - factors / np.diag(inverse)[:, None]
    share = factors / (1 + APART)
    own = {name: _single(combined(points, share * (APART * (names == name))[:, None])) for name in sorted(apart)}
    return Fit(Weights(_single(combined(points, share)), own, level), left_out)


def _single(weights: Floats) -> Floats:
    """Round to single precision, in which weights are written down, so that reading them again changes no answer."""
    return weights.astype(np.float32).astype(np.float64)


def score(weights: Weights, points: Points, projects: Sequence[str]) -> Floats:
    """Give the scores of tickets, one column per kind."""
    result = scores(points, weights.shared) + weights.level
    for name, own in weights.own.items():
        rows = np.flatnonzero(np.asarray([project == name for project in projects]))
        if len(rows):
            result[rows] += scores(points[rows], own)
    return result
