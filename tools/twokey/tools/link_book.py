"""Which principal an external identity is, as the log alone tells it.

Rules
- An external identity and a principal belong together when both named each other: the external side, authenticated by
  its channel, asked to be that principal, and the principal ordered exactly that while the ask was open.
- One external identity belongs to one principal, and a principal has one identity per provider. Of two that contradict
  each other the first stays. An ask is used up by the link it leads to, and by an unlinking; some time after its end it
  is forgotten, by the times of the log's entries, so that whoever reads the log forgets the same.
- The log is read whole, from its first entry to its latest signed root; only what hashes to that root counts, so an
  unlinking that was hidden is noticed. What was read once is kept, and only what came since is read the next time.
- Rows are an index that keeps two processes from linking one identity twice. One that says something else than the log
  gives nobody anything: ``link_not_proven``.
- A link counts only as long as its order is signed with the key that the directory names for the principal now.
"""

import dataclasses
import threading
from typing import Final

from twokey.audit.entry import Entry
from twokey.audit.merkle import Frontier
from twokey.core.errors import CheckFailed
from twokey.core.events import IdentityLinked, IdentityUnlinked, LinkAsked
from twokey.core.ports import Directory
from twokey.core.values import GivenOrder, provider_of
from twokey.store import links
from twokey.store.links import LinkRecord
from twokey.tools.authority import Rules, authentic_by_key
from twokey.tools.ledger import Ledger

KINDS: Final = ("identity.link_asked", "identity.linked", "identity.unlinked")
FORGET_US: Final = 15 * 60 * 1_000_000
"""How long after its end an ask is forgotten: clocks differ, and a confirmation may take a while to be in the log."""
COUNTED_US: Final = 60 * 60 * 1_000_000
"""How long an ask counts among those of late, in microseconds."""
LOOKS: Final = 3
"""How often rows and log are read again where they disagree: a change that is being signed is no contradiction."""


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """An external identity that is a principal's."""

    external: str
    principal: str
    entry: str
    at_us: int
    """When the principal ordered it. What was answered before then is not theirs by this link."""
    order: GivenOrder


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """An external identity that says which principal it is, and waits to be confirmed."""

    external: str
    principal: str
    since_us: int
    until_us: int


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """One ask, and when it came into the log."""

    external: str
    at_us: int


@dataclasses.dataclass(slots=True)
class Told:
    """What the log tells, up to the tree in it."""

    tree: Frontier = dataclasses.field(default_factory=Frontier)
    links: dict[str, Link] = dataclasses.field(default_factory=dict[str, Link])
    asks: dict[str, Ask] = dataclasses.field(default_factory=dict[str, Ask])
    ended_us: dict[str, int] = dataclasses.field(default_factory=dict[str, int])
    """When each external identity was last unlinked."""
    recent: list[Made] = dataclasses.field(default_factory=list[Made])
    """The asks of late, in the order of the log, whatever became of them."""

    def copy(self) -> "Told":
        """Give an independent copy."""
        return Told(self.tree.copy(), dict(self.links), dict(self.asks), dict(self.ended_us), list(self.recent))

    def made(self, provider: str, now_us: int) -> list[str]:
        """Give who at a provider asked within the hour before a time, once for each ask that is in the log."""
        since = now_us - COUNTED_US
        return [made.external for made in self.recent if made.at_us > since and provider_of(made.external) == provider]

    def of(self, principal: str, provider: str) -> Link | None:
        """Give the link of a principal with a provider."""
        found = (link for link in self.links.values() if link.principal == principal)
        return next((link for link in found if provider_of(link.external) == provider), None)

    def take(self, entry: Entry) -> None:
        """Take the next entry of the log."""
        match entry.event:
            case LinkAsked() as asked:
                before = self.asks.get(asked.external)
                renewed = before is not None and before.principal == asked.principal and asked.at_us <= before.until_us
                since = before.since_us if before is not None and renewed else asked.at_us
                self.asks.pop(asked.external, None)
                self.asks[asked.external] = Ask(asked.external, asked.principal, since, asked.until_us)
                self.recent.append(Made(asked.external, entry.time_us))
                self._forget(entry.time_us)
            case IdentityLinked() as linked:
                self._link(linked, entry.id)
            case IdentityUnlinked() as unlinked:
                self.links.pop(unlinked.external, None)
                self.asks.pop(unlinked.external, None)
                ended = self.ended_us.get(unlinked.external, 0)
                self.ended_us[unlinked.external] = max(ended, unlinked.order.statement.at_us)
            case _:
                """Nothing else changes who is who."""

    def _forget(self, now_us: int) -> None:
        """Forget the asks that ended long before an entry; one from a clock that is ahead holds none back."""
        for external in [ask.external for ask in self.asks.values() if ask.until_us + FORGET_US < now_us]:
            del self.asks[external]
        self.recent = [made for made in self.recent if made.at_us + FORGET_US + COUNTED_US >= now_us]

    def may_link(self, order: GivenOrder) -> bool:
        """Tell whether an order names what was asked, and comes after it."""
        said, ask = order.statement, self.asks.get(order.statement.external or "")
        return (
            ask is not None
            and said.order == "link"
            and ask.principal == said.principal
            and ask.since_us <= said.at_us <= ask.until_us
            and said.at_us > self.ended_us.get(ask.external, -1)
        )

    def _link(self, event: IdentityLinked, entry: str) -> None:
        said = event.order.statement
        named = (said.external, said.principal) == (event.external, event.principal)
        taken = event.external in self.links or self.of(event.principal, provider_of(event.external)) is not None
        if named and not taken and self.may_link(event.order):
            self.links[event.external] = Link(event.external, event.principal, entry, said.at_us, event.order)
            del self.asks[event.external]


