"""Calls of Slack's Web API: with which token, and what their faults mean.

Rules: a call is made once: whether one that got lost is made again is decided by whoever knows if that is harmless.
No token and no content of a call ever stands in an error. Answers go back only to addresses of Slack.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from twokey.core.errors import BadInput, EnvironmentFault, TryLater, TwokeyError

TIMEOUT_S: Final = 10
SHORT_WAIT_S: Final = 3
"""A rate limit of at most this many seconds is waited for on the spot."""
SLACK: Final = "https://slack.com/api/"
HOOKS: Final = "https://hooks.slack.com/"
TRANSIENT: Final = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org"}
)
"""Errors of Slack that pass."""
CREDENTIAL: Final = frozenset(
    {"account_inactive", "invalid_auth", "missing_scope", "not_authed", "token_expired", "token_revoked"}
)
"""Errors of Slack that pass once the app's token is renewed, or the app installed again."""


class SlackSaysNo(BadInput):
    """Slack refused a call, and would do so again."""

    default_code = "slack_refused"


class SlackTokenUnfit(EnvironmentFault):
    """Slack does not take the token for a call. Once there is a better one, the same call is taken."""

    default_code = "slack_token"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Slack is."""

    api: str = SLACK
    hooks: str = HOOKS

    def sync(self, token: str | None) -> WebClient:
        """Give a client that makes each call once."""
        return WebClient(
            token=token, base_url=self.api, timeout=TIMEOUT_S, retry_handlers=[], logger=quiet_logger("web")
        )

    def asynchronous(self, token: str | None) -> AsyncWebClient:
        """Give a client that makes each call once."""
        return AsyncWebClient(
            token=token, base_url=self.api, timeout=TIMEOUT_S, retry_handlers=[], logger=quiet_logger("web")
        )

    async def respond(self, url: str, message: dict[str, Any]) -> None:
        """Answer only whoever acted, at the address that Slack gave for it.

        Raises:
            EnvironmentFault: it could not be delivered.
            SlackSaysNo: the address is none of Slack's, or takes no answer any more.

        """
        if not url.startswith(self.hooks):
            raise SlackSaysNo("That address is none of Slack's.", next="Nothing is to be done.", code="foreign_hook")
        body = {"response_type": "ephemeral", "replace_original": False, **message}
        try:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, json=body, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise unreachable(error) from error
        if status == 429:
            raise TryLater("Slack asks to wait.", seconds=5, next="It is tried again.", code="slack_ratelimited")
        if status >= 500:
            raise EnvironmentFault(
                f"Slack did not take an answer ({status}).", next="It is tried again.", code="slack_unreachable"
            )
        if status != 200:
            raise SlackSaysNo(f"Slack did not take an answer ({status}).", next="Nothing is to be done.")


def unreachable(error: BaseException) -> EnvironmentFault:
    """Give the fault of a call that got no answer."""
    return EnvironmentFault(
        f"Slack cannot be reached ({type(error).__name__}).",
        next="Look at this machine's network; it is tried again.",
        code="slack_unreachable",
    )


def explained(error: SlackApiError) -> TwokeyError:
    """Give what an answer of Slack means; its code is Slack's own."""
    response: Any = error.response
    status = getattr(response, "status_code", 200)
    code = str(response.get("error") or "unknown") if hasattr(response, "get") else "unknown"
    wait = retry_after(error)
    if wait is not None:
        return TryLater("Slack asks to wait.", seconds=wait, next="It is tried again.", code="slack_ratelimited")
    if status >= 500 or code in TRANSIENT:
        return EnvironmentFault(
            f"Slack does not take this now ({code[:64]}).", next="It is tried again.", code="slack_busy"
        )
    kind = SlackTokenUnfit if code in CREDENTIAL else SlackSaysNo
    return kind(
        f"Slack refused a call ({code[:64]}).", next="`twokey doctor` looks for the usual reasons.", code=_code(code)
    )


def retry_after(error: SlackApiError) -> int | None:
    """Give how many seconds Slack asks to wait, where it does."""
    response: Any = error.response
    if getattr(response, "status_code", 200) != 429:
        return None
    headers = {str(name).lower(): value for name, value in dict(response.headers).items()}
    text = str(headers.get("retry-after", "30"))
    return min(max(int(text), 1), 3600) if text.isascii() and text.isdigit() else 30


async def called(call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """Call a method; a short rate limit is waited for once.

    Raises:
        EnvironmentFault: no answer came, Slack asks to wait longer, or does not take the token.
        SlackSaysNo: Slack refused it.

    """
    for attempt in (1, 2):
        try:
            answer = await call(**arguments)
        except SlackApiError as error:
            wait = retry_after(error)
            if attempt == 1 and wait is not None and wait <= SHORT_WAIT_S:
                await asyncio.sleep(wait)
                continue
            raise explained(error) from error
        except (TimeoutError, aiohttp.ClientError, OSError, SlackClientError) as error:
            raise unreachable(error) from error
        return dict(answer.data)
    raise AssertionError("the second attempt returns or raises")


def made(call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """Call a method in a thread that waits for it; raises like ``called``, and waits for no rate limit."""
    try:
        return dict(call(**arguments).data)
    except SlackApiError as error:
        raise explained(error) from error
    except (OSError, SlackClientError) as error:
        raise unreachable(error) from error


def _code(text: str) -> str:
    kept = "".join(
        character for character in text.lower() if character.isascii() and (character.isalnum() or character == "_")
    )
    return f"slack_{kept}"[:64]


def quiet_logger(part: str, level: int = logging.CRITICAL) -> logging.Logger:
    """Give the logger ``twokey.slack.PART`` to a library: what it says below ``level`` tells contents and codes."""
    logger = logging.getLogger(f"twokey.slack.{part}")
    logger.setLevel(level)
    return logger
