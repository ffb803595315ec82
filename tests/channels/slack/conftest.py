"""A Slack for the tests of this channel, one per module, and a workspace that is installed in it."""

from collections.abc import Iterator

import pytest
from support import slack_scene
from support.slack_scene import Scene
from twins.slack.server import Twin


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """The Slack of a module."""
    with Twin(slack_scene.populated()).running() as running:
        running.api.lenient = True
        yield running


@pytest.fixture(scope="module")
def scene(twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A workspace whose people are linked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(tmp_path_factory.mktemp("home")))
        with slack_scene.opened(twin, tmp_path_factory.mktemp("scene")) as opened:
            opened.link("ana", "sam", "pat", "eve")
            yield opened
