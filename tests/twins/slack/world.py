"""The state of the twin: workspaces, people, channels, messages, views, tokens and what was refused."""

import itertools
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twins.slack.limits import texts

TRIGGER_S = 3.0
"""How long a trigger id may be used, in seconds."""
SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "metadata.message:read",
        "users:read",
    }
)
_ALIVE = re.compile(r"<(?:@|#|!|https?:|mailto:)[^>]*>")


@dataclass
class User:
    id: str
    team: str
    name: str
    guest: bool = False
    stranger: bool = False
    bot: bool = False
    deleted: bool = False

    def shown(self) -> dict[str, Any]:
        """What ``users.info`` says."""
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "is_bot": self.bot,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_stranger": self.stranger,
            "profile": {"team": self.team, "display_name": self.name},
        }


@dataclass
class Channel:
    id: str
    team: str
    name: str
    im: str | None = None
    """Of a direct message: the person."""
    members: set[str] = field(default_factory=set[str])
    archived: bool = False
    shared: bool = False

    @property
    def history(self) -> str:
        """The scope that reads it."""
        return "im:history" if self.im is not None else f"{'groups' if self.id[0] == 'G' else 'channels'}:history"


@dataclass
class Message:
    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Any]
    thread: str | None = None
    metadata: dict[str, Any] | None = None
    edits: int = 0
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    """What else the history says of it: a subtype, what is attached."""

    @property
    def alive(self) -> list[str]:
        """Mentions and links that would come alive."""
        found = _ALIVE.findall(self.text) if not self.blocks else []
        return found + alive_in(self.blocks)

    @property
    def shown(self) -> str:
        """Everything that a person reads."""
        return "\n".join(texts(self.blocks)) if self.blocks else self.text

    def as_json(self) -> dict[str, Any]:
        """What the history gives."""
        given: dict[str, Any] = {
            "type": "message",
            "ts": self.ts,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
        }
        if self.thread is not None:
            given["thread_ts"] = self.thread
        if self.metadata is not None:
            given["metadata"] = self.metadata
        return {**given, **self.more}

    def buttons(self) -> dict[str, dict[str, Any]]:
        """The controls of the message by their action ids."""
        found: dict[str, dict[str, Any]] = {}
        for block in self.blocks:
            for element in [*block.get("elements", []), block.get("accessory", {})]:
                if isinstance(element, dict) and element.get("action_id"):
                    found[element["action_id"]] = {"block_id": block.get("block_id", ""), **element}
        return found


@dataclass
class Token:
    team: str
    bot: str
    scopes: frozenset[str] = SCOPES
    revoked: bool = False


class World:
    """One Slack, with as many workspaces as a test wants."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.trigger_s = TRIGGER_S
        """How long a trigger id may be used here: a busy machine is given longer where that is not what is tested."""
        self.app = "A0TWOKEY"
        self.teams: dict[str, str] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self.ephemeral: list[dict[str, Any]] = []
        self.views: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.statuses: list[tuple[str, str, str]] = []
        self.prompts: list[dict[str, Any]] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, Token] = {}
        self.app_tokens: set[str] = set()
        self.triggers: dict[str, tuple[float, str, bool]] = {}
        self.hooks: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any], str]] = []
        """Method, arguments and what came of it: ``ok`` or the error."""
        self.spent: defaultdict[str, list[float]] = defaultdict(list)
        self._numbers = itertools.count(1)

    def number(self) -> int:
        return next(self._numbers)

    def team(self, identifier: str, *, token: str) -> None:
        """A workspace with the app installed."""
        self.teams[identifier] = identifier.lower()
        bot = f"UBOT{identifier}"
        self.users[bot] = User(bot, identifier, "twokey", bot=True)
        self.tokens[token] = Token(identifier, bot)

    def user(self, identifier: str, team: str, **flags: bool) -> User:
        """A person."""
        self.users[identifier] = User(identifier, team, identifier.lower(), **flags)
        return self.users[identifier]

    def channel(self, identifier: str, team: str, *members: str, shared: bool = False) -> Channel:
        """A channel, with the app in it."""
        made = Channel(identifier, team, identifier.lower(), members={*members, f"UBOT{team}"}, shared=shared)
        self.channels[identifier] = made
        return made

    def direct(self, user: str, team: str) -> Channel:
        """The direct message between a person and the app."""
        for channel in self.channels.values():
            if channel.im == user and channel.team == team:
                return channel
        identifier = f"D{user[1:]}"
        self.channels[identifier] = Channel(identifier, team, "", im=user, members={user, f"UBOT{team}"})
        return self.channels[identifier]

    def trigger(self, user: str) -> str:
        """A trigger id: for one use within three seconds."""
        identifier = f"{self.number()}.{self.number()}.{'f' * 32}"
        self.triggers[identifier] = (self.now(), user, False)
        return identifier

    def hook(self, channel: str, user: str) -> str:
        """A path for five answers within half an hour."""
        path = f"/hooks/{self.number()}"
        self.hooks[path] = {"channel": channel, "user": user, "uses": 0, "at": self.now(), "posts": []}
        return path

    def say(self, channel: str, user: str, text: str, thread: str | None = None) -> Message:
        """Somebody writes."""
        made = Message(channel, self.ts(), user, text, [], thread)
        self.messages.append(made)
        return made

    def delete(self, message: Message) -> None:
        """Somebody deletes a message: what begins a thread leaves a stone behind, all others leave nothing."""
        if any(item.thread == message.ts for item in self.messages):
            message.user, message.text, message.blocks = "USLACKBOT", "This message was deleted.", []
            message.more = {"subtype": "tombstone", "hidden": True}
        else:
            self.messages.remove(message)

    def ts(self) -> str:
        return f"{int(self.now())}.{self.number():06d}"

    def told(self, user: str) -> str:
        """Everything that was said to one person only, in order."""
        said = [item["text"] + "\n".join(texts(item["blocks"])) for item in self.ephemeral if item["user"] == user]
        for hook in self.hooks.values():
            if hook["user"] == user:
                said.extend(post.get("text", "") + "\n".join(texts(post.get("blocks", []))) for post in hook["posts"])
        return "\n".join(said)

    def by_app(self, channel: str | None = None) -> list[Message]:
        """What the app has posted."""
        return [
            message
            for message in self.messages
            if self.users.get(message.user, User("", "", "")).bot and channel in {None, message.channel}
        ]


def alive_in(value: Any) -> list[str]:
    """Mentions and links in blocks that would come alive."""
    found: list[str] = []
    if isinstance(value, list):
        for inner in value:
            found += alive_in(inner)
    elif isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            found += _ALIVE.findall(str(value.get("text", "")))
        if value.get("type") in {"user", "usergroup", "broadcast", "link", "channel"}:
            found.append(str(value.get("user_id") or value.get("url") or value.get("type")))
        for inner in value.values():
            if isinstance(inner, (dict, list)):
                found += alive_in(inner)
    return found
