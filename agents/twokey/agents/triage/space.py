"""Tickets as points: blocks of tokens weighed into one sparse row each. The only module that knows SciPy's matrices.

Rules
- Within a block a token weighs ``1 + ln(count)``, times its inverse document frequency ``ln((1 + n) / (1 + df)) + 1``
  where rare tokens count more (Salton & Buckley 1988, in the smoothed form of scikit-learn's ``TfidfVectorizer``), and
  the block has length 1; then it is scaled by the square root of its share. So the product of two rows is the mean of
  the blocks' cosines, weighted by share.
- What a space was not fitted on is left out, so a row never refers to a ticket that was not among the fitted ones.
- A space is data: names and numbers that can be written as JSON and arrays, and read without running anything.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from twokey.agents.triage.features import BLOCKS, Bags, Block

MAX_COLUMNS: Final = 200_000
"""Columns of a space; of more tokens, the most frequent are kept."""

Floats = NDArray[np.float64]
Points = Any
"""A SciPy matrix in compressed sparse rows; SciPy has no types."""


@dataclass(frozen=True, slots=True)
class Space:
    """Columns by block and token, and the weight of each."""

    columns: Mapping[str, Mapping[str, int]]
    weights: Floats

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.weights)


def fit(tickets: Sequence[Bags]) -> Space:
    """Find the columns in which the tickets differ."""
    columns: dict[str, dict[str, int]] = {}
    weights: list[float] = []
    for name, block in BLOCKS.items():
        seen: Counter[str] = Counter()
        for ticket in tickets:
            seen.update(set(ticket[name]))
        kept = [(token, count) for token, count in seen.items() if count >= block.at_least]
        kept.sort(key=lambda entry: (-entry[1], entry[0]))
        kept = kept[: MAX_COLUMNS // len(BLOCKS)]
        columns[name] = {token: len(weights) + index for index, (token, _) in enumerate(kept)}
        weights.extend(_rarity(block, len(tickets), count) for _, count in kept)
    # in single precision, in which they are written down, so that reading them again changes no answer
    return Space(columns, np.asarray(weights, dtype=np.float32).astype(np.float64))


def _rarity(block: Block, tickets: int, count: int) -> float:
    return math.log((1 + tickets) / (1 + count)) + 1 if block.rare_counts_more else 1.0


def place(space: Space, tickets: Sequence[Bags]) -> Points:
    """Give one row per ticket."""
    total = sum(block.share for block in BLOCKS.values())
    indexes: list[int] = []
    values: list[float] = []
    ends = [0]
    for ticket in tickets:
        for name, block in BLOCKS.items():
            known = space.columns[name]
            counts = Counter(column for token in ticket[name] if (column := known.get(token)) is not None)
            row = [
                (1 + math.log(count) if block.counted else 1.0) * space.weights[column]
                for column, count in counts.items()
            ]
            length = math.sqrt(sum(value * value for value in row)) or 1.0
            scale = math.sqrt(block.share / total) / length
            indexes.extend(counts)
            values.extend(value * scale for value in row)
        ends.append(len(indexes))
    return sparse.csr_matrix(
        (np.asarray(values, dtype=np.float64), np.asarray(indexes, dtype=np.int32), np.asarray(ends, dtype=np.int32)),
        shape=(len(tickets), space.width),
    )


def likeness(one: Points, other: Points) -> Floats:
    """Give the product of every row of one with every row of the other."""
    return np.asarray((one @ other.T).todense(), dtype=np.float64)


def combined(points: Points, factors: Floats) -> Floats:
    """Give the rows summed with factors: the columns' weights, given those of the rows."""
    return np.asarray(points.T @ factors, dtype=np.float64)


def scores(points: Points, weights: Floats) -> Floats:
    """Give each row's score, given the columns' weights."""
    return np.asarray(points @ weights, dtype=np.float64)
