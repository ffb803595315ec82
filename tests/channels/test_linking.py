"""Linking, as people do it: with their own credential, and naming the identity in full."""

from pathlib import Path

import pytest
from support.workspace import Place
from typer.testing import CliRunner

from twokey.channels.cli import linking as command
from twokey.channels.cli.main import app
from twokey.channels.cli.session import SESSION
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput, Refused
from twokey.core.values import Identity

SAM = "slack:T01/U0SAM"


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Place:
    return Place(tmp_path, sqlite_url)


@pytest.fixture(autouse=True)
def _session(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    monkeypatch.setattr(SESSION, "workspace", place.folder)
    monkeypatch.setattr(SESSION, "principal", "sam")


def run(*arguments: str, typed: str | None = None) -> str:
    result = CliRunner().invoke(app, ["link", *arguments], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def ask(workspace: Workspace, name: str = "sam", external: str = SAM) -> None:
    workspace.linking.links.ask(external, name, "slack")


def test_what_asks_is_shown_confirmed_and_undone(place: Place):
    assert "Nobody is linked" in run("list")
    with place.opened() as workspace:
        ask(workspace)
    assert f"{SAM:<32} asks to be you" in run("list")
    with pytest.raises(BadInput) as caught:
        run("confirm")
    assert caught.value.code == "no_external", "without a terminal it is named in the command"
    with pytest.raises(BadInput) as caught:
        run("confirm", "U0SAM")
    assert caught.value.code == "bad_external"
    assert f"{SAM} is sam from now on" in run("confirm", SAM)
    assert f"{SAM:<32} linked" in run("list")
    with place.opened() as workspace:
        found = workspace.linking.links.principal(SAM)
        assert found is not None
        identity = Identity(principal=found, auth="slack", channel="slack", external=SAM)
        with pytest.raises(Refused) as refusal:
            workspace.linking.remove(identity, None, SAM)
        assert refusal.value.code == "not_authenticated"
        workspace.controls.freeze(identity, None, on=True, reason="stop")
        assert workspace.controls.stopped()[0] == "frozen"
    assert f"{SAM} is no longer sam" in run("remove", SAM)
    assert "Nobody is linked" in run("list")


def test_at_a_terminal_a_person_writes_the_identity_out(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "_at_a_terminal", lambda: True)
    with pytest.raises(BadInput) as caught:
        run("confirm")
    assert caught.value.code == "not_asked"
    with place.opened() as workspace:
        ask(workspace)
    with pytest.raises(BadInput):
        run("confirm", typed="\n")
    assert f"{SAM} is sam from now on" in run("confirm", typed=f"{SAM}\n")
