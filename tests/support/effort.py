"""Bounds on processor time that hold on a slow machine as on a fast one.

Rules: a bound is written in seconds of the machine that it was written on. Another machine gets as much more as it takes
more for a piece of work that never changes; a fast one gets no less.
"""

import re
import time
from functools import cache

_WORK_S = 0.065
"""What the work below took on the machine that the bounds were written on, in seconds of its processor."""


def seconds(bound: float) -> float:
    """Give what ``bound`` seconds of that machine are on this one."""
    return bound * _slowness()


@cache
def _slowness() -> float:
    return max(1.0, min(_work() for _ in range(3)) / _WORK_S)


def _work() -> float:
    began = time.process_time()
    squares = {f"{number:x}": str(number * number) for number in range(60_000)}
    found = re.findall(r"[a-f]+\d", " ".join(squares))
    assert len(sorted(squares.values())) == len(squares) > len(found) > 0
    return time.process_time() - began
