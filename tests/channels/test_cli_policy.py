"""``twokey policy`` as a person uses it, on a workspace with one whole job done."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.command import Command, account, repository, warehouse


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A workspace in which one change was proposed, approved and written."""
    folder = tmp_path_factory.mktemp("policy")
    twokey = account(folder, "ana:analysts,sam:platform-owners")
    repo = repository(folder / "repo")
    asked = twokey.json("catalog", "propose", warehouse(folder / "a.db"), "--repo", repo, "--as", "ana")
    twokey.json("approvals", "approve", asked["proposals"][0]["id"], "--as", "sam")
    return twokey


@pytest.fixture
def twokey(done: Command, tmp_path: Path) -> Command:
    """The same, for one test to spoil."""
    assert done.workspace is not None
    folder = tmp_path / "w"
    shutil.copytree(done.workspace, folder)
    return Command(done.home, tmp_path, folder)


def edited(twokey: Command, **changes: Any) -> Path:
    """A copy of the workspace's bundle with other data."""
    assert twokey.workspace is not None
    folder = twokey.folder / "new"
    shutil.copytree(twokey.workspace / "policies", folder)
    path = folder / "data.json"
    document = json.loads(path.read_text())
    document["twokey_data"] |= changes
    path.write_text(json.dumps(document))
    return folder


def test_an_unchanged_policy_gives_every_decision_again_byte_for_byte(done: Command):
    found = done.json("policy", "replay")
    assert found["ok"]
    assert found["decisions"] == found["again"] == found["unchanged_policy"] == found["kinds"]["same"]
    assert found["decisions"] >= 5
    assert (found["mismatches"], found["changed"], found["not_kept"], found["altered"]) == (0, 0, 0, 0)


def test_a_new_policy_gives_what_would_have_been_otherwise(twokey: Command):
    limits = {"files": 0, "lines": 0}
    report = twokey.folder / "report.html"
    found = twokey.json("policy", "replay", "--bundle", edited(twokey, limits=limits), "--report", report)
    assert found["ok"], "a change is no failure"
    assert found["transitions"] == {"require_approval -> deny": 3}
    assert {"rule": "R10", "code": "too_large", "gained": 3, "lost": 0} in found["rules"]
    assert {item["occasion"] for item in found["changes"]} == {"propose", "click", "execute"}
    text = report.read_text()
    for item in found["changes"]:
        assert item["entry"] in text
        assert twokey.rows("SELECT count(*) FROM log_entries WHERE id = ?", item["entry"]) == [(1,)]


def test_only_decisions_since_a_time_are_taken_again(done: Command):
    assert done.json("policy", "replay", "--since", "2999-01-01")["decisions"] == 0
    assert done.json("policy", "replay", "--since", "1999-01-01T10:00Z")["decisions"] >= 5
    assert "no time" in done.refused("policy", "replay", "--since", "yesterday", code=2)


def test_an_altered_answer_fails_and_a_missing_one_is_counted(twokey: Command):
    with closing(sqlite3.connect(twokey.database)) as connection:
        connection.execute("DELETE FROM decisions WHERE entry = (SELECT min(entry) FROM decisions)")
        connection.execute("UPDATE decisions SET answer = x'7b7d' WHERE entry = (SELECT max(entry) FROM decisions)")
        connection.commit()
    failed = twokey("policy", "replay", "--json")
    assert failed.code == 1
    assert (failed.json["not_kept"], failed.json["altered"], failed.json["ok"]) == (1, 1, False)
    assert failed.json["first_altered"].startswith("l-")
    assert "tampered" in twokey("policy", "replay").out


def test_nothing_of_a_replay_is_written_to_the_workspace(done: Command):
    before = done.rows("SELECT count(*), max(seq) FROM log_entries")
    done.ok("policy", "replay")
    assert done.rows("SELECT count(*), max(seq) FROM log_entries") == before


@pytest.mark.parametrize(
    "arguments", [("--bundle", "nowhere"), ("--report", "x.txt"), ("--report", "nowhere/x.html"), ("--engines", "0")]
)
def test_what_cannot_be_used_is_said_before_anything_is_done(done: Command, arguments: tuple[str, str]):
    assert done("policy", "replay", *arguments).code == 2


# -- check, test, eval, diff -------------------------------------------------------------------------------------------


def broken(twokey: Command, name: str, text: str) -> Path:
    """A copy of the workspace's bundle with one more file."""
    folder = edited(twokey)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return folder


def test_the_bundle_of_a_new_workspace_passes_the_check(done: Command, opa: Path):
    found = done.json("policy", "check", TWOKEY_OPA=str(opa))
    assert (found["ok"], found["load"], found["embedded"], found["opa"]) == (True, "", "", [])
    assert len(found["policy_revision"]) == 64


