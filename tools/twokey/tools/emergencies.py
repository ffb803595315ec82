"""Which emergency, if any, holds for a proposal: what breaking the glass changes, and until when.

Rules: an emergency counts if its entry is included under a verified checkpoint, was ordered for exactly this proposal
digest by an authenticated person who belongs to the owners of the controls now and neither asked for the change nor
contributed to it, and has not run out. It only tells policy; how many people are asked then is policy's answer.
"""

from collections.abc import Iterable
from typing import Final

from twokey.core.errors import CheckFailed, NotFound
from twokey.core.events import GlassBroken
from twokey.core.ports import Clock
from twokey.core.values import BreakGlass
from twokey.store import glass
from twokey.store.glass import GlassRecord
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import Authority, Rules
from twokey.tools.ledger import Ledger

OBLIGATION: Final = "review_break_glass"
"""Policy's word for what an emergency costs: somebody else reviews it afterwards."""


class Emergencies:
    """Looks emergencies up."""

    def __init__(self, ledger: Ledger, authority: Authority, rules: Rules, clock: Clock) -> None:
        self._ledger = ledger
        self._authority = authority
        self._rules = rules
        self._clock = clock

    def active(self, record: ProposalRecord) -> BreakGlass | None:
        """Give the emergency that holds for a proposal now; the latest where there are several."""
        with self._ledger.look() as connection:
            rows = glass.list_glass(connection, proposal=record.id)
        return self.among(record, rows)

    def among(self, record: ProposalRecord, rows: Iterable[GlassRecord]) -> BreakGlass | None:
        """Give the emergency among ``rows``, the latest first, that holds for a proposal now."""
        for row in rows:
            event = self.opened(row)
            if event is not None and self._holds(event, record):
                return BreakGlass(id=event.id, opened_by=event.order.statement.principal, until_us=event.until_us)
        return None

    def opened(self, row: GlassRecord) -> GlassBroken | None:
        """Give the proven entry of an emergency; none where the log does not bear the row out."""
        try:
            event = self._ledger.proven(row.entry).event
        except (CheckFailed, NotFound):
            return None
        return event if isinstance(event, GlassBroken) and event.id == row.id else None

    def _holds(self, event: GlassBroken, record: ProposalRecord) -> bool:
        order = event.order.statement
        people = self._authority.people([order.principal])
        return (
            (event.proposal, event.digest) == (record.id, record.digest)
            and (order.order, order.subject, order.until_us) == ("break_glass", record.id, event.until_us)
            and self._clock.now_us() < min(event.until_us, order.at_us + self._rules.break_glass_us)
            and order.principal not in {record.proposal.requester, *record.proposal.contributors}
            and any(set(person.groups) & set(self._rules.owners) for person in people)
            and all(self._authority.authentic(event.order, person) for person in people)
        )
