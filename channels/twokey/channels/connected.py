"""What a channel to the outside brings: who handles what it receives, who posts what it shows, and how it listens.

Rules: a channel is there where the settings configure it, and only ``channels.wiring`` makes one. What listens does
nothing but authenticate, store and acknowledge; everything else is a job.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twokey.channels.inbox import Handler
from twokey.channels.postbox import Poster
from twokey.channels.routes import Route, Site
from twokey.core.ports import Stopping

if TYPE_CHECKING:
    from twokey.tools.read.telemetry.sources import Source

THREADS: Final = "slack:"
"""What the place of a thread begins with; no folder is named so, for theirs are absolute."""


@dataclass(frozen=True, slots=True)
class Connected:
    """One channel, as it is put together for a workspace."""

    handler: Handler | None = None
    poster: Poster | None = None
    routes: Sequence[Route] = ()
    """What it takes over HTTP."""
    listen: Callable[[Stopping], None] | None = None
    """Listens on a connection of its own until asked to stop (Socket Mode). Runs in a thread of its own."""
    called: Callable[[str], str | None] | None = None
    """Asks the other side how it calls an external identity today; raises ``EnvironmentFault`` where it cannot say."""
    app: Site | None = None
    """A whole web application: everything that no route takes."""
    telemetry: "Callable[[str, Callable[[], Source | None]], Source] | None" = None
    """Opens what people said at a place of the channel, beside the telemetry that the settings name (second)."""
    look: Callable[[], None] | None = None
    """Looks at what has changed, whenever a worker has looked around. Raises nothing and does not take long."""