def test_without_opa_the_check_says_that_it_was_not_asked(done: Command):
    found = done.json("policy", "check", TWOKEY_OPA="/nowhere/opa")
    assert (found["ok"], found["opa"]) == (True, None)
    assert "not done" in done.ok("policy", "check", TWOKEY_OPA="/nowhere/opa").out


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("package twokey\n\nx := http.send({})\n", "load"),
        ("package twokey\n\nx := time.now_ns()\n", "load"),
        ("package twokey\n\nx if y > 1\n", "embedded"),
        ("package twokey\n\nx := {\n", "embedded"),
    ],
    ids=["a request", "a clock", "an unsafe variable", "no Rego"],
)
def test_rego_that_may_not_run_fails_the_check(twokey: Command, opa: Path, text: str, part: str):
    folder = broken(twokey, "twokey/more.rego", text)
    done = twokey("policy", "check", folder, "--json", TWOKEY_OPA=str(opa))
    assert done.code == 1
    assert done.json[part], done.json
    if part == "embedded":
        assert any("more.rego" in line for line in done.json["opa"])


def test_data_that_does_not_fit_fails_the_check(twokey: Command):
    done = twokey("policy", "check", edited(twokey, default_owner="nobody-known"), "--json", TWOKEY_OPA="/nowhere/opa")
    assert (done.code, "nobody-known" in done.json["load"]) == (1, True)


@pytest.mark.timeout(1300)
def test_the_tests_of_twokeys_own_bundle_pass_and_cover_it(done: Command, opa: Path):
    from twokey.policies import bundle

    found = done.json("policy", "test", Path(bundle.__file__).with_name("bundle"), TWOKEY_OPA=str(opa))
    assert found["ok"]
    assert (found["failed"], found["coverage"], found["not_covered"]) == ([], 100.0, [])


def test_a_failing_test_and_a_gap_are_named(twokey: Command, opa: Path):
    folder = broken(twokey, "twokey/own_test.rego", "package twokey.own_tests\n\ntest_one if 1 == 1\n")
    found = twokey.json("policy", "test", folder, TWOKEY_OPA=str(opa))
    assert found["coverage"] < 100
    assert found["not_covered"]
    (folder / "twokey" / "own_test.rego").write_text("package twokey.own_tests\n\ntest_one if 1 == 2\n")
    failed = twokey("policy", "test", folder, "--json", TWOKEY_OPA=str(opa))
    assert (failed.code, failed.json["failed"]) == (1, ["test_one"])
    (folder / "twokey" / "own_test.rego").write_text("package twokey.own_tests\n\ntest_one if {\n")
    assert "do not run" in twokey.refused("policy", "test", folder, code=1, TWOKEY_OPA=str(opa))


def test_a_bundle_without_tests_fails_and_a_machine_without_opa_says_so(done: Command, opa: Path):
    assert "no test" in done.refused("policy", "test", code=1, TWOKEY_OPA=str(opa))
    assert "opa is not here" in done.refused("policy", "test", code=3, TWOKEY_OPA="/nowhere/opa")
    assert "does not run" in done.refused("policy", "test", code=3, TWOKEY_OPA=__file__)


def test_a_decision_of_the_past_is_taken_on_another_bundle(twokey: Command):
    (proposal,) = [row[0] for row in twokey.rows("SELECT id FROM proposals")]
    new = edited(twokey, limits={"files": 0, "lines": 0})
    same = twokey.json("policy", "eval", proposal)
    assert same["decision"] == same["then"]
    assert same["decision"]["effect"] == "require_approval"
    other = twokey.json("policy", "eval", same["entry"], "--bundle", new)
    assert (other["decision"]["effect"], other["then"]["effect"]) == ("deny", "require_approval")
    text = twokey.ok("policy", "eval", proposal, "--bundle", new).out
    assert "R10  too_large" in text
    assert "then it was require_approval" in text
    document = twokey.folder / "call.json"
    document.write_text(json.dumps(same["input"] | {"effect": "read"}))
    assert "no call" in twokey.refused("policy", "eval", document, code=2)
    document.write_text(json.dumps(same["input"]))
    assert twokey.json("policy", "eval", document)["decision"] == same["decision"]


@pytest.mark.parametrize("what", ["l-zzzzzzzzzzzz", "p-zzzzzzzzzzzz", "nowhere.json", __file__])
def test_what_is_no_decision_and_no_document_is_said(done: Command, what: str):
    assert done("policy", "eval", what).code == 2


def test_a_decision_whose_row_was_changed_is_not_taken_again(twokey: Command):
    (proposal,) = [row[0] for row in twokey.rows("SELECT id FROM proposals")]
    with closing(sqlite3.connect(twokey.database)) as connection:
        connection.execute("UPDATE decisions SET answer = x'7b7d'")
        connection.commit()
    assert "not what the log says" in twokey.refused("policy", "eval", proposal, code=1)


def test_differences_are_told(twokey: Command):
    assert twokey.workspace is not None
    old, new = twokey.workspace / "policies", edited(twokey, limits={"files": 7, "lines": 10000})
    assert "limits.files was changed: 200 -> 7" in twokey.ok("policy", "diff", old, new).out
    assert twokey.json("policy", "diff", old, old) == {"same": True, "differences": []}
