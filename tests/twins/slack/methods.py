"""The methods of the Web API, as far as an app like this one uses them, with what Slack refuses."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twins.slack.limits import TOTAL, blocks_wrong, characters, view_wrong
from twins.slack.world import Message, Token, World


class SlackRefusesError(Exception):
    """An answer with ``ok: false``."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class RateLimitedError(Exception):
    """Too many calls; ``after`` is in seconds."""

    def __init__(self, after: int) -> None:
        super().__init__(after)
        self.after = after


Arguments = dict[str, Any]
Method = Callable[["Api", Token, Arguments], dict[str, Any]]


@dataclass(frozen=True)
class Rule:
    """What a method asks for: any of the scopes, and how many calls a minute it allows."""

    method: Method
    scopes: tuple[str, ...]
    per_minute: int
    needs: tuple[str, ...] = ()


class Api:
    """Answers calls with the state of one world."""

    def __init__(self, world: World, base: Callable[[], str]) -> None:
        self.world = world
        self.base = base
        self.lenient = False
        """True where a test is not about rate limits."""
        self.socket_url: Callable[[], str] = lambda: ""
        self.client_secret = "oauth-secret"

    def call(self, name: str, token: str, arguments: Arguments) -> dict[str, Any]:
        """Answer one call; raises ``SlackRefusesError`` and ``RateLimitedError``."""
        world = self.world
        if name == "apps.connections.open":
            if token not in world.app_tokens:
                raise SlackRefusesError("invalid_auth" if token else "not_authed")
            return {"url": self.socket_url()}
        if name == "oauth.v2.access":
            return self._access(arguments)
        rule = RULES.get(name)
        if rule is None:
            raise SlackRefusesError("unknown_method", req_method=name)
        if not token:
            raise SlackRefusesError("not_authed")
        held = world.tokens.get(token)
        if held is None:
            raise SlackRefusesError("invalid_auth")
        if held.revoked:
            raise SlackRefusesError("token_revoked")
        if rule.scopes and not held.scopes.intersection(rule.scopes):
            raise SlackRefusesError("missing_scope", needed=rule.scopes[0], provided=",".join(sorted(held.scopes)))
        self._meter(name, held, rule, arguments)
        for needed in rule.needs:
            if not arguments.get(needed):
                raise SlackRefusesError("invalid_arguments", response_metadata={"messages": [f"missing: {needed}"]})
        return rule.method(self, held, arguments)

    def _meter(self, name: str, held: Token, rule: Rule, arguments: Arguments) -> None:
        if self.lenient:
            return
        now = self.world.now()
        keys = [(f"{held.team}:{name}", rule.per_minute, 60.0)]
        if name == "chat.postMessage":
            keys.append((f"{held.team}:post:{arguments.get('channel')}", 5, 5.0))
        for key, most, window in keys:
            spent = self.world.spent[key] = [at for at in self.world.spent[key] if at > now - window]
            if len(spent) >= most:
                raise RateLimitedError(max(1, round(spent[0] + window - now)))
        for key, _, _ in keys:
            self.world.spent[key].append(now)

    def _access(self, arguments: Arguments) -> dict[str, Any]:
        if arguments.get("client_secret") != self.client_secret:
            raise SlackRefusesError("bad_client_secret")
        code = self.world.codes.get(str(arguments.get("code")))
        if code is None:
            raise SlackRefusesError("invalid_code")
        if code.pop("used", False):
            raise SlackRefusesError("code_already_used")
        given = dict(code)
        code["used"] = True
        return given

    def channel(self, held: Token, arguments: Arguments) -> Any:
        """The channel that a call names, as far as the token may see it."""
        name = str(arguments.get("channel", ""))
        found = self.world.channels.get(name)
        user = self.world.users.get(name)
        if found is None and user is not None and user.team == held.team and not user.bot:
            return self.world.direct(name, held.team)
        if found is None or found.team != held.team:
            raise SlackRefusesError("channel_not_found")
        return found

    def message(self, held: Token, arguments: Arguments, channel: Any) -> tuple[str, list[Any]]:
        """Text and blocks of a message, as far as Slack takes them."""
        text, blocks = str(arguments.get("text") or ""), _json(arguments.get("blocks")) or []
        if channel.archived:
            raise SlackRefusesError("is_archived")
        if held.bot not in channel.members:
            raise SlackRefusesError("not_in_channel")
        if not text and not blocks:
            raise SlackRefusesError("no_text")
        if len(text) > 40_000:
            raise SlackRefusesError("msg_too_long")
        wrong = blocks_wrong(blocks, most=50)
        if wrong:
            raise SlackRefusesError("invalid_blocks", response_metadata={"messages": wrong})
        if characters(blocks) > TOTAL:
            raise SlackRefusesError("msg_blocks_too_long")
        return text, blocks

    def trigger(self, arguments: Arguments) -> str:
        """Use up a trigger id; gives whose it was."""
        identifier = str(arguments.get("trigger_id", ""))
        found = self.world.triggers.get(identifier)
        if found is None:
            raise SlackRefusesError("invalid_trigger_id")
        at, user, used = found
        if used:
            raise SlackRefusesError("exchanged_trigger_id")
        if self.world.now() - at > self.world.trigger_s:
            raise SlackRefusesError("expired_trigger_id")
        self.world.triggers[identifier] = (at, user, True)
        return user


