"""From a Slack command to a pull request on GitHub and back to the card, over real sockets on both sides."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import slack_scene
from support.command import warehouse
from support.slack_scene import ACCOUNTS, HOME, VARIABLES
from twins.github.fixtures import LOCATION, URL, stand
from twins.slack.people import click, slash
from twins.slack.server import PATIENCE_S, Twin
from twins.slack.world import Message

from twokey.channels import creation, wiring
from twokey.channels.dispatching.stopping import Stop
from twokey.channels.running import run_up
from twokey.channels.workspace import Workspace


def settings(folder: Path, twin: Twin, api: str) -> Path:
    """A workspace that is connected with both."""
    shop = warehouse(folder / "shop.db")
    sections: dict[str, dict[str, str | int]] = {
        "slack": {
            "mode": "socket",
            "approvals_channel": "CAPPROVALS",
            "api_url": twin.api_url,
            "hooks_url": f"{twin.base}/hooks/",
        },
        "catalog": {"warehouse": "shop", "repository": "dbt"},
        "places.shop": {"kind": "warehouse", "location": f"sqlite:///{shop}"},
        "places.dbt": {"kind": "repository", "location": LOCATION},
        "github": {"url": URL, "api": api, "token_env": "HUB_TOKEN"},
    }
    creation.create(folder / "w", slack_scene.PEOPLE, sections=sections)
    text = (folder / "w" / "twokey.toml").read_text()
    marker = 'token_env = "HUB_TOKEN"\n'
    (folder / "w" / "twokey.toml").write_text(text.replace(marker, marker + 'webhook_secret_envs = ["HUB_SECRET"]\n'))
    return folder / "w"


def link(workspace: Workspace, *names: str) -> None:
    for name in names:
        external = f"slack:{HOME}/{ACCOUNTS[name]}"
        workspace.linking.links.ask(external, name, "slack")
        workspace.linking.confirm(*workspace.identify(name, "cli"), external)


@contextmanager
def up(workspace: Workspace) -> Generator[None]:
    stop, begun = Stop(), threading.Event()

    def run() -> None:
        run_up(workspace, host="127.0.0.1", port=0, concurrency=2, tell=lambda _: begun.set(), stop=stop)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert begun.wait(PATIENCE_S)
        yield
    finally:
        stop.ask()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize("cut", ["", "chat.postMessage", "chat.update", "users.info"])
def test_a_command_becomes_one_pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    with stand(tmp_path / "github") as github, Twin(slack_scene.populated()).running() as twin:
        twin.api.lenient = True
        monkeypatch.setenv("HUB_TOKEN", github.token)
        monkeypatch.setenv("HUB_SECRET", "a secret of more than sixteen characters")
        world = twin.world

        def cards() -> list[Message]:
            return [item for item in world.by_app("CAPPROVALS") if "twokey.approve" in item.buttons()]

        with wiring.opened(settings(tmp_path, twin, github.twin.api)) as workspace:
            link(workspace, "ana", "sam")
            with up(workspace):
                twin.wait(lambda: bool(twin.connections))
                if cut:
                    twin.faults.arm(cut, "after")
                command = slash(world, "UANA", "COPS", "catalog")
                twin.push("slash_commands", command | {"response_url": twin.base + world.hook("COPS", "UANA")})
                twin.wait(lambda: bool(cards()))
                pressed = click(world, "USAM", cards()[0], "twokey.approve")
                pressed["response_url"] = twin.base + world.hook("CAPPROVALS", "USAM")
                twin.push("interactive", pressed)
                twin.wait(lambda: any("Done" in item.shown for item in world.by_app("CAPPROVALS")))
        (pull,) = github.repository.pulls.values()
        assert (pull.ticket.state, pull.base, pull.merged_at) == ("open", "main", None)
        assert len(world.by_app("CAPPROVALS")) == 1
        assert "sam" in world.by_app("CAPPROVALS")[0].shown
        assert len({str(item.metadata) for item in world.by_app() if item.metadata}) == len(world.by_app())
