"""A Slack account is somebody only where it is a full member of this workspace and linked."""

import asyncio
from typing import Any

import pytest
from twins.slack.server import Twin

from twokey.channels.slack.shapes import Actor
from twokey.channels.slack.visitors import Visitors
from twokey.channels.slack.web import Endpoint
from twokey.core.errors import EnvironmentFault, NotAuthenticated
from twokey.core.values import Principal

ANA = Principal(name="ana", groups=("analysts",))


class Links:
    def __init__(self, *linked: str) -> None:
        self.linked = linked

    def principal(self, external: str) -> Principal | None:
        return ANA if external in self.linked else None


def code(twin: Twin, user: str, *teams: str, team: str = "THOME", linked: str = "UANA") -> str:
    """Who an account is, or why it is nobody."""
    client = Endpoint(twin.api_url).asynchronous("xoxb-home")
    visitors = Visitors(Links(f"slack:THOME/{linked}"))
    try:
        identity = asyncio.run(visitors.identity(client, Actor(team, user, frozenset(teams))))
    except NotAuthenticated as refusal:
        return refusal.code if refusal.message and refusal.next else "a refusal without a sentence"
    assert (identity.auth, identity.channel, identity.external) == ("slack", "slack", f"slack:THOME/{user}")
    return identity.principal.name


def test_a_linked_member_is_their_principal(twin: Twin) -> None:
    assert code(twin, "UANA") == "ana"
    assert code(twin, "UANA", "THOME") == "ana"


def test_everybody_else_is_nobody_and_hears_why(twin: Twin) -> None:
    assert code(twin, "USAM") == "not_linked"
    assert code(twin, "UGUEST", linked="UGUEST") == "guest"
    assert code(twin, "UGONE", linked="UGONE") == "deactivated"
    assert code(twin, "UROBOT", linked="UROBOT") == "bot"
    assert code(twin, "USTRANGER", linked="USTRANGER") == "other_workspace"
    assert code(twin, "UFAR", linked="UFAR") == "unknown_user"
    assert code(twin, "UANA", "TOTHER") == "other_workspace"
    assert code(twin, "UANA", "THOME", "TOTHER") == "other_workspace"


def test_what_slack_does_not_say_counts_as_the_worst(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = twin.world.users["UANA"].shown()

    def says(given: dict[str, Any]) -> None:
        monkeypatch.setattr(twin.world.users["UANA"], "shown", lambda: given)

    for name in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "team_id"):
        says({key: value for key, value in shown.items() if key != name})
        assert code(twin, "UANA") in {"deactivated", "bot", "guest", "other_workspace"}
    says(shown | {"id": "USAM"})
    assert code(twin, "UANA") == "unknown_user"
    says(shown | {"team_id": "TELSE", "enterprise_user": {"teams": ["THOME"]}})
    assert code(twin, "UANA") == "ana"


def test_where_slack_cannot_be_asked_nobody_is_anybody(twin: Twin) -> None:
    twin.faults.arm("users.info", "before")
    twin.faults.arm("users.info", "before")  # what only reads is asked once more on a new connection
    with pytest.raises(EnvironmentFault):
        code(twin, "UANA")
