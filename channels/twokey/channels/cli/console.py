"""The web console of the demo, opened by one-time links.

Rules: a port that was asked for is taken or is an error; without one, the usual one or, where something else listens
there, a free one; a browser is opened only where there is a screen.
"""

import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twokey.channels import wiring
from twokey.channels.cli.session import SESSION
from twokey.channels.passes import one_time_link, reached_at
from twokey.channels.running import run_up
from twokey.core.entropy import SystemClock
from twokey.core.errors import EnvironmentFault

if TYPE_CHECKING:
    from twokey.channels.workspace import Workspace


def serve(folder: Path, proposal: str, *, viewers: Sequence[str], port: int | None) -> None:
    """Serve the console of a workspace until stopped; the first of ``viewers`` is led to ``proposal``."""
    with wiring.opened(folder) as workspace:
        try:
            _up(workspace, proposal, viewers, workspace.config.server.port if port is None else port)
        except EnvironmentFault as fault:
            if fault.code != "port_taken" or port is not None:
                raise
            _up(workspace, proposal, viewers, 0)


def _up(workspace: "Workspace", proposal: str, viewers: Sequence[str], port: int) -> None:
    def started(address: str) -> None:
        links = [
            _link(workspace, name, reached_at(address), proposal if name == viewers[0] else "") for name in viewers
        ]
        SESSION.say()
        SESSION.say("The proposal waits. Nothing is written until somebody else than who asked says yes.")
        SESSION.say(f"Open this as {viewers[0]}, look, and press Approve (each link works once, within 15 minutes):")
        SESSION.say(f"  {links[0]}")
        for name, link in zip(viewers[1:], links[1:], strict=True):
            SESSION.say(f"or come in as {name}:")
            SESSION.say(f"  {link}")
        SESSION.say(f"More links: cd {workspace.folder}; twokey login NAME --link --port {address.rpartition(':')[2]}")
        SESSION.say("Ctrl-C ends it; afterwards: twokey audit verify")
        if _has_screen():
            webbrowser.open(links[0])

    run_up(workspace, host="127.0.0.1", port=port, concurrency=2, tell=lambda _: None, started=started)


def _link(workspace: "Workspace", name: str, address: str, proposal: str) -> str:
    identity, credential = workspace.identify(name, "demo")
    path = f"/p/{proposal.removeprefix('p-')}" if proposal else "/inbox"
    return one_time_link(workspace, identity, credential, clock=SystemClock(), address=address, path=path)


def _has_screen() -> bool:
    shown = sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    return shown and sys.stdout.isatty()
