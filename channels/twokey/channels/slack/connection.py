"""Socket Mode: deliveries over a connection that Twokey opens itself, so that no address of it has to be public.

Rules: an envelope is acknowledged once its payload is durably kept, and not before; one that cannot be kept is left
to be delivered again. The connection is renewed whenever Slack asks for it or it breaks.
"""

import asyncio
import logging
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from twokey.channels.slack.intake import Intake
from twokey.channels.slack.web import quiet_logger
from twokey.core.errors import EnvironmentFault, TwokeyError
from twokey.core.ports import Stopping

AGAIN_S: Final = 5.0
"""How long to wait before a connection that could not be opened is tried again, in seconds."""
KINDS: Final = frozenset({"events_api", "interactive", "slash_commands"})
_HOPELESS: Final = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type"}
)
_logger: Final = logging.getLogger("twokey.slack")


class Socket:
    """One connection to Slack, and its successors."""

    def __init__(self, intake: Intake, *, app_token: str, client: AsyncWebClient, ping_s: float = 5.0) -> None:
        self._intake = intake
        self._app_token = app_token
        self._client = client
        self._ping_s = ping_s

    async def run(self, stop: Stopping) -> None:
        """Take envelopes until asked to stop.

        Raises:
            EnvironmentFault: Slack does not accept the token.

        """
        client = SocketModeClient(
            app_token=self._app_token,
            web_client=self._client,
            ping_interval=self._ping_s,
            logger=quiet_logger("socket", logging.WARNING),
        )
        client.socket_mode_request_listeners.append(self._take)
        try:
            if await self._connect(client, stop):
                _logger.info("connected to Slack over Socket Mode")
                await stop.wait()
        finally:
            await client.close()
            await client.aiohttp_client_session.close()

    async def _connect(self, client: SocketModeClient, stop: Stopping) -> bool:
        while not stop.asked:
            try:
                await client.connect_to_new_endpoint(force=True)
            except SlackApiError as error:
                code = str(error.response.get("error"))
                if code in _HOPELESS:
                    raise EnvironmentFault(
                        f"Slack does not accept the app-level token ({code}).",
                        next="Make one with connections:write; slack.app_token_env names the variable that holds it.",
                        code="slack_app_token",
                    ) from error
                _logger.warning("no connection to Slack (%s); tried again", code)
            except (aiohttp.ClientError, OSError) as error:
                _logger.warning("no connection to Slack (%s); tried again", type(error).__name__)
            else:
                return True
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait({waiting}, timeout=AGAIN_S)
            waiting.cancel()
        return False

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        payload: Any = request.payload
        if request.type in KINDS and isinstance(payload, dict):
            try:
                await asyncio.to_thread(self._intake.payload, payload)
            except TwokeyError as error:  # not acknowledged: Slack delivers it again
                _logger.warning("an envelope could not be kept: %s", error.message)
                return
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
