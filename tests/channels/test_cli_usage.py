"""How the command is called, from outside: every mistake is one sentence that names the help to read."""

import os
import subprocess
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from support.command import PROGRAM, Command

LIMIT = "Invalid value for '--limit': Input should be a valid integer, unable to parse string as an integer"


@pytest.fixture
def twokey(tmp_path: Path) -> Command:
    """An account without a workspace."""
    return Command(home=tmp_path / "home", folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence", "help_to_read"),
    [
        (["frobnicate"], snapshot("No such command 'frobnicate'."), "twokey --help"),
        (["--nothing"], snapshot("No such option: --nothing"), "twokey --help"),
        (["approvals"], snapshot("Missing command."), "twokey approvals --help"),
        (["approvals", "shwo"], snapshot("No such command 'shwo'. Did you mean 'show'?"), "twokey approvals --help"),
        (["approvals", "show"], snapshot("Missing argument 'proposal'."), "twokey approvals show --help"),
        (["catalog", "propose", "--repo", "."], snapshot("Missing argument 'url'."), "twokey catalog propose --help"),
        (["ask", "one", "two"], snapshot("Got unexpected extra argument(s) (two)"), "twokey ask --help"),
        (["approvals", "list", "--as"], snapshot("The option --as needs a value."), "twokey --help"),
        (["-C"], snapshot("The option -C needs a value."), "twokey --help"),
        (["audit", "show", "--limit", "many"], LIMIT, "twokey audit show --help"),
        (["init"], snapshot("Missing argument 'DIR'."), "twokey init --help"),
        (["audit", "prove"], snapshot("Name an entry, or a proof with --check."), "twokey audit prove --help"),
    ],
)
def test_a_wrong_call_is_one_sentence(twokey: Command, arguments: list[str], sentence: str, help_to_read: str):
    done = twokey(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.sentence == sentence
    assert done.err.endswith(f"next: See `{help_to_read}`.\n")
    assert not list(twokey.folder.iterdir())


def test_a_workspace_is_made_without_naming_anybody(twokey: Command):
    made = twokey.json("init", "alone", LOGNAME="kim")
    assert made["principals"] == [{"name": "kim", "groups": ["platform-owners"]}]
    assert twokey.json("-C", "alone", "login", LOGNAME="kim")["held"] == ["kim"]


@pytest.mark.parametrize("arguments", [[], ["approvals"], ["frobnicate"], ["-C"], ["ask"]])
def test_with_json_a_wrong_call_is_one_object_wherever_the_option_stands(twokey: Command, arguments: list[str]):
    done = twokey("--json", *arguments)
    assert (done.code, done.err) == (2, "")
    assert set(done.json) == {"error"}
    assert done.json["error"]["code"] == "usage"
    assert set(done.json["error"]) == {"code", "message", "next"}
    if arguments != ["-C"]:
        assert twokey(*arguments, "--json") == done


def test_help_and_version_are_answers(twokey: Command):
    listed = twokey("--help")
    assert (listed.code, listed.err) == (0, "")
    assert {"init", "doctor", "demo", "ask", "runs", "catalog", "approvals", "audit"} <= set(listed.out.split())
    alone = twokey()
    assert (alone.code, alone.out, alone.err) == (2, listed.out, ""), "nothing asked, nothing done: help, and a failure"
    assert twokey("--version").out.startswith("twokey ")
    assert set(twokey("--version", "--json").json) == {"version"}
    assert "--repo" in twokey("catalog", "propose", "--help").out


def test_an_argument_that_is_no_text_is_one_sentence(twokey: Command):
    done = subprocess.run(
        [os.fsencode(PROGRAM), b"ask", b"document \xff\xfe", b"--as", b"ana"],
        cwd=twokey.folder,
        env=twokey.environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == snapshot("""\
An argument is not UTF-8.
  next: Use names and text in UTF-8.
""")


def test_a_terminal_that_knows_no_such_character_gets_its_escape(twokey: Command):
    done = twokey("-C", "wörk 😀", "approvals", "list", PYTHONIOENCODING="ascii")
    assert done.code == 2
    assert done.sentence == snapshot("There is no workspace at w\\xf6rk \\U0001f600: twokey.toml is missing.")


def test_a_current_folder_that_is_gone_is_no_fault_of_ours(twokey: Command, tmp_path: Path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(gone), *twokey.arguments("approvals", "list")],
        env=twokey.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "There is no workspace at .: twokey.toml is missing." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_behind_the_output_is_one_sentence(twokey: Command):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            twokey.arguments("--version"),
            cwd=twokey.folder,
            env=twokey.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("The system refused something Twokey needs: No space left on device.")
    assert "Traceback" not in done.stderr
