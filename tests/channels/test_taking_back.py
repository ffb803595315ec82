"""The suspected deploy as a commit: a revert is drafted, waits for people, and nobody can talk it into another one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.git_repo import run_git, small_project
from support.small_bundle import ONSET, iso, write_bundle

from twokey.channels import creation, sample, wiring
from twokey.channels.service import Outcome
from twokey.channels.workspace import Workspace
from twokey.store.proposals import ProposalRecord

DEPLOYED = ONSET - timedelta(minutes=2)


def commit(repo: Path, files: dict[str, bytes | None], message: str, at: datetime = DEPLOYED) -> str:
    """Commit something at a time; gives the commit's id."""
    for name, content in files.items():
        if content is None:
            (repo / name).unlink()
        else:
            (repo / name).write_bytes(content)
    when = f"{at.timestamp():.0f} +0000"
    run_git(repo, "add", "--all")
    run_git(repo, "commit", "--quiet", "--message", message, GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)
    return run_git(repo, "rev-parse", "HEAD").strip()


@dataclass
class House:
    """A workspace with a service that is deployed from a repository, and one bundle for each incident."""

    workspace: Workspace
    repo: Path
    bundles: Path

    def incident(self, name: str, text: str) -> str:
        """Write a bundle in which ``basket`` gets slow, with this deploy before."""
        folder = write_bundle(self.bundles / name, name)
        event = {"time": iso(DEPLOYED), "kind": "deploy", "service": "basket", "actor": "ci", "text": text}
        (folder / "events.jsonl").write_text(json.dumps(event), encoding="utf-8")
        return str(folder)

    def tell(self, which: str) -> Outcome:
        identity, _ = self.workspace.people.identify("ana", "demo")
        return self.workspace.incident(identity, which, lambda _: None)

    def reverts(self, outcome: Outcome) -> list[ProposalRecord]:
        return [
            one for one in outcome.proposals if str(one.proposal.args.get("branch", "")).startswith("twokey/revert")
        ]

    def said(self, outcome: Outcome) -> list[str]:
        found = self.workspace.service.findings(outcome.run.id)
        assert self.workspace.service.document(outcome.run.id, "review")["problems"] == []
        return [one.kind for one in found if one.kind.startswith("actions_revert")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("reverts")
    repo = small_project(place / "shop")
    made = creation.create(
        place / "workspace",
        sample.build(place / "sample").people,
        demo=True,
        sections={
            "places.shop": {"kind": "repository", "location": str(repo)},
            "incident.deployments": {"shop": "basket"},
        },
    )
    with wiring.opened(made.folder) as opened:
        yield House(opened, repo, place)


@pytest.fixture(scope="module")
def bad(house: House) -> str:
    """The commit that was deployed, with one after it that touches other lines."""
    lines = [b"line %d\n" % at for at in range(20)]
    commit(house.repo, {"basket.sql": b"".join(lines)}, "basket", DEPLOYED - timedelta(hours=3))
    lines[2] = b"select slow\n"
    found = commit(house.repo, {"basket.sql": b"".join(lines)}, "planner rewritten")
    lines[15] = b"select more\n"
    commit(house.repo, {"basket.sql": b"".join(lines)}, "a later change", DEPLOYED + timedelta(hours=1))
    return found


def test_a_revert_is_drafted_with_its_evidence_and_waits(house: House, bad: str) -> None:
    outcome = house.tell(house.incident("clean", f"{bad[:12]} planner rewritten"))
    assert house.said(outcome) == ["actions_revert"]
    (made,) = house.reverts(outcome)
    args = made.proposal.args
    assert (made.state.value, args["repository"], args["branch"]) == (
        "awaiting_approval",
        "shop",
        f"twokey/revert-{bad[:12]}",
    )
    assert args["title"] == f"Revert {bad[:12]} of basket"
    assert "planner" not in args["title"] + args["body"], "no text of the commit, of its writer or of the event"
    assert "is no proof" in args["body"]
    (file,) = args["files"]
    assert "line 2\n" in file["content"]
    assert "select more\n" in file["content"], "what came after it stays"
    assert "close the pull request" in made.proposal.rollback.text.casefold()
    (finding,) = [one for one in house.workspace.service.findings(outcome.run.id) if one.kind == "actions_revert"]
    assert len(finding.evidence) == 2
    assert set(finding.evidence) <= {one.id for one in made.proposal.evidence}

    sam, credential = house.workspace.people.identify("sam", "demo")
    answered = house.workspace.service.answer(sam, credential, action="approve", proposal=made.id, tell=lambda _: None)
    assert answered.state.value == "done"
    head = run_git(house.repo, "rev-parse", f"twokey/revert-{bad[:12]}").strip()
    run_git(house.repo, "checkout", "--quiet", "--detach", "main")
    run_git(house.repo, "revert", "--no-edit", bad)
    assert run_git(house.repo, "rev-parse", "HEAD^{tree}") == run_git(house.repo, "rev-parse", f"{head}^{{tree}}")
    run_git(house.repo, "checkout", "--quiet", "main")

    again = house.tell(house.incident("again", f"deploy of {bad[:12]}"))
    assert house.said(again) == ["actions_revert_drafted"]
    assert not house.reverts(again)


def test_a_commit_of_another_branch_or_of_long_ago_is_not_taken_back(house: House, bad: str) -> None:
    run_git(house.repo, "checkout", "--quiet", "-b", "side")
    foreign = commit(house.repo, {"side.sql": b"select 1\n"}, "on another branch")
    run_git(house.repo, "checkout", "--quiet", "main")
    old = run_git(house.repo, "rev-list", "--max-parents=0", "HEAD").strip()
    assert bad
    for name, one in (("foreign", foreign), ("old", old)):
        outcome = house.tell(house.incident(name, f"{one[:12]} x"))
        assert (house.said(outcome), house.reverts(outcome)) == (["actions_revert_unknown"], [])


def test_a_fix_that_protects_is_left_to_people(house: House, bad: str) -> None:
    assert bad
    fix = commit(house.repo, {"fix.sql": b"select 1\n"}, "Fix CVE-2026-1234")
    outcome = house.tell(house.incident("fix", f"{fix[:12]} ordinary words"))
    assert (house.said(outcome), house.reverts(outcome)) == (["actions_revert_security"], [])


def test_lines_that_were_changed_again_are_left_to_people(house: House, bad: str) -> None:
    del bad
    text = b"".join(b"row %d\n" % at for at in range(9))
    commit(house.repo, {"rows.sql": text}, "rows", DEPLOYED - timedelta(hours=1))
    one = commit(house.repo, {"rows.sql": text.replace(b"row 4", b"row four")}, "four")
    commit(house.repo, {"rows.sql": text.replace(b"row 4", b"row 4.0")}, "four again", DEPLOYED + timedelta(hours=2))
    outcome = house.tell(house.incident("clash", f"{one[:12]} x"))
    assert (house.said(outcome), house.reverts(outcome)) == (["actions_revert_changed"], [])
