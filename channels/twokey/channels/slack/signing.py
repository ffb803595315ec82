"""Tells whether bytes came from Slack, before anybody looks into them.

Rules: the signature is checked over the raw body, as it came over the wire; nothing is parsed, decoded or logged
before it holds. A header that is missing, there twice or of another form is refused, a time stamp that is no plain
number or more than five minutes away likewise. A refusal says nothing about which part was right.

Source: Slack, "Verifying requests from Slack" (signature version v0, HMAC-SHA256).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from twokey.core.errors import NotAuthenticated
from twokey.core.ports import Clock

WINDOW_S: Final = 300
"""How far a time stamp may lie from this machine's clock, in seconds."""
MAX_BODY: Final = 1_000_000
"""How many bytes a request may have. What Slack sends stays far below."""
_STAMP: Final = re.compile(rb"[0-9]{1,11}")
_SIGNATURE: Final = re.compile(rb"v0=[0-9a-f]{64}")


def refused(code: str) -> NotAuthenticated:
    """Give the refusal of a request that did not prove to come from Slack."""
    return NotAuthenticated(
        "The request does not prove that it comes from Slack.",
        next="Check the signing secret of the app, and the clock of this machine, with `twokey doctor`.",
        code=code,
    )


class Verifier:
    """Checks requests with the signing secret of one app."""

    def __init__(self, secret: str, clock: Clock) -> None:
        if not secret:  # an empty key would let anybody sign
            raise ValueError("the signing secret is empty")
        self._secret = secret.encode()
        self._clock = clock

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return where the request comes from Slack.

        ``headers`` are by their names in small letters; one that came twice holds both values, and is refused for it.

        Raises:
            NotAuthenticated: it does not, or it is too old.

        """
        if len(body) > MAX_BODY:
            raise refused("body_too_large")
        stamp = headers.get("x-slack-request-timestamp", "").encode("utf-8", "replace")
        signature = headers.get("x-slack-signature", "").encode("utf-8", "replace")
        if not stamp or not signature:
            raise refused("unsigned")
        if not _STAMP.fullmatch(stamp):
            raise refused("bad_timestamp")
        if abs(self._clock.now_us() // 1_000_000 - int(stamp)) > WINDOW_S:
            raise refused("stale_timestamp")
        due = b"v0=" + hmac.new(self._secret, b"v0:" + stamp + b":" + body, hashlib.sha256).hexdigest().encode()
        if not _SIGNATURE.fullmatch(signature) or not hmac.compare_digest(due, signature):
            raise refused("bad_signature")
