"""What channels receive: stored before it is acknowledged, handled once, in the background.

Rules
- ``take`` returns when a delivery is durable; only then may the channel acknowledge it. The same delivery (by the key
  that its sender gives it) is taken once, however often and to however many processes it comes.
- A delivery is handled by a worker, never by whoever received it. An attempt is counted before it begins, so one that
  kills its process counts, too; after ``MAX_ATTEMPTS`` it has failed, and holds up nothing else.
- What the surroundings did is no attempt: such a delivery is tried again until it is too old (``patience``).
- A handler may be called again for a delivery whose first attempt was cut off. What it changes for good it settles with
  the delivery, in one transaction (``Inbox.settle``): then it is done once.
- What has failed for good is in the log, too: which delivery of which channel, and why, and nothing of what it held.
- Bodies are untrusted bytes that may hold what people wrote; they are removed some days after they were handled. Of
  what an incident rests on, times and names are left for longer, and nothing that anybody wrote.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from twokey.channels import patience
from twokey.core import jobs
from twokey.core.errors import EnvironmentFault, LogUnavailable, TwokeyError
from twokey.core.events import DeliveryFailed
from twokey.core.ports import Clock, Dispatcher, Ids
from twokey.core.values import Channel
from twokey.store import inbox
from twokey.store.inbox import InboundRecord, State
from twokey.tools.ledger import Ledger, Unit

MAX_ATTEMPTS: Final = jobs.MAX_ATTEMPTS
DAY_US: Final = 24 * 60 * 60 * 1_000_000
LEFT_DAYS: Final = 400
"""How long what is left of some deliveries is kept, in days: a year, and time to look back at it."""
MOST_REDUCED: Final = 20
"""Bodies that are reduced at once."""
IGNORED: Final = "ignored"
"""A handler's code, or the beginning of one, for what is none of its business."""
_KEY: Final = re.compile(r"[!-~]{1,180}")
_KIND: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

_logger: Final = logging.getLogger("twokey.inbox")


@dataclass(frozen=True, slots=True)
class Inbound:
    """One delivery, as its handler gets it. ``attempt`` counts from 1."""

    id: str
    channel: Channel
    key: str
    kind: str
    body: bytes
    received_us: int
    attempt: int


class Handler(Protocol):
    """Handles the deliveries of one channel."""

    def handle(self, inbound: Inbound) -> str:
        """Handle one delivery; gives a code that says what became of it, ``ignored`` where nothing had to.

        Raises ``EnvironmentFault`` (``TryLater`` where it has to wait) where it may be tried again, and any other
        ``TwokeyError`` where it has failed for good.
        """
        ...


Reduced = Callable[[str, bytes], bytes | None]
"""Gives what is left of a body of some kind; nothing where nothing is."""


