"""A change of the policy as a pull request: checked, replayed, and approved by the owners of policy and risk."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import everything_in, repository, warehouse
from support.git_repo import make_commit, run_git

from twokey.channels import creation, wiring
from twokey.channels.service import Outcome
from twokey.channels.workspace import Workspace
from twokey.core.errors import BadInput, Refused
from twokey.core.lifecycle import State
from twokey.core.values import Identity
from twokey.tools.write import local_git as forge

PEOPLE = [
    ("ana", ("analysts",)),
    ("sam", ("platform-owners",)),
    ("pat", ("platform-owners",)),
    ("rita", ("risk-owners",)),
    ("kim", ("risk-owners",)),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one change proposed, and a repository that holds its policy."""
    folder = tmp_path_factory.mktemp("policy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        creation.create(folder / "w", PEOPLE)
        models = repository(folder / "models")
        with wiring.opened(folder / "w") as workspace:
            asked = workspace.catalog(
                who(workspace, "ana"), str(warehouse(folder / "a.db")), str(models), (), lambda _: None
            )
            assert asked.run.state == "waiting"
        repo = repository(folder / "ops")
        held = {path: (folder / "w" / path).read_bytes() for path in files(folder / "w", "policies")}
        make_commit(repo, {"README.md": b"# ops\n", "policies/README.md": b"Ours.\n", **held}, "The policy")
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, for one test to spoil."""
    folder = tmp_path / "copy"
    shutil.copytree(made, folder, symlinks=True)
    monkeypatch.setenv("TWOKEY_HOME", str(folder / "home"))
    return folder


@pytest.fixture(autouse=True)
def _no_opa(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    if "opa" not in request.fixturenames:
        monkeypatch.setattr("twokey.channels.opa_program.find", nothing)


def nothing(_: object) -> None:
    """Stand for the search for a program that is not here."""


def files(folder: Path, below: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in (folder / below).rglob("*") if path.is_file())


def who(workspace: Workspace, name: str) -> Identity:
    return workspace.identify(name, "cli")[0]


def edited(place: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the workspace's bundle with other data."""
    folder = place / "new"
    shutil.copytree(place / "w" / "policies", folder)
    document = json.loads((folder / "data.json").read_text())
    change(document["twokey_data"])
    (folder / "data.json").write_text(json.dumps(document, indent=2) + "\n")
    return folder


def nothing_large(data: dict[str, Any]) -> None:
    data["limits"] = {"files": 0, "lines": 0}


def propose(workspace: Workspace, place: Path, bundle: Path, path: str = "policies") -> Outcome:
    return workspace.propose_policy(who(workspace, "ana"), bundle, str(place / "ops"), path, lambda _: None)


def test_the_pull_request_tells_what_yesterday_would_have_been(place: Path):
    bundle = edited(place, nothing_large)
    (bundle / "twokey" / "team_test.rego").write_text("package twokey.team\n\ntest_nothing if true\n")
    with wiring.opened(place / "w") as workspace:
        outcome = propose(workspace, place, bundle)
        (record,) = outcome.proposals
        proposal = record.proposal
        assert (outcome.run.state, record.state) == ("waiting", State.AWAITING_APPROVAL)
        assert [edit["path"] for edit in proposal.args["files"]] == [
            "policies/data.json",
            "policies/twokey/team_test.rego",
        ]
        body = proposal.args["body"]
        assert "require\\_approval -> deny" not in body
        assert "require\\_approval -&gt; deny | 1" in body
        assert "R10 too\\_large | 1 | 0" in body
        assert r"- data twokey\_data\.limits\.files was changed\: 200 -&gt; 0" in body
        assert "OPA was not here" in body
        assert proposal.args["title"].startswith("Change the policy (1 of ")
        needed = record.decision.approvals
        assert needed is not None
        assert {quorum.group: quorum.n for quorum in needed.all_of} == {"platform-owners": 2, "risk-owners": 2}
        assert "ana" in needed.exclude
        card = workspace.service.card(record.id, None)
        (cited,) = card.evidence
        assert (cited.trusted, cited.tool) == (True, "open_pull_request")
        states = [answer(workspace, name, record.id) for name in ("sam", "pat", "rita", "kim")]
        assert states == ["awaiting_approval"] * 3 + ["done"]
    branch = proposal.args["branch"]
    names = run_git(place / "ops", "diff", "--name-only", "main", branch).split()
    assert names == ["policies/data.json", "policies/twokey/team_test.rego"]
    assert run_git(place / "ops", "show", f"{branch}:policies/data.json") == (bundle / "data.json").read_text()


def answer(workspace: Workspace, name: str, proposal: str) -> str:
    identity, credential = workspace.identify(name, "cli")
    result = workspace.service.answer(identity, credential, action="approve", proposal=proposal, tell=lambda _: None)
    return result.state.value


@pytest.mark.opa
def test_the_bundles_own_tests_are_run(place: Path, opa: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWOKEY_OPA", str(opa))
    bundle = edited(place, lambda data: data["limits"].update(files=100))
    team = bundle / "twokey" / "team_test.rego"
    with wiring.opened(place / "w") as workspace:
        team.write_text("package twokey.team\n\ntest_wrong if false\n")
        with pytest.raises(Refused, match=r"1 tests of the bundle fail, the first is test_wrong") as refused:
            propose(workspace, place, bundle)
        assert refused.value.code == "bundle_fails"
        team.write_text("package twokey.team\n\ntest_wrong if (\n")
        with pytest.raises(Refused, match="does not pass its checks"):
            propose(workspace, place, bundle)
        team.write_text("package twokey.team\n\ntest_right if true\n")
        (record,) = propose(workspace, place, bundle).proposals
        assert "1 tests pass and cover" in record.proposal.args["body"]


def test_files_that_the_new_bundle_lacks_are_deleted_and_others_left(place: Path):
    bundle = edited(place, nothing_large)
    with wiring.opened(place / "w") as workspace:
        make_commit(
            place / "ops",
            {"policies/twokey/old_test.rego": b"package twokey.old\n", "policies/notes.txt": b"x"},
            "More",
        )
        (record,) = propose(workspace, place, bundle).proposals
        files = {edit["path"]: edit["content"] for edit in record.proposal.args["files"]}
        assert set(files) == {"policies/data.json", "policies/twokey/old_test.rego"}
        assert files["policies/twokey/old_test.rego"] is None


def test_a_first_bundle_is_proposed_into_an_empty_folder(place: Path):
    bundle = place / "w" / "policies"
    with wiring.opened(place / "w") as workspace:
        (record,) = propose(workspace, place, bundle, "ops/policy").proposals
        paths = [edit["path"] for edit in record.proposal.args["files"]]
        assert paths == [f"ops/policy/{name.removeprefix('policies/')}" for name in files(place / "w", "policies")]
        assert "nothing that decides" in record.proposal.args["body"]
        assert "changes_policy" in record.proposal.labels


def test_the_same_bundle_is_not_proposed(place: Path):
    before = everything_in(place / "ops")
    with wiring.opened(place / "w") as workspace, pytest.raises(Refused, match="this very bundle already"):
        propose(workspace, place, place / "w" / "policies")
    assert everything_in(place / "ops") == before


@pytest.mark.parametrize("path", ["", "rules", "../policies", "policies/../x", ".git/policies"])
def test_a_folder_where_changes_would_not_count_as_policy_is_refused(place: Path, path: str):
    with wiring.opened(place / "w") as workspace, pytest.raises(BadInput, match="is no folder of a policy"):
        propose(workspace, place, edited(place, nothing_large), path)


def test_what_is_no_bundle_is_refused(place: Path):
    with wiring.opened(place / "w") as workspace, pytest.raises(BadInput):
        propose(workspace, place, place / "ops")


def test_a_bundle_that_changes_after_it_was_asked_for_is_refused(place: Path):
    """A worker takes up what was asked; in between somebody else writes into the folder."""
    bundle = edited(place, nothing_large)
    with wiring.opened(place / "w") as workspace:
        left = workspace.propose_policy(who(workspace, "ana"), bundle, str(place / "ops"), "policies", None)
        document = json.loads((bundle / "data.json").read_text())
        document["twokey_data"]["limits"]["files"] = 10_000
        (bundle / "data.json").write_text(json.dumps(document))
        with pytest.raises(Refused, match="changed after it was asked"):
            workspace.service.drive(left.run.id, lambda _: None)
        assert workspace.service.outcome(left.run.id).run.code == "changed_bundle"


def test_a_folder_that_is_swapped_on_the_way_changes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch):
    """Who asks puts the bundle in force in the place of the one they want, once its files were read."""
    bundle = edited(place, nothing_large)
    read = forge.LocalRepository.describe

    def describe(repository: Any) -> Any:
        shutil.rmtree(bundle)
        shutil.copytree(place / "w" / "policies", bundle)
        return read(repository)

    monkeypatch.setattr(forge.LocalRepository, "describe", describe)
    with wiring.opened(place / "w") as workspace:
        (record,) = propose(workspace, place, bundle).proposals
    assert [edit["path"] for edit in record.proposal.args["files"]] == ["policies/data.json"]
    assert "require\\_approval -&gt; deny | 1" in record.proposal.args["body"]


def test_a_bundle_that_no_engine_compiles_is_refused(place: Path):
    bundle = edited(place, nothing_large)
    with (bundle / "twokey" / "decision.rego").open("a") as file:
        file.write("\nbroken if undefined_name\n")
    with wiring.opened(place / "w") as workspace, pytest.raises(Refused, match="does not pass its checks"):
        propose(workspace, place, bundle)


def test_a_worker_that_died_proposes_once(place: Path):
    bundle = edited(place, nothing_large)
    with wiring.opened(place / "w") as workspace:
        outcome = propose(workspace, place, bundle)
        again = workspace.service.drive(outcome.run.id, lambda _: None)
        assert [record.id for record in again.proposals] == [record.id for record in outcome.proposals]
