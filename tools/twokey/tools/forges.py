"""Chooses the forge by where a repository lies, and puts the tools that need one in front of it.

Rules: a path is a repository on this disk, ``https://...`` one on the GitHub that the settings name; nothing else is a
repository. The choice follows the location that the workspace or a person gave, never anything that was read. What a
forge costs to start is spent when the first of its repositories is opened.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from twokey.core.errors import BadInput
from twokey.tools.forge import Forge, Repository
from twokey.tools.read.catalog import ReadCatalog
from twokey.tools.registry import AnyTool, Registry
from twokey.tools.write.close_pull_request import ClosePullRequest
from twokey.tools.write.pull_request import OpenPullRequest


class Forges:
    """The forges of one workspace. ``there`` gives the one for addresses; without it only paths are repositories."""

    def __init__(self, here: Forge, there: Callable[[], Forge] | None) -> None:
        self._here = here
        self._there = there

    def open(self, location: str) -> AbstractContextManager[Repository]:
        """Open the repository at ``location``.

        Raises:
            BadInput: it is an address, and no GitHub is set up; or it is an address of another kind.

        """
        if "://" not in location:
            return self._here.open(location)
        if self._there is None or not location.startswith("https://"):
            raise BadInput(
                "That repository lies elsewhere, and this workspace is not set up for it.",
                next="Set up the section github of twokey.toml (docs/github.md), or name a folder on this machine.",
                code="github_not_set_up",
            )
        return self._there().open(location)


def through(forge: Forge, tools: Registry) -> Registry:
    """Give ``tools`` with Twokey's own tools for repositories put in front of ``forge``; plugins stay as they are."""
    return Registry(_behind(forge, tool) for tool in tools.all())


def _behind(forge: Forge, tool: AnyTool) -> AnyTool:
    if type(tool) is ReadCatalog:
        return ReadCatalog(forge)
    if type(tool) is OpenPullRequest:
        return OpenPullRequest(forge)
    if type(tool) is ClosePullRequest:
        return ClosePullRequest(forge)
    return tool
