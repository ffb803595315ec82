"""Only what Slack signed gets in, and nothing is looked into before."""

import json
import time
from pathlib import Path

import pytest
from twins.slack.people import sign

from twokey.channels.slack.signing import MAX_BODY, WINDOW_S, Verifier
from twokey.core.errors import NotAuthenticated

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_531_420_618


class At:
    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def now_us(self) -> int:
        return self.seconds * 1_000_000


def code(body: bytes, *, stamp: str = str(NOW), signature: str | None = None, at: int = NOW, **more: str) -> str:
    """What becomes of a request: ``taken``, or the code of the refusal."""
    headers = {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": sign(SECRET, stamp, body) if signature is None else signature,
    }
    try:
        Verifier(SECRET, At(at)).check(headers | {name.replace("_", "-"): item for name, item in more.items()}, body)
    except NotAuthenticated as refusal:
        return refusal.code
    return "taken"


def test_the_published_example_verifies(data: Path) -> None:
    (example,) = json.loads((data / "slack" / "signature_vectors.json").read_text())
    stamp = example["timestamp"]
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": example["x-slack-signature"]}
    Verifier(example["secret"], At(int(stamp))).check(headers, example["body"].encode())
    with pytest.raises(NotAuthenticated):
        Verifier(example["secret"], At(int(stamp))).check(headers, example["body"].encode() + b"&x=1")


def test_a_signature_holds_for_five_minutes() -> None:
    assert code(b"x", at=NOW + WINDOW_S) == "taken"
    assert code(b"x", at=NOW - WINDOW_S) == "taken"
    assert code(b"x", at=NOW + WINDOW_S + 1) == "stale_timestamp"
    assert code(b"x", at=NOW - WINDOW_S - 1) == "stale_timestamp"


@pytest.mark.parametrize("stamp", ["soon", "1e9", "-1", "+1", " 1", "1_0", "١٢٣", "9" * 12, "1.5", "0x1", "\ud800"])
def test_a_time_stamp_that_is_no_number_is_refused(stamp: str) -> None:
    signature = "v0=" + "0" * 64
    assert code(b"x", stamp=stamp, signature=signature) == "bad_timestamp"


@pytest.mark.parametrize("signature", ["v0=", "v1=" + "0" * 64, "v0=" + "0" * 64, "v0=" + "Z" * 64, "ü" * 67, "\ud800"])
def test_another_signature_is_refused(signature: str) -> None:
    assert code(b"x", signature=signature) == "bad_signature"


def test_a_capital_or_a_line_break_makes_another_signature() -> None:
    good = sign(SECRET, str(NOW), b"x")
    assert code(b"x", signature=good) == "taken"
    assert code(b"x", signature=good.upper()) == "bad_signature"
    assert code(b"x", signature=good + "\n") == "bad_signature"
    assert code(b"y", signature=good) == "bad_signature"


def test_headers_that_are_missing_or_there_twice_are_refused() -> None:
    good = sign(SECRET, str(NOW), b"x")
    assert code(b"x", x_slack_signature="") == "unsigned"
    assert code(b"x", x_slack_request_timestamp="") == "unsigned"
    assert code(b"x", x_slack_signature=f"{good}, {good}") == "bad_signature"
    assert code(b"x", x_slack_request_timestamp=f"{NOW}, {NOW}") == "bad_timestamp"


def test_a_body_that_is_too_large_is_refused_before_it_is_hashed() -> None:
    assert code(b"x" * MAX_BODY) == "taken"
    body = b"x" * (MAX_BODY + 1)
    started = time.process_time()
    assert code(body, signature="v0=" + "0" * 64) == "body_too_large"
    assert time.process_time() - started < 1


def test_nobody_verifies_with_an_empty_secret() -> None:
    with pytest.raises(ValueError, match="empty"):
        Verifier("", At(NOW))


def test_a_refusal_does_not_say_what_was_right() -> None:
    with pytest.raises(NotAuthenticated) as caught:
        Verifier(SECRET, At(NOW)).check({}, b"x")
    assert SECRET not in str(caught.value) + caught.value.next