class LinkBook:
    """Reads the links of one workspace."""

    def __init__(self, ledger: Ledger, directory: Directory, rules: Rules) -> None:
        self._ledger = ledger
        self._directory = directory
        self._rules = rules
        self._told = Told()
        self._lock = threading.Lock()

    def told(self) -> Told:
        """Give what the log tells by now, proven.

        Raises:
            CheckFailed: entries were hidden or changed.
            LogUnavailable: the log cannot be read, does not verify or was rolled back.

        """
        with self._lock:
            next_told = self._told.copy()
            for entry in self._ledger.following(next_told.tree, KINDS):
                next_told.take(entry)
            self._told = next_told
            return next_told.copy()

    def in_force(self, external: str) -> Link | None:
        """Give the link of an external identity that is in force now; none where there is none.

        Raises:
            CheckFailed: the database says something else than the log, or the log does not prove it.
            LogUnavailable: the log cannot be read.

        """
        for look in range(LOOKS):
            if look:
                self._ledger.catch_up()
            with self._ledger.look() as connection:
                row = links.get_link(connection, external)
            link = self.told().links.get(external)
            if agree(row, link):
                return link if link is not None and self.holds(link) else None
        raise not_proven()

    def linked_to(self, principal: str, provider: str) -> Link | None:
        """Give the link of a principal with a provider that is in force now; raises like ``in_force``."""
        link = self.told().of(principal, provider)
        if link is None:
            with self._ledger.look() as connection:
                row = links.find_link(connection, principal, provider)
            return self.in_force(row.external) if row is not None else None
        return self.in_force(link.external)

    def holds(self, link: Link) -> bool:
        """Tell whether a link that the log tells is signed by who the principal is now."""
        principal = self._directory.principal(link.principal)
        return principal is not None and authentic_by_key(link.order, principal, self._directory, self._rules)


def agree(row: LinkRecord | None, link: Link | None) -> bool:
    """Tell whether a row says what the log says."""
    if row is None or link is None:
        return row is None and link is None
    return (row.external, row.principal, row.entry) == (link.external, link.principal, link.entry)


def not_proven() -> CheckFailed:
    """Say that a row is not borne out by the log, or stands no longer where the log says it does."""
    return CheckFailed(
        "The database and the audit log disagree about who this external identity is.",
        next="Treat the database as tampered with: run `twokey audit verify`, then unlink and link it again.",
        code="link_not_proven",
    )
