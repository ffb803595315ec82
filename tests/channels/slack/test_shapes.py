"""Whatever Slack sends is read or ignored; nothing that it sends is an error here."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins.slack.people import FORM, JSON

from twokey.channels.slack import shapes
from twokey.channels.slack.shapes import Click, Command, Event, Ignored, Submission, View

COMMAND = {
    "team_id": "T1",
    "user_id": "U1",
    "channel_id": "C1",
    "command": "/twokey",
    "text": "help",
    "trigger_id": "1.2.3",
}
CLICK = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1", "team_id": "T1"},
    "trigger_id": "1.2.4",
    "actions": [{"action_id": "twokey.approve", "value": "v"}],
}
SUBMISSION = {
    "type": "view_submission",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "view": {"callback_id": "twokey.refuse", "state": {"values": {"reason": {"reason": {"value": "no"}}}}},
}
SHORTCUT = {
    "type": "message_action",
    "callback_id": "twokey.thread",
    "team": {"id": "T1"},
    "user": {"id": "U1", "team_id": "T1"},
    "channel": {"id": "C1"},
    "message": {"ts": "1.1", "thread_ts": "1.0"},
    "action_ts": "2.1",
    "trigger_id": "1.2.5",
}
EVENT = {
    "type": "event_callback",
    "team_id": "T1",
    "event_id": "Ev1",
    "event": {"type": "app_mention", "user": "U1", "team": "T2", "channel": "C1", "text": "hi", "ts": "1.1"},
}


def as_sent(line: dict[str, Any]) -> tuple[bytes, str]:
    """The body and content type with which Slack would send a recorded payload."""
    payload, transport = line["payload"], line["transport"]
    if transport == "form":
        return urlencode(payload).encode(), FORM
    if transport == "form:payload":
        return urlencode({"payload": json.dumps(payload)}).encode(), FORM
    return json.dumps(payload).encode(), JSON


def test_every_recorded_payload_is_read_or_ignored(data: Path) -> None:
    seen: Counter[str] = Counter()
    for text in (data / "slack" / "inbound_payloads.jsonl").read_text().splitlines():
        line = json.loads(text)
        payload = shapes.parsed(*as_sent(line))
        assert payload is not None, line
        inner = payload.get("payload", payload) if line["transport"] == "socket_mode" else payload
        shape = shapes.read(inner)
        seen[shape.code if isinstance(shape, Ignored) else type(shape).__name__] += 1
        if not isinstance(shape, Ignored):
            assert len(shapes.key(shape, inner)) == 64
    assert sum(seen.values()) == 74
    assert seen["Event"] >= 15
    assert seen["Click"] >= 4
    assert seen["Submission"] >= 5


def test_every_blank_shape_is_read_or_ignored(data: Path) -> None:
    files = sorted((data / "slack" / "event_shapes").iterdir())
    assert len(files) == 41
    for file in files:
        payload = shapes.parsed(file.read_bytes(), JSON)
        assert payload is not None
        assert isinstance(shapes.read(payload), (Ignored, Event)), file.name


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8), st.sampled_from([COMMAND, CLICK, SUBMISSION, SHORTCUT, EVENT]), st.data())  # fmt: skip
@settings(max_examples=200)
def test_a_field_of_any_form_is_no_error(value: Any, known: dict[str, Any], data: st.DataObject) -> None:
    payload = json.loads(json.dumps(known))
    name = data.draw(st.sampled_from(sorted(payload)))
    inner = payload.get("event")
    if isinstance(inner, dict) and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = value
    else:
        payload[name] = value
    shape = shapes.read(payload)
    if not isinstance(shape, Ignored):
        shapes.key(shape, payload)
        assert shape.actor is None or shape.actor.user


@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, "", "text/plain; charset=x"]))
def test_bytes_of_any_kind_are_no_error(body: bytes, kind: str) -> None:
    payload = shapes.parsed(body, kind)
    if payload is not None:
        shapes.read(payload)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"{" * 100_000, b"\xff", b'"x"', b"[]", b"NaN", b'{"a":' * 50_000, b""]
)
def test_a_body_that_is_no_object_holds_nothing(body: bytes) -> None:
    assert shapes.parsed(body, JSON) is None


def test_a_form_with_a_payload_that_is_no_json_holds_nothing() -> None:
    assert shapes.parsed(b"payload=%7B", FORM) is None
    assert shapes.parsed(b"&".join(b"a=1" for _ in range(200)), FORM) is None


def test_who_acted_is_named_with_every_workspace_of_theirs() -> None:
    command, click, event = shapes.read(COMMAND), shapes.read(CLICK), shapes.read(EVENT)
    assert isinstance(command, Command)
    assert (command.actor.team, command.actor.user, command.actor.teams) == ("T1", "U1", frozenset())
    assert isinstance(click, Click)
    assert click.actor.teams == {"T1"}
    assert isinstance(event, Event)
    assert event.actor is not None
    assert (event.actor.team, event.actor.teams) == ("T1", {"T2"})
    nobody = shapes.read({**EVENT, "event": {"type": "app_mention"}})
    assert isinstance(nobody, Event)
    assert nobody.actor is None


def test_the_same_act_has_the_same_key_however_it_is_delivered() -> None:
    def key(payload: dict[str, Any]) -> str:
        shape = shapes.read(payload)
        assert not isinstance(shape, Ignored)
        return shapes.key(shape, payload)

    assert key(COMMAND) == key(COMMAND | {"response_url": "https://other"})
    assert key(COMMAND) != key(COMMAND | {"trigger_id": "1.2.9"})
    assert key(EVENT) == key({**EVENT, "event_time": 5})
    assert key(EVENT) != key(EVENT | {"team_id": "T2"})
    assert key(CLICK) != key(COMMAND | {"trigger_id": "1.2.4"})
    assert key(SUBMISSION) != key({**SUBMISSION, "user": {"id": "U2"}})
    assert key(SUBMISSION) == key(dict(reversed(SUBMISSION.items())))
    assert key(SUBMISSION | {"trigger_id": "1"}) == key({**SUBMISSION, "trigger_id": "1", "user": {"id": "U2"}})


def test_what_is_not_ours_is_ignored_with_a_code() -> None:
    def ignored(payload: dict[str, Any]) -> str:
        shape = shapes.read(payload)
        assert isinstance(shape, Ignored)
        return shape.code

    assert ignored(COMMAND | {"command": "/deploy"}) == "unknown_command"
    assert ignored(COMMAND | {"user_id": "../../x"}) == "unreadable"
    assert ignored({**EVENT, "event": {"type": "pin_added"}}) == "unknown_event"
    assert ignored({"type": "view_closed"}) == "unknown_kind"
    assert ignored({}) == "unknown_kind"
    assert ignored(CLICK | {"actions": []}) == "unreadable"


def test_what_was_typed_survives_lone_surrogates_and_other_types() -> None:
    shape = shapes.read(
        json.loads(
            '{"team_id":"T1","user_id":"U1","channel_id":"C1","command":"/twokey","text":"\\ud800x","trigger_id":"1"}'
        )
    )
    assert isinstance(shape, Command)
    assert shape.text == "?x"
    submitted = shapes.read(SUBMISSION)
    assert isinstance(submitted, Submission)
    assert submitted.view.typed("reason", "reason") == "no"
    assert submitted.view.typed("other", "reason") == ""
    view = View.model_validate({"state": {"values": {"a": {"a": {"value": 5}}}}})
    assert view.typed("a", "a") == ""
