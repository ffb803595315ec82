"""Evidence that Twokey makes itself: what became of a write, what a replay gave.

Rules: it is kept and logged in one transaction, under a code that no read tool can give, so that what rests on it can
be told from what was read outside. No agent reaches this.
"""

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.events import ToolReturned
from twokey.core.ports import Clock, Ids
from twokey.core.values import Evidence
from twokey.store import evidence
from twokey.tools.ledger import Ledger
from twokey.tools.proposing import RECEIPT


class Receipts:
    """Keeps what Twokey itself knows as evidence of a run."""

    def __init__(self, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids

    def keep(self, run: str, content: Json, *, tool: str, origin: str, summary: str) -> Evidence:
        """Keep ``content`` as trusted evidence of ``run``; ``tool`` names what it is about."""
        salt = self._ids.salt()
        value = Evidence(
            id=self._ids.new("e"),
            run=run,
            tool=tool,
            origin=origin,
            trusted=True,
            summary=summary,
            sha256=canonical.digest(content),
            salt=salt,
            commitment=canonical.commitment(salt, content),
            created_us=self._clock.now_us(),
        )
        with self._ledger.change() as unit:
            evidence.add_evidence(unit.connection, value, canonical.encode(content))
            unit.record(
                ToolReturned(
                    run=run, call=self._ids.new("c"), code=RECEIPT, evidence=value.id, content=value.commitment
                )
            )
        return value
