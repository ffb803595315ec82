"""The parts of a scratch workspace that a probe can turn: its policy engine and its clock.

Rules: both do what the real ones do until a probe turns them, and again when it is done; time only moves forward.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from twokey.core.ports import Clock, PolicyEngine, Revisions

Evaluate = Callable[[bytes], object]


class TurnableEngine:
    """A policy engine that can be made to fail, or exchanged for another (port ``PolicyEngine``)."""

    def __init__(self, real: PolicyEngine) -> None:
        self._real = real
        self._evaluate: Evaluate = real.evaluate

    @property
    def name(self) -> str:
        """The real engine's name."""
        return self._real.name

    def revisions(self) -> Revisions:
        """Give the real engine's revisions."""
        return self._real.revisions()

    @property
    def current(self) -> Evaluate:
        """What answers now."""
        return self._evaluate

    def evaluate(self, document: bytes) -> object:
        """Evaluate with what the engine is turned to."""
        return self._evaluate(document)

    def close(self) -> None:
        """Close the real engine."""
        self._real.close()

    @contextmanager
    def turned(self, evaluate: Evaluate) -> Generator[None]:
        """Have ``evaluate`` answer for a while."""
        before, self._evaluate = self._evaluate, evaluate
        try:
            yield
        finally:
            self._evaluate = before


class TurnableClock:
    """The machine's clock, and what a probe adds to it (port ``Clock``)."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._ahead_us = 0
        self._wait: Callable[[], bool] | None = None

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, as the scratch workspace has them."""
        wait, self._wait = self._wait, None
        if wait is not None and not wait():
            self._wait = wait
        return self._real.now_us() + self._ahead_us

    def advance(self, seconds: int) -> None:
        """Move time forward."""
        self._ahead_us += seconds * 1_000_000

    @contextmanager
    def watched(self, wait: Callable[[], bool]) -> Generator[None]:
        """Ask ``wait`` whenever somebody asks for the time, until it says that it has done its work."""
        self._wait = wait
        try:
            yield
        finally:
            self._wait = None
