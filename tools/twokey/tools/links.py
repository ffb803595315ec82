"""Links people to who they are at Slack and GitHub: asked for there, confirmed with their own key, and undone.

Rules
- Whoever asks was authenticated by their channel, and asking makes them nobody. An ask is open for one hour; asked
  again it is renewed, and an ask to be somebody else takes its place.
- Only the principal confirms, with their own key (an identity elsewhere confirms no other), for exactly the identity
  that asked to be them, while the ask is open, and with an order given after it. So none can be used twice.
- The principal and the owners of the controls unlink, with their own key, whatever the rows say.
- Asks are entries of the log, so there are only so many within an hour: of one identity, and of all at one provider.
- What does not count is refused with its reason and recorded, or counted where strangers could fill the log with it.
- Who is called what in here is nobody's to find out by asking: the codes in ``UNTOLD`` are told to no stranger.
"""

import dataclasses
from collections.abc import Callable
from typing import Final, Literal

from twokey.core.errors import Refused
from twokey.core.events import IdentityLinked, IdentityUnlinked, LinkAsked, LinkRejected
from twokey.core.ports import Clock, Directory
from twokey.core.values import Auth, Channel, GivenOrder, Principal, provider_of
from twokey.store import links
from twokey.store.links import LinkRecord
from twokey.tools.authority import Rules, authentic_by_key
from twokey.tools.ledger import Ledger, Unit
from twokey.tools.link_book import Ask, Link, LinkBook, agree

OPEN_US: Final = 60 * 60 * 1_000_000
"""How long an ask waits to be confirmed, in microseconds."""
RENEWED_US: Final = 5 * 60 * 1_000_000
"""An ask that is younger than this is not recorded again, in microseconds."""
ORDER_AGE_US: Final = 15 * 60 * 1_000_000
"""A signed order is good for this long, in microseconds, as an answer to a card is."""
CLOCK_SKEW_US: Final = 60 * 1_000_000

MOST_OF_ONE: Final = 5
"""Asks of one identity that are taken within an hour."""
MOST_OF_ALL: Final = 120
"""Asks of all identities at one provider that are taken within an hour. Processes that ask at once may exceed it."""
UNTOLD: Final = frozenset({"unknown_principal", "principal_linked", "too_many_asks"})
"""Codes of refusals of an ask that would tell a stranger who there is here: they are answered as if it was taken."""

SHOWN: Final = 20
"""Asks that are shown to a principal; anybody can ask to be them. One that is not shown is confirmed all the same."""

Step = Literal["ask", "link", "unlink"]

_NEXT: Final = {
    "unknown_principal": "Give the name that twokey.toml has for you, or ask who keeps it.",
    "too_many_asks": "Ask again in an hour.",
    "linked_already": "See `twokey link list`.",
    "linked_to_another": "They or an owner of the controls unlink it first: `twokey link remove EXTERNAL`.",
    "principal_linked": "Unlink the other identity first: `twokey link remove EXTERNAL`.",
    "not_authenticated": "Order it with your own key.",
    "not_asked": "Ask there first (`/twokey link NAME`), then confirm within an hour.",
    "stale_order": "Order it again.",
    "other_order": "Order what is meant.",
    "not_linked": "See `twokey link list`.",
    "not_theirs": "Ask whose it is, or an owner of the controls.",
}


class _Taken(Exception):  # noqa: N818 - undoes a transaction
    """Somebody else was faster."""


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """A link as the log and the rows have it: ``proven`` where both say the same and its key is the principal's now."""

    external: str
    principal: str
    at_us: int
    proven: bool


def _add(unit: Unit, row: LinkRecord) -> None:
    """Index a link; raises ``_Taken``, which undoes its entry, where one of both has one already."""
    if not links.add_link(unit.connection, row):
        raise _Taken


