"""The main job from outside: a request, a card, a second person, a branch in git, and a log that proves it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from inline_snapshot import snapshot
from jsonschema.validators import validator_for
from support.command import Command, account, everything_in, repository, warehouse
from support.git_repo import run_git


@pytest.fixture(scope="module")
def chinook(data: Path) -> Path:
    path = data / "joins" / "chinook.sqlite"
    if not path.is_file():
        pytest.skip("chinook is not among the development data")
    return path


def test_chinook_is_documented_approved_and_written(data: Path, chinook: Path, tmp_path: Path):
    twokey, repo = account(tmp_path), repository(tmp_path / "repo")
    main = run_git(repo, "rev-parse", "main")
    proposed = twokey.json("catalog", "propose", f"sqlite:///{chinook}", "--repo", repo, "--as", "ana")
    (proposal,) = proposed["proposals"]
    assert proposal["state"] == "awaiting_approval"
    before = everything_in(repo)
    shown = twokey.json("approvals", "show", proposal["id"], "--as", "sam")
    assert everything_in(repo) == before, "looking writes nothing"
    done = twokey.json("approvals", "approve", proposal["id"], "--as", "sam")
    assert (done["state"], done["code"]) == ("done", "written")

    branch = shown["args"]["branch"]
    files = run_git(repo, "diff", "--name-only", f"main..{branch}").split()
    models = [name for name in files if name.endswith(".yml")]
    documents = [yaml.safe_load(run_git(repo, "show", f"{branch}:{name}")) for name in models]
    tables = [table for document in documents for source in document["sources"] for table in source["tables"]]
    columns = [column for table in tables for column in table["columns"]]
    assert (len(tables), len(columns)) == (11, 64)
    assert all(item["description"] for item in [*tables, *columns])
    assert sum(_tests(column, "relationships") for column in columns) == 11
    assert run_git(repo, "rev-parse", "main") == main
    assert run_git(repo, "status", "--porcelain") == "", "the working copy is nobody's business"
    whole = run_git(repo, "diff", "--full-index", "--no-renames", f"main..{branch}")
    assert whole.strip() in shown["preview"], "what is shown is what git shows"
    assert twokey.rows("SELECT id, state, code FROM runs") == [(proposed["run"], "done", "done")]
    assert twokey.whole()

    schema = json.loads((data / "schemas" / "dbt_yml_files-latest.json").read_text(encoding="utf-8"))
    validator = validator_for(schema)(schema)
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []


def _tests(column: dict[str, Any], name: str) -> int:
    return sum(isinstance(test, dict) and name in test for test in column.get("data_tests", []))


def test_the_objects_for_programs_are_those_of_the_contract(tmp_path: Path):
    twokey, repo = account(tmp_path), repository(tmp_path / "repo")
    warehouse(tmp_path / "small.db")
    with (tmp_path / "w" / "twokey.toml").open("a", encoding="utf-8") as file:
        file.write(
            f'\n[places.app]\nkind = "warehouse"\nlocation = "{tmp_path / "small.db"}"\n'
            f'[places.dbt]\nkind = "repository"\nlocation = "{repo}"\n'
            '[catalog]\nwarehouse = "app"\nrepository = "dbt"\n'
        )
    asked = twokey.json("ask", "document the table people", "--as", "ana")
    assert {"run", "state", "proposals"} <= set(asked)
    assert [set(item) for item in asked["proposals"]] == [{"id", "digest", "state"}]
    assert asked["state"] == "waiting"
    identifier = asked["proposals"][0]["id"]
    shown = twokey.json("approvals", "show", identifier)
    assert {
        "id", "digest", "state", "tool", "args", "preview", "rollback", "evidence", "target", "requester",
        "contributors", "decision", "approvals", "expires_at",
    } <= set(shown)  # fmt: skip
    assert (shown["id"], shown["digest"]) == (identifier, asked["proposals"][0]["digest"])
    assert (shown["requester"], shown["decision"]["effect"]) == ("ana", "require_approval")
    refused = twokey.json("approvals", "refuse", identifier, "--as", "sam", "--reason", "not now")
    assert refused == {"id": identifier, "state": "refused", "code": "refused_by_person"}
    assert twokey.state(identifier) == "refused"
    verified = twokey.json("audit", "verify")
    assert set(verified) >= {"ok", "size", "root", "first_bad", "reason", "rollback_checked"}
    assert (verified["ok"], verified["first_bad"], verified["rollback_checked"]) == (True, None, False)
    (run,) = twokey.json("runs", "list")["runs"]
    assert (run["state"], run["code"]) == ("done", "refused")


def test_places_of_the_settings_are_called_by_their_names(tmp_path: Path):
    twokey, repo = account(tmp_path), repository(tmp_path / "repo")
    warehouse(tmp_path / "small.db")
    (tmp_path / "app").mkdir()  # what the settings name comes before what is called the same
    with (tmp_path / "w" / "twokey.toml").open("a", encoding="utf-8") as file:
        file.write(
            f'\n[places.app]\nkind = "warehouse"\nlocation = "{tmp_path / "small.db"}"\n'
            f'[places.dbt]\nkind = "repository"\nlocation = "{repo}"\n'
        )
    (made,) = twokey.json("catalog", "propose", "app", "--repo", "dbt", "--as", "ana")["proposals"]
    assert (made["state"], twokey.json("approvals", "show", made["id"])["target"]["id"]) == ("awaiting_approval", "dbt")
    assert twokey.refused("catalog", "scan", "dbt", "--as", "ana", code=2)
    assert twokey.refused("catalog", "propose", "app", "--repo", "app", "--as", "ana", code=2)


def test_the_demo_runs_headless_and_says_what_is_asserted(tmp_path: Path):
    alone = Command(home=tmp_path / "home", folder=tmp_path)
    told = alone.ok("demo", "--once", "--dir", tmp_path / "demo").out
    shown = re.findall(r"^    \d  .*$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(shown) == 3, "the first screen of the README shows a run"
    assert set(shown) <= set(told.splitlines())
    for word in ("asserted", "needs 1 of", "is done (written)", "git log", "ok:"):
        assert word in told
    assert alone.refused("demo", "--once", "--dir", tmp_path / "demo", code=2).endswith("is not empty.")
    alone.workspace = tmp_path / "demo" / "workspace"
    doctor = alone("doctor")
    assert doctor.code == 0
    assert "identities are asserted with --as, not proven" in doctor.out
    used = {(event["principal"], event["auth"]) for event in alone.log("identity.used")}
    assert used == {("ana", "asserted"), ("sam", "asserted"), ("rita", "asserted")}
    answers = [event["answer"] for event in alone.log("answer.given")]
    given = {(item["statement"]["principal"], item["auth"]) for item in answers}
    assert given == {("sam", "asserted"), ("rita", "asserted")}, "a report of a weakness asks a risk owner, too"
    assert alone.refused("login", "sam", code=2) == snapshot(
        "A demo workspace has no credentials: identities are asserted there with --as."
    )
    settings = alone.workspace / "twokey.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("demo = true", "demo = false"), encoding="utf-8")
    assert alone.refused("approvals", "list", code=3) == snapshot(
        "twokey.toml and the log disagree on whether this is a demo workspace; the log is right."
    )
