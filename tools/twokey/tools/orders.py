"""Takes people's orders: the kill switch, and emergencies.

Rules: an order counts from an authenticated person, in this workspace, while it is fresh, and once: one that is older
than the last turn of the switch turns nothing. Anybody of the directory may stop writes; only owners of the controls
let them go on, break glass, and review it afterwards. Nobody declares an emergency for what they asked for or
contributed to, and nobody reviews their own. What does not count is refused with its reason and recorded.
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
from twokey.tools.steps import Steps

MAX_WORDS: Final = 2000
MAX_TICKET: Final = 200


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
        principal = self._admit(given, channel)
        if not on and not self._owns(principal):
            raise self._refuse(given, channel, "not_an_owner", "Only owners of the controls lift a freeze.")
        if not on and isinstance(off := self._switch.off(), FreezeRecord):
            return off
        with self._steps.ledger.change() as unit:
            try:
                before = switches.get_freeze(unit.connection, hold="alone")
            except CheckFailed:
                before = None  # somebody removed or damaged the row: turning the switch sets it right
            if before is not None and on and before.is_on:
                return before
            stale = before is not None and given.statement.at_us < before.changed_us
            if not stale:
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
        principal = self._admit(given, channel)
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
        if record.state not in {State.AWAITING_APPROVAL, State.APPROVED}:
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
        principal = self._admit(given, channel)
        found = self.find_glass(given.statement.subject or "")
        if not words.strip():
            raise BadInput("A review says what was found.", next='Give it: --reason "...".', code="no_reason")
        if not self._owns(principal):
            raise self._refuse(given, channel, "not_an_owner", "Only owners of the controls review.")
        record = self._steps.find(found.proposal)
        if principal.name in {found.principal, record.proposal.requester, *record.proposal.contributors}:
            raise self._refuse(given, channel, "own_emergency", "Nobody reviews their own emergency.")
        with self._steps.ledger.change() as unit:
            entry = unit.record(GlassReviewed(proposal=found.proposal, id=found.id, order=given, channel=channel))
            first = glass.review_glass(
                unit.connection, found.id, by=principal.name, words=words[:MAX_WORDS], entry=entry
            )
            if not first:
                raise Refused(
                    "It was reviewed before.", next="Look at it with `twokey break-glass --list`.", code="reviewed"
                )
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

    def _admit(self, given: GivenOrder, channel: Channel) -> Principal:
        statement, now = given.statement, self._steps.clock.now_us()
        principal = self._steps.directory.principal(statement.principal)
        if principal is None or not self._authority.authentic(given, principal):
            raise self._refuse(given, channel, "not_authenticated", "The order is not proven to be theirs.")
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
            next=f"Owners of the controls are members of {', '.join(self._rules.owners)} (controls.owners).",
            code=code,
        )
