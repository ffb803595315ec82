"""Who is in front of us: from a Slack account to a principal, or to a refusal.

Rules: the workspace is one that the app works for, and every workspace that the payload names for the person is that
one; Slack says, asked anew each time, that the account is a full member: no guest, no stranger of a shared channel, no
bot, not deactivated. Only then does the account stand for a principal, and only for the one it is linked to. Who is
refused gets a sentence, and an entry in the log.
"""

from typing import Any, Final, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from twokey.channels.slack.shapes import Actor
from twokey.channels.slack.web import SlackSaysNo, called
from twokey.core.errors import NotAuthenticated
from twokey.core.values import Identity, Principal

_NEXT: Final = {
    "bot": "People ask and answer; a program uses the command line with a key of its own.",
    "deactivated": "Ask an administrator of this workspace.",
    "guest": "Ask a full member of this workspace, or use the command line with your own key.",
    "not_linked": "Link it with `/twokey link NAME`, and confirm that with your own key.",
    "other_workspace": "Ask somebody of the workspace that the app belongs to.",
    "unknown_user": "Ask an administrator of this workspace.",
}
_WHY: Final = {
    "bot": "Bots cannot ask for or answer anything.",
    "deactivated": "This Slack account is deactivated.",
    "guest": "Guests of a workspace cannot ask for or answer anything.",
    "not_linked": "Your Slack account stands for nobody here yet.",
    "other_workspace": "Your Slack account belongs to another workspace.",
    "unknown_user": "Slack does not know this account.",
}


class Links(Protocol):
    """Tells whom an external identity stands for."""

    def principal(self, external: str) -> Principal | None:
        """Give the principal that the identity is linked to, in force now and proven by the log."""
        ...


class Visitors:
    """Proves who acted."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def identity(self, client: AsyncWebClient, actor: Actor) -> Identity:
        """Give the principal behind an account.

        Raises:
            NotAuthenticated: the account is nobody's here; the code says why.
            EnvironmentFault: Slack cannot be asked.

        """
        external = await self.external(client, actor)
        principal = self._links.principal(external)
        if principal is None:
            raise refusal("not_linked")
        return Identity(principal=principal, auth="slack", channel="slack", external=external)

    async def external(self, client: AsyncWebClient, actor: Actor) -> str:
        """Give the external identity of a full member; raises like ``identity``."""
        if not actor.teams <= {actor.team}:
            raise refusal("other_workspace")
        try:
            user: dict[str, Any] = (await called(client.users_info, user=actor.user))["user"]
        except SlackSaysNo as error:
            if error.code in {"slack_user_not_found", "slack_user_not_visible"}:
                raise refusal("unknown_user") from error
            raise
        code = _why_not(user, actor)
        if code is not None:
            raise refusal(code)
        return f"slack:{actor.team}/{actor.user}"


def _why_not(user: dict[str, Any], actor: Actor) -> str | None:
    """Give the code of why an account may not act; what is not said counts as the worst."""
    grid = user.get("enterprise_user")
    homes = {user.get("team_id"), *(grid.get("teams", ()) if isinstance(grid, dict) else ())}
    if user.get("id") != actor.user:
        return "unknown_user"
    if user.get("is_stranger", False) or actor.team not in homes:
        return "other_workspace"
    if user.get("deleted", True):
        return "deactivated"
    if user.get("is_bot", True):
        return "bot"
    if user.get("is_restricted", True) or user.get("is_ultra_restricted", True):
        return "guest"
    return None


def refusal(code: str) -> NotAuthenticated:
    """Give the refusal of somebody who may not act."""
    return NotAuthenticated(_WHY[code], next=_NEXT[code], code=code)
