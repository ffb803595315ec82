"""Chooses the tracker by where tickets lie, and puts the tools that need one in front of it.

Rules: a path is a folder on this disk, ``https://...`` the issues of a repository on the GitHub that the settings name;
nothing else is a tracker. The choice follows the location that the workspace or a person gave, never anything that was
read. A tracker is opened once for each location, so that what it remembers of a folder is not gone through again.
"""

import threading
from collections.abc import Callable

from twokey.core.errors import BadInput
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.read.ticket_pages import ReadTickets
from twokey.tools.registry import AnyTool, Registry
from twokey.tools.tickets import Tickets, Trackers
from twokey.tools.write.restore_ticket import RestoreTicket
from twokey.tools.write.update_ticket import UpdateTicket


class ChosenTrackers:
    """The trackers of one workspace. ``there`` opens those at addresses; without it only folders are trackers."""

    def __init__(self, there: Callable[[str], Tickets] | None = None) -> None:
        self._there = there
        self._opened: dict[str, Tickets] = {}
        self._lock = threading.Lock()

    def open(self, location: str) -> Tickets:
        """Open the tickets at ``location``.

        Raises:
            BadInput: it is an address, and no GitHub is set up; or it is an address of another kind.

        """
        with self._lock:
            if location not in self._opened:
                self._opened[location] = self._chosen(location)
            return self._opened[location]

    def _chosen(self, location: str) -> Tickets:
        if "://" not in location:
            return LocalTickets(location)
        if self._there is None or not location.startswith("https://"):
            raise BadInput(
                "Those tickets lie elsewhere, and this workspace is not set up for it.",
                next="Set up the section github of twokey.toml (docs/github.md), or name a folder on this machine.",
                code="github_not_set_up",
            )
        return self._there(location)


def through_trackers(trackers: Trackers, tools: Registry) -> Registry:
    """Give ``tools`` with Twokey's own tools for tickets put in front of ``trackers``; plugins stay as they are."""
    return Registry(_behind(trackers, tool) for tool in tools.all())


def _behind(trackers: Trackers, tool: AnyTool) -> AnyTool:
    if type(tool) is ReadTickets:
        return ReadTickets(trackers)
    if type(tool) is UpdateTicket:
        return UpdateTicket(trackers)
    if type(tool) is RestoreTicket:
        return RestoreTicket(trackers)
    return tool
