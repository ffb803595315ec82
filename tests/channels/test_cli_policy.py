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
