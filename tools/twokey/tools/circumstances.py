"""What policy is told besides the call itself: what the budgets have left, which exceptions hold, and the kill switch.

Rule: it is read from the store in one transaction, and never from what an agent says.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from twokey.core.errors import CheckFailed
from twokey.core.ports import Clock
from twokey.core.values import Counters
from twokey.store import switches, usage
from twokey.store.usage import Counted
from twokey.tools.ledger import Ledger
from twokey.tools.waivers import Exceptions


@dataclass(frozen=True, slots=True)
class Given:
    """What was found at one moment."""

    counted: Counted
    exceptions: tuple[str, ...]
    frozen: bool

    @property
    def counters(self) -> Counters:
        """What others took of the budgets."""
        return self.counted.counters


class Circumstances:
    """Looks around. Without ``waivers`` no exception holds."""

    def __init__(self, ledger: Ledger, clock: Clock, waivers: Exceptions | None = None) -> None:
        self._ledger = ledger
        self._clock = clock
        self._waivers = waivers

    def now(self, *, run: str, requester: str, proposal: str = "") -> Given:
        """Give what holds now for a run, for whoever asked for it, and for a proposal where there is one."""
        with self._ledger.look() as connection:
            try:
                frozen = switches.get_freeze(connection).is_on
            except CheckFailed:
                frozen = True
            return self.seen(connection, run=run, requester=requester, proposal=proposal, frozen=frozen)

    def seen(self, connection: Connection, *, run: str, requester: str, proposal: str, frozen: bool) -> Given:
        """Give the same for somebody who looks at more, and has seen the kill switch already."""
        now = self._clock.now_us()
        counted = usage.count(connection, run=run, requester=requester, now=now, proposal=proposal)
        return Given(counted, self._waivers.in_force(now) if self._waivers else (), frozen)
