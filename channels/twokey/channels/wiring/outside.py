"""What connects a workspace with the outside: deliveries, messages, and the channels that the settings configure."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twokey.channels.connected import Connected
from twokey.channels.inbox import Handler, Inbox
from twokey.channels.postbox import Postbox, Poster
from twokey.channels.rejections import Rejections
from twokey.channels.wiring.once import Once
from twokey.channels.workspace import Workspace
from twokey.core import jobs
from twokey.core.entropy import SystemClock
from twokey.core.jobs import Job
from twokey.core.ports import Clock, Dispatcher, Ids
from twokey.core.settings import Settings
from twokey.tools.ledger import Ledger

if TYPE_CHECKING:
    from twokey.tools.github.health import Found
    from twokey.tools.github.hub import GitHub

WAITING: Final = 100
"""How many deliveries, and how many messages, one pass of recovery takes up."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What connects a workspace with the outside."""

    connected: Callable[[], Mapping[str, Connected]]
    inbox: Inbox
    postbox: Postbox
    rejections: Rejections

    @classmethod
    def of(
        cls,
        connect: Callable[[], Mapping[str, Connected]],
        config: Settings,
        ledger: Ledger,
        dispatcher: Callable[[], Dispatcher],
        clock: Clock,
        ids: Ids,
    ) -> "Outside":
        """Put it together; the channels themselves are made when they are first needed."""
        connected = Once(connect)

        def handlers() -> dict[str, Handler]:
            return {name: made.handler for name, made in connected().items() if made.handler is not None}

        def posters() -> dict[str, Poster]:
            return {name: made.poster for name, made in connected().items() if made.poster is not None}

        return cls(
            connected,
            Inbox(
                workspace=config.workspace.id,
                ledger=ledger,
                dispatcher=dispatcher,
                handlers=handlers,
                clock=clock,
                ids=ids,
            ),
            Postbox(ledger=ledger, dispatcher=dispatcher, posters=posters, clock=clock, ids=ids),
            Rejections(workspace=config.workspace.id, recorder=ledger, clock=clock),
        )

    def beside(self, other: Callable[[], None]) -> Callable[[], None]:
        """Give what writes the counts of rejected requests and lets channels look around, after ``other``."""

        def aside() -> None:
            other()
            self.rejections.flush()
            for made in self.connected().values():
                if made.look is not None:
                    made.look()

        return aside

    def waiting(self, before: int) -> list[Job]:
        """Give the jobs of deliveries and messages that nobody has touched since ``before`` (microseconds)."""
        received = [jobs.handle(name) for name in self.inbox.waiting(before=before, limit=WAITING)]
        return [*received, *map(jobs.post, self.postbox.waiting(before=before, limit=WAITING))]


def connector(
    github: "Callable[[], GitHub] | None", home: Path, clock: Clock
) -> "Callable[[Workspace], Mapping[str, Connected]]":
    """Give what makes the channels to the outside that the settings configure."""

    def connect(workspace: Workspace) -> Mapping[str, Connected]:
        made: dict[str, Connected] = {}
        if github is not None:
            from twokey.channels.github import connection  # noqa: PLC0415 - comes in where GitHub is set up

            made["github"] = connection.connected(workspace, github, clock, os.environ)
        if workspace.config.slack.mode != "off":
            from twokey.channels.slack.channel import SlackChannel  # noqa: PLC0415 - comes in where Slack is configured

            made["slack"] = SlackChannel(workspace=workspace, home=home, clock=clock).connected()
        if workspace.config.triggers:
            from twokey.channels.alerts.connection import connected  # noqa: PLC0415 - comes in where there is a trigger

            made["alerts"] = connected(workspace, clock, os.environ)
        if workspace.config.console.mode == "on":
            from twokey.channels.console.channel import connected  # noqa: PLC0415 - comes in where something listens

            made["console"] = connected(workspace, clock)
        return made

    return connect


def github_if_set(folder: Path, config: Settings, clock: Clock, stack: ExitStack) -> "Callable[[], GitHub] | None":
    """Give the GitHub that the settings name, once something is wanted of it; nothing where they name none."""
    if not config.github.used:
        return None

    def make() -> "GitHub":
        hub = github_of(folder, config, clock)
        stack.callback(hub.close)
        return hub

    return Once(make)


def github_of(folder: Path, config: Settings, clock: Clock | None = None) -> "GitHub":
    """Give the GitHub that ``config`` names; closed by whoever asked for it.

    Raises:
        BadInput: it is not set up, or its key or token is not where the settings say.

    """
    from twokey.tools.github.hub import GitHub  # noqa: PLC0415 - github3.py comes in when GitHub is asked

    return GitHub(config.github, folder, clock=clock or SystemClock(), pause=time.sleep)


def github_health(folder: Path, config: Settings) -> "list[Found]":
    """Look for the usual mistakes of an installation on GitHub; nothing is looked for where none is set up."""
    places = {
        name: section.location
        for name, section in config.places.items()
        if section.kind == "repository" and section.location.startswith("https://")
    }
    if not config.github.used and not places and not config.github.webhook_secret_envs:
        return []
    from twokey.tools.github import health  # noqa: PLC0415 - github3.py comes in when GitHub is asked

    with ExitStack() as stack:

        def hub() -> "GitHub":
            made = github_of(folder, config)
            stack.callback(made.close)
            return made

        deployed = any(place in places for source in config.telemetry.values() for place in source.deployments)
        return list(health.examine(config.github, hub, SystemClock(), places, os.environ, deployments=deployed))
