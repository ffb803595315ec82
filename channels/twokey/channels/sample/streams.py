"""Randomness of the sample: one independent stream per part.

Rules: a stream depends on the seed and its own name only, so a change to one table leaves every other table as it was.
Nothing here protects anything; the values are sample data.
"""

from random import Random


def stream(seed: int, part: str) -> Random:
    """Give the stream of ``part``. The same pair gives the same values on every platform (Mersenne Twister)."""
    return Random(f"twokey-sample/{seed}/{part}")  # noqa: S311 - sample data, no secret depends on it
