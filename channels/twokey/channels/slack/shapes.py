"""What Slack sends, as far as Twokey looks at it: thin values that survive missing and new fields.

Rules: ``read`` never raises; what it does not know is ``Ignored`` with a code, whatever it is. A value names who acted
by team and user, and every team that the payload names for that person, so that a stranger from another workspace can
be told apart. Nothing here decides anything, and no text is changed but for characters that no text may hold.

The key of a payload is the same for the same act of a person: a retry, a replay and a second envelope have one key.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from twokey.channels.slack.words import sound

Kind = Literal["command", "click", "submission", "shortcut", "event"]

MAX_FIELDS: Final = 100
COMMAND: Final = "/twokey"
THREAD: Final = "twokey.thread"
"""The shortcut that tells a thread as an incident."""

SlackId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,20}$")]
Stamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]
Short = Annotated[str, StringConstraints(max_length=400)]


Text = Annotated[str, AfterValidator(sound)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that nobody here waits for."""

    code: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and every workspace that the payload names for them."""

    team: str
    """The workspace that it was done in."""
    user: str
    teams: frozenset[str]
    """Other names that their workspace has in the payload; empty where none is given."""


class Command(_Part):
    """Somebody typed ``/twokey``."""

    team_id: SlackId
    user_id: SlackId
    channel_id: SlackId
    command: Short
    text: Text = ""
    trigger_id: Short
    response_url: Annotated[str, StringConstraints(max_length=2000)] = ""

    @property
    def actor(self) -> Actor:
        return Actor(self.team_id, self.user_id, frozenset())


class _Team(_Part):
    id: SlackId


class _User(_Part):
    id: SlackId
    team_id: SlackId | None = None


class _Container(_Part):
    type: Short = ""
    message_ts: Stamp | None = None
    channel_id: SlackId | None = None
    view_id: Short | None = None


class _Action(_Part):
    action_id: Short
    value: Annotated[str, StringConstraints(max_length=2000)] = ""


class _Values(_Part):
    values: dict[str, dict[str, dict[str, Any]]] = Field(default_factory=dict)


class View(_Part):
    """The view that was acted on."""

    id: Short = ""
    hash: Short = ""
    type: Short = ""
    callback_id: Short = ""
    private_metadata: Annotated[str, StringConstraints(max_length=3000)] = ""
    app_id: Short = ""
    state: _Values = _Values()

    def typed(self, block: str, action: str) -> str:
        """Give what somebody typed into an input."""
        value = self.state.values.get(block, {}).get(action, {}).get("value")
        return sound(value) if isinstance(value, str) else ""


class Click(_Part):
    """Somebody pressed a button."""

    team: _Team
    user: _User
    trigger_id: Short
    container: _Container = _Container()
    actions: Annotated[tuple[_Action, ...], Field(min_length=1, max_length=25)]
    view: View | None = None
    response_url: Annotated[str, StringConstraints(max_length=2000)] = ""

    @property
    def actor(self) -> Actor:
        return Actor(self.team.id, self.user.id, frozenset({self.user.team_id} - {None}))  # type: ignore[arg-type]


class Submission(_Part):
    """Somebody submitted a modal."""

    team: _Team
    user: _User
    trigger_id: Short = ""
    view: View

    @property
    def actor(self) -> Actor:
        return Actor(self.team.id, self.user.id, frozenset({self.user.team_id} - {None}))  # type: ignore[arg-type]


class _Channel(_Part):
    id: SlackId


class _Message(_Part):
    ts: Stamp
    thread_ts: Stamp | None = None


class Shortcut(_Part):
    """Somebody chose a shortcut of the app in the menu of a message."""

    callback_id: Short
    team: _Team
    user: _User
    channel: _Channel
    message: _Message
    action_ts: Stamp
    trigger_id: Short
    response_url: Annotated[str, StringConstraints(max_length=2000)] = ""

    @property
    def actor(self) -> Actor:
        return Actor(self.team.id, self.user.id, frozenset({self.user.team_id} - {None}))  # type: ignore[arg-type]

    @property
    def thread(self) -> str:
        """The message that the thread begins with, by its time stamp."""
        return self.message.thread_ts or self.message.ts


class _Thread(_Part):
    user_id: SlackId
    channel_id: SlackId
    thread_ts: Stamp


class Happening(_Part):
    """The inner part of an event."""

    type: Short
    subtype: Short = ""
    user: SlackId | None = None
    bot_id: Short | None = None
    team: SlackId | None = None
    user_team: SlackId | None = None
    source_team: SlackId | None = None
    channel: SlackId | None = None
    channel_type: Short = ""
    text: Text = ""
    ts: Stamp | None = None
    thread_ts: Stamp | None = None
    tab: Short = ""
    assistant_thread: _Thread | None = None


class Event(_Part):
    """Something happened in a workspace."""

    team_id: SlackId
    event_id: Short
    event: Happening

    @property
    def actor(self) -> Actor | None:
        inner = self.event
        user = inner.user or (inner.assistant_thread.user_id if inner.assistant_thread else None)
        if user is None:
            return None
        named = {inner.team, inner.user_team, inner.source_team} - {None}
        return Actor(self.team_id, user, frozenset(str(team) for team in named))


Known = Command | Click | Submission | Shortcut | Event
Shape = Known | Ignored

EVENTS: Final = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "assistant_thread_context_changed",
        "assistant_thread_started",
        "message",
        "tokens_revoked",
    }
)
"""Events that somebody here waits for."""


def parsed(body: bytes, content_type: str) -> dict[str, Any] | None:
    """Give the payload that an authenticated body holds, or none where it holds no object."""
    try:
        text = body.decode("utf-8")
        if content_type.split(";", maxsplit=1)[0].strip().lower() == "application/json":
            payload = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
            payload = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def read(payload: dict[str, Any]) -> Shape:
    """Give what a payload is."""
    try:
        return _read(payload)
    except ValidationError:
        return Ignored("unreadable")


def _read(payload: dict[str, Any]) -> Shape:
    if "command" in payload:
        command = Command.model_validate(payload)
        return command if command.command == COMMAND else Ignored("unknown_command")
    match payload.get("type"):
        case "block_actions":
            return Click.model_validate(payload)
        case "view_submission":
            return Submission.model_validate(payload)
        case "message_action":
            shortcut = Shortcut.model_validate(payload)
            return shortcut if shortcut.callback_id == THREAD else Ignored("unknown_shortcut")
        case "event_callback":
            event = Event.model_validate(payload)
            return event if event.event.type in EVENTS else Ignored("unknown_event")
        case _:
            return Ignored("unknown_kind")


def kind(shape: Known) -> Kind:
    """Give the name of what it is."""
    match shape:
        case Command():
            return "command"
        case Click():
            return "click"
        case Submission():
            return "submission"
        case Shortcut():
            return "shortcut"
        case Event():
            return "event"


def key(shape: Known, payload: dict[str, Any]) -> str:
    """Give the key under which the same act is known again: 64 hexadecimal digits."""
    match shape:
        case Event():
            named = f"event:{shape.team_id}:{shape.event_id}"
        case Submission(trigger_id=""):
            named = "content:" + json.dumps(payload, sort_keys=True)
        case Command() | Click() | Submission() | Shortcut():
            named = f"{kind(shape)}:{shape.trigger_id}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
