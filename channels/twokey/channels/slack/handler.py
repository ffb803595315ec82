"""Works off what was received: finds who is meant by it, and answers, whatever it was.

Rules: it is called by a worker, long after Slack got its acknowledgement; it can be called again for the same act, and
nothing happens twice. Whoever is refused is told so and noted in the log. A fault of the surroundings is handed back,
to be tried again; a refusal is an answer.

Bolt finds the listener, and the workspace's token through ``authorize``; signatures were checked before anything was
kept (``signing``), so Bolt is not asked to.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from slack_bolt.async_app import AsyncApp, AsyncBoltContext, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from twokey.channels import patience
from twokey.channels.inbox import Inbound
from twokey.channels.slack import answering, asking, home, shapes, shortcuts
from twokey.channels.slack.shapes import Event, Ignored
from twokey.channels.slack.teams import Team, Teams
from twokey.channels.slack.turn import House, Turn
from twokey.channels.slack.web import quiet_logger
from twokey.core.errors import EnvironmentFault, NotAuthenticated, TwokeyError

_logger: Final = logging.getLogger("twokey.slack")
_TURN: Final = "twokey_turn"
Listener = Callable[[Turn], Awaitable[None]]


class Handler:
    """Works off what came in from Slack."""

    def __init__(self, house: House, teams: Teams, forget: Callable[[str, int], None]) -> None:
        """``forget`` removes what was kept, before a time, of a workspace that uninstalled the app then."""
        self._house = house
        self._teams = teams
        self._forget = forget
        self._app = self._listening()

    def handle(self, inbound: Inbound) -> str:
        """Work off one thing; gives the code of what became of it.

        Raises:
            EnvironmentFault: it could not be done now; nothing is lost where it is called again.

        """
        try:
            payload = json.loads(inbound.body)
        except (ValueError, RecursionError):
            return "ignored_unreadable"
        shape = shapes.read(payload) if isinstance(payload, dict) else Ignored("unreadable")
        if isinstance(shape, Ignored):
            return f"ignored_{shape.code}"
        if isinstance(shape, Event) and shape.event.type in {"app_uninstalled", "tokens_revoked"}:
            self._forget(shape.team_id, _happened_us(payload, inbound.received_us))
            return shape.event.type
        actor = shape.actor
        if actor is None:
            return "ignored_nobody"
        team = patience.made(lambda: self._teams.find(actor.team))
        if team is None:
            self._house.refused("other_workspace", actor.team, actor.user)
            return "other_workspace"
        turn = Turn(self._house, inbound, shape, self._house.endpoint.asynchronous(team.token), team.bot_user)
        asyncio.run(self._dispatch(turn, team, payload))
        if turn.error is not None:
            raise turn.error
        return turn.code or "ignored_no_listener"

    async def _dispatch(self, turn: Turn, team: Team, payload: dict[str, Any]) -> None:
        context: dict[str, Any] = {_TURN: turn, "twokey_team": team}
        await self._app.async_dispatch(AsyncBoltRequest(body=payload, mode="socket_mode", context=context))

    def _listening(self) -> AsyncApp:
        app = AsyncApp(
            name="twokey.slack.bolt",  # Bolt gives the logger of that name its own level
            logger=quiet_logger("bolt"),
            client=AsyncWebClient(base_url=self._house.endpoint.api, retry_handlers=[]),
            authorize=_authorize,
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        app.command(shapes.COMMAND)(self._listener(asking.on_command))
        app.action(re.compile(r"^twokey\."))(self._listener(answering.on_click))
        app.view(re.compile(r"^twokey\."))(self._listener(answering.on_submission))
        app.message_shortcut(shapes.THREAD)(self._listener(shortcuts.on_thread))
        app.event("app_mention")(self._listener(asking.on_mention))
        app.event("message")(self._listener(asking.on_message))
        app.event("app_home_opened")(self._listener(home.on_home))
        app.event("assistant_thread_started")(self._listener(asking.on_assistant))
        return app

    def _listener(self, carry_out: Listener) -> Callable[..., Awaitable[None]]:
        """Give what Bolt calls. Errors leave by way of the turn, so that Bolt answers none of them in our place."""

        async def listen(context: AsyncBoltContext) -> None:
            turn: Turn = context[_TURN]
            try:
                await self._guarded(carry_out, turn)
            except Exception as error:  # noqa: BLE001 - handed on by ``handle``
                turn.error = error

        return listen

    async def _guarded(self, carry_out: Listener, turn: Turn) -> None:
        try:
            await carry_out(turn)
        except EnvironmentFault:
            raise
        except NotAuthenticated as refusal:
            self._house.refused(refusal.code, turn.actor.team, turn.actor.user)
            await turn.refuse(refusal)
        except TwokeyError as refusal:
            await turn.refuse(refusal)


async def _authorize(context: AsyncBoltContext) -> AuthorizeResult:
    team: Team = context["twokey_team"]
    return AuthorizeResult(
        enterprise_id=None, team_id=team.id, bot_token=team.token, bot_user_id=team.bot_user, bot_id=team.bot or None
    )


def _happened_us(payload: dict[str, Any], received_us: int) -> int:
    """Say when an event had happened, in microseconds: by the end of Slack's second, and not after it was received."""
    told = payload.get("event_time")
    return min((told + 1) * 1_000_000, received_us) if isinstance(told, int) and told > 0 else received_us
