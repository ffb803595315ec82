"""What people do that is no answer to a card: the kill switch, and emergencies.

Rules: every function takes an identity that was proven, never a name; what a person orders is signed with their
credential, with the time and a commitment to their words.
"""

from typing import Final

from twokey.core import canonical
from twokey.core.errors import CheckFailed
from twokey.core.ports import Clock, Ids
from twokey.core.values import GivenOrder, Identity, Order
from twokey.store.glass import GlassRecord
from twokey.store.switches import FreezeRecord
from twokey.tools.gate import Gate
from twokey.tools.identity import Credential

MINUTE_US: Final = 60_000_000


class Controls:
    """The controls of one workspace."""

    def __init__(self, *, workspace: str, gate: Gate, clock: Clock, ids: Ids) -> None:
        self._workspace = workspace
        self._gate = gate
        self._clock = clock
        self._ids = ids

    def freeze(self, identity: Identity, credential: Credential | None, *, on: bool, reason: str) -> FreezeRecord:
        """Turn the kill switch; raises ``Refused`` where this person may not."""
        given = _given(identity, credential, self.freeze_order(identity, on=on, reason=reason))
        return self.freeze_signed(identity, given, reason=reason)

    def freeze_order(self, identity: Identity, *, on: bool, reason: str) -> Order:
        """Give what somebody signs to turn the kill switch, for who signs elsewhere than here."""
        return self._order(identity, "freeze_on" if on else "freeze_off", words=reason)

    def freeze_signed(self, identity: Identity, given: GivenOrder, *, reason: str) -> FreezeRecord:
        """Turn the kill switch by an order that was signed elsewhere; raises like ``freeze``."""
        return self._gate.orders.freeze(given, channel=identity.channel, reason=reason)

    def stopped(self) -> tuple[str | None, FreezeRecord | None]:
        """Give the code of what stops writes now, if anything does, and the last turn where its row can be read."""
        try:
            return self._gate.stopped(), self._gate.freeze()
        except CheckFailed:
            return self._gate.stopped(), None

    def break_glass(  # who, for what, why and for how long
        self,
        identity: Identity,
        credential: Credential | None,
        *,
        proposal: str,
        ticket: str,
        reason: str,
        minutes: int,
    ) -> GlassRecord:
        """Declare an emergency for one proposal; raises ``NotFound``, ``BadInput``, ``Refused``."""
        record = self._gate.find(proposal)
        order = self._order(identity, "break_glass", subject=record.id, words=reason, minutes=minutes)
        given = _given(identity, credential, order)
        return self._gate.orders.break_glass(given, record, channel=identity.channel, ticket=ticket, reason=reason)

    def review(self, identity: Identity, credential: Credential | None, *, glass: str, reason: str) -> GlassRecord:
        """Review an emergency afterwards; raises ``NotFound``, ``BadInput``, ``Refused``."""
        found = self._gate.orders.find_glass(glass)
        order = self._order(identity, "review_break_glass", subject=found.id, words=reason)
        given = _given(identity, credential, order)
        return self._gate.orders.review(given, channel=identity.channel, words=reason)

    def emergencies(self) -> list[tuple[GlassRecord, bool]]:
        """Give the emergencies there were, the latest first, and whether a write began under each."""
        return [(record, self._gate.orders.used(record)) for record in self._gate.orders.emergencies()]

    def _order(
        self, identity: Identity, order: str, *, words: str, subject: str | None = None, minutes: int | None = None
    ) -> Order:
        now = self._clock.now_us()
        return Order.model_validate(
            {
                "workspace": self._workspace,
                "order": order,
                "subject": subject,
                "principal": identity.principal.name,
                "at_us": now,
                "until_us": None if minutes is None else max(0, now + minutes * MINUTE_US),
                "words": canonical.commitment(self._ids.salt(), words) if words else None,
            }
        )


def _given(identity: Identity, credential: Credential | None, order: Order) -> GivenOrder:
    if credential is not None:
        return credential.order(order)
    return GivenOrder(statement=order, auth=identity.auth, external=identity.external)
