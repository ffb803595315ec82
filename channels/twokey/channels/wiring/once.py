"""Parts that are made when they are first needed."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Part = TypeVar("Part")


class Once(Generic[Part]):
    """Makes a part when it is first needed, and gives the same one from then on, to any thread."""

    def __init__(self, make: Callable[[], Part]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Part | None = None

    def __call__(self) -> Part:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made
