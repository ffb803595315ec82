"""Takes people's orders: the kill switch, and emergencies.

Rules: an order counts for what it says, from an authenticated person, in this workspace, while it is fresh, and once,
as the log and no row tells; none lifts a freeze that came after it. Anybody of the directory may stop writes; only
owners of the controls let them go on, break glass, and review it afterwards. Nobody declares an emergency for what they
asked for or contributed to, and nobody reviews their own. What does not count is refused with its reason and recorded.
"""

from typing import Final

from twokey.core.errors import BadInput, CheckFailed, NotFound, Refused
from twokey.core.events import FreezeChanged, GlassBroken, GlassReviewed, GlassUsed, OrderRejected
from twokey.core.lifecycle import State
from twokey.core.ports import Ids
from twokey.core.values import Channel, GivenOrder, Principal
from twokey.store import glass, switches
from twokey.store.glass import GlassRecord
from twokey.store.proposals import ProposalRecord
from twokey.store.switches import FreezeRecord
from twokey.tools.answers import CLICK_AGE_US, CLOCK_SKEW_US
from twokey.tools.authority import Authority, Rules
from twokey.tools.emergencies import Emergencies
from twokey.tools.kill_switch import KillSwitch
from twokey.tools.ledger import Unit
from twokey.tools.steps import Moved, Steps

MAX_WORDS: Final = 2000
MAX_TICKET: Final = 200
_NEXT: Final = {
    "not_authenticated": "Order it with your own credential.",
    "other_order": "Order what is meant.",
    "stale_order": "See how things stand now (`twokey freeze`, `twokey break-glass --list`), and order it again.",
    "glass_not_proven": "Treat the workspace's database as tampered with; run `twokey audit verify`.",
    "reviewed": "Look at it with `twokey break-glass --list`.",
}


