"""Where Slack's deliveries come in: over HTTP and over Socket Mode, verified, kept, and only then acknowledged.

Rules: nothing is done before the acknowledgement but to verify, read and keep; what is acknowledged is durable. The
same act of a person is kept once, however often and by whatever way it is delivered. What nobody waits for is
acknowledged and not kept. Where it cannot be kept it is not acknowledged, and Slack delivers it again.

Steps: verify -> read -> keep -> acknowledge. What it means is found out later, by a worker.
"""

import json
import logging
from typing import Any, Final, Protocol

from twokey.channels.routes import Delivery, Reply
from twokey.channels.slack import shapes
from twokey.channels.slack.shapes import Ignored
from twokey.channels.slack.signing import Verifier

CHANNEL: Final = "slack"
_logger: Final = logging.getLogger("twokey.slack")


class Keeper(Protocol):
    """Keeps what was received until a worker has handled it."""

    def take(self, channel: Any, key: str, kind: str, body: bytes) -> str | None:
        """Keep something, durably when it returns; gives its id, or nothing where it was kept before."""
        ...


class Intake:
    """Takes deliveries of one app."""

    def __init__(self, keeper: Keeper, verifier: Verifier | None) -> None:
        """``verifier`` is what HTTP deliveries are checked with; without one there are none."""
        self._keeper = keeper
        self._verifier = verifier

    def http(self, delivery: Delivery) -> Reply:
        """Take a request, and give what Slack gets back.

        Raises:
            NotAuthenticated: it does not prove to come from Slack.
            LogUnavailable: it cannot be kept now.

        """
        if self._verifier is None:
            raise ValueError("this app takes no deliveries over HTTP")
        self._verifier.check(delivery.headers, delivery.body)
        payload = shapes.parsed(delivery.body, delivery.headers.get("content-type", ""))
        if payload is None:
            _logger.info("ignored: unreadable")
            return Reply()
        if payload.get("type") == "url_verification":  # asked once, when the address is entered at Slack
            challenge = payload.get("challenge")
            return Reply(body=challenge[:400].encode("ascii", "replace") if isinstance(challenge, str) else b"")
        self.payload(payload)
        return Reply()

    def payload(self, payload: dict[str, Any]) -> str:
        """Take a payload that is known to come from Slack; gives what became of it.

        Raises:
            LogUnavailable: it cannot be kept now.

        """
        shape = shapes.read(payload)
        if isinstance(shape, Ignored):
            _logger.info("ignored: %s", shape.code)
            return shape.code
        body = json.dumps(payload).encode("ascii")
        kept = self._keeper.take(CHANNEL, shapes.key(shape, payload), shapes.kind(shape), body)
        return "seen_before" if kept is None else "kept"
