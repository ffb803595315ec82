"""What policy is told besides the call itself: what the budgets have left, which exceptions hold, and the kill switch.

Rule: it is read from the store in one transaction, and never from what an agent says.
"""

from dataclasses import dataclass

from twokey.core.errors import CheckFailed
from twokey.core.ports import Clock
from twokey.core.values import Counters
from twokey.store import switches, usage
from twokey.tools.ledger import Ledger
from twokey.tools.waivers import Waivers


@dataclass(frozen=True, slots=True)
class Given:
    """What was found at one moment."""

    counters: Counters
    exceptions: tuple[str, ...]
    frozen: bool


class Circumstances:
    """Looks around. Without ``waivers`` no exception holds."""

    def __init__(self, ledger: Ledger, clock: Clock, waivers: Waivers | None = None) -> None:
        self._ledger = ledger
        self._clock = clock
        self._waivers = waivers

    def now(self, *, run: str, requester: str, proposal: str = "") -> Given:
        """Give what holds now for a run, for whoever asked for it, and for a proposal where there is one."""
        now = self._clock.now_us()
        with self._ledger.look() as connection:
            counters = usage.count(connection, run=run, requester=requester, now=now, proposal=proposal)
            try:
                frozen = switches.get_freeze(connection).is_on
            except CheckFailed:
                frozen = True
        return Given(counters, self._waivers.in_force(now) if self._waivers else (), frozen)

    def ignored_exceptions(self) -> list[str]:
        """Say which exceptions of the data do not hold, and why."""
        found = self._waivers.ignored(self._clock.now_us()) if self._waivers else ()
        return [f"{item.name} ({item.rule}): {item.why}" for item in found]
