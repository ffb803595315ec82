"""An exception from a rule, written as data, signed by an owner of the rule, and reported by the doctor."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.command import Command, account

DRAFT = {
    "name": "large_move",
    "rule": "R10",
    "scope": {"kind": "repository"},
    "until": "2100-01-01T00:00",
    "zone": "Europe/Berlin",
    "why": "The models move to another folder.",
    "signer": "sam",
}


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return account(tmp_path_factory.mktemp("account"))


def put(twokey: Command, *exceptions: dict[str, Any]) -> Path:
    assert twokey.workspace is not None
    path = twokey.workspace / "policies" / "data.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["twokey_data"]["exceptions"] = exceptions
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def sign(twokey: Command, name: str, who: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "twokey.channels.waiving", str(twokey.workspace), name, "--as", who],
        env=twokey.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_an_exception_holds_once_an_owner_of_the_rule_has_signed_it(twokey: Command):
    put(twokey, DRAFT)
    assert "does not hold: its signature is not good" in twokey("doctor").out.replace("\n", " ")
    done = sign(twokey, "large_move", "sam")
    assert (done.returncode, done.stderr) == (0, "")
    assert "rules are lifted for a time: large_move" in twokey("doctor").out


def test_nobody_else_can_make_it_hold(twokey: Command):
    put(twokey, DRAFT)
    done = sign(twokey, "large_move", "ana")
    assert done.returncode == 1
    assert "its signer is not in the group that owns the rule" in done.stderr


@pytest.mark.parametrize(("name", "who", "code"), [("larger_move", "sam", 2), ("large_move", "eve", 1)])
def test_what_is_not_there_cannot_be_signed(twokey: Command, name: str, who: str, code: int):
    path = put(twokey, DRAFT)
    before = path.read_bytes()
    done = sign(twokey, name, who)
    assert done.returncode == code
    assert "next: " in done.stderr
    assert path.read_bytes() == before
