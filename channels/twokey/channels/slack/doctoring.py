"""Looks for the usual mistakes of an installation in Slack: every one that docs/slack.md warns about.

Rules: each look really asks Slack; nothing is posted or changed, and no token is shown. One failing look does not stop
the others.
"""

import email.utils
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from slack_sdk.errors import SlackApiError, SlackClientError

from twokey.channels.slack.web import HOOKS, SLACK, Endpoint, explained, unreachable
from twokey.core.errors import TwokeyError
from twokey.core.ports import Clock
from twokey.core.sections import SlackSection

SCOPES: Final = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "metadata.message:read",
        "users:read",
    }
)
"""What the manifest asks for; a test holds the two together."""
SKEW_S: Final = 60
"""How far this machine's clock may be off before it is said, in seconds. Signatures hold for 300."""
Level = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found."""

    name: str
    level: Level
    text: str
    next: str = ""


def examine(
    section: SlackSection,
    clock: Clock,
    linked: Callable[[], int],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Found]:
    """Give what every look finds; ``linked`` tells how many people are linked to a Slack account."""
    variables = os.environ if environment is None else environment
    if section.mode == "off":
        yield Found("slack", "ok", "Slack is off")
        return
    endpoint = Endpoint(section.api_url, section.hooks_url)
    if (section.api_url, section.hooks_url) != (SLACK, HOOKS):
        yield Found(
            "slack address", "warn", "calls do not go to Slack itself", "Remove slack.api_url and slack.hooks_url."
        )
    yield from _tokens(section, variables)
    token = variables.get(section.bot_token_env, "")
    if token and not section.client_id:
        yield from _workspace(section, endpoint, token, clock)
        yield from _channels(section, endpoint, token)
    if section.mode == "socket" and variables.get(section.app_token_env):
        yield _socket(endpoint, variables[section.app_token_env])
    count = linked()
    if count:
        yield Found(
            "slack people", "ok", f"{count} {'person is' if count == 1 else 'people are'} linked to an account there"
        )
    else:
        yield Found(
            "slack people",
            "warn",
            "nobody is linked to an account there, so nobody can ask or answer",
            "In Slack: `/twokey link NAME`; then `twokey link confirm` with that person's key.",
        )


def wanted_variables(section: SlackSection) -> dict[str, str]:
    """Give the variables that have to be set, and with what their value begins."""
    wanted = {section.app_token_env: "xapp-"} if section.mode == "socket" else {section.signing_secret_env: ""}
    if section.client_id:
        return wanted | {section.client_secret_env: ""}
    return wanted | {section.bot_token_env: "xoxb-"}


def _tokens(section: SlackSection, variables: Mapping[str, str]) -> Iterator[Found]:
    wanted = wanted_variables(section)
    for name, beginning in wanted.items():
        value = variables.get(name, "")
        if not value:
            yield Found("slack tokens", "FAIL", f"{name} is not set", "See docs/slack.md, step 2.")
        elif not value.startswith(beginning):
            yield Found(
                "slack tokens",
                "FAIL",
                f"{name} holds another kind of token: it should begin with {beginning}",
                "The bot token begins with xoxb-, the app-level token with xapp-.",
            )
    if section.client_id and not (section.redirect_url.startswith("https://") and section.teams):
        yield Found(
            "slack tokens",
            "FAIL",
            "slack.client_id is set, and slack.redirect_url (https) or slack.teams is not",
            "Name the address and the workspaces that may install the app.",
        )
    if all(variables.get(name, "").startswith(beginning) and variables.get(name) for name, beginning in wanted.items()):
        yield Found("slack tokens", "ok", f"{', '.join(wanted)} are set")


def _workspace(section: SlackSection, endpoint: Endpoint, token: str, clock: Clock) -> Iterator[Found]:
    try:
        answer = _asked(endpoint.sync(token).auth_test)
    except TwokeyError as error:
        yield Found(
            "slack workspace",
            "FAIL",
            error.message,
            "Copy the bot token anew; install the app again if it was removed.",
        )
        return
    who, headers = answer
    team = str(who.get("team_id"))
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    missing = sorted(SCOPES - granted)
    if section.team and team != section.team:
        text = f"the bot token belongs to {team[:24]}, and slack.team names {section.team}"
        yield Found("slack workspace", "FAIL", text, "Use the token of the right workspace.")
    elif missing:
        text = f"the app lacks {', '.join(missing)}"
        yield Found("slack workspace", "FAIL", text, "Paste the manifest again and reinstall the app.")
    else:
        yield Found("slack workspace", "ok", f"the app works for {team[:24]}")
    yield from _clock(headers.get("date"), clock)


def _clock(date: str | None, clock: Clock) -> Iterator[Found]:
    said = email.utils.parsedate_to_datetime(date) if date else None
    if said is None:
        return
    skew = round(abs(clock.now_us() / 1_000_000 - said.timestamp()))
    if skew > SKEW_S:
        level: Level = "FAIL" if skew >= 300 else "warn"
        yield Found("slack clock", level, f"this machine's clock is off by {skew:,} s", "Set it, for example with NTP.")
    else:
        yield Found("slack clock", "ok", "this machine's clock agrees with Slack's")


def _channels(section: SlackSection, endpoint: Endpoint, token: str) -> Iterator[Found]:
    named = [("approvals_channel", section.approvals_channel), ("escalation_channel", section.escalation_channel)]
    for name, channel in [*named, *(("thread_channels", one) for one in section.thread_channels)]:
        if not channel:
            continue
        try:
            known = _asked(endpoint.sync(token).conversations_info, channel=channel)[0]["channel"]
        except TwokeyError as error:
            yield Found(
                "slack channels", "FAIL", f"slack.{name}: {error.message}", "Use the channel's id, and /invite the app."
            )
            continue
        if known.get("is_archived"):
            wrong, instead = "is archived", "Name another channel."
        elif known.get("is_ext_shared") or known.get("is_pending_ext_shared"):
            wrong, instead = "is shared with another organisation", "Name a channel of your own."
        elif not known.get("is_member"):
            wrong, instead = "does not have the app in it", "There: /invite @Twokey"
        else:
            done = (
                f"threads of {channel} can be read" if name == "thread_channels" else f"slack.{name} can be posted to"
            )
            yield Found("slack channels", "ok", done)
            continue
        which = f"slack.{name} ({channel})" if name == "thread_channels" else f"slack.{name}"
        yield Found("slack channels", "FAIL", f"{which} {wrong}", instead)
    if not section.approvals_channel:
        yield Found(
            "slack channels",
            "warn",
            "slack.approvals_channel is not set: cards are shown only where a run was asked for in Slack",
            "Name a channel that your approvers read.",
        )


def _socket(endpoint: Endpoint, token: str) -> Found:
    try:
        _asked(endpoint.sync(None).apps_connections_open, app_token=token)
    except TwokeyError as error:
        return Found("slack socket", "FAIL", error.message, "Make an app-level token with connections:write.")
    return Found("slack socket", "ok", "Slack gives a connection")


def _asked(call: Callable[..., Any], **arguments: Any) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        answer = call(**arguments)
    except SlackApiError as error:
        raise explained(error) from error
    except (OSError, SlackClientError) as error:
        raise unreachable(error) from error
    headers = {str(name).lower(): str(value) for name, value in dict(answer.headers).items()}
    return dict(answer.data), headers
