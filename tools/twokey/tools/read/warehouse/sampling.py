"""What a sample can say about the whole table.

Source: the normal approximation of a share estimated from a simple random sample without replacement (Cochran, Sampling
Techniques, 3rd ed., section 3.6), at the share where it is widest.
"""

from math import ceil, sqrt
from typing import Final, Literal

_STANDARD_ERRORS: Final = 1.96
"""Width that 19 of 20 samples stay within."""


def margin(sampling: Literal["all", "spread", "first"], sampled: int, rows: int | None) -> int | None:
    """Give how far a share of the sample may lie from the table's, 19 times out of 20, in hundredths of a percent.

    ``None`` where nothing can be said: the first rows may differ from the rest in any way.
    """
    if sampling == "all":
        return 0
    if sampling == "first" or not sampled or rows is None:
        return None
    left = max(0, rows - sampled) / max(1, rows - 1)
    return ceil(10_000 * _STANDARD_ERRORS * 0.5 / sqrt(sampled) * sqrt(left))
