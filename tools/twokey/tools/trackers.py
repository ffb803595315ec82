"""Chooses the tracker by where tickets lie, and puts the tools that need one in front of it.

Rules: a path is a folder of tickets on this disk, ``https://...`` the issues of a repository on the GitHub that the
settings name; nothing else is a tracker. The choice follows the location that the workspace or a person gave, never
anything that was read. A tracker is opened once for each location, so that what it remembers is not read again.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twokey.core.errors import BadInput
from twokey.tools.read.tickets import SearchTickets
from twokey.tools.registry import AnyTool, Registry
from twokey.tools.tickets import Tickets
from twokey.tools.write.restore_ticket import RestoreTicket
from twokey.tools.write.update_ticket import UpdateTicket

if TYPE_CHECKING:
    from twokey.tools.retrieval.meaning import Embeddings
    from twokey.tools.retrieval.shelf import Shelf

Opener = Callable[[str], Tickets]


class Trackers:
    """The trackers of one workspace. ``there`` opens those at addresses; without it only folders are trackers."""

    def __init__(self, here: Opener, there: Opener | None) -> None:
        self._opened: dict[str, Tickets] = {}
        self._lock = threading.Lock()
        self._here = here
        self._there = there

    def open(self, location: str) -> Tickets:
        """Open the tracker at ``location``.

        Raises:
            BadInput: it is an address, and no GitHub is set up; or it is an address of another kind.

        """
        with self._lock:
            if location not in self._opened:
                self._opened[location] = self._chosen(location)
            return self._opened[location]

    def _chosen(self, location: str) -> Tickets:
        if "://" not in location:
            return self._here(location)
        if self._there is None or not location.startswith("https://"):
            raise BadInput(
                "Those tickets lie elsewhere, and this workspace is not set up for it.",
                next="Set up the section github of twokey.toml (docs/github.md), or name a folder on this machine.",
                code="github_not_set_up",
            )
        return self._there(location)

    def through(
        self, tools: Registry, indexes: "Shelf | Path | None" = None, embeddings: "Embeddings | None" = None
    ) -> Registry:
        """Give ``tools`` with Twokey's own tools for tickets put in front of these; plugins stay as they are.

        ``indexes`` is the folder in which they keep what they search by; ``embeddings`` tells likeness of meaning.
        """
        return Registry(self._behind(tool, indexes, embeddings) for tool in tools.all())

    def _behind(self, tool: AnyTool, indexes: "Shelf | Path | None", embeddings: "Embeddings | None") -> AnyTool:
        if type(tool) is SearchTickets:
            return SearchTickets(self.open, indexes, embeddings=embeddings)
        for ours in (RestoreTicket, UpdateTicket):
            if type(tool) is ours:
                return ours(self)
        return tool
