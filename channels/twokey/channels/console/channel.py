"""The console as one channel of a workspace.

Rules: it receives nothing and posts nothing; all it brings is an application, and the web framework comes in where
something listens.
"""

from typing import Any

from twokey.channels.connected import Connected
from twokey.channels.routes import Served
from twokey.channels.workspace import Workspace
from twokey.core.ports import Clock


def connected(workspace: Workspace, clock: Clock) -> Connected:
    """Give the console of a workspace."""

    def site(served: Served) -> Any:
        from twokey.channels.console.app import build  # noqa: PLC0415 - FastAPI comes in where something listens
        from twokey.channels.console.site import Site  # noqa: PLC0415 - as above

        return build(Site(workspace, clock, served))

    return Connected(app=site)
