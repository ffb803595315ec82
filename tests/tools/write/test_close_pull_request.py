"""Closing takes back what opening did: the branch goes, and nothing else; at whatever step it is cut off."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.dying_disk import Faulty, in_a_child

from twokey.core.errors import CheckFailed, Refused, TwokeyError
from twokey.core.values import Resource, RollbackPlan, Target
from twokey.tools.contract import Context, Marker, Place, Places, Rendered
from twokey.tools.write.close_pull_request import CloseArgs, ClosePullRequest
from twokey.tools.write.git_disk import Disk
from twokey.tools.write.local_git import LocalGit
from twokey.tools.write.pull_request import OpenedPullRequest, OpenPullRequest, PullRequestArgs

pytestmark = pytest.mark.filterwarnings(  # the children run our code only, and end without returning into pytest
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

Git = Callable[..., str]
FORGE = LocalGit()
OPENING = Marker("p-000000000001", "ab" * 32, "r-000000000002", "ana", 1_767_225_600_123_456)
CLOSING = Marker("p-000000000003", "cd" * 32, "r-000000000004", "kim", 1_767_225_700_123_456)
BRANCH = "refs/heads/twokey/tags"
PULL = f"refs/twokey/pulls/{OPENING.proposal}"
CLOSED = f"refs/twokey/closings/{CLOSING.proposal}"


def context(location: Path) -> Context:
    return Context(Places((Place(Resource(kind="repository", id="dbt", granted_by="config"), str(location)),)), 0)


def opened(location: Path) -> OpenedPullRequest:
    """Open the usual pull request."""
    tool = OpenPullRequest(FORGE)
    args = PullRequestArgs.model_validate(
        {
            "repository": "dbt",
            "base_branch": "main",
            "base_commit": FORGE.describe(str(location)).commit,
            "branch": "twokey/tags",
            "title": "Tag what is personal",
            "files": [{"path": "docs/a/b.md", "content": "new\n"}, {"path": "README.md", "content": "# The shop\n"}],
        }
    )
    return tool.apply(args, tool.render(args, context(location)), OPENING, context(location))


@pytest.fixture
def pull(repository: Path) -> OpenedPullRequest:
    return opened(repository)


def arguments(pull: OpenedPullRequest) -> CloseArgs:
    return CloseArgs(repository="dbt", pull=pull.id, branch=pull.branch, head=pull.head)


def close(location: Path, pull: OpenedPullRequest, forge: LocalGit = FORGE) -> str:
    """Close it, whatever was rendered: its arguments alone say what goes. Gives what a look sees afterwards."""
    tool, args, where = ClosePullRequest(forge), arguments(pull), context(location)
    target = Target(kind="repository", id="dbt", version=pull.head)
    rendered = Rendered("", (), target, (), (), RollbackPlan(text="Open it again."))
    tool.apply(args, rendered, CLOSING, where)
    return tool.reconcile(args, rendered, CLOSING, where).seen


def refs(git: Git, location: Path) -> list[str]:
    return git(location, "for-each-ref", "--format=%(refname)", "refs/heads/twokey", "refs/twokey").split()


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    return caught.value.code


def test_the_branch_goes_and_what_was_proposed_stays(git: Git, repository: Path, pull: OpenedPullRequest) -> None:
    main = git(repository, "rev-parse", "main")
    rendered = ClosePullRequest(FORGE).render(arguments(pull), context(repository))
    assert rendered.preview == (
        f"close   {pull.id} Tag what is personal\n"
        f"branch  twokey/tags @ {pull.head} is deleted\n"
        "base    main is not touched\n"
    )
    assert (rendered.target.version, rendered.labels, rendered.files) == (pull.head, ("closes_pull_request",), ())
    assert close(repository, pull) == "written"
    assert refs(git, repository) == [CLOSED, PULL]
    assert git(repository, "rev-parse", "main") == main
    git(repository, "gc", "--quiet", "--prune=now")
    assert git(repository, "cat-file", "-t", pull.head).strip() == "commit"
    git(repository, "fsck", "--strict", "--full", "--no-dangling")


def test_closing_twice_is_closing_once_even_if_the_branch_was_made_again(
    git: Git, repository: Path, pull: OpenedPullRequest
) -> None:
    close(repository, pull)
    git(repository, "branch", "twokey/tags", pull.head)
    assert close(repository, pull) == "written"
    assert refs(git, repository) == [BRANCH, CLOSED, PULL]


def test_another_record_in_its_place_is_told_apart(git: Git, repository: Path, pull: OpenedPullRequest) -> None:
    git(repository, "update-ref", CLOSED, "main")
    tool, args = ClosePullRequest(FORGE), arguments(pull)
    rendered = tool.render(args, context(repository))
    assert tool.reconcile(args, rendered, CLOSING, context(repository)).seen == "different"
    assert tool.reconcile(args, rendered, replace(CLOSING, proposal="p-000000000009"), context(repository)).seen == (
        "absent"
    )


def test_a_branch_that_moved_on_is_not_deleted(git: Git, repository: Path, pull: OpenedPullRequest) -> None:
    tool, args = ClosePullRequest(FORGE), arguments(pull)
    rendered = tool.render(args, context(repository))
    later = git(repository, "commit-tree", "-p", pull.head, "-m", "more", f"{pull.head}^{{tree}}").strip()
    git(repository, "update-ref", BRANCH, later)
    with pytest.raises(Refused) as caught:
        tool.apply(args, rendered, CLOSING, context(repository))
    assert caught.value.code == "branch_moved"
    assert refused(lambda: tool.render(args, context(repository))) == "branch_moved"
    assert refs(git, repository) == [BRANCH, PULL]
    assert not list((repository / ".git").rglob("*.lock"))


def test_a_branch_that_is_checked_out_is_not_deleted(git: Git, repository: Path, pull: OpenedPullRequest) -> None:
    git(repository, "checkout", "--quiet", "twokey/tags")
    assert refused(lambda: close(repository, pull)) == "branch_checked_out"
    assert refs(git, repository) == [BRANCH, PULL]


def test_what_is_not_open_is_not_closed(git: Git, repository: Path, pull: OpenedPullRequest) -> None:
    tool, args = ClosePullRequest(FORGE), arguments(pull)
    rendered = tool.render(args, context(repository))
    other = args.model_copy(update={"head": "0" * 40})
    assert refused(lambda: tool.render(other, context(repository))) == "nothing_to_undo"
    git(repository, "update-ref", "-d", PULL)
    assert refused(lambda: tool.render(args, context(repository))) == "nothing_to_undo"
    assert refused(lambda: tool.reverse(args, rendered, CLOSING, context(repository))) == "nothing_to_undo"
    with pytest.raises(CheckFailed) as caught:
        tool.apply(args, rendered, CLOSING, context(repository))
    assert caught.value.code == "no_pull_request"
    git(repository, "update-ref", PULL, "main")  # a record that is none
    assert refused(lambda: tool.render(args, context(repository))) == "nothing_to_undo"
    git(repository, "update-ref", PULL, git(repository, "rev-parse", "main:README.md").strip())
    assert refused(lambda: tool.render(args, context(repository))) == "nothing_to_undo"
    assert refs(git, repository) == [BRANCH, PULL]


@pytest.mark.parametrize("lock", ["refs/heads/twokey/tags.lock", "packed-refs.lock"])
def test_where_git_is_at_work_nothing_is_deleted(
    git: Git, repository: Path, pull: OpenedPullRequest, lock: str
) -> None:
    git(repository, "pack-refs", "--all")
    held = repository / ".git" / lock
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_bytes(b"")
    assert refused(lambda: close(repository, pull)) == "branch_locked"
    assert held.read_bytes() == b""
    held.unlink()
    assert refs(git, repository) == [BRANCH, PULL]
    assert close(repository, pull) == "written"


class Busy(Disk):
    """Git packs its refs anew, some times, just before we hold the lock of the file."""

    def __init__(self, times: int) -> None:
        self.times = times

    def link(self, source: Path, target: Path) -> None:
        if target.name == "packed-refs.lock" and self.times > 0:
            self.times -= 1
            packed = target.with_name("packed-refs")
            packed.write_bytes(packed.read_bytes() + b"%040d refs/tags/t%d\n" % (0, self.times))
        super().link(source, target)


def test_packed_refs_that_change_meanwhile_are_read_again(git: Git, repository: Path, pull: OpenedPullRequest) -> None:
    git(repository, "tag", "-a", "-m", "A tag that is peeled.", "twokey-tag", pull.head)
    git(repository, "pack-refs", "--all")
    assert refused(lambda: close(repository, pull, LocalGit(Busy(5)))) == "branch_locked"
    kept = (repository / ".git/packed-refs").read_text()
    assert f"{pull.head} {BRANCH}\n" in kept
    assert close(repository, pull, LocalGit(Busy(4))) == "written"
    left = (repository / ".git/packed-refs").read_text()
    assert BRANCH not in left
    assert [line for line in kept.splitlines() if BRANCH not in line and "refs/tags/t" not in line] == [
        line for line in left.splitlines() if "refs/tags/t" not in line
    ]
    assert not list((repository / ".git").rglob("*.lock"))


@pytest.mark.parametrize("packed", [False, True])
def test_killed_at_any_step_it_leaves_a_sound_repository_and_can_be_done_again(
    git: Git, repository: Path, in_memory: Path, pull: OpenedPullRequest, packed: bool
) -> None:
    git(repository, "tag", "-a", "-m", "A tag that is peeled.", "twokey-tag", pull.head)
    if packed:
        git(repository, "pack-refs", "--all")
        git(repository, "update-ref", "refs/heads/other", "main")
    counted = Faulty(0, lambda: None)
    shutil.copytree(repository, in_memory / "counted", symlinks=True)
    close(in_memory / "counted", pull, LocalGit(counted))
    main, seen = git(repository, "rev-parse", "main"), list[list[str]]()
    assert counted.count > 15
    for step in range(1, counted.count + 1):
        there = in_memory / f"crash{step}"
        shutil.copytree(repository, there, symlinks=True)
        disk = Faulty(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        status, said = in_a_child(lambda there=there, disk=disk: close(there, pull, LocalGit(disk)))
        assert (os.WIFSIGNALED(status), os.WTERMSIG(status), said) == (True, signal.SIGKILL, "")
        git(there, "fsck", "--strict", "--full", "--no-dangling")
        seen.append(refs(git, there))
        assert seen[-1] in ([BRANCH, PULL], [PULL], [CLOSED, PULL])
        assert close(there, pull) == "written"
        assert refs(git, there) == [CLOSED, PULL]
        assert (git(there, "rev-parse", "main"), git(there, "rev-parse", "twokey-tag^{}").strip()) == (main, pull.head)
        assert not list((there / ".git").rglob("*.lock"))
        shutil.rmtree(there)
    assert [BRANCH, PULL] in seen
    assert [CLOSED, PULL] in seen


@pytest.mark.parametrize("kind", ["executable", "link", "binary", "large"])
def test_what_is_no_plain_text_is_not_brought_back(git: Git, repository: Path, kind: str) -> None:
    """A file that cannot be read as text must not become a deletion."""
    base = git(repository, "rev-parse", "main").strip()
    path = repository / "docs" / "odd"
    if kind == "link":
        path.symlink_to("guide.md")
    else:
        content = {"executable": b"#!/bin/sh\n", "binary": b"\xff\xfe", "large": b"x" * (1024 * 1024 + 1)}[kind]
        path.write_bytes(content)
        path.chmod(0o755 if kind == "executable" else 0o644)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "odd")
    with FORGE.open(str(repository)) as there:
        before, after = there.root(base), there.root(there.tip("main"))
        with pytest.raises(Refused) as caught:
            there.carry(before, after, base)
        assert caught.value.code == "not_text"
        (edit,) = there.carry(after, before, there.tip("main"))
        assert (edit.path, edit.content) == ("docs/odd", None)
        with pytest.raises(Refused, match="changed again since"):
            there.carry(after, before, base)