class Inbox:
    """Takes and handles the deliveries of one workspace. Safe in several processes at once."""

    def __init__(
        self,
        *,
        workspace: str,
        ledger: Ledger,
        dispatcher: Callable[[], Dispatcher],
        handlers: Callable[[], Mapping[str, Handler]],
        clock: Clock,
        ids: Ids,
    ) -> None:
        """``handlers`` gives who handles the deliveries of each channel; it is asked when there is one to handle."""
        self._workspace = workspace
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._handlers = handlers
        self._clock = clock
        self._ids = ids

    def take(self, channel: Channel, key: str, kind: str, body: bytes) -> str | None:
        """Store a delivery that its channel has authenticated; gives its id, or none where it came before.

        Raises:
            LogUnavailable: it is not stored, and must not be acknowledged.

        """
        now = self._clock.now_us()
        record = InboundRecord(
            id=self._ids.new("i"),
            channel=channel,
            key=key if _KEY.fullmatch(key) else f"sha256:{hashlib.sha256(key.encode(errors='replace')).hexdigest()}",
            kind=kind if _KIND.fullmatch(kind) else "unknown",
            body=body,
            state="new",
            code="",
            attempts=0,
            received_us=now,
            updated_us=now,
        )
        with self._ledger.change() as unit:
            if not inbox.add_inbound(unit.connection, record):
                return None
        try:
            self._dispatcher().submit(jobs.handle(record.id))
        except LogUnavailable as error:  # it is stored; recovery finds it
            _logger.warning("%s could not be queued: %s", record.id, error.message)
        return record.id

    def find(self, inbound: str) -> InboundRecord | None:
        """Read one delivery; none where there is none."""
        with self._ledger.look() as connection:
            return inbox.get_inbound(connection, inbound)

    def settle(self, unit: Unit, inbound: Inbound, code: str) -> bool:
        """Say in an open transaction that a delivery is handled by it; tells whether it was not handled before.

        Where it was, the caller undoes or leaves out what the transaction was to do.
        """
        return inbox.end_inbound(unit.connection, inbound.id, "done", code, now=self._clock.now_us())

    def handle(self, inbound: str) -> str:
        """Handle a delivery that waits; gives what became of it, ``over`` where there is nothing to do.

        Raises:
            EnvironmentFault: it is to be tried again, unless it is too old; the attempt does not count.
            TwokeyError: it has failed for good, and its row says why.

        """
        with self._ledger.change() as unit:
            record = inbox.begin_inbound(unit.connection, inbound, now=self._clock.now_us())
        if record is None or record.body is None:
            return "over"
        if record.attempts > MAX_ATTEMPTS:  # the last one that was allowed never came to its end
            return self._end(record, "failed", "cut_off")
        given = Inbound(
            record.id, record.channel, record.key, record.kind, record.body, record.received_us, record.attempts
        )
        try:
            code = patience.part(self._handlers, record.channel).handle(given)
        except EnvironmentFault as error:
            self._later(record, error.code)
            raise
        except TwokeyError as error:
            self._end(record, "failed", error.code)
            raise
        except Exception:  # an own fault: counted, and told on
            if record.attempts >= MAX_ATTEMPTS:
                self._end(record, "failed", "internal")
            raise
        if not _CODE.fullmatch(code):
            code = "handled"
        return self._end(record, "ignored" if code.startswith(IGNORED) else "done", code)

    def waiting(self, *, before: int, limit: int) -> list[str]:
        """Give the deliveries that wait and that nobody has touched since ``before`` (microseconds)."""
        with self._ledger.look() as connection:
            return inbox.waiting_inbound(connection, before=before, limit=limit)

    def forget(self, days: int, reduced: Mapping[Channel, Reduced] | None = None) -> int:
        """Remove the bodies of what was handled more than ``days`` days ago; gives how many.

        Of some channels something is left: what ``reduced`` gives, for ``LEFT_DAYS`` days from when it was received.
        """
        now, ways = self._clock.now_us(), reduced or {}
        before = max(now - days * DAY_US, 0)
        with self._ledger.change() as unit:
            gone = inbox.forget_bodies(unit.connection, before=before, but=tuple(ways))
        for channel, reduce in ways.items():
            with self._ledger.change() as unit:
                for record in inbox.aged_inbound(unit.connection, channel, before=before, limit=MOST_REDUCED):
                    until = record.received_us + LEFT_DAYS * DAY_US
                    left = reduce(record.kind, record.body or b"") if until > now else None
                    inbox.keep_inbound(unit.connection, record.id, left, until=max(until, now))
                    gone += 1
        return gone

    def _later(self, record: InboundRecord, code: str) -> None:
        """Have a delivery wait to be tried again; one that is too old has failed."""
        now = self._clock.now_us()
        if patience.exhausted(record.received_us, now):
            self._end(record, "failed", code)
            return
        with self._ledger.change() as unit:
            inbox.uncount_inbound(unit.connection, record.id, now=now)

    def _end(self, record: InboundRecord, state: State, code: str) -> str:
        with self._ledger.change() as unit:
            ended = inbox.end_inbound(unit.connection, record.id, state, code, now=self._clock.now_us())
            if ended and state == "failed":
                unit.record(
                    DeliveryFailed(
                        workspace=self._workspace,
                        channel=record.channel,
                        delivery=record.id,
                        received=_code(record.kind, "unknown"),
                        code=_code(code, "failed"),
                    )
                )
        return code


def _code(text: str, otherwise: str) -> str:
    """Give a word that the log takes: ``text``, where it is one."""
    word = text.replace(".", "_").replace("-", "_")
    return word if _CODE.fullmatch(word) else otherwise
