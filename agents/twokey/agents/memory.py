"""What one step of a run worked out, for the steps after it in the same process.

Rules: nothing here is authority or is ever stored; a thing is given only for exactly what it was worked out of, and of
each kind the latest is held. A process that takes a run over has none of it, and works it out again from the evidence.
"""

from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


class Memory:
    """Things by their kind, each with what it was worked out of."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[object, object]] = {}

    def once(self, kind: str, of: object, work: Callable[[], T]) -> T:
        """Give what ``work`` gives, which is a function of ``of`` alone and is not done again for the same ``of``."""
        held = self._held.get(kind)
        if held is not None and held[0] == of:
            return cast("T", held[1])
        found = work()
        self._held[kind] = (of, found)
        return found
