"""The kill switch: while it is on, nothing is approved and no write begins. Reads go on.

Rules: it stops whenever its row says on, and whenever the row says off and the log does not bear that out, so that an
edited row can stop Twokey and never start it; whoever begins a write holds the row until the intent is committed, so
that after a turn has returned no intent follows, in any process; a write whose tool was not called yet is not called.
"""

from typing import Final

from sqlalchemy import Connection

from twokey.core.errors import CheckFailed, NotFound
from twokey.core.events import FreezeChanged
from twokey.store import switches
from twokey.store.switches import FreezeRecord
from twokey.tools.ledger import PAGE, Ledger

FROZEN: Final = "frozen"
NOT_PROVEN: Final = "freeze_not_proven"


class Stopped(Exception):  # noqa: N818 - undoes a transaction; handled by who asked
    """The kill switch was turned while something was about to begin."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class KillSwitch:
    """Tells whether writes are stopped."""

    def __init__(self, ledger: Ledger, workspace: str) -> None:
        self._ledger = ledger
        self._workspace = workspace

    def record(self) -> FreezeRecord:
        """Give the row as it is, for display; raises ``CheckFailed`` where it is not as it was stored."""
        with self._ledger.look() as connection:
            return switches.get_freeze(connection)

    def off(self) -> FreezeRecord | str:
        """Give the row where it is proven to be off; else the code of what stops writes."""
        try:
            row = self.record()
        except CheckFailed:
            return NOT_PROVEN
        if row.is_on:
            return FROZEN
        return row if self._is_proven(row) else NOT_PROVEN

    def hold(self, connection: Connection, seen: FreezeRecord) -> None:
        """Keep the switch as ``off`` saw it until the transaction ends; raises ``Stopped`` where it was turned."""
        try:
            row = switches.get_freeze(connection, hold="shared")
        except CheckFailed:
            raise Stopped(NOT_PROVEN) from None
        if row != seen:
            raise Stopped(FROZEN)

    def _is_proven(self, row: FreezeRecord) -> bool:
        last = self._last_turn()
        if last != row.entry:
            return False
        if last is None:
            return True
        try:
            event = self._ledger.proven(last).event
        except (CheckFailed, NotFound):
            return False
        return isinstance(event, FreezeChanged) and not event.on

    def _last_turn(self) -> str | None:
        """Give the latest turn that the log's index shows."""
        last, after = None, -1
        while page := self._ledger.log.entries(self._workspace, kind="freeze.changed", after=after, limit=PAGE):
            last, after = page[-1].entry.id, page[-1].seq
        return last
