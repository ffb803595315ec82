"""Slack as one piece: what the workspace's settings ask for, put together for the server and the workers.

Rules: secrets are read from the environment when they are needed and stand nowhere else; what is missing is said with
the name of its variable. Nothing here is made before it is needed, so that a workspace without Slack pays nothing.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twokey.channels.connected import Connected
from twokey.channels.inbox import Inbound
from twokey.channels.postbox import Message
from twokey.channels.routes import Delivery, Reply, Route
from twokey.channels.slack.announcing import Announcer
from twokey.channels.slack.connection import Socket
from twokey.channels.slack.handler import Handler
from twokey.channels.slack.installations import SealedInstallations, SealedStates
from twokey.channels.slack.intake import Intake
from twokey.channels.slack.oauth import INSTALL_PATH, REDIRECT_PATH, Installing
from twokey.channels.slack.posting import Poster
from twokey.channels.slack.sealing import Seal
from twokey.channels.slack.signing import Verifier
from twokey.channels.slack.teams import InstalledTeams, OneTeam, Teams
from twokey.channels.slack.turn import House
from twokey.channels.slack.visitors import Visitors
from twokey.channels.slack.web import Endpoint
from twokey.channels.workspace import Workspace
from twokey.core.errors import EnvironmentFault, TwokeyError
from twokey.core.events import ChannelRejected
from twokey.core.ports import Clock, Stopping

if TYPE_CHECKING:
    from twokey.channels.slack.threads import Threads
    from twokey.tools.read.telemetry.sources import Source

KEY: Final = "slack.key"
EVENTS_PATH: Final = "/slack/events"
EXTERNAL: Final = re.compile(r"slack:T[0-9A-Z]{1,20}/[UW][0-9A-Z]{1,20}")
_logger: Final = logging.getLogger("twokey.slack")


class SlackChannel:
    """The channel of one workspace."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        home: Path,
        clock: Clock,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``home`` is this account's folder for keys; ``environment`` stands for the variables of the process."""
        self.section = workspace.config.slack
        self.endpoint = Endpoint(self.section.api_url, self.section.hooks_url)
        self._workspace = workspace
        self._home = home
        self._inbox = workspace.inbox
        self._postbox = workspace.postbox
        self._clock = clock
        self._environment = os.environ if environment is None else environment

    def connected(self) -> Connected:
        """Give it as the workspace takes it."""
        routes: list[Route] = []
        listen = self._listen
        if self.section.mode == "http":
            routes.append(Route(EVENTS_PATH, self._take, "slack"))
            listen = self._stand_ready
        if self.section.client_id:
            routes += [
                Route(INSTALL_PATH, self._begin, "slack", "GET"),
                Route(REDIRECT_PATH, self._end, "slack", "GET"),
            ]
        return Connected(
            handler=self, poster=self, routes=routes, listen=listen, telemetry=self.telemetry, look=self.look
        )

    def handle(self, inbound: Inbound) -> str:
        """Work off a delivery; see ``Handler``."""
        return self.handler.handle(inbound)

    def find(self, message: Message) -> str | None:
        """Look for a message; see ``Poster``."""
        return self.poster.find(message)

    def post(self, message: Message) -> str:
        """Post a message; see ``Poster``."""
        return self.poster.post(message)

    def update(self, message: Message, remote: str) -> None:
        """Bring a message up to date; see ``Poster``."""
        self.poster.update(message, remote)

    def telemetry(self, place: str, beside: "Callable[[], Source | None]") -> "Source":
        """Open a thread as telemetry; see ``Threads``."""
        return self.threads.open(place, beside)

    def look(self) -> None:
        """Have messages wanted that are due; what stands in its way is said, and tried again."""
        try:
            self.announcer.announce()
        except TwokeyError as error:
            _logger.warning("cards are not brought to Slack now: %s", error.message)

    # Secrets are read when something comes in: commands that open the workspace and listen to nothing need none.

    def _take(self, delivery: Delivery) -> Reply:
        return self.intake.http(delivery)

    def _begin(self, delivery: Delivery) -> Reply:
        return self.installing.begin(delivery)

    def _end(self, delivery: Delivery) -> Reply:
        return self.installing.end(delivery)

    def _stand_ready(self, stop: Stopping) -> None:
        """Say at once what is missing, rather than at the first delivery; raises ``EnvironmentFault``."""
        _ = self.intake, self.teams, self.section.client_id and self.installing
        asyncio.run(_until(stop))

    def _listen(self, stop: Stopping) -> None:
        asyncio.run(self.socket().run(stop))

    @cached_property
    def teams(self) -> Teams:
        """The workspaces that the app works for."""
        return InstalledTeams(self.installations) if self.section.client_id else self._one_team

    @cached_property
    def _one_team(self) -> OneTeam:
        return OneTeam(self.endpoint, self._secret(self.section.bot_token_env), self.section.team)

    @cached_property
    def installations(self) -> SealedInstallations:
        """The workspaces that installed the app."""
        return SealedInstallations(self._workspace.ledger, self._seal, self.section.teams, self._clock)

    @cached_property
    def handler(self) -> Handler:
        """What works off deliveries."""
        house = House(
            workspace=self._workspace,
            section=self.section,
            endpoint=self.endpoint,
            visitors=Visitors(self._workspace.linking.links),
            inbox=self._inbox,
            postbox=self._postbox,
            refused=self._refused,
            clock=self._clock,
        )
        return Handler(house, self.teams, self._forget)

    @cached_property
    def poster(self) -> Poster:
        """What posts messages."""
        return Poster(workspace=self._workspace, teams=self.teams, endpoint=self.endpoint, clock=self._clock)

    @cached_property
    def threads(self) -> "Threads":
        """What opens threads."""
        from twokey.channels.slack.threads import Threads  # noqa: PLC0415 - numpy comes in where a thread is read

        return Threads(
            channels=self.section.thread_channels,
            teams=lambda: self.teams,
            endpoint=self.endpoint,
            links=self._workspace.linking.links,
            clock=self._clock,
        )

    @cached_property
    def announcer(self) -> Announcer:
        """What says which messages are wanted."""
        return Announcer(
            workspace=self._workspace,
            section=self.section,
            team=self._home_team,
            postbox=self._postbox,
            clock=self._clock,
        )

    @cached_property
    def intake(self) -> Intake:
        """What takes deliveries; over HTTP where the settings say so."""
        if self.section.mode != "http":
            return Intake(self._inbox, None)
        return Intake(self._inbox, Verifier(self._secret(self.section.signing_secret_env), self._clock))

    def socket(self) -> Socket:
        """Give the connection of Socket Mode."""
        token = self._secret(self.section.app_token_env)
        return Socket(self.intake, app_token=token, client=self.endpoint.asynchronous(None))

    @cached_property
    def installing(self) -> Installing:
        """The pages with which a workspace installs the app."""
        return Installing(
            self.section,
            client_secret=self._secret(self.section.client_secret_env),
            installations=self.installations,
            states=SealedStates(self._seal, self._clock),
            client=self.endpoint.asynchronous(None),
        )

    @cached_property
    def _seal(self) -> Seal:
        return Seal.at(self._home / KEY)

    def _home_team(self) -> str:
        """Give the workspace of the channels in the settings."""
        if self.section.client_id:
            return self.section.team or self.section.teams[0]
        return self._one_team.known().id

    def _refused(self, code: str, team: str, user: str) -> None:
        """Note in the log who was refused, each time."""
        who = f"slack:{team}/{user}"
        self._workspace.ledger.record(
            ChannelRejected(
                workspace=self._workspace.config.workspace.id,
                channel="slack",
                code=code,
                count=1,
                external=who if EXTERNAL.fullmatch(who) else None,
            )
        )

    def _forget(self, team: str, before_us: int) -> None:
        if self.section.client_id:
            self.installations.forget(team, before_us=before_us)

    def _secret(self, variable: str) -> str:
        value = self._environment.get(variable, "")
        if not value:
            raise EnvironmentFault(
                f"The variable {variable} is not set, and Slack needs it.",
                next="Set it where Twokey runs; see docs/slack.md, or run `twokey doctor`.",
                code="slack_secret",
            )
        return value


async def _until(stop: Stopping) -> None:
    await stop.wait()