def _json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise SlackRefusesError("invalid_json") from None
    return value


def _flag(value: Any) -> bool:
    return value is True or value in ("true", "1")


def _auth_test(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    del arguments
    return {
        "url": f"https://{api.world.teams[held.team]}.slack.example/",
        "team": api.world.teams[held.team],
        "team_id": held.team,
        "user": "twokey",
        "user_id": held.bot,
        "bot_id": f"B{held.team}",
        "app_id": api.world.app,
        "is_enterprise_install": False,
    }


def _post(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    channel = api.channel(held, arguments)
    text, blocks = api.message(held, arguments, channel)
    metadata = _json(arguments.get("metadata"))
    if metadata is not None and (not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}):
        raise SlackRefusesError("invalid_metadata_format")
    thread = arguments.get("thread_ts")
    if thread and not any(item.ts == thread and item.channel == channel.id for item in api.world.messages):
        raise SlackRefusesError("thread_not_found")
    made = Message(channel.id, api.world.ts(), held.bot, text, blocks, thread or None, metadata)
    api.world.messages.append(made)
    return {"channel": channel.id, "ts": made.ts, "message": made.as_json()}


def _update(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    channel = api.channel(held, arguments)
    text, blocks = api.message(held, arguments, channel)
    for message in api.world.messages:
        if message.channel == channel.id and message.ts == arguments.get("ts"):
            if message.user != held.bot:
                raise SlackRefusesError("cant_update_message")
            message.text, message.blocks = text, blocks
            message.metadata = _json(arguments.get("metadata")) or message.metadata
            message.edits += 1
            return {"channel": channel.id, "ts": message.ts, "text": text, "message": message.as_json()}
    raise SlackRefusesError("message_not_found")


def _ephemeral(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    channel = api.channel(held, arguments)
    text, blocks = api.message(held, arguments, channel)
    if arguments["user"] not in channel.members:
        raise SlackRefusesError("user_not_in_channel")
    api.world.ephemeral.append({"channel": channel.id, "user": arguments["user"], "text": text, "blocks": blocks})
    return {"message_ts": api.world.ts()}


def _view(arguments: Arguments, kind: str) -> dict[str, Any]:
    view = _json(arguments.get("view"))
    wrong = view_wrong(view)
    if wrong or view["type"] != kind:
        raise SlackRefusesError("invalid_arguments", response_metadata={"messages": wrong})
    return dict(view)


def _open(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    view = _view(arguments, "modal")
    user = api.trigger(arguments)
    identifier = f"V{api.world.number():08d}"
    view |= {"id": identifier, "hash": str(api.world.number()), "team_id": held.team, "user": user, "state": {}}
    api.world.views[identifier] = view
    return {"view": view}


def _update_view(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    known = api.world.views.get(str(arguments.get("view_id")))
    if known is None or known["team_id"] != held.team:
        raise SlackRefusesError("not_found")
    if arguments.get("hash") not in {None, known["hash"]}:
        raise SlackRefusesError("hash_conflict")
    known.update(_view(arguments, "modal") | {"hash": str(api.world.number())})
    return {"view": known}


def _publish(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    user = api.world.users.get(str(arguments["user_id"]))
    if user is None or user.team != held.team:
        raise SlackRefusesError("invalid_arguments")
    api.world.homes[user.id] = _view(arguments, "home")
    return {"view": api.world.homes[user.id]}


def _user(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    user = api.world.users.get(str(arguments["user"]))
    seen = user is not None and (user.team == held.team or user.stranger)
    if user is None or not seen:
        raise SlackRefusesError("user_not_found")
    return {"user": user.shown()}


def _conversation(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    channel = api.channel(held, arguments)
    return {
        "channel": {
            "id": channel.id,
            "name": channel.name,
            "is_im": channel.im is not None,
            "is_member": held.bot in channel.members,
            "is_archived": channel.archived,
            "is_ext_shared": channel.shared,
        }
    }


def _read(api: Api, held: Token, arguments: Arguments) -> Any:
    """The channel of a history, as far as the token may read it."""
    channel = api.channel(held, arguments)
    if channel.history not in held.scopes:
        raise SlackRefusesError("missing_scope", needed=channel.history, provided=",".join(sorted(held.scopes)))
    if held.bot not in channel.members:
        raise SlackRefusesError("not_in_channel")
    return channel


def _history(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    channel = _read(api, held, arguments)
    oldest = str(arguments.get("oldest") or "0")
    found = [
        item
        for item in reversed(api.world.messages)
        if item.channel == channel.id and item.thread is None and item.ts >= oldest
    ]
    return _page(held, found, arguments)


def _replies(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    channel = _read(api, held, arguments)
    thread = arguments["ts"]
    found = [item for item in api.world.messages if item.channel == channel.id and thread in {item.ts, item.thread}]
    if not found:
        raise SlackRefusesError("thread_not_found")
    latest = float(arguments.get("latest") or "inf")
    inclusive = _flag(arguments.get("inclusive"))
    found = [item for item in found if float(item.ts) < latest or (inclusive and float(item.ts) == latest)]
    return _page(held, found, arguments)


def _page(held: Token, found: list[Message], arguments: Arguments) -> dict[str, Any]:
    limit, start = min(int(arguments.get("limit") or 100), 1000), int(arguments.get("cursor") or 0)
    if start < 0 or start > len(found):
        raise SlackRefusesError("invalid_cursor")
    shown = [item.as_json() for item in found[start : start + limit]]
    if not _flag(arguments.get("include_all_metadata")) or "metadata.message:read" not in held.scopes:
        for item in shown:
            item.pop("metadata", None)
    more = start + limit < len(found)
    following = {"response_metadata": {"next_cursor": str(start + limit)}} if more else {}
    return {"messages": shown, "has_more": more, **following}


def _open_direct(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    user = api.world.users.get(str(arguments.get("users")))
    if user is None or user.team != held.team:
        raise SlackRefusesError("user_not_found")
    return {"channel": {"id": api.world.direct(user.id, held.team).id}}


def _upload_url(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    identifier = f"F{api.world.number():08d}"
    api.world.files[identifier] = {"name": arguments["filename"], "length": int(arguments["length"]), "team": held.team}
    return {"file_id": identifier, "upload_url": f"{api.base()}/upload/{identifier}"}


def _complete(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    given = _json(arguments["files"])
    for item in given:
        known = api.world.files.get(item["id"])
        if known is None or known["team"] != held.team or "content" not in known:
            raise SlackRefusesError("file_not_found")
        known["channel"] = arguments.get("channel_id")
    return {"files": given}


def _status(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    arguments = arguments | {"channel": arguments["channel_id"]}
    channel = api.channel(held, arguments)
    if channel.im is None:
        raise SlackRefusesError("channel_type_not_supported")
    api.world.statuses.append((channel.id, str(arguments["thread_ts"]), str(arguments.get("status", ""))))
    return {}


def _prompts(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    api.channel(held, arguments | {"channel": arguments["channel_id"]})
    prompts = _json(arguments["prompts"])
    if not 1 <= len(prompts) <= 4:
        raise SlackRefusesError("invalid_arguments")
    api.world.prompts.extend(prompts)
    return {}


def _title(api: Api, held: Token, arguments: Arguments) -> dict[str, Any]:
    api.channel(held, arguments | {"channel": arguments["channel_id"]})
    return {}


_HISTORY = ("channels:history", "groups:history", "im:history")
RULES: dict[str, Rule] = {
    "auth.test": Rule(_auth_test, (), 500),
    "chat.postMessage": Rule(_post, ("chat:write",), 500, ("channel",)),
    "chat.update": Rule(_update, ("chat:write",), 50, ("channel", "ts")),
    "chat.postEphemeral": Rule(_ephemeral, ("chat:write",), 100, ("channel", "user")),
    "views.open": Rule(_open, (), 100, ("trigger_id", "view")),
    "views.update": Rule(_update_view, (), 100, ("view",)),
    "views.publish": Rule(_publish, (), 100, ("user_id", "view")),
    "users.info": Rule(_user, ("users:read",), 100, ("user",)),
    "conversations.info": Rule(_conversation, ("channels:read", "groups:read", "im:read"), 50, ("channel",)),
    "conversations.history": Rule(_history, _HISTORY, 50, ("channel",)),
    "conversations.replies": Rule(_replies, _HISTORY, 50, ("channel", "ts")),
    "conversations.open": Rule(_open_direct, ("im:write",), 50, ("users",)),
    "files.getUploadURLExternal": Rule(_upload_url, ("files:write",), 100, ("filename", "length")),
    "files.completeUploadExternal": Rule(_complete, ("files:write",), 100, ("files",)),
    "assistant.threads.setStatus": Rule(_status, ("assistant:write", "chat:write"), 600, ("channel_id", "thread_ts")),
    "assistant.threads.setSuggestedPrompts": Rule(
        _prompts, ("assistant:write",), 100, ("channel_id", "thread_ts", "prompts")
    ),
    "assistant.threads.setTitle": Rule(_title, ("assistant:write",), 100, ("channel_id", "thread_ts", "title")),
}
