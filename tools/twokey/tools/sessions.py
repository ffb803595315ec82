"""Who is in the console, and which key their browser answers with, as the log alone tells it.

Rules
- A one-time link is made by the principal's own order, which names the link's key; it is good for one session, for a
  quarter of an hour. The database itself holds to its being used once.
- The session's key is made in the browser and never leaves it. The link's key signs it once, the browser proves that
  it holds it, and from then on it signs that person's answers: no process of Twokey holds what approves.
- A browser's key stands for its person only while the session lasts, only for answers to cards and the kill switch,
  and only as long as the order behind it is signed with the key that the directory names for them now.
- Who came in by an identity elsewhere is in only as long as that identity is linked to them.
- Rows of the inbox tell where in the log to look, and that something is there once: a link, its use, a session, its
  end. What is relied on is the entry itself, proven under a verified checkpoint.
"""

import hashlib
from typing import Final

from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed, NotFound, Refused
from twokey.core.events import PassGiven, SessionClosed, SessionOpened
from twokey.core.ports import Clock, Directory, Ids
from twokey.core.values import Answer, GivenOrder, OrderName, Principal, provider_of
from twokey.store.inbox import InboundRecord, add_inbound, find_inbound
from twokey.tools import identity
from twokey.tools.authority import LinkedIdentities, Rules, authentic_by_key
from twokey.tools.ledger import Ledger, Unit

PASS_US: Final = 15 * 60 * 1_000_000
"""How long a one-time link is good."""
LONGEST_US: Final = 24 * 60 * 60 * 1_000_000
"""How long a session lasts at most, whatever the settings say."""
SKEW_US: Final = 60 * 1_000_000
ORDERS: Final[frozenset[OrderName]] = frozenset({"freeze_on", "freeze_off"})
"""Orders that a browser's key may give."""


def name_of(pass_key: str) -> str:
    """SHA-256 of the public key that a one-time link carries, in hexadecimal: what the order names."""
    return hashlib.sha256(pass_key.encode()).hexdigest()


def opening(event: SessionOpened, workspace: str) -> Json:
    """Give what the link's key and the browser's key sign."""
    return {
        "type": "twokey/console-session/v1",
        "workspace": workspace,
        "principal": event.principal,
        "session": event.session,
        "secret": event.secret,
        "key": event.key,
        "at_us": event.at_us,
        "until_us": event.until_us,
    }


