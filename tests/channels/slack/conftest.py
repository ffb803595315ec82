"""A Slack for the tests of this channel: one per module, with the same people in it."""

from collections.abc import Iterator

import pytest
from twins.slack.server import Twin
from twins.slack.world import World

TOKEN, APP_TOKEN, SECRET = "xoxb-home", "xapp-home", "signing-secret-of-tests"
HOME, OTHER = "THOME", "TOTHER"


def populated() -> World:
    """Two workspaces: one is ours, the other is not."""
    world = World()
    world.team(HOME, token=TOKEN)
    world.team(OTHER, token="xoxb-other")
    for name in ("UANA", "USAM", "UEVE"):
        world.user(name, HOME)
    world.user("UGUEST", HOME, guest=True)
    world.user("UGONE", HOME, deleted=True)
    world.user("UROBOT", HOME, bot=True)
    world.user("UFAR", OTHER)
    world.user("USTRANGER", OTHER, stranger=True)
    members = ("UANA", "USAM", "UEVE", "UGUEST", "UGONE", "UROBOT")
    world.channel("COPS", HOME, *members)
    world.channel("CAPPROVALS", HOME, *members)
    world.channel("CSHARED", HOME, *members, "USTRANGER", shared=True)
    world.channel("CFAR", OTHER, "UFAR")
    world.app_tokens.add(APP_TOKEN)
    return world


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """The Slack of a module."""
    with Twin(populated()).running() as running:
        running.api.lenient = True
        yield running
