"""What people do in the twin, as the payloads that Slack makes of it, and how it delivers them over HTTP."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from twins.slack.server import Twin
from twins.slack.world import Message, World

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(frozen=True)
class Delivered:
    """What the app answered."""

    status: int
    body: bytes
    attempts: int = 1


def slash(world: World, user: str, channel: str, text: str, *, team: str | None = None) -> dict[str, Any]:
    """Somebody types ``/twokey TEXT``."""
    known = world.users[user]
    return {
        "token": "deprecated",
        "team_id": team or known.team,
        "team_domain": "test",
        "channel_id": channel,
        "channel_name": channel.lower(),
        "user_id": user,
        "user_name": known.name,
        "command": "/twokey",
        "text": text,
        "api_app_id": world.app,
        "is_enterprise_install": "false",
        "trigger_id": world.trigger(user),
    }


def click(world: World, user: str, message: Message, action: str, *, value: str | None = None) -> dict[str, Any]:
    """Somebody presses a button of a message; ``value`` forges what it holds."""
    button = message.buttons()[action]
    team = world.users[user].team
    return {
        "type": "block_actions",
        "api_app_id": world.app,
        "team": {"id": team, "domain": "test"},
        "enterprise": None,
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team},
        "channel": {"id": message.channel, "name": "channel"},
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": False,
        },
        "message": message.as_json(),
        "trigger_id": world.trigger(user),
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": button["block_id"],
                "text": button["text"],
                "value": button.get("value", "") if value is None else value,
                "action_ts": world.ts(),
            }
        ],
    }


def click_in_view(world: World, user: str, view: dict[str, Any], action: str, about: str = "") -> dict[str, Any]:
    """Somebody presses a button of a view; where there are several, the one whose value begins with ``about``."""
    team = world.users[user].team
    button = next(
        {"block_id": block.get("block_id", ""), **element}
        for block in view["blocks"]
        for element in block.get("elements", [])
        if element.get("action_id") == action and element.get("value", "").startswith(about)
    )
    return {
        "type": "block_actions",
        "api_app_id": world.app,
        "team": {"id": team, "domain": "test"},
        "user": {"id": user, "name": user.lower(), "team_id": team},
        "container": {"type": "view", "view_id": view.get("id", "")},
        "view": {"app_id": world.app, "team_id": team, **view},
        "trigger_id": world.trigger(user),
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": button["block_id"],
                "value": button.get("value", ""),
                "action_ts": world.ts(),
            }
        ],
    }


def shortcut(world: World, user: str, message: Message, callback: str = "twokey.thread") -> dict[str, Any]:
    """Somebody chooses a shortcut of the app in the menu of a message."""
    team, shown = world.users[user].team, message.as_json()
    if message.thread is None and any(item.thread == message.ts for item in world.messages):
        shown["thread_ts"] = message.ts
    return {
        "type": "message_action",
        "token": "deprecated",
        "action_ts": world.ts(),
        "team": {"id": team, "domain": "test"},
        "user": {"id": user, "username": user.lower(), "team_id": team, "name": user.lower()},
        "channel": {"id": message.channel, "name": world.channels[message.channel].name},
        "is_enterprise_install": False,
        "enterprise": None,
        "api_app_id": world.app,
        "callback_id": callback,
        "trigger_id": world.trigger(user),
        "message_ts": message.ts,
        "message": shown,
    }


def submit(world: World, user: str, view: dict[str, Any], values: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Somebody submits a modal; ``values`` by block id and action id."""
    team = world.users[user].team
    state = {
        block: {action: {"type": "plain_text_input", "value": text} for action, text in given.items()}
        for block, given in values.items()
    }
    return {
        "type": "view_submission",
        "api_app_id": world.app,
        "team": {"id": team, "domain": "test"},
        "user": {"id": user, "name": user.lower(), "team_id": team},
        "trigger_id": world.trigger(user),
        "view": {**view, "state": {"values": state}, "app_id": world.app, "team_id": team},
    }


def event(world: World, user: str, inner: dict[str, Any], *, team: str | None = None) -> dict[str, Any]:
    """Something happened, as the Events API says it."""
    team = team or world.users[user].team
    return {
        "token": "deprecated",
        "team_id": team,
        "api_app_id": world.app,
        "type": "event_callback",
        "event_id": f"Ev{world.number():010d}",
        "event_time": int(world.now()),
        "authorizations": [{"team_id": team, "user_id": f"UBOT{team}", "is_bot": True}],
        "event": {"user": user, "team": team, "event_ts": world.ts(), **inner},
    }


def mention(world: World, user: str, channel: str, text: str, **more: Any) -> dict[str, Any]:
    """Somebody mentions the app in a channel."""
    said = world.say(channel, user, text)
    inner = {"type": "app_mention", "text": text, "channel": channel, "ts": said.ts, **more}
    return event(world, user, inner)


def to_assistant(world: World, user: str, text: str) -> dict[str, Any]:
    """Somebody writes in the assistant pane."""
    direct = world.direct(user, world.users[user].team)
    first = world.say(direct.id, f"UBOT{direct.team}", "New chat")
    said = world.say(direct.id, user, text, thread=first.ts)
    inner = {
        "type": "message",
        "channel_type": "im",
        "channel": direct.id,
        "text": text,
        "ts": said.ts,
        "thread_ts": first.ts,
    }
    return event(world, user, inner)


@dataclass
class Courier:
    """Delivers over HTTP with signatures, and tries events again."""

    twin: Twin
    url: str
    secret: str
    patience_s: float = 120.0
    """Slack itself waits for three seconds; how fast answers are is measured by `bench slack`, not on a busy machine."""
    log: list[Delivered] = field(default_factory=list[Delivered])

    def form(self, payload: dict[str, Any]) -> Delivered:
        """Deliver a command."""
        hook = self.twin.world.hook(payload["channel_id"], payload["user_id"])
        return self.raw(urlencode(payload | {"response_url": self.twin.base + hook}).encode(), FORM)

    def interaction(self, payload: dict[str, Any]) -> Delivered:
        """Deliver a click, a shortcut or a submitted view."""
        channel = payload.get("channel", {}).get("id")
        if channel and payload.get("type") != "view_submission":
            hook = self.twin.world.hook(channel, payload["user"]["id"])
            payload = payload | {"response_url": self.twin.base + hook}
        return self.raw(urlencode({"payload": json.dumps(payload)}).encode(), FORM)

    def event(self, payload: dict[str, Any]) -> Delivered:
        """Deliver an event, up to three more times where it was not taken."""
        body = json.dumps(payload).encode()
        done = self.raw(body, JSON)
        for number in range(1, 4):
            if done.status == 200:
                return done
            retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_error"}
            again = self.raw(body, JSON, headers=retry)
            done = Delivered(again.status, again.body, number + 1)
        return done

    def raw(
        self, body: bytes, kind: str, *, at: float | None = None, headers: Mapping[str, str] | None = None
    ) -> Delivered:
        """Deliver bytes, signed now or at a time of the test's choice; ``headers`` replace what Slack would send."""
        stamp = str(int(time.time() if at is None else at))
        given = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp}
        given["X-Slack-Signature"] = sign(self.secret, stamp, body)
        request = urllib.request.Request(self.url, data=body, headers=given | dict(headers or {}), method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.patience_s) as answer:  # noqa: S310 - this machine
                done = Delivered(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                done = Delivered(error.code, error.read())
        self.log.append(done)
        return done


def sign(secret: str, stamp: str, body: bytes) -> str:
    """The signature that Slack sends along."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
