"""How long a delivery or a message is tried again where its surroundings are at fault, and what counts as such a fault.

Rules
- What the surroundings did uses nothing up: the other side does not answer, asks to wait or takes no credential; the
  log cannot be written; this process lacks a channel, its settings or its secrets. It is tried again, with pauses that
  grow (``twokey.core.jobs``), for ``PATIENCE_US`` and however often.
- Only faults of Twokey itself, and processes that came to their end, are counted; their bound is ``jobs.MAX_ATTEMPTS``.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from twokey.core.errors import BadInput, EnvironmentFault

PATIENCE_US: Final = 24 * 60 * 60 * 1_000_000
"""How long something is tried again, from when it was received or last wanted, in microseconds."""

Part = TypeVar("Part")


def exhausted(since_us: int, now_us: int) -> bool:
    """Tell whether something has been tried again for long enough."""
    return now_us - since_us >= PATIENCE_US


def made(make: Callable[[], Part]) -> Part:
    """Give what ``make`` makes of the settings and secrets of this process; what is wrong with them can be put right.

    Raises:
        EnvironmentFault: it cannot be made here and now.

    """
    try:
        return make()
    except BadInput as error:
        raise EnvironmentFault(error.message, next=error.next, code=error.code) from error


def part(parts: Callable[[], Mapping[str, Part]], channel: str) -> Part:
    """Give the part for a channel; raises ``EnvironmentFault`` where this process has none: another one may."""
    found = made(parts).get(channel)
    if found is None:
        raise EnvironmentFault(
            f"This process has no channel to {channel}.",
            next="Set it up in twokey.toml and start Twokey again; until then it waits.",
            code="no_channel",
        )
    return found
