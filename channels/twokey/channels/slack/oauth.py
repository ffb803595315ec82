"""How a workspace installs the app: from a link to a token that is kept sealed.

Rules: Bolt runs the flow; what comes from outside reaches it as three plain values, and the pages that people see are
sentences of ours. A workspace that the settings do not name gets nothing, whatever code it brings.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from twokey.channels.routes import Delivery, Reply
from twokey.channels.slack.doctoring import SCOPES
from twokey.channels.slack.installations import SealedInstallations, SealedStates
from twokey.channels.slack.web import quiet_logger
from twokey.core.sections import SlackSection

INSTALL_PATH: Final = "/slack/install"
REDIRECT_PATH: Final = "/slack/oauth_redirect"
LONGEST: Final = 8000
_TAKEN: Final = ("code", "error", "state")
_REASONS: Final = {
    "access_denied": "You did not install the app.",
    "invalid_browser": "Begin in the browser in which you began, at /slack/install.",
    "invalid_state": "That took too long. Begin again at /slack/install.",
    "storage_error": "This workspace is not among those that may install the app here.",
}


class Installing:
    """The two pages of an installation."""

    def __init__(
        self,
        section: SlackSection,
        *,
        client_secret: str,
        installations: SealedInstallations,
        states: SealedStates,
        client: AsyncWebClient,
    ) -> None:
        settings = AsyncOAuthSettings(
            client_id=section.client_id,
            client_secret=client_secret,
            scopes=sorted(SCOPES),
            user_scopes=[],
            redirect_uri=section.redirect_url,
            install_path=INSTALL_PATH,
            redirect_uri_path=REDIRECT_PATH,
            install_page_rendering_enabled=False,
            installation_store=installations,
            installation_store_bot_only=True,
            state_store=states,
            callback_options=AsyncCallbackOptions(success=_installed, failure=_failed),
            logger=quiet_logger("oauth"),
        )
        self._flow = AsyncOAuthFlow(client=client, logger=quiet_logger("oauth"), settings=settings)

    def begin(self, delivery: Delivery) -> Reply:
        """Send somebody to Slack."""
        del delivery
        return _reply(asyncio.run(self._flow.handle_installation(AsyncBoltRequest(body="", query={}))))

    def end(self, delivery: Delivery) -> Reply:
        """Take what Slack sends somebody back with."""
        given = dict(parse_qsl(delivery.query[:LONGEST], max_num_fields=20))
        query = {name: given[name] for name in _TAKEN if name in given}
        headers: dict[str, str | Sequence[str]] = {"cookie": delivery.headers.get("cookie", "")[:LONGEST]}
        return _reply(asyncio.run(self._flow.handle_callback(AsyncBoltRequest(body="", query=query, headers=headers))))


async def _installed(args: AsyncSuccessArgs) -> BoltResponse:
    del args
    return _said(200, "Twokey works for this workspace now. Say who you are there, with /twokey link NAME.")


async def _failed(args: AsyncFailureArgs) -> BoltResponse:
    sentence = _REASONS.get(args.reason, "Slack did not confirm the installation. Begin again at /slack/install.")
    return _said(400, sentence)


def _said(status: int, sentence: str) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
    }
    return BoltResponse(status=status, body=sentence + "\n", headers=headers)


def _reply(given: BoltResponse) -> Reply:
    headers = {name.lower(): value for name, value in given.first_headers_without_set_cookie().items()}
    kind = headers.pop("content-type", "text/plain; charset=utf-8")
    cookies = [morsel for cookie in given.cookies() for morsel in cookie.values()]
    if cookies:
        kept = f"{cookies[0].key}={cookies[0].value}; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"
        headers["set-cookie"] = kept
    return Reply(given.status, given.body.encode(), kind, headers)
