"""Over Socket Mode nothing is acknowledged that is not kept, and nothing that is kept twice is kept as two."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from twins.slack.people import mention, slash
from twins.slack.server import PATIENCE_S, Twin

from twokey.channels.slack.connection import Socket
from twokey.channels.slack.intake import Intake
from twokey.channels.slack.web import Endpoint
from twokey.core.errors import EnvironmentFault, LogUnavailable

APP_TOKEN = "xapp-home"


class Kept:
    """Keeps what comes in, in memory; can be full."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.full = False
        self.tried = 0
        self.asked = threading.Event()

    def take(self, channel: str, key: str, kind: str, body: bytes) -> str | None:
        self.tried += 1
        self.asked.set()
        if self.full:
            raise LogUnavailable("The disk is full.", next="Make room.")
        assert channel == "slack"
        assert kind in {"command", "click", "submission", "event"}
        if key in self.kept:
            return None
        self.kept[key] = body
        return f"i-{len(self.kept):012}"


class Stop:
    """Stops a loop from another thread."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.event = asyncio.Event()

    @property
    def asked(self) -> bool:
        return self.event.is_set()

    async def wait(self) -> None:
        await self.event.wait()

    def ask(self) -> None:
        self.loop.call_soon_threadsafe(self.event.set)


@contextmanager
def connected(twin: Twin, kept: Kept, *, ping_s: float = 0.1) -> Generator[None]:
    """A running connection."""
    begun = threading.Event()
    held: list[Stop] = []

    async def run() -> None:
        held.append(Stop())
        begun.set()
        client = Endpoint(twin.api_url).asynchronous(None)
        await Socket(Intake(kept, None), app_token=APP_TOKEN, client=client, ping_s=ping_s).run(held[0])

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert begun.wait(PATIENCE_S)
        twin.wait(lambda: bool(twin.connections))
        yield
    finally:
        held[0].ask()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        twin.wait(lambda: not twin.connections)


def test_what_is_acknowledged_is_kept_once(twin: Twin) -> None:
    kept = Kept()
    with connected(twin, kept):
        command = slash(twin.world, "UANA", "COPS", "help")
        twin.push("slash_commands", command)
        twin.push("slash_commands", command)  # the same act in another envelope
        twin.push("events_api", mention(twin.world, "UANA", "COPS", "hello"))
        twin.push("hello_of_another_kind", {})
        twin.push("interactive", {"type": "view_closed"})
    assert len(kept.kept) == 2


def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(twin: Twin) -> None:
    kept = Kept()
    kept.full = True
    # A connection whose answer to a ping is late is renewed, and what was not acknowledged is sent again on the next.
    with connected(twin, kept, ping_s=60):
        with pytest.raises(AssertionError):
            twin.push_as("env-full", "slash_commands", slash(twin.world, "UANA", "COPS", "help"), patience_s=0)
        assert kept.asked.wait(PATIENCE_S)
        assert (kept.tried, "env-full" in twin.acks) == (1, False)
        kept.full = False
        twin.drop(politely=True)
        twin.wait(lambda: "env-full" in twin.acks)
    assert len(kept.kept) == 1


def test_a_connection_that_breaks_is_opened_again(twin: Twin) -> None:
    kept = Kept()
    with connected(twin, kept):
        twin.drop(politely=False)
        twin.wait(lambda: bool(twin.connections))
        twin.push("slash_commands", slash(twin.world, "UANA", "COPS", "help"))
    assert len(kept.kept) == 1


def test_a_connection_that_cannot_be_opened_is_tried_again(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokey.channels.slack.connection.AGAIN_S", 0.01)
    twin.faults.arm("apps.connections.open", "before")
    kept = Kept()
    with connected(twin, kept):
        twin.push("slash_commands", slash(twin.world, "UANA", "COPS", "help"))
    assert twin.faults.done[-1] == ("apps.connections.open", "before")
    assert len(kept.kept) == 1


def test_a_token_that_slack_does_not_take_is_said(twin: Twin) -> None:
    async def run() -> None:
        client = Endpoint(twin.api_url).asynchronous(None)
        await Socket(Intake(Kept(), None), app_token="xapp-wrong", client=client).run(Stop())

    with pytest.raises(EnvironmentFault) as caught:
        asyncio.run(run())
    assert caught.value.code == "slack_app_token"
    assert "xapp" not in caught.value.message + caught.value.next
