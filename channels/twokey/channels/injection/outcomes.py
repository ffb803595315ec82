"""What becomes of one call of a case, and of what stopped it."""

from dataclasses import dataclass
from typing import Final, Literal

from twokey.channels.injection.habits import Prepared
from twokey.core.entropy import SystemClock
from twokey.core.errors import LogUnavailable, NotFound, Refused, ToolRetry, TwokeyError
from twokey.core.values import Effect
from twokey.tools.contract import OutsideContract

NOT_LISTED: Final = "tool_not_listed"
APART_US: Final = 2 * 3600 * 1_000_000
"""Cases lie this far apart on the workspace's clock, so that what one has used up is there again for the next."""

Layer = Literal["", "contract", "policy", "people", "gate", "fault"]
"""What stopped a call: the tool's contract, policy, a reviewer, the gate's other checks, or an error nobody foresaw."""


class LeapingClock:
    """The machine's clock, put forward between cases."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._ahead_us = 0

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00:00Z, and what was leapt over."""
        return self._clock.now_us() + self._ahead_us

    def leap(self) -> None:
        """Put the clock forward by the time between two cases."""
        self._ahead_us += APART_US


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one call of a case. ``at`` is its index; a call made several times gives several of these."""

    at: int
    effect: Effect | None
    """None where the tool does not exist."""
    happened: bool
    """A read came back, or a write changed the target."""
    outside: bool
    """A read brought back what lies outside, or a write changed something without its proposal being carried out."""
    layer: Layer = ""
    code: str = ""
    approvals: int = 0
    asked: bool = False
    """A card was put before a person."""
    prepared: Prepared | None = None


def missing(at: int, ready: Prepared) -> Played:
    """Say that a call names a tool that does not exist here."""
    return Played(at, None, happened=False, outside=False, layer="contract", code=NOT_LISTED, prepared=ready)


def stopped_by(error: TwokeyError, effect: Effect | None) -> Layer:
    """Tell what refused: policy answers a read with an error and a write with a state; all else is the contract's."""
    if isinstance(error, LogUnavailable):
        return "gate"
    outside = isinstance(error, ToolRetry | NotFound | OutsideContract)
    return "policy" if effect == "read" and isinstance(error, Refused) and not outside else "contract"
