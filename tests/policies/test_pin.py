import json
import subprocess
import sys
from pathlib import Path

import pytest

from twokey.policies import bundle, pin
from twokey.policies.facts import ROOT, InvalidPolicyData, check

DIGEST = "ab" * 32
TOOLS = json.dumps([["query_warehouse", "1", "read", DIGEST]]).encode()


def _run(*arguments: str, stdin: bytes = TOOLS) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "twokey.policies.pin", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def test_tools_are_pinned_into_our_own_data() -> None:
    done = _run()
    assert (done.returncode, done.stderr) == (0, b"")
    document = json.loads(done.stdout)
    check(document)
    assert document[ROOT]["tools"] == [{"name": "query_warehouse", "version": "1", "effect": "read", "schema": DIGEST}]


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    own = tmp_path / "data.json"
    own.write_text(pin.render(bundle.load().document()))
    printed = _run(str(own)).stdout
    assert json.loads(own.read_text())[ROOT]["tools"] == []
    assert _run("--write", str(own)).stdout == b""
    assert own.read_bytes() == printed
    assert [path.name for path in tmp_path.iterdir()] == ["data.json"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        ([], b"", b"cannot be read"),
        ([], b"{}", b"no list of"),
        ([], b'[["a", "1", "read"]]', b"no list of"),
        ([], b'[["a", "1", "read", 7]]', b"no list of"),
        ([], b'["abcd"]', b"no list of"),
        ([], b'[["a", "1", "execute", "x"]]', b"cannot be used"),
        (["/nowhere/data.json"], TOOLS, b"cannot be read"),
        (["--write"], TOOLS, b"--write needs DATA"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_a_sentence(arguments: list[str], stdin: bytes, said: bytes) -> None:
    done = _run(*arguments, stdin=stdin)
    assert done.returncode == 2
    assert said in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_a_document_that_is_no_object_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "data.json"
    wrong.write_text("[]")
    assert b"no object" in _run("--write", str(wrong)).stderr
    assert wrong.read_text() == "[]"


def test_tools_are_read_strictly() -> None:
    with pytest.raises(InvalidPolicyData):
        pin.tools(b'[["a", "1", "read", NaN]]')
