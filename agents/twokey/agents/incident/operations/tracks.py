"""Measured load as the formulas read it: means and peaks of equal stretches of time.

Rules: made from evidence alone; a stretch without a sample is not a number and counts in nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twokey.agents.incident.operations.book import Endpoint
from twokey.tools.read.telemetry.operations.values import OperationsResult

Floats: TypeAlias = NDArray[np.float64]
Truths: TypeAlias = NDArray[np.bool_]
SECOND: Final = 1_000_000
KINDS: Final = ("latency", "requests", "errors", "queue", "concurrency", "replicas", "retries", "cost")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One metric: ``means[i]`` and ``peaks[i]`` belong to the stretch that begins at ``moment(i)``."""

    start_us: int
    step_s: int
    means: Floats
    peaks: Floats

    def moment(self, at: int) -> float:
        """Give when stretch ``at`` begins, in microseconds."""
        return float(self.start_us + at * self.step_s * SECOND)

    @property
    def known(self) -> Truths:
        """Which stretches have a sample."""
        return ~np.isnan(self.means)

    @property
    def hours(self) -> float:
        """How many hours have samples."""
        return float(self.known.sum()) * self.step_s / 3_600


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one endpoint, by what it says (``KINDS``), and the evidence of it."""

    evidence: str
    tracks: Mapping[str, Track]


def measured(endpoint: Endpoint, result: OperationsResult, evidence: str) -> Measured:
    """Put the tracks of an endpoint together; a metric without a single sample is not there."""
    found: dict[str, Track] = {}
    for load in result.loads:
        for kind in KINDS:
            if load.service == endpoint.service and load.metric == getattr(endpoint.metrics, kind) and load.samples:
                found[kind] = Track(result.start_us, result.step_s, _numbers(load.means), _numbers(load.peaks))
    return Measured(evidence, found)


def _numbers(figures: tuple[str | None, ...]) -> Floats:
    return np.array([np.nan if text is None else float(text) for text in figures], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Stay:
    """Stretches ``first`` to ``last`` (included) in a row for which something held."""

    first: int
    last: int

    @property
    def number(self) -> int:
        """How many."""
        return self.last - self.first + 1


def stays(held: Truths) -> Iterator[Stay]:
    """Give the runs of stretches for which ``held`` is true."""
    edges: Any = np.flatnonzero(np.diff(np.concatenate(([0], held.astype(np.int8), [0]))))
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield Stay(int(first), int(after) - 1)


def longest(held: Truths) -> Stay | None:
    """Give the longest of them, the first of equals."""
    return max(stays(held), key=lambda stay: stay.number, default=None)
