"""Likeness of meaning: a port to whoever makes vectors of texts.

Rules: there need be nobody; what is found without it is found with it, in another order at most. A vector is compared
only with vectors of the same maker. Texts are cut before they are handed over.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

MAX_CHARS: Final = 2_000
MOST_COMPARED: Final = 40
"""Candidates, the likest first, whose meaning is compared."""


class Embeddings(Protocol):
    """Makes vectors of texts."""

    @property
    def name(self) -> str:
        """Which model makes them: vectors of two names are not compared."""
        ...

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Give one vector for each text, all of one length.

        Raises:
            EnvironmentFault: whoever makes them cannot be reached, or gives something else.

        """
        ...


def handed_over(title: str, body: str) -> str:
    """Give what of a text is handed over."""
    return f"{title}\n{body}"[:MAX_CHARS]


def packed(vector: Sequence[float]) -> bytes:
    """Give a vector of length 1 as bytes."""
    values = np.asarray(vector, np.float32)
    return (values / max(float(np.linalg.norm(values)), 1e-12)).astype("<f4").tobytes()


def cosines(one: bytes, others: Sequence[bytes]) -> NDArray[Any]:
    """Give the cosine of one packed vector with others; 0 with one of another length."""
    mine = np.frombuffer(one, "<f4")
    result = np.zeros(len(others), np.float64)
    for at, other in enumerate(others):
        theirs = np.frombuffer(other, "<f4")
        if len(theirs) == len(mine):
            result[at] = float(mine @ theirs)
    return result
