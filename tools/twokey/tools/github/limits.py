"""Reads how long GitHub asks to wait, and says so.

Rules: a request that ran into a limit was not carried out. What is waited for is what GitHub names, by its own clock
and not by this machine's, and an hour at most, whatever it names.
"""

from email.utils import parsedate_to_datetime
from typing import Final

from twokey.core.errors import TryLater
from twokey.tools.github.wire import Reply

LONGEST_S: Final = 3600.0
"""The primary limit of GitHub is renewed every hour."""
_SECONDARY_S: Final = 60.0
"""What GitHub asks for where it names no time."""
_DIGITS: Final = 12


def wait_of(reply: Reply) -> float | None:
    """Say how many seconds GitHub asks to wait, or ``None`` where this is no rate limit.

    After "Rate limits for the REST API" and "Best practices for using the REST API" of GitHub's documentation.
    """
    if reply.status not in {403, 429}:
        return None
    after = _number(reply.headers.get("retry-after", ""))
    if after is not None:
        return min(after, LONGEST_S)
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = _number(reply.headers.get("x-ratelimit-reset", ""))
        if reset is not None:
            return min(max(1.0, reset - _server_time(reply, reset - _SECONDARY_S)), LONGEST_S)
        return _SECONDARY_S
    return _SECONDARY_S if reply.status == 429 or b"secondary rate limit" in reply.body else None


def later(seconds: float) -> TryLater:
    """Give the error that says to come back after that."""
    return TryLater(
        f"GitHub asks for a pause of {seconds:.0f} s (rate limit).",
        next="Try again after that; nothing was lost.",
        code="github_rate_limit",
        seconds=seconds,
    )


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def _server_time(reply: Reply, otherwise: float) -> float:
    """Give GitHub's own time, so that a clock that is wrong here changes nothing."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except ValueError:
        return otherwise
