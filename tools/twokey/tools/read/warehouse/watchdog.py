"""Ends whatever runs past its time, with one thread for many statements.

Rules: the thread acts only between ``__enter__`` and ``__exit__`` of the statement it acts on; it sleeps until the
earliest moment at which there may be something to end, and is woken only where that moment moves forward.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Self

_IDLE_S: Final = 3600.0


class Watchdog:
    """Calls ``end`` when the time that was allowed is over. Used as a context by one thread at a time."""

    def __init__(self, end: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._end = end
        self._clock = clock
        self._changed = threading.Condition()
        self._allowed: float | None = None
        self._next_look = 0.0
        self._closed = False
        self._seconds = 0.0
        self._thread: threading.Thread | None = None

    def allow(self, seconds: float) -> Self:
        """Say how long the next statement may take."""
        self._seconds = seconds
        return self

    def __enter__(self) -> Self:
        with self._changed:
            self._allowed = self._clock() + self._seconds
            if self._thread is None:
                self._next_look = self._allowed
                self._thread = threading.Thread(target=self._watch, name="statement-watchdog", daemon=True)
                self._thread.start()
            elif self._allowed < self._next_look:
                self._changed.notify()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._allowed = None

    def close(self) -> None:
        """Stop watching, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = self._clock()
                if self._allowed is not None and self._allowed <= now:
                    self._allowed = None
                    self._end()
                self._next_look = now + _IDLE_S if self._allowed is None else self._allowed
                self._changed.wait(self._next_look - now)
