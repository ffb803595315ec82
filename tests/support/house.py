"""A workspace that is served as `twokey up` serves it, and the browsers of the people who open its console."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from support.ports import free_port
from support.workspace import ana
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.passes import one_time_link
from twokey.channels.running import run_up
from twokey.channels.workspace import Workspace
from twokey.core.values import Identity

PEOPLE = [("ana", ("analysts",)), ("pat", ("platform-owners",)), ("sam", ("platform-owners",))]
WAIT_MS = 120_000
START_S = 300
"""How long a server may take to begin on a busy machine: the web framework is imported by then."""


class MovedClock:
    """The machine's clock, moved on by as much as a test says (port ``Clock``)."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.ahead_us


class House:
    """A workspace that is served, and whoever opens its console."""

    def __init__(self, workspace: Workspace, clock: MovedClock, folder: Path) -> None:
        self.workspace = workspace
        self.clock = clock
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def served(self) -> Generator[None]:
        """Serve it on its port while the block runs."""
        stop, started = Stop(), threading.Event()

        def up() -> None:
            run_up(
                self.workspace,
                host="127.0.0.1",
                port=self.port,
                concurrency=1,
                tell=lambda _: None,
                stop=stop,
                started=lambda _: started.set(),
            )

        thread = threading.Thread(target=up)
        thread.start()
        try:
            assert started.wait(START_S)
            yield
        finally:
            stop.ask()
            thread.join(START_S)

    def link(self, name: str, path: str = "/inbox") -> str:
        identity, credential = self.workspace.identify(name, "cli")
        return one_time_link(self.workspace, identity, credential, clock=self.clock, address=self.address, path=path)

    def proposed(self) -> str:
        """Something that waits, as a page's address names it."""
        asker: Identity = ana(self.workspace)
        source = f"sqlite:///{self.folder / 'small.db'}"
        outcome = self.workspace.catalog(asker, source, str(self.folder / "repo"), [], lambda _: None)
        return outcome.proposals[0].id.removeprefix("p-")


class People:
    """Opens a browser for somebody: a context of its own, with its own cookies and keys."""

    def __init__(self, chromium: Browser, house: House) -> None:
        self._chromium = chromium
        self._house = house
        self._contexts: list[BrowserContext] = []

    def come_in(self, name: str, path: str = "/inbox") -> Page:
        """Let somebody in by a one-time link, and give the page they come to."""
        context = self._chromium.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(WAIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(self._house.link(name, path))
        page.wait_for_url(lambda address: "/login" not in address)
        assert problems == []
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