class Orders:
    """Checks and carries out orders."""

    def __init__(  # what an order needs to be checked against
        self,
        steps: Steps,
        authority: Authority,
        *,
        rules: Rules,
        switch: KillSwitch,
        emergencies: Emergencies,
        ids: Ids,
    ) -> None:
        self._steps = steps
        self._authority = authority
        self._rules = rules
        self._switch = switch
        self._emergencies = emergencies
        self._ids = ids

    def freeze(self, given: GivenOrder, *, channel: Channel, reason: str) -> FreezeRecord:
        """Turn the kill switch. Returns when no write can begin any more, in any process, or all may again.

        Raises:
            Refused: the order does not count.
            LogUnavailable: the switch was not turned.

        """
        on = given.statement.order == "freeze_on"
        principal = self._admit(given, channel, "freeze_on", "freeze_off")
        if not on and not self._owns(principal):
            raise self._refuse(given, channel, "not_an_owner", "Only owners of the controls lift a freeze.")
        if not on and isinstance(off := self._switch.off(), FreezeRecord):
            return off
        with self._steps.ledger.change() as unit:
            try:
                before = switches.get_freeze(unit.connection, hold="alone")
            except CheckFailed:
                before = None  # somebody removed or damaged the row: turning the switch sets it right
            if before is not None and on and before.is_on and self._switch.bears_out(before):
                return before
            behind = before is not None and not on and given.statement.at_us <= before.changed_us
            if not behind and not self._switch.is_late(given):
                entry = unit.record(FreezeChanged(workspace=self._rules.workspace, on=on, order=given, channel=channel))
                turned = FreezeRecord(on, entry, principal.name, reason[:MAX_WORDS], given.statement.at_us)
                switches.set_freeze(unit.connection, turned)
                return turned
        raise self._refuse(given, channel, "stale_order", "The switch was turned again since it was given.")

    def break_glass(
        self, given: GivenOrder, record: ProposalRecord, *, channel: Channel, ticket: str, reason: str
    ) -> GlassRecord:
        """Declare an emergency for one proposal, and put the card there that policy asks for then.

        Raises:
            BadInput: ticket or reason is missing, or it would last too long.
            Refused: the order does not count, or the proposal is over.

        """
        statement = given.statement
        principal = self._admit(given, channel, "break_glass")
        if statement.subject != record.id or self._opened_with(given, record):
            raise self._refuse(given, channel, "stale_order", "It was given for something else, or used before.")
        if not ticket.strip() or len(ticket) > MAX_TICKET or not reason.strip():
            raise BadInput(
                "An emergency needs a ticket and a reason.",
                next='Give both: --ticket INC-1 --reason "...".',
                code="no_ticket",
            )
        until = statement.until_us or 0
        if not 0 < until - statement.at_us <= self._rules.break_glass_us:
            raise BadInput(
                f"An emergency lasts between 1 and {self._rules.break_glass_us // 60_000_000} minutes.",
                next="Give fewer --minutes.",
                code="too_long",
            )
        if not self._owns(principal):
            raise self._refuse(given, channel, "not_an_owner", "Only owners of the controls break glass.")
        if principal.name in {record.proposal.requester, *record.proposal.contributors}:
            raise self._refuse(given, channel, "own_proposal", "Nobody breaks glass for what they asked for.")
        if record.state is not State.AWAITING_APPROVAL:
            raise self._refuse(given, channel, f"is_{record.state.value}", f"It is {record.state.value} already.")
        name = self._ids.new("g")
        with self._steps.ledger.change() as unit:
            entry = unit.record(
                GlassBroken(
                    proposal=record.id,
                    id=name,
                    digest=record.digest,
                    order=given,
                    ticket=unit.commit_to(ticket.strip()),
                    until_us=until,
                    channel=channel,
                )
            )
            stored = GlassRecord(
                id=name,
                proposal=record.id,
                principal=principal.name,
                ticket=ticket.strip(),
                reason=reason[:MAX_WORDS],
                entry=entry,
                opened_us=statement.at_us,
                until_us=until,
            )
            glass.add_glass(unit.connection, stored)
        self._new_card(record)
        return stored

    def _opened_with(self, given: GivenOrder, record: ProposalRecord) -> bool:
        opened = self._steps.ledger.history(record.id, "break_glass.opened")
        return any(isinstance(event, GlassBroken) and event.order == given for event in opened)

    def _new_card(self, record: ProposalRecord) -> None:
        """Let policy decide anew, so that people see what they are asked now."""
        asked = self._steps.ask(record, "click", self._emergencies.active(record))
        if asked.decision.effect == "require_approval" and asked.decision.digest() != record.decision_digest:
            self._steps.renew(record, asked)
        else:
            self._steps.note(asked)

    def review(self, given: GivenOrder, *, channel: Channel, words: str) -> GlassRecord:
        """Note that somebody else looked at an emergency afterwards.

        Raises:
            NotFound: there is no such emergency.
            BadInput: it says nothing.
            Refused: the order does not count, or it was reviewed before.

        """
        principal = self._admit(given, channel, "review_break_glass")
        found = self.find_glass(given.statement.subject or "")
        if not words.strip():
            raise BadInput("A review says what was found.", next='Give it: --reason "...".', code="no_reason")
        if not self._owns(principal):
            raise self._refuse(given, channel, "not_an_owner", "Only owners of the controls review.")
        opened = self._emergencies.opened(found)
        if opened is None:
            raise self._refuse(given, channel, "glass_not_proven", "The log does not bear that emergency out.")
        record = self._steps.find(opened.proposal)
        opener = opened.order.statement.principal
        if principal.name in {opener, record.proposal.requester, *record.proposal.contributors}:
            raise self._refuse(given, channel, "own_emergency", "Nobody reviews their own emergency.")
        try:
            with self._steps.ledger.change() as unit:
                entry = unit.record(GlassReviewed(proposal=record.id, id=found.id, order=given, channel=channel))
                _note_review(unit, found.id, principal.name, words[:MAX_WORDS], entry)
        except Moved:
            raise self._refuse(given, channel, "reviewed", "It was reviewed before.") from None
        return self.find_glass(found.id)

    def emergencies(self) -> list[GlassRecord]:
        """Give the emergencies there were, the latest first."""
        with self._steps.ledger.look() as connection:
            return glass.list_glass(connection)

    def find_glass(self, text: str) -> GlassRecord:
        """Read an emergency by its id; raises ``NotFound``."""
        for record in self.emergencies():
            if record.id == text:
                return record
        raise NotFound("There is no such emergency.", next="List them with `twokey break-glass --list`.")

    def used(self, record: GlassRecord) -> bool:
        """Tell whether a write began under an emergency, as the log's index shows it."""
        used = self._steps.ledger.history(record.proposal, "break_glass.used")
        return any(isinstance(event, GlassUsed) and event.id == record.id for event in used)

    def _owns(self, principal: Principal) -> bool:
        return bool(set(principal.groups) & set(self._rules.owners))

    def _admit(self, given: GivenOrder, channel: Channel, *orders: str) -> Principal:
        """Check who orders, when, and that it is one of these ``orders``."""
        statement, now = given.statement, self._steps.clock.now_us()
        principal = self._steps.directory.principal(statement.principal)
        if principal is None or not self._authority.authentic(given, principal):
            raise self._refuse(given, channel, "not_authenticated", "The order is not proven to be theirs.")
        if statement.order not in orders:
            raise self._refuse(given, channel, "other_order", "It is an order to do something else.")
        if not now - CLICK_AGE_US <= statement.at_us <= now + CLOCK_SKEW_US:
            raise self._refuse(given, channel, "stale_order", "The order was given too long ago.")
        return principal

    def _refuse(self, given: GivenOrder, channel: Channel, code: str, why: str) -> Refused:
        """Record an order that does not count, and give the error that says so."""
        known = self._steps.directory.principal(given.statement.principal)
        self._steps.ledger.record(
            OrderRejected(
                principal=known.name if known else None,
                workspace=self._rules.workspace,
                order=given.statement.order,
                auth=given.auth,
                channel=channel,
                code=code,
            )
        )
        return Refused(
            f"The order of {given.statement.principal} does not count. {why}",
            next=_NEXT.get(
                code, f"Owners of the controls are members of {', '.join(self._rules.owners)} (controls.owners)."
            ),
            code=code,
        )


def _note_review(unit: Unit, found: str, by: str, words: str, entry: str) -> None:
    """Note a review; raises ``Moved``, which undoes its entry, where there was one before."""
    if not glass.review_glass(unit.connection, found, by=by, words=words, entry=entry):
        raise Moved
