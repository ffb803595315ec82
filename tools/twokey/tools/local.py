"""The tools of a laptop: the contracts of this package with the adapters that need no server."""

from pathlib import Path
from typing import TYPE_CHECKING

from twokey.tools.local_tickets import LocalTickets
from twokey.tools.read.catalog import ReadCatalog
from twokey.tools.read.runbooks import SearchRunbooks
from twokey.tools.read.telemetry.tool import QueryTelemetry
from twokey.tools.read.tickets import SearchTickets
from twokey.tools.trackers import Trackers
from twokey.tools.write.close_pull_request import ClosePullRequest
from twokey.tools.write.local_git import LocalGit
from twokey.tools.write.pull_request import OpenPullRequest
from twokey.tools.write.restore_ticket import RestoreTicket
from twokey.tools.write.update_ticket import UpdateTicket

if TYPE_CHECKING:
    from twokey.tools.read.telemetry.sources import Bundles


def close_pull_request() -> ClosePullRequest:
    """Give ``close_pull_request`` for git repositories on this disk."""
    return ClosePullRequest(LocalGit())


def open_pull_request() -> OpenPullRequest:
    """Give ``open_pull_request`` for git repositories on this disk."""
    return OpenPullRequest(LocalGit())


def search_runbooks() -> SearchRunbooks:
    """Give ``search_runbooks`` for folders on this disk, in git repositories or not."""
    return SearchRunbooks(LocalGit().open)


def search_tickets() -> SearchTickets:
    """Give ``search_tickets`` for folders of tickets on this disk."""
    return SearchTickets(LocalTickets)


def query_telemetry() -> QueryTelemetry:
    """Give ``query_telemetry`` for incident bundles on this disk."""
    return QueryTelemetry(bundles)


def bundles(location: str) -> "Bundles":
    """Open the incident bundles at ``location``."""
    from twokey.tools.read.telemetry.sources import Bundles  # noqa: PLC0415 - numpy comes in where it is needed

    return Bundles(Path(location))


def read_catalog() -> ReadCatalog:
    """Give ``read_catalog`` for git repositories on this disk."""
    return ReadCatalog(LocalGit())


def restore_ticket() -> RestoreTicket:
    """Give ``restore_ticket`` for tickets in folders on this disk."""
    return RestoreTicket(Trackers(LocalTickets, None))


def update_ticket() -> UpdateTicket:
    """Give ``update_ticket`` for tickets in folders on this disk."""
    return UpdateTicket(Trackers(LocalTickets, None))