class Links:
    """Links and unlinks, and tells who is who."""

    def __init__(self, ledger: Ledger, directory: Directory, rules: Rules, clock: Clock, book: LinkBook) -> None:
        self._ledger = ledger
        self._directory = directory
        self._rules = rules
        self._clock = clock
        self._book = book

    # -- who is who -------------------------------------------------------------------------------------------

    def principal(self, external: str) -> Principal | None:
        """Give who an external identity is, now and proven; none where it is nobody.

        Raises:
            CheckFailed: database and log disagree about it, or the log does not prove it.
            LogUnavailable: the log cannot be read.

        """
        link = self._book.in_force(external)
        return None if link is None else self._directory.principal(link.principal)

    def external(self, name: str, provider: str) -> str | None:
        """Give who a principal is at a provider, now and proven; raises like ``principal``."""
        link = self._book.linked_to(name, provider)
        return None if link is None else link.external

    def asked(self, name: str) -> list[Ask]:
        """Give the latest open asks to be a principal, the latest first: as many as a person can look through."""
        now = self._clock.now_us()
        found = [ask for ask in self._book.told().asks.values() if ask.principal == name and now <= ask.until_us]
        return sorted(found, key=lambda ask: (-ask.since_us, ask.external))[:SHOWN]

    def listed(self) -> list[Standing]:
        """Give every link that the log or a row tells of, by principal."""
        told = self._book.told().links
        with self._ledger.look() as connection:
            rows = {row.external: row for row in links.list_links(connection)}
        names = sorted({*told, *rows})
        found = [self._standing(told.get(name), rows.get(name)) for name in names]
        return sorted((item for item in found if item is not None), key=lambda item: (item.principal, item.external))

    def _standing(self, link: Link | None, row: LinkRecord | None) -> Standing | None:
        if link is not None:
            proven = agree(row, link) and self._book.holds(link)
            return Standing(link.external, link.principal, link.at_us, proven)
        return None if row is None else Standing(row.external, row.principal, row.linked_us, proven=False)

    # -- linking ----------------------------------------------------------------------------------------------

    def ask(self, external: str, name: str, channel: Channel, noted: Callable[[str], None] | None = None) -> Ask:
        """Take the word of an external identity, which ``channel`` authenticated, that it is the principal ``name``.

        A refusal is recorded; where ``noted`` is given it is told instead, by its code: it counts what strangers try.

        Raises:
            Refused: nobody is called so, one of both is linked already, or there were too many asks of late.
            CheckFailed: database and log disagree about it.

        """
        principal, now = self._directory.principal(name), self._clock.now_us()
        refuse = _Refusal(self._ledger, self._rules, external, "ask", principal, None, channel, noted)
        self._refuse_taken(refuse, external, name)
        if principal is None:
            raise refuse("unknown_principal", "The directory of this workspace knows nobody of that name.")
        self._refuse_other(refuse, external, principal)
        told = self._book.told()
        open_ask = told.asks.get(external)
        if open_ask is not None and open_ask.principal == name and now < open_ask.until_us - OPEN_US + RENEWED_US:
            return open_ask
        made = told.made(provider_of(external), now)
        if made.count(external) >= MOST_OF_ONE or len(made) >= MOST_OF_ALL:
            raise refuse("too_many_asks", "There were too many asks within the hour.")
        until = now + OPEN_US
        self._ledger.record(LinkAsked(principal=name, external=external, channel=channel, at_us=now, until_us=until))
        return self._book.told().asks[external]

    def confirm(self, given: GivenOrder, *, channel: Channel) -> Link:
        """Link what the principal ordered.

        Raises:
            Refused: the order does not count, nobody asked, or one of both is linked already.
            CheckFailed: database and log disagree about it.

        """
        said = given.statement
        refuse, principal, external = self._admit(given, "link", channel)
        self._refuse_linked(refuse, external, principal)
        told = self._book.told()
        ask = told.asks.get(external)
        if ask is None or ask.principal != said.principal or self._clock.now_us() > ask.until_us:
            raise refuse("not_asked", f"{external} did not ask to be {principal.name} within the last hour.")
        if not told.may_link(given):
            raise refuse("stale_order", "It was given before it was asked for.")
        try:
            with self._ledger.change() as unit:
                entry = unit.record(
                    IdentityLinked(principal=principal.name, external=external, order=given, channel=channel)
                )
                row = LinkRecord(external, principal.name, provider_of(external), entry, said.at_us)
                _add(unit, row)
        except _Taken:
            raise refuse("linked_already", "One of both was linked meanwhile.") from None
        return Link(external, principal.name, entry, said.at_us, given)

    def remove(self, given: GivenOrder, *, channel: Channel) -> str:
        """Unlink what the principal or an owner of the controls ordered; gives whose it was.

        Raises:
            Refused: the order does not count, it is not theirs, or nothing is linked.

        """
        refuse, principal, external = self._admit(given, "unlink", channel)
        link = self._book.told().links.get(external)
        with self._ledger.look() as connection:
            row = links.is_indexed(connection, external)
        owner = bool(set(principal.groups) & set(self._rules.owners))
        if not owner and (link is None or link.principal != principal.name):
            raise refuse("not_theirs", "It is not linked to them.")
        if link is None and not row:
            raise refuse("not_linked", "It is linked to nobody.")
        if link is not None and given.statement.at_us <= link.at_us:
            raise refuse("stale_order", "It was linked since.")
        whose = link.principal if link is not None else principal.name
        with self._ledger.change() as unit:
            links.remove_link(unit.connection, external)
            unit.record(IdentityUnlinked(principal=whose, external=external, order=given, channel=channel))
        return whose

    def _refuse_linked(self, refuse: "_Refusal", external: str, principal: Principal) -> None:
        """Refuse where the external identity is somebody's, or the principal has another one with that provider."""
        self._refuse_taken(refuse, external, principal.name)
        self._refuse_other(refuse, external, principal)

    def _refuse_taken(self, refuse: "_Refusal", external: str, name: str) -> None:
        held = self._book.in_force(external)
        if held is not None and held.principal == name:
            raise refuse("linked_already", f"{external} is {name} already.")
        if held is not None or external in self._book.told().links:
            raise refuse("linked_to_another", f"{external} is linked to somebody else, or by a key that has changed.")

    def _refuse_other(self, refuse: "_Refusal", external: str, principal: Principal) -> None:
        if self._book.told().of(principal.name, provider_of(external)) is not None:
            raise refuse("principal_linked", f"{principal.name} has another identity there.")

    def _admit(
        self, given: GivenOrder, step: Literal["link", "unlink"], channel: Channel
    ) -> tuple["_Refusal", Principal, str]:
        """Check who orders, when, and that it is this; gives how to refuse it, who they are and what they name."""
        said, now = given.statement, self._clock.now_us()
        principal = self._directory.principal(said.principal)
        external = said.external
        refuse = _Refusal(self._ledger, self._rules, external, step, principal, given.auth, channel)
        if principal is None or not authentic_by_key(given, principal, self._directory, self._rules):
            raise refuse("not_authenticated", "The order is not proven to be theirs.")
        if external is None or said.order != step:
            raise refuse("other_order", "It is an order to do something else.")
        if not now - ORDER_AGE_US <= said.at_us <= now + CLOCK_SKEW_US:
            raise refuse("stale_order", "The order was given too long ago.")
        return refuse, principal, external


@dataclasses.dataclass(frozen=True, slots=True)
class _Refusal:
    """Records an attempt that does not count, and gives the error that says so."""

    ledger: Ledger
    rules: Rules
    external: str | None
    step: Step
    principal: Principal | None
    auth: Auth | None
    channel: Channel
    noted: Callable[[str], None] | None = None

    def __call__(self, code: str, why: str) -> Refused:
        if self.noted is not None:
            self.noted(code)
        else:
            self.ledger.record(self._entry(code))
        return Refused(f"Nothing was linked or unlinked. {why}", next=_NEXT[code], code=code)

    def _entry(self, code: str) -> LinkRejected:
        return LinkRejected(
            principal=self.principal.name if self.principal else None,
            workspace=self.rules.workspace,
            external=self.external,
            step=self.step,
            auth=self.auth,
            channel=self.channel,
            code=code,
        )
