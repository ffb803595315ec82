"""Workspaces that installed the app, behind Bolt's interface for such stores.

Rules: a token is sealed before it is stored; only workspaces that the settings name are taken, so that a link to the
install page gives nobody a way in; of people's own tokens none is kept; uninstalling removes the row.
"""

import json
import logging
from collections.abc import Collection
from typing import Any, Final

from slack_bolt.error import BoltError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy import delete, insert, select

from twokey.channels.slack.sealing import Seal
from twokey.core.errors import EnvironmentFault
from twokey.core.ports import Clock
from twokey.store.tables import slack_teams
from twokey.tools.ledger import Ledger

STATE_S: Final = 600
"""How long an installation may take from the click to Slack's answer, in seconds."""
_logger: Final = logging.getLogger("twokey.slack")


class SealedInstallations(AsyncInstallationStore):
    """Keeps bot tokens by workspace."""

    def __init__(self, ledger: Ledger, seal: Seal, allowed: Collection[str], clock: Clock) -> None:
        self._ledger = ledger
        self._seal = seal
        self._allowed = frozenset(allowed)
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """The logger of this channel."""
        return _logger

    async def async_save(self, installation: Installation) -> None:
        """Keep the bot token of a workspace; raises ``BoltError`` where the settings do not name it."""
        await self.async_save_bot(installation.to_bot())

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot token; raises ``BoltError`` where the settings do not name its workspace."""
        team = str(bot.team_id)
        if team not in self._allowed or bot.is_enterprise_install:
            raise BoltError(f"The workspace {team[:24]!r} is not in slack.teams of this installation.")
        content: dict[str, Any] = {
            "token": bot.bot_token,
            "user": bot.bot_user_id,
            "bot": bot.bot_id,
            "app": bot.app_id,
            "scopes": list(bot.bot_scopes),
        }
        sealed = self._seal.seal(_purpose(team), json.dumps(content).encode())
        with self._ledger.change() as unit:
            unit.connection.execute(delete(slack_teams).where(slack_teams.c.team == team))
            row = {"team": team, "sealed": sealed, "installed_us": self._clock.now_us()}
            unit.connection.execute(insert(slack_teams).values(row))

    def find(self, team: str) -> Bot | None:
        """Give the bot of a workspace that installed the app and that the settings name still."""
        if team not in self._allowed:
            return None
        with self._ledger.look() as connection:
            row = connection.execute(select(slack_teams).where(slack_teams.c.team == team)).one_or_none()
        if row is None:
            return None
        try:
            held = json.loads(self._seal.open(_purpose(team), row.sealed))
        except EnvironmentFault as fault:
            _logger.error("%s: %s", team, fault.message)  # noqa: TRY400 - the sentence says it all
            return None
        return Bot(
            app_id=held["app"],
            team_id=team,
            bot_token=held["token"],
            bot_id=held["bot"],
            bot_user_id=held["user"],
            bot_scopes=held["scopes"],
            installed_at=row.installed_us / 1_000_000,
        )

    def teams(self) -> list[str]:
        """Give the workspaces that installed the app."""
        with self._ledger.look() as connection:
            return [row.team for row in connection.execute(select(slack_teams.c.team).order_by(slack_teams.c.team))]

    def forget(self, team: str, *, before_us: int | None = None) -> None:
        """Remove what is kept of a workspace; with ``before_us`` only what was kept before (microseconds)."""
        gone = delete(slack_teams).where(slack_teams.c.team == team)
        if before_us is not None:
            gone = gone.where(slack_teams.c.installed_us < before_us)
        with self._ledger.change() as unit:
            unit.connection.execute(gone)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """Give the bot of a workspace; see ``find``."""
        del enterprise_id
        return None if team_id is None or is_enterprise_install else self.find(team_id)

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Remove what is kept of a workspace."""
        del enterprise_id
        if team_id is not None:
            self.forget(team_id)

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Do nothing: of the person who installed the app nothing is kept."""


class SealedStates(AsyncOAuthStateStore):
    """States of running installations: sealed, so that none is stored, and good for a short time.

    That the browser is the same one is checked by Bolt with a cookie; that a code is used once, by Slack.
    """

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self._seal = seal
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """The logger of this channel."""
        return _logger

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        """Give a new state."""
        del args, kwargs
        return self._seal.seal("oauth-state", str(self._clock.now_us()).encode()).hex()

    async def async_consume(self, state: str) -> bool:
        """Tell whether a state was given here, and not too long ago."""
        try:
            given = int(self._seal.open("oauth-state", bytes.fromhex(state)))
        except (EnvironmentFault, ValueError):
            return False
        return 0 <= self._clock.now_us() - given <= STATE_S * 1_000_000


def _purpose(team: str) -> str:
    return f"bot-token:{team}"
