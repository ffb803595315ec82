"""Takes deliveries of GitHub: verified, stored, acknowledged, in this order.

Rules: nothing is parsed before the signature was checked. A delivery is known again by its bytes, for its id is a
header and headers are not signed: whoever sends old bytes again, under whatever id or name of an event, is answered
politely and nothing happens. What nothing follows from is acknowledged and not stored. The name of an event is a hint:
what follows from a delivery is decided by what GitHub says when it is asked.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from twokey.channels.github.payloads import KINDS
from twokey.channels.github.signing import Verifier
from twokey.core.values import Channel

PATH: Final = "/github/webhook"


class Keeper(Protocol):
    """Keeps what was received until a worker has handled it."""

    def take(self, channel: Channel, key: str, kind: str, body: bytes) -> str | None:
        """Keep something, durably when it returns; gives its id, or nothing where it was kept before."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What GitHub is answered, and the code of what became of the delivery."""

    status: int
    text: str
    code: str


class Intake:
    """The address that GitHub delivers to."""

    def __init__(self, keeper: Keeper, verifier: Verifier) -> None:
        self._keeper = keeper
        self._verifier = verifier

    def deliver(self, headers: Mapping[str, str], body: bytes) -> Taken:
        """Take one delivery.

        Raises:
            NotAuthenticated: it is not from GitHub.
            LogUnavailable: it could not be stored; GitHub is not told that it was.

        """
        self._verifier.check(headers, body)
        kind = headers.get("x-github-event", "")
        if kind not in KINDS:
            return Taken(202, "Nothing follows from that.", "ignored_kind")
        if kind == "ping":
            return Taken(200, "Hello.", "ping")
        kept = self._keeper.take("github", f"sha256:{hashlib.sha256(body).hexdigest()}", kind, body)
        return Taken(202, "Taken.", "taken") if kept else Taken(202, "Known already.", "known")
