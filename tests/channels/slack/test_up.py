"""`twokey up`, whole: a WebSocket to Slack, a worker, and a pull-request branch at the end of it."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import slack_scene
from support.git_repo import run_git
from support.slack_scene import SECRET, Scene
from twins.slack.people import Courier, click, mention, slash
from twins.slack.server import PATIENCE_S, Twin
from twins.slack.world import Message

from twokey.channels.dispatching.stopping import Stop
from twokey.channels.running import run_up


@contextmanager
def up(scene: Scene) -> Generator[str]:
    """Everything runs until the block ends; gives the address of the server."""
    stop, told, begun = Stop(), list[str](), threading.Event()

    def tell(text: str) -> None:
        told.append(text)
        begun.set()

    def run() -> None:
        run_up(scene.workspace, host="127.0.0.1", port=0, concurrency=2, tell=tell, stop=stop)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert begun.wait(PATIENCE_S)
        yield told[0].split(" listens at ")[1].split()[0]
    finally:
        stop.ask()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def card(scene: Scene) -> list[Message]:
    return [message for message in scene.world.by_app("CAPPROVALS") if "twokey.approve" in message.buttons()]


def done(scene: Scene) -> bool:
    return any("Done" in message.shown for message in scene.world.by_app("CAPPROVALS"))


def test_over_socket_mode_from_a_command_to_a_branch_and_back(twin: Twin, tmp_path: Path) -> None:
    with slack_scene.opened(twin, tmp_path) as scene:
        scene.link("ana", "sam")
        with up(scene):
            twin.wait(lambda: bool(twin.connections))
            command = slash(scene.world, "UANA", "COPS", "catalog")
            command["response_url"] = twin.base + scene.world.hook("COPS", "UANA")
            twin.push("slash_commands", command)
            twin.push("slash_commands", command)
            twin.wait(lambda: bool(card(scene)))
            pressed = click(scene.world, "USAM", card(scene)[0], "twokey.approve")
            pressed["response_url"] = twin.base + scene.world.hook("CAPPROVALS", "USAM")
            twin.push("interactive", pressed)
            twin.drop(politely=True)
            twin.push("interactive", pressed)
            twin.wait(lambda: done(scene))
            twin.push("events_api", mention(scene.world, "UGUEST", "COPS", "<@UBOTTHOME> hello"))
            twin.wait(lambda: "Guests" in scene.world.told("UGUEST"))
        assert scene.written() == 1
        assert logging.getLogger("twokey.worker").isEnabledFor(logging.WARNING), "Bolt silences nobody but itself"
        assert len(scene.workspace.service.runs()) == 1
        assert scene.refusals == [("guest", "UGUEST")]
        assert "twokey/" in run_git(scene.folder / "repo", "branch", "--list", "twokey/*")


def test_over_http_what_is_signed_is_acknowledged_and_worked_off(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in slack_scene.VARIABLES.items():
        monkeypatch.setenv(name, value)
    with slack_scene.opened(twin, tmp_path, mode="http") as scene, up(scene) as address:
        courier = Courier(twin, f"{address}/slack/events", SECRET)
        said = courier.form(slash(scene.world, "UEVE", "COPS", "help"))
        assert (said.status, said.body) == (200, b"")
        twin.wait(lambda: "What you can ask for" in scene.world.told("UEVE"))
        forged = Courier(twin, f"{address}/slack/events", "another secret")
        refused = forged.form(slash(scene.world, "UEVE", "COPS", "help"))
        assert refused.status == 401
        assert b"secret" not in refused.body
        assert courier.raw(b"{", "application/json").status == 200
        assert courier.raw(b"{", "application/json", headers={"X-Slack-Request-Timestamp": "soon"}).status == 401
        assert courier.raw(b"x" * 2_000_000, "application/json").status == 413
        assert courier.event(mention(scene.world, "UEVE", "COPS", "<@UBOTTHOME> hello")).attempts == 1
        twin.wait(lambda: "stands for nobody here" in scene.world.told("UEVE"))
