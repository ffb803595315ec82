"""What channels show elsewhere: one message for each purpose and place, posted once and kept up to date.

Rules
- A message is wanted in the transaction that makes it necessary; its words are rendered from how things stand when it
  is posted, and are never stored.
- Before anything is sent the attempt is committed. Where an attempt may have got through and nobody knows, whoever
  comes next looks for the message by its marker (the message's id) and posts only where it is not there.
- One process posts a message at a time, under a lease that is longer than a poster may take.
- A posted message bears the time from before its words were rendered: what changed since may not be in them. One that
  shows a run also bears when that run had changed last, by the clock of whoever drove it: no two clocks are compared.
- Who is asked to wait waits. That and what else the surroundings did counts as no attempt: such a message is tried
  again until it has been wanted for too long (``patience``).
- What fails for good is tried no more until it is wanted again; where that was while the attempt ran, it is tried anew.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from twokey.channels import patience
from twokey.core import jobs
from twokey.core.errors import EnvironmentFault, LogUnavailable, TryLater, TwokeyError
from twokey.core.ports import Clock, Dispatcher, Ids
from twokey.core.values import Channel
from twokey.store import messages
from twokey.store.messages import MessageRecord, State
from twokey.tools.ledger import Ledger, Unit

LEASE_S: Final = 120
"""How long a message belongs to who posts it, in seconds. A poster gives up earlier: ``POSTER_S``."""
POSTER_S: Final = 60
"""How long a poster may take for one message, in seconds."""
MAX_ATTEMPTS: Final = jobs.MAX_ATTEMPTS
LONGEST_WAIT_S: Final = 3600

_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_logger: Final = logging.getLogger("twokey.postbox")


@dataclass(frozen=True, slots=True)
class Message:
    """A message, as its poster gets it. Its ``id`` is the marker by which it can be found again."""

    id: str
    channel: Channel
    place: str
    purpose: str


class Poster(Protocol):
    """Posts the messages of one channel. Each call ends within ``POSTER_S``.

    Each may raise ``TryLater`` where nothing was sent and it has to wait, ``EnvironmentFault`` where nobody knows
    whether it got through, and any other ``TwokeyError`` where it did not and never will.
    """

    def find(self, message: Message) -> str | None:
        """Look for a message by its marker; gives how the other side names it."""
        ...

    def post(self, message: Message) -> str:
        """Render and post a message with its marker; gives how the other side names it."""
        ...

    def update(self, message: Message, remote: str) -> None:
        """Render a message anew and put it in the place of what stands there."""
        ...


class Postbox:
    """Wants and posts the messages of one workspace. Safe in several processes at once."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        dispatcher: Callable[[], Dispatcher],
        posters: Callable[[], Mapping[str, Poster]],
        clock: Clock,
        ids: Ids,
    ) -> None:
        """``posters`` gives who posts the messages of each channel; it is asked when there is one to post."""
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._posters = posters
        self._clock = clock
        self._ids = ids

    def want(self, unit: Unit, channel: Channel, place: str, purpose: str) -> str:
        """Want a message in an open transaction, or want it to show what has changed; gives its id.

        Once the transaction has committed, ``send`` has it posted at once; without that, recovery finds it.
        """
        fresh, now = self._ids.new("m"), self._clock.now_us()
        if messages.add_message(unit.connection, fresh, channel=channel, place=place, purpose=purpose, now=now):
            return fresh
        found = str(messages.find_message(unit.connection, channel=channel, place=place, purpose=purpose))
        messages.want_again(unit.connection, found, now=now)
        return found

    def want_once(self, unit: Unit, channel: Channel, place: str, purpose: str) -> list[str]:
        """Want a message whose words never change; gives its id unless one is wanted or stands there already.

        One that has failed is wanted again.
        """
        found = messages.find_message(unit.connection, channel=channel, place=place, purpose=purpose)
        record = None if found is None else messages.get_message(unit.connection, found)
        if record is not None and record.state != "failed":
            return []
        return [self.want(unit, channel, place, purpose)]

    def refresh(self, unit: Unit, purpose: str) -> list[str]:
        """Want every message for a purpose to show what has changed; gives their ids."""
        found = messages.list_messages(unit.connection, purpose)
        for record in found:
            messages.want_again(unit.connection, record.id, now=self._clock.now_us())
        return [record.id for record in found]

    def send(self, *wanted: str) -> None:
        """Have messages posted by the workers; where the queue cannot be reached, recovery finds them."""
        for message in wanted:
            try:
                self._dispatcher().submit(jobs.post(message))
            except LogUnavailable as error:
                _logger.warning("%s could not be queued: %s", message, error.message)

    def find(self, message: str) -> MessageRecord | None:
        """Read one message; none where there is none."""
        with self._ledger.look() as connection:
            return messages.get_message(connection, message)

    def shown(self, purpose: str) -> list[MessageRecord]:
        """Give the messages for a purpose, wherever they stand."""
        with self._ledger.look() as connection:
            return messages.list_messages(connection, purpose)

    def waiting(self, *, before: int, limit: int) -> list[str]:
        """Give the messages that are due, that nobody posts and nobody touched since ``before`` (microseconds)."""
        with self._ledger.look() as connection:
            return messages.waiting_messages(connection, now=self._clock.now_us(), before=before, limit=limit)

    def post(self, message: str) -> str:
        """Post a message, or bring it up to date; gives ``posted``, ``failed``, or ``over`` where nothing is to do.

        Raises:
            TryLater: it has to wait; its row says until when.
            EnvironmentFault: nobody knows whether it got through; it is to be tried again, for long enough.
            TwokeyError: it has failed for good, and its row says why.

        """
        seen, holder = self.find(message), self._ids.new("x")
        now = self._clock.now_us()
        if seen is None or not self._claim(seen, holder, now):
            return "over"
        if seen.attempts >= MAX_ATTEMPTS:
            return self._end(seen, holder, "failed", "cut_off")
        reached: State = seen.state
        try:
            poster = patience.part(self._posters, seen.channel)
            reached = "posting"
            remote = self._sent(poster, seen)
        except TryLater as later:
            wait = int(min(max(later.seconds, 1), LONGEST_WAIT_S) * 1_000_000)
            until = self._clock.now_us() + wait
            self._later(seen, holder, seen.state, "waits", not_before_us=until)
            raise
        except EnvironmentFault as error:
            self._later(seen, holder, reached, error.code)
            raise
        except TwokeyError as error:
            self._end(seen, holder, "failed", error.code, anew=seen.state)
            raise
        except Exception:  # an own fault: counted, and told on
            self._end(seen, holder, "failed" if seen.attempts + 1 >= MAX_ATTEMPTS else "posting", "internal")
            raise
        return self._posted(seen, holder, remote, now)

    def _claim(self, seen: MessageRecord, holder: str, now: int) -> bool:
        with self._ledger.change() as unit:
            return messages.claim_message(
                unit.connection, seen, holder=holder, now=now, until=now + LEASE_S * 1_000_000
            )

    @staticmethod
    def _sent(poster: Poster, seen: MessageRecord) -> str:
        """Bring one message to the other side. ``posting`` says that an earlier attempt may have got through."""
        message, remote = Message(seen.id, seen.channel, seen.place, seen.purpose), seen.remote
        if remote is None and seen.state == "posting":
            remote = poster.find(message)
        if remote is None:
            return poster.post(message)
        poster.update(message, remote)
        return remote

    def _posted(self, seen: MessageRecord, holder: str, remote: str, looked_us: int) -> str:
        """Note what stands there now, as of ``looked_us``; where more was wanted meanwhile, have it shown, too."""
        with self._ledger.change() as unit:
            more = messages.wanted_since(unit.connection, seen)
            messages.end_message(
                unit.connection,
                seen.id,
                holder=holder,
                state="wanted" if more else "posted",
                now=looked_us,
                remote=remote,
                version=seen.wanted,
                attempts=0,
            )
        if more:
            self.send(seen.id)
        return "posted"

    def _later(self, seen: MessageRecord, holder: str, state: State, code: str, **changes: int) -> None:
        """Have a message wait to be tried again; one that has been wanted for too long has failed."""
        if patience.exhausted(seen.wanted_us, self._clock.now_us()):
            state = "failed"
        self._end(seen, holder, state, code, {"attempts": seen.attempts, **changes})

    def _end(
        self,
        seen: MessageRecord,
        holder: str,
        state: State,
        code: str,
        changes: Mapping[str, int] = _NONE,
        *,
        anew: State = "posting",
    ) -> str:
        """Note how an attempt ended. Where more was wanted meanwhile, it has not failed: it is tried ``anew``."""
        with self._ledger.change() as unit:
            again = state == "failed" and messages.wanted_since(unit.connection, seen)
            if again:
                state, changes = anew, {"attempts": 0}
            messages.end_message(
                unit.connection, seen.id, holder=holder, state=state, code=code, now=self._clock.now_us(), **changes
            )
        if again:
            self.send(seen.id)
        return state
