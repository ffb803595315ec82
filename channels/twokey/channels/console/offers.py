"""Sessions that were offered to a browser and wait for its signatures.

Rules: an offer is good for two minutes and for one attempt, in this process; of too many the oldest make room.
"""

import threading
from dataclasses import dataclass
from typing import Final

from twokey.core.errors import Refused
from twokey.core.events import SessionOpened
from twokey.core.ports import Clock

OFFER_US: Final = 2 * 60 * 1_000_000
OFFERS: Final = 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """A session as it would be, and what its cookie would hold."""

    opened: SessionOpened
    secret: str


class Offers:
    """What was offered to browsers and waits to be signed, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, Offer] = {}

    def put(self, offer: Offer) -> None:
        """Keep an offer; the oldest make room."""
        with self._lock:
            self._waiting.pop(offer.opened.session, None)
            self._waiting[offer.opened.session] = offer
            while len(self._waiting) > OFFERS:
                del self._waiting[next(iter(self._waiting))]

    def take(self, session: str) -> Offer:
        """Give an offer once; raises ``Refused``."""
        with self._lock:
            offer = self._waiting.pop(session, None)
        if offer is None or self._clock.now_us() > offer.opened.at_us + OFFER_US:
            raise Refused("This took too long.", next="Open the link again.", code="offer_over")
        return offer
