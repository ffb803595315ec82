"""Which workspaces the app works for, and as whom it speaks there.

Rules: a workspace that is not found here does not exist for Twokey, whatever its payloads say. With a token from the
environment it is exactly the one that the token belongs to; Slack is asked which that is, not the payload.
"""

import threading
from dataclasses import dataclass
from typing import Protocol

from slack_sdk.errors import SlackApiError, SlackClientError

from twokey.channels.slack.installations import SealedInstallations
from twokey.channels.slack.web import Endpoint, explained, unreachable
from twokey.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace that the app works for."""

    id: str
    token: str
    bot_user: str
    bot: str = ""

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"Team({self.id!r})"


class Teams(Protocol):
    """Finds workspaces."""

    def find(self, team: str) -> Team | None:
        """Give the workspace, or nothing where the app does not work for it."""
        ...


class OneTeam:
    """The workspace of one token."""

    def __init__(self, endpoint: Endpoint, token: str, expected: str = "") -> None:
        """``expected`` is the workspace that the settings name, where they name one."""
        self._endpoint = endpoint
        self._token = token
        self._expected = expected
        self._lock = threading.Lock()
        self._known: Team | None = None

    def find(self, team: str) -> Team | None:
        """Give the workspace of the token where ``team`` is its id.

        Raises:
            EnvironmentFault: Slack cannot be reached, or does not take the token.
            BadInput: the token belongs to another workspace than the settings name.

        """
        known = self.known()
        return known if known.id == team else None

    def known(self) -> Team:
        """Give the workspace of the token; raises like ``find``."""
        with self._lock:
            if self._known is None:
                self._known = self._ask()
            return self._known

    def _ask(self) -> Team:
        try:
            who = self._endpoint.sync(self._token).auth_test()
        except SlackApiError as error:
            raise explained(error) from error
        except (OSError, SlackClientError) as error:
            raise unreachable(error) from error
        found = Team(str(who["team_id"]), self._token, str(who["user_id"]), str(who.get("bot_id") or ""))
        if self._expected and found.id != self._expected:
            raise BadInput(
                f"The bot token belongs to the workspace {found.id[:24]}, and slack.team names {self._expected}.",
                next="Put the token of the right workspace into the variable, or correct slack.team.",
                code="slack_other_team",
            )
        return found


class InstalledTeams:
    """Workspaces that installed the app."""

    def __init__(self, installations: SealedInstallations) -> None:
        self._installations = installations

    def find(self, team: str) -> Team | None:
        """Give a workspace that installed the app and that the settings name."""
        bot = self._installations.find(team)
        return None if bot is None else Team(team, str(bot.bot_token), str(bot.bot_user_id), str(bot.bot_id or ""))
