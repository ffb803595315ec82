"""Takes deliveries of alerts: verified, stored, acknowledged, in this order.

Rules: nothing is parsed before it has proven where it is from. A delivery is known again by its bytes, so that what is
sent again, by its sender or by somebody who caught it, is answered politely and nothing happens.
"""

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from twokey.channels.alerts.signing import check
from twokey.channels.routes import Delivery, Reply
from twokey.core.values import Channel
from twokey.tools.read.telemetry.paging import Kind

PATH: Final = "/alerts/"
"""The address of a trigger is this and its name."""
MAX_BODY: Final = 1024 * 1024


class Keeper(Protocol):
    """Keeps what was received until a worker has handled it."""

    def take(self, channel: Channel, key: str, kind: str, body: bytes) -> str | None:
        """Keep something, durably when it returns; gives its id, or nothing where it was kept before."""
        ...


class Intake:
    """The address of one trigger. ``secrets`` is asked for each delivery: workers need not know them."""

    def __init__(self, keeper: Keeper, name: str, kind: Kind, secrets: Callable[[], tuple[bytes, ...]]) -> None:
        self._keeper = keeper
        self._name = name
        self._kind: Kind = kind
        self._secrets = secrets

    def deliver(self, delivery: Delivery) -> Reply:
        """Take one delivery.

        Raises:
            NotAuthenticated: it does not prove where it is from.
            LogUnavailable: it could not be stored; its sender is not told that it was.

        """
        check(self._kind, self._secrets(), delivery.headers, delivery.body)
        key = hashlib.sha256(self._name.encode() + b"\0" + delivery.body).hexdigest()
        kept = self._keeper.take("alerts", f"sha256:{key}", f"{self._kind}.{self._name}", delivery.body)
        return Reply(202, b"Taken.\n" if kept else b"Known already.\n")
