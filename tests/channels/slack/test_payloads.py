"""Everything that Slack is known to send is worked off or politely ignored, from our workspace and from any other."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from support.slack_scene import SECRET, Scene
from twins.slack.people import FORM, JSON, sign

from twokey.channels.routes import Delivery
from twokey.channels.slack import shapes
from twokey.channels.slack.intake import Intake
from twokey.channels.slack.signing import Verifier
from twokey.core.entropy import SystemClock
from twokey.core.errors import NotAuthenticated, TwokeyError


def recorded(data: Path) -> list[dict[str, Any]]:
    """Every recorded payload and every blank shape."""
    lines = (data / "slack" / "inbound_payloads.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    payloads = [item["payload"] for item in found]
    inner = [item["payload"] for item in payloads if isinstance(item.get("payload"), dict)]
    shapes_ = [json.loads(file.read_text()) for file in sorted((data / "slack" / "event_shapes").iterdir())]
    assert (len(payloads), len(shapes_)) == (74, 41)
    return [*payloads, *inner, *shapes_]


def as_ours(payload: Any, *, key: str = "") -> Any:
    """The same payload, from our workspace, by one of our people."""
    if isinstance(payload, dict):
        return {name: as_ours(value, key=name) for name, value in payload.items()}
    if isinstance(payload, list):
        return [as_ours(value, key=key) for value in payload]
    if not isinstance(payload, str):
        return payload
    if key in {"team_id", "team", "user_team", "source_team"}:
        return "THOME"
    if key in {"user", "user_id"}:
        return "UANA"
    return {"T111": "THOME", "W111": "UANA", "/hello-world": "/twokey"}.get(payload, payload)


def worked_off(scene: Scene, payloads: list[dict[str, Any]]) -> Counter[str]:
    """What became of each; the same act comes once."""
    codes: Counter[str] = Counter()
    for payload in payloads:
        what = scene.slack.intake.payload(payload)
        codes[what] += 1
        for inbound in scene.inbox.waiting(before=2**52, limit=10):
            try:
                codes[scene.inbox.handle(inbound)] += 1
            except TwokeyError as error:
                codes[f"raised {error.code}"] += 1
    return codes


def test_payloads_of_other_workspaces_are_refused_or_ignored(scene: Scene, data: Path) -> None:
    writes = scene.written()
    codes = worked_off(scene, recorded(data))
    assert not [code for code in codes if code.startswith("raised")], codes
    assert codes["other_workspace"] >= 10
    assert scene.written() == writes


def test_the_same_payloads_from_our_workspace_are_worked_off_or_ignored(scene: Scene, data: Path) -> None:
    writes = scene.written()
    ours = [as_ours(payload) for payload in recorded(data)]
    (shortcut,) = [payload for payload in ours if payload.get("type") == "message_action"]
    shortcut |= {"callback_id": shapes.THREAD, "user": {"id": "UANA"}}
    codes = worked_off(scene, ours)
    assert not [code for code in codes if code.startswith("raised")], codes
    assert sum(codes.values()) > 115
    assert codes["thread_not_allowed"] == 1
    assert scene.written() == writes


def delivery(body: bytes, kind: str, **headers: str) -> Delivery:
    stamp = str(SystemClock().now_us() // 1_000_000)
    given = {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": sign(SECRET, stamp, body)}
    return Delivery("/slack/events", given | {name.replace("_", "-"): item for name, item in headers.items()}, body)


def test_over_http_what_is_signed_is_kept_and_what_is_not_is_not_looked_into(scene: Scene) -> None:
    intake = Intake(scene.inbox, Verifier(SECRET, SystemClock()))
    said = b"command=%2Ftwokey&team_id=THOME&user_id=UANA&channel_id=COPS&text=help&trigger_id=http.1"
    assert intake.http(delivery(said, FORM)).status == 200
    (kept,) = scene.inbox.waiting(before=2**52, limit=10)
    again = delivery(said, FORM, x_slack_retry_num="1", x_slack_retry_reason="http_timeout")
    assert intake.http(again).status == 200
    assert scene.inbox.waiting(before=2**52, limit=10) == [kept]
    assert scene.inbox.handle(kept) == "help"
    challenge = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB10FEMAGAZd4FyFQ", "token": "x"}).encode()
    assert intake.http(delivery(challenge, JSON)).body == b"3eZbrw1aB10FEMAGAZd4FyFQ"
    for body in (b"{", b"\xff\xfe", b"[" * 50_000, b'{"type":"url_verification","challenge":{}}', b"payload=%7B", b""):
        assert intake.http(delivery(body, JSON)).status == 200  # signed nonsense is acknowledged, and nothing more
    assert intake.http(delivery(b"payload=%7B", FORM)).status == 200
    refusals: list[str] = []
    for bad in (
        delivery(b"{", JSON, x_slack_signature="v0=" + "0" * 64),
        delivery(said, FORM, x_slack_request_timestamp="soon"),
        delivery(said, FORM, x_slack_request_timestamp="1"),
        delivery(said, FORM, x_slack_signature=""),
        delivery(b"x" * 1_000_001, FORM),
    ):
        try:
            intake.http(bad)
        except NotAuthenticated as refusal:
            refusals.append(refusal.code)
    assert refusals == ["bad_signature", "bad_timestamp", "stale_timestamp", "unsigned", "body_too_large"]
    assert scene.inbox.waiting(before=2**52, limit=10) == []


def test_what_was_kept_and_changed_since_is_no_error(scene: Scene) -> None:
    for number, body in enumerate((b"{", b"[]", b"\xff", b'{"type":"unheard_of"}', b"")):
        inbound = scene.inbox.take("slack", f"changed-{number}", "event", body)
        assert inbound is not None
        assert scene.inbox.handle(inbound).startswith("ignored_")


def test_kinds_that_are_waited_for_are_those_that_are_listened_to(scene: Scene) -> None:
    for kind in sorted(shapes.EVENTS - {"app_uninstalled", "tokens_revoked"}):
        event = {
            "type": "event_callback",
            "team_id": "THOME",
            "event_id": f"Ev-{kind}",
            "event": {
                "type": kind,
                "user": "UANA",
                "channel": "COPS",
                "text": "help",
                "ts": "1.1",
                "assistant_thread": {"user_id": "UANA", "channel_id": "COPS", "thread_ts": "1.1"},
            },
        }
        code = scene.do(event)
        assert code
        assert code != "ignored_no_listener" or kind == "assistant_thread_context_changed", kind
