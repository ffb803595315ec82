"""Where global options may stand, and what becomes of faults that nobody foresaw."""

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from twokey.channels.cli import main as entry
from twokey.channels.cli.main import hoist
from twokey.channels.cli.session import SESSION, from_environment
from twokey.core.errors import BadInput


@pytest.fixture(autouse=True)
def _own_session() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """Every test begins and ends with the session of a fresh process."""
    threshold = gc.get_threshold()
    _reset()
    yield
    _reset()
    gc.set_threshold(*threshold)


def _reset() -> None:
    SESSION.workspace, SESSION.as_json, SESSION.principal = Path("unset"), False, None


@pytest.mark.parametrize(
    "arguments",
    [
        ["-C", "w", "--json", "--as", "ana", "ask", "document it"],
        ["ask", "document it", "--as=ana", "-C=w", "--json"],
        ["ask", "--workspace", "w", "document it", "--json", "--as", "ana"],
        ["--workspace=w", "ask", "--json", "--as", "ana", "document it"],
    ],
)
def test_global_options_may_stand_anywhere(arguments: list[str]):
    assert hoist(arguments) == ["ask", "document it"]
    assert (SESSION.workspace, SESSION.as_json, SESSION.principal) == (Path("w"), True, "ana")


def test_behind_two_dashes_everything_is_text():
    assert hoist(["ask", "--", "--json", "--as", "-C"]) == ["ask", "--", "--json", "--as", "-C"]
    assert (SESSION.as_json, SESSION.principal) == (False, None)


@pytest.mark.parametrize("arguments", [["--as"], ["--as="], ["ask", "-C"], ["--workspace", ""], ["ask", "\udcff"]])
def test_an_option_without_its_value_is_a_usage_error(arguments: list[str]):
    with pytest.raises(BadInput) as caught:
        hoist(arguments)
    assert caught.value.code == "usage"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6))
def test_what_is_no_global_option_is_handed_on_untouched(arguments: list[str]):
    plain = [item for item in arguments if item.partition("=")[0] not in {"-C", "--workspace", "--as", "--json", "--"}]
    assert hoist(plain) == plain


def test_variables_name_workspace_and_person(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWOKEY_WORKSPACE", "/some/where")
    monkeypatch.setenv("TWOKEY_AS", "sam")
    session = from_environment()
    assert (session.workspace, session.principal, session.as_json) == (Path("/some/where"), "sam", False)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_fault_of_twokey_itself_is_a_sentence_without_what_was_worked_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool
):
    """A command that fails as no code should: its error holds what a person was working on."""

    def broken() -> None:
        raise ZeroDivisionError("margarethe@example.org")

    name = f"broken-{as_json}".lower()
    entry.app.command(name, hidden=True)(broken)
    monkeypatch.setattr(sys, "argv", ["twokey", name, *(["--json"] if as_json else [])])
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert caught.value.code == 3
    said = capsys.readouterr()
    text = json.loads(said.out)["error"]["message"] if as_json else said.err
    assert text.startswith("Twokey itself failed: ZeroDivisionError in ")
    assert "margarethe" not in said.out + said.err
    assert "Traceback" not in said.out + said.err


def _cut(command: Any, path: str) -> list[str]:
    """The commands below ``command`` whose line in a list of 80 columns is cut off."""
    commands = {name: each for name, each in getattr(command, "commands", {}).items() if not each.hidden}
    room = 80 - 8 - max(map(len, commands), default=0)
    cut = [f"{path} {name}" for name, each in commands.items() if each.get_short_help_str(room).endswith("...")]
    return cut + [below for name, each in commands.items() for below in _cut(each, f"{path} {name}")]


def test_no_line_of_help_is_cut_off_in_a_terminal_of_80_columns():
    assert _cut(get_command(entry.app), "twokey") == []


def test_python_looks_for_rings_of_dead_objects_less_often(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["twokey", "--help"])
    others = gc.get_threshold()[1:]
    with pytest.raises(SystemExit):
        entry.main()
    assert gc.get_threshold() == (10_000, *others)
