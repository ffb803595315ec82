"""Proposals about tickets that nobody answers: brought up, in two steps, with whoever the routing file names by then.

Rules: each step is taken once, and is in the log (``proposal.escalated``) in the transaction that wants its notice; it
approves nothing and changes no ticket. A notice goes to the one issue that the settings name, never under the ticket,
and says no word of it. An edit does not begin the time anew: what somebody edited waits since it was first proposed. Of
more proposals than are looked at, those that wait longest come first. Where nothing is due it costs one query now and
then.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from twokey.channels.postbox import Postbox
from twokey.core.errors import TwokeyError
from twokey.core.events import ProposalEscalated
from twokey.core.lifecycle import State
from twokey.core.ports import Clock, Directory
from twokey.core.sections import TriageSection
from twokey.store import proposals
from twokey.store.proposals import ProposalRecord
from twokey.tools.endings import originals
from twokey.tools.ledger import Ledger
from twokey.tools.write.ticket_change import WEAKNESS

if TYPE_CHECKING:
    from twokey.agents.triage.escalating import Due
    from twokey.agents.triage.routing import Routing

TOOL: Final = "update_ticket"
KIND: Final = "proposal.escalated"
EVERY_US: Final = 30_000_000
"""How often all that wait are looked at, in microseconds."""
LOOKED_AT: Final = 500
WAITING: Final = (State.AWAITING_APPROVAL,)
_logger: Final = logging.getLogger("twokey.escalating")


@dataclass(slots=True)
class Escalations:
    """Looks after the deadlines of one workspace."""

    ledger: Ledger
    directory: Directory
    postbox: Postbox
    clock: Clock
    section: TriageSection
    routing: "Callable[[], Routing | None]"
    _looked_at_us: int = 0

    def overdue(self, records: Sequence[ProposalRecord]) -> "Mapping[str, Due]":
        """Give the step that is due for each of these that nobody answered in time, by id; raises ``BadInput``."""
        routing = self.routing()
        waiting = [record for record in records if _waits(record)]
        if routing is None or not waiting:
            return {}
        from twokey.agents.triage.escalating import due  # noqa: PLC0415 - comes in where there is triage

        now = _moment(self.clock.now_us())
        degrees = {label.casefold(): degree for degree, label in self.section.priorities.items()}
        found: dict[str, Due] = {}
        for record in waiting:
            args = record.proposal.args
            step = due(
                routing,
                assigned=next(iter(args.get("assignees", {}).get("add", ())), None),
                private=WEAKNESS in record.proposal.labels,
                priority=degrees.get(str(args.get("priority") or "").casefold()),
                asked=_moment(self._since_us(record)),
                ends=_moment(record.expires_us),
                now=now,
            )
            if step is not None:
                found[record.id] = step
        return found

    def _since_us(self, record: ProposalRecord) -> int:
        return min([record.created_us, *(first.created_us for first in originals(self.ledger, record.proposal))])

    def look(self) -> None:
        """Take every step that is due and was not taken yet; what goes wrong is told to whoever runs the worker."""
        now = self.clock.now_us()
        if now - self._looked_at_us < EVERY_US:
            return
        self._looked_at_us = now
        try:
            with self.ledger.look() as connection:
                records = proposals.list_proposals(connection, states=WAITING, limit=LOOKED_AT, oldest_first=True)
            for proposal, step in self.overdue(records).items():
                self._raise(proposal, step)
        except TwokeyError as error:
            _logger.warning("deadlines cannot be looked after: %s", error.message)

    def _raise(self, proposal: str, step: "Due") -> None:
        with self.ledger.look() as connection:
            before = self.ledger.last(connection, proposal, KIND)
        taken = [event.level for event in self.ledger.history(proposal, KIND) if isinstance(event, ProposalEscalated)]
        if step.level in taken:
            return
        known = self.directory.principal(step.who) if step.who is not None else None
        asked = None if known is None else known.name
        wanted: list[str] = []
        with self.ledger.change() as unit:
            state, _ = proposals.lock_proposal(unit.connection, proposal)
            if state is not State.AWAITING_APPROVAL or self.ledger.last(unit.connection, proposal, KIND) != before:
                return  # somebody answered, or another worker was faster
            unit.record(ProposalEscalated(proposal=proposal, level=step.level, asked=asked))
            if self.section.escalations:
                purpose = ".".join([f"escalated:{proposal}", str(step.level), *([asked] if asked else [])])
                wanted = self.postbox.want_once(unit, "github", self.section.escalations, purpose)
        self.postbox.send(*wanted)
        _logger.warning("%s waits past its deadline: %s of %s is asked", proposal, step.who or "nobody", step.team)


def _waits(record: ProposalRecord) -> bool:
    return record.proposal.tool == TOOL and record.state is State.AWAITING_APPROVAL


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1_000_000, tz=UTC)