class Sessions:
    """The console's one-time links and sessions of one workspace."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: Directory,
        rules: Rules,
        clock: Clock,
        ids: Ids,
        links: LinkedIdentities | None = None,
    ) -> None:
        """Without ``links`` nobody comes in by an identity that they have elsewhere."""
        self._links = links
        self._ledger = ledger
        self._directory = directory
        self._rules = rules
        self._clock = clock
        self._ids = ids

    # -- one-time links ---------------------------------------------------------------------------------------

    def give(self, given: GivenOrder) -> None:
        """Record that a one-time link was made; raises ``Refused`` where the order does not count."""
        if not self._pass_holds(given, self._clock.now_us()):
            raise _refused("pass_not_theirs", "The link is not ordered by whom it would let in.")
        with self._ledger.change() as unit:
            entry = unit.record(PassGiven(principal=given.statement.principal, order=given))
            self._once(unit, f"pass:{given.statement.words}", entry, "link_known", "This link was made before.")

    def find_pass(self, pass_key: str) -> PassGiven:
        """Give the one-time link whose key this is, as the log proves it; raises ``Refused``."""
        given = self._event(f"pass:{name_of(pass_key)}")
        if not isinstance(given, PassGiven):
            raise _refused("unknown_link", "This link is none of ours, or is not complete.")
        if not self._pass_holds(given.order, self._clock.now_us()):
            raise _refused("link_expired", "This link has expired, or the key of whoever made it has changed.")
        return given

    def _pass_holds(self, given: GivenOrder, at_us: int) -> bool:
        """Tell whether an order lets somebody in with a link that is used at a time."""
        said, principal = given.statement, self._directory.principal(given.statement.principal)
        if principal is None or said.order != "console_pass" or said.words is None or said.until_us is None:
            return False
        in_time = said.at_us - SKEW_US <= at_us <= min(said.until_us, said.at_us + PASS_US)
        return in_time and authentic_by_key(given, principal, self._directory, self._rules)

    # -- sessions ---------------------------------------------------------------------------------------------

    def open(self, opened: SessionOpened) -> None:
        """Record that somebody came in.

        Raises:
            Refused: what they show does not prove who they are, or the link was used before.

        """
        if not self.holds(opened):
            raise _refused("not_proven", "What the browser shows does not prove who is in front of it.")
        with self._ledger.change() as unit:
            entry = unit.record(opened)
            if opened.pass_key is not None:
                self._once(unit, f"used:{name_of(opened.pass_key)}", entry, "link_used", "This link was used before.")
            known = "This session was opened before."
            self._once(unit, f"session:{opened.session}", entry, "session_known", known)

    def close(self, opened: SessionOpened, code: str) -> None:
        """End a session before its time; one that is over stays over."""
        with self._ledger.change() as unit:
            entry = unit.record(SessionClosed(principal=opened.principal, session=opened.session, code=code))
            self._keep(unit, f"closed:{opened.session}", entry)

    def find(self, session: str) -> SessionOpened | None:
        """Give a session that goes on, as the log proves it; none where there is none, or it is over."""
        opened = self._event(f"session:{session}")
        if not isinstance(opened, SessionOpened) or opened.session != session or not self.holds(opened):
            return None
        with self._ledger.look() as connection:
            closed = find_inbound(connection, "console", f"closed:{session}")
        return None if closed is not None or self._clock.now_us() > opened.until_us else opened

    def holds(self, opened: SessionOpened) -> bool:
        """Tell whether a session is its person's by what its entry says, under the directory as it is now."""
        principal = self._directory.principal(opened.principal)
        lasts = 0 <= opened.until_us - opened.at_us <= LONGEST_US
        if principal is None or not lasts:
            return False
        if opened.external is not None:
            return self._linked(opened, opened.external)
        order, key = opened.order, opened.key
        if order is None or key is None or opened.pass_key is None or opened.signature is None:
            return False
        said = order.statement
        return (
            (said.principal, said.words, order.auth) == (principal.name, name_of(opened.pass_key), opened.auth)
            and opened.session == identity.fingerprint(key)
            and self._pass_holds(order, opened.at_us)
            and identity.verify_json(opened.pass_key, opened.signature, opening(opened, self._rules.workspace))
            and opened.possession is not None
            and identity.verify_json(key, opened.possession, opening(opened, self._rules.workspace))
        )

    def _linked(self, opened: SessionOpened, external: str) -> bool:
        """Tell whether the identity elsewhere that a session rests on is its person's, as it was then and is now."""
        if self._links is None or opened.auth != provider_of(external):
            return False
        try:
            link = self._links.in_force(external)
        except CheckFailed:
            return False
        return link is not None and link.principal == opened.principal and link.at_us <= opened.at_us

    # -- answers ----------------------------------------------------------------------------------------------

    def vouches(self, given: Answer | GivenOrder, principal: Principal) -> bool:
        """Tell whether a statement was signed by the browser in which ``principal`` was in the console at that time."""
        said = given.statement
        if given.auth != "key" or given.key is None or given.signature is None or said.principal != principal.name:
            return False
        if isinstance(given, GivenOrder) and given.statement.order not in ORDERS:
            return False
        opened = self._event(f"session:{given.key}")
        return (
            isinstance(opened, SessionOpened)
            and (opened.auth, opened.principal, opened.session) == ("key", principal.name, given.key)
            and said.workspace == self._rules.workspace
            and opened.at_us <= said.at_us <= opened.until_us
            and self.holds(opened)
            and opened.key is not None
            and identity.verify_json(opened.key, given.signature, said.canonical())
        )

    # -- rows -------------------------------------------------------------------------------------------------

    def _event(self, key: str) -> PassGiven | SessionOpened | None:
        """Read the entry that a row names, proven; none where there is none that is."""
        try:
            with self._ledger.look() as connection:
                row = find_inbound(connection, "console", key)
            event = None if row is None else self._ledger.proven(row.code).event
        except (CheckFailed, NotFound):
            return None
        return event if isinstance(event, (PassGiven, SessionOpened)) else None

    def _keep(self, unit: Unit, key: str, entry: str) -> bool:
        """Keep where in the log something is; tells whether it was not there before."""
        now = self._clock.now_us()
        row = InboundRecord(self._ids.new("i"), "console", key, "console", None, "done", entry, 0, now, now)
        return add_inbound(unit.connection, row)

    def _once(self, unit: Unit, key: str, entry: str, code: str, why: str) -> None:
        """Keep it, or undo the whole change where it was there before; raises ``Refused``."""
        if not self._keep(unit, key, entry):
            raise _refused(code, why)


def _refused(code: str, why: str) -> Refused:
    return Refused(why, next="Make a new one with `twokey login NAME --link`.", code=code)
