"""Texts as vectors of terms, and how alike two are.

Rules: a term is a bucket of 2^20 by its CRC-32, so that what is kept about a language has a fixed size; a vector is its
buckets and their weights, 1 + ln(count) each. Likeness is the cosine, with each bucket weighted by how rare it is among
the texts seen (ln((1 + n) / (1 + df)) + 1, the smoothed inverse document frequency). It is 0 for nothing in common and
1 for the same terms.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

BITS: Final = 20
BUCKETS: Final = 1 << BITS
RUN_LENGTHS: Final = (3, 4, 5)
MAX_COUNT: Final = 255
_MIX: Final = 0x9E3779B1
"""Knuth's multiplicative hashing constant."""

Buckets: TypeAlias = NDArray[np.uint32]
Weights: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vector:
    """Which buckets a text has terms in, in order, and how many (capped)."""

    buckets: Buckets
    counts: NDArray[np.uint8]

    def packed(self) -> bytes:
        """Give it as bytes."""
        return self.buckets.astype("<u4").tobytes() + self.counts.tobytes()


EMPTY: Final = Vector(np.zeros(0, np.uint32), np.zeros(0, np.uint8))


def unpacked(content: bytes) -> Vector:
    """Read what ``packed`` gave."""
    length = len(content) // 5
    return Vector(
        np.frombuffer(content, "<u4", length).astype(np.uint32), np.frombuffer(content, np.uint8, length, 4 * length)
    )


def of_terms(counts: Counter[str]) -> Vector:
    """Give the vector of counted terms."""
    if not counts:
        return EMPTY
    hashed = np.fromiter((zlib.crc32(term.encode("utf-8", "replace")) for term in counts), np.uint32, len(counts))
    return _counted(hashed & np.uint32(BUCKETS - 1), np.fromiter(counts.values(), np.int64, len(counts)))


def of_runs(text: str) -> Vector:
    """Give the vector of a text's runs of 3, 4 and 5 characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), "<u4").astype(np.uint32)
    hashed: list[Buckets] = []
    for length in RUN_LENGTHS:
        size = len(codes) - length + 1
        if size <= 0:
            continue
        run = np.full(size, length, np.uint32)
        for at in range(length):
            run = (run ^ codes[at : at + size]) * np.uint32(_MIX)
            run ^= run >> np.uint32(15)
        hashed.append(run >> np.uint32(32 - BITS))
    if not hashed:
        return EMPTY
    every = np.concatenate(hashed)
    return _counted(every, np.ones(len(every), np.int64))


def _counted(buckets: Buckets, counts: NDArray[np.int64]) -> Vector:
    found, where = np.unique(buckets, return_inverse=True)
    summed = np.bincount(where, weights=counts)
    return Vector(found.astype(np.uint32), np.minimum(summed, MAX_COUNT).astype(np.uint8))


class Space:
    """What is known of one kind of term: in how many texts each bucket occurs."""

    def __init__(self, frequencies: NDArray[np.int32] | None = None) -> None:
        self.frequencies: Final = np.zeros(BUCKETS, np.int32) if frequencies is None else frequencies
        self._asked = np.zeros(BUCKETS, np.float32)

    def count(self, vector: Vector, by: int) -> None:
        """Count a text in (``by`` 1) or out (-1)."""
        self.frequencies[vector.buckets] += by

    def rarity(self, buckets: Buckets, texts: int) -> Weights:
        """Give how rare buckets are among ``texts`` texts."""
        return (np.log((1 + texts) / (1 + self.frequencies[buckets])) + 1).astype(np.float32)

    def likeness(self, vector: Vector, others: Sequence[Vector], texts: int) -> Weights:
        """Give the cosine of ``vector`` with each of ``others``."""
        result = np.zeros(len(others), np.float32)
        lengths = np.fromiter((len(other.buckets) for other in others), np.int64, len(others))
        filled: list[int] = np.flatnonzero(lengths).tolist()
        if not len(vector.buckets) or not filled:
            return result
        mine = self._weights(vector, texts)
        self._asked[vector.buckets] = mine
        buckets = np.concatenate([others[at].buckets for at in filled])
        counts = np.concatenate([others[at].counts for at in filled])
        theirs = self._weights(Vector(buckets, counts), texts)
        starts = np.concatenate(([0], np.cumsum(lengths[filled])[:-1]))
        dots = np.add.reduceat(self._asked[buckets] * theirs, starts)
        squares = np.add.reduceat(theirs * theirs, starts)
        self._asked[vector.buckets] = 0
        result[filled] = dots / np.maximum(np.sqrt(squares) * float(np.sqrt((mine * mine).sum())), 1e-12)
        return result

    def _weights(self, vector: Vector, texts: int) -> Weights:
        logs: Any = np.log(np.maximum(vector.counts, 1).astype(np.float32))
        return ((1 + logs) * self.rarity(vector.buckets, texts)).astype(np.float32)
