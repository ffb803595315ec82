"""The kill switch: while it is on, nothing is approved and no write begins. Reads go on.

Rules: it stops whenever its row says on, and whenever the row says off and the log does not bear that out, so that an
edited row can stop Twokey and never start it; whoever begins a write holds the row until the intent is committed, so
that after a turn has returned no intent follows, in any process; a write whose tool was not called yet is not called.
"""

from typing import Final

from sqlalchemy import Connection

from twokey.audit.entry import Entry
from twokey.core.errors import CheckFailed, NotFound
from twokey.core.events import FreezeChanged
from twokey.core.values import GivenOrder
from twokey.store import switches
from twokey.store.switches import FreezeRecord, Hold
from twokey.tools.ledger import LAST, PAGE, Ledger

FROZEN: Final = "frozen"
NOT_PROVEN: Final = "freeze_not_proven"
_WITH_LAST: Final = switches.beside(LAST.scalar_subquery())
"""The row, and the entry of the last turn as the log's index shows it."""


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

    def off(self, connection: Connection | None = None) -> FreezeRecord | str:
        """Give the row where it is proven to be off; else the code of what stops writes."""
        if connection is None:
            with self._ledger.look() as own:
                return self.off(own)
        try:
            row, last = switches.get_freeze_beside(
                connection, _WITH_LAST, {"about": self._workspace, "of_kind": "freeze.changed"}
            )
        except CheckFailed:
            return NOT_PROVEN
        if row.is_on:
            return FROZEN
        return row if last == row.entry and (last is None or self.bears_out(row)) else NOT_PROVEN

    def turned(self, seen: FreezeRecord) -> str | None:
        """Give the code of what stops writes where the switch is no longer as ``seen`` by ``off``."""
        with self._ledger.look() as connection:
            try:
                self._compare(connection, seen, hold="nothing")
            except Stopped as stopped:
                return stopped.code
        return None

    def hold(self, connection: Connection, seen: FreezeRecord) -> None:
        """Keep the switch as ``off`` saw it until the transaction ends; raises ``Stopped`` where it was turned."""
        self._compare(connection, seen, hold="shared")

    def _compare(self, connection: Connection, seen: FreezeRecord, *, hold: Hold) -> None:
        try:
            row = switches.get_freeze(connection, hold=hold)
        except CheckFailed:
            raise Stopped(NOT_PROVEN) from None
        if row != seen:
            raise Stopped(FROZEN)

    def bears_out(self, row: FreezeRecord) -> bool:
        """Tell whether the log proves that the last turn it shows is the one of ``row``, and led to what it says."""
        turns = self._turns()
        if not turns:
            return row.entry is None and not row.is_on
        if turns[-1].id != row.entry:
            return False
        try:
            event = self._ledger.proven(turns[-1].id).event
        except (CheckFailed, NotFound):
            return False
        return isinstance(event, FreezeChanged) and event.on is row.is_on

    def is_late(self, given: GivenOrder) -> bool:
        """Tell whether an order turned the switch before, or would lift a freeze although it is older than a turn."""
        turns = [turn.event for turn in self._turns() if isinstance(turn.event, FreezeChanged)]
        order = given.statement
        return any(
            turn.order == given or (order.order == "freeze_off" and order.at_us <= turn.order.statement.at_us)
            for turn in turns
        )

    def _turns(self) -> list[Entry]:
        """Give the turns that the log's index shows, the latest last."""
        found: list[Entry] = []
        after = -1
        while page := self._ledger.log.entries(self._workspace, kind="freeze.changed", after=after, limit=PAGE):
            found.extend(recorded.entry for recorded in page)
            after = page[-1].seq
        return found
