import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.dying_disk import Faulty, in_a_child
from support.effort import seconds

from twokey.core.errors import EnvironmentFault, NotFound, TwokeyError
from twokey.core.values import Resource
from twokey.tools.contract import Context, Marker, Place, Places, Rendered
from twokey.tools.forge import Pulls
from twokey.tools.write.git_disk import Disk
from twokey.tools.write.local_git import LocalGit
from twokey.tools.write.pull_request import OpenedPullRequest, OpenPullRequest, PullRequestArgs

pytestmark = pytest.mark.filterwarnings(  # the children run our code only, and end without returning into pytest
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

Git = Callable[..., str]
FORGE = LocalGit()
MARKER = Marker("p-000000000001", "ab" * 32, "r-000000000002", "ana", 1_767_225_600_123_456)
REF = f"refs/twokey/pulls/{MARKER.proposal}"


def context(location: Path | str) -> Context:
    return Context(Places((Place(Resource(kind="repository", id="dbt", granted_by="config"), str(location)),)), 0)


def arguments(base: str, branch: str = "twokey/tags", content: str = "# The shop\n") -> PullRequestArgs:
    return PullRequestArgs.model_validate(
        {
            "repository": "dbt",
            "base_branch": "main",
            "base_commit": base,
            "branch": branch,
            "title": "Tag what is personal",
            "files": [{"path": "README.md", "content": content}, {"path": "docs/a/b.md", "content": "new\n"}],
        }
    )


def opened(
    location: Path, forge: LocalGit = FORGE, marker: Marker = MARKER, branch: str = "twokey/tags"
) -> OpenedPullRequest:
    """Render and apply the usual change."""
    tool = OpenPullRequest(forge)
    args = arguments(forge.describe(str(location)).commit, branch)
    return tool.apply(args, tool.render(args, context(location)), marker, context(location))


def pulls(location: Path) -> Pulls:
    with FORGE.open(str(location)) as repository:
        return repository.pulls()


def state(location: Path) -> str:
    found = pulls(location)
    assert not found.damaged
    return found.records[0].state


def refused(call: Callable[[], object]) -> TwokeyError:
    with pytest.raises(TwokeyError) as caught:
        call()
    assert caught.value.message.endswith(".")
    assert caught.value.message.isprintable()
    assert "Traceback" not in caught.value.message
    return caught.value


# -- kinds of repositories --------------------------------------------------------------------------------------------


def test_it_says_where_a_repository_stands(git: Git, repository: Path) -> None:
    tip = git(repository, "rev-parse", "main").strip()
    assert FORGE.describe(str(repository)).canonical() == {
        "branch": "main",
        "commit": tip,
        "bare": False,
        "shallow": False,
    }


@pytest.mark.parametrize(
    "kind", ["bare", "worktree", "packed", "alternates", "shallow", "shallow worktree", "separate", "linked"]
)
def test_it_works_on_every_kind_of_repository(
    git: Git, commit: Git, repository: Path, tmp_path: Path, kind: str
) -> None:
    commit(repository, {"second.md": b"x\n"})
    there = tmp_path / "there"
    if kind == "bare":
        git(tmp_path, "clone", "--quiet", "--bare", str(repository), str(there))
    elif kind == "worktree":
        git(repository, "checkout", "--quiet", "-b", "elsewhere")
        git(repository, "worktree", "add", "--quiet", str(there), "main")
    elif kind == "packed":
        git(repository, "gc", "--quiet")
        git(repository, "pack-refs", "--all")
        there = repository
    elif kind == "alternates":
        git(tmp_path, "clone", "--quiet", "--shared", str(repository), str(there))
        git(repository, "gc", "--quiet")
    elif kind.startswith("shallow"):
        git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(there))
        if kind == "shallow worktree":
            git(there, "checkout", "--quiet", "-b", "elsewhere")
            git(there, "worktree", "add", "--quiet", str(tmp_path / "tree"), "main")
            there = tmp_path / "tree"
    elif kind == "separate":
        git(tmp_path, "clone", "--quiet", f"--separate-git-dir={tmp_path / 'store'}", str(repository), str(there))
    else:
        there.symlink_to(repository)
    base = FORGE.describe(str(there))
    assert base.bare is (kind == "bare")
    assert base.shallow is kind.startswith("shallow")
    result = opened(there)
    git(there, "fsck", "--strict", "--full", "--no-dangling")
    assert git(there, "rev-parse", "twokey/tags").strip() == result.head
    assert git(there, "show", "twokey/tags:docs/a/b.md") == "new\n"
    assert state(there) == "open"
    assert opened(there) == result


def test_a_shared_repository_stays_shared(git: Git, repository: Path) -> None:
    git(repository, "config", "core.sharedRepository", "group")
    result = opened(repository)
    common = repository / ".git"
    for path in (common / "objects" / result.head[:2], common / "refs" / "heads" / "twokey"):
        assert path.stat().st_mode & 0o2070 == 0o2070
    assert (common / "refs/heads/twokey/tags").stat().st_mode & 0o060 == 0o060


ELSEWHERE = {"missing": "../nowhere", "file": "README.md", "plain folder": "models"}
NEW = {"sha256": ["--object-format=sha256"], "unborn": ["--initial-branch=main"]}
FILES: dict[str, tuple[str, bytes]] = {
    "config": ("config", b"[core\n"),
    "foreign config": ("config", b"[include]\n\tpath = ../../private\n"),
    "head bytes": ("HEAD", b"ref: refs/heads/\xff\xfe\n"),
    "ref bytes": ("refs/heads/main", b"not a commit\n"),
    "ref loop": ("refs/heads/main", b"ref: refs/heads/main\n"),
    "packed-refs": ("packed-refs", b"# pack-refs with: peeled\nnonsense\n"),
    "empty packed-refs": ("packed-refs", b""),
    "reftable": ("reftable/tables.list", b""),
}
COMMANDS: dict[str, list[list[str]]] = {
    "partial": [["config", "core.repositoryFormatVersion", "1"], ["config", "extensions.partialClone", "origin"]],
    "future": [["config", "core.repositoryFormatVersion", "7"]],
    "detached": [["checkout", "--quiet", "--detach"]],
    "no branch": [["symbolic-ref", "HEAD", "refs/heads/nothing"]],
    "packed-refs": [["pack-refs", "--all"]],
    "empty packed-refs": [["pack-refs", "--all"]],
}


def broken(git: Git, repository: Path, how: str) -> Path:
    """Make a repository that cannot be used."""
    fresh = repository.parent / "new"
    fresh.mkdir()
    if how in ELSEWHERE:
        return repository / ELSEWHERE[how]
    if how in NEW:
        git(fresh, "init", "--quiet", *NEW[how])
        return fresh
    if how == "empty .git":
        (fresh / ".git").mkdir()
        return fresh
    if how == "dangling .git":
        (fresh / ".git").write_text("gitdir: /nonexistent\n")
        return fresh
    (repository.parent / "private").write_text("a secret line\n")
    for command in COMMANDS.get(how, []):
        git(repository, *command)
    if how in FILES:
        name, content = FILES[how]
        path = repository / ".git" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return repository


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("missing", "no_repository"),
        ("file", "no_repository"),
        ("plain folder", "no_repository"),
        ("empty .git", "no_repository"),
        ("dangling .git", "no_repository"),
        ("sha256", "repository_format"),
        ("partial", "repository_format"),
        ("future", "repository_format"),
        ("reftable", "repository_format"),
        ("config", "corrupt_repository"),
        ("foreign config", "corrupt_repository"),
        ("detached", "detached_head"),
        ("unborn", "no_commits"),
        ("no branch", "no_branch"),
        ("head bytes", "corrupt_repository"),
        ("ref bytes", "corrupt_repository"),
        ("ref loop", "corrupt_repository"),
        ("packed-refs", "corrupt_repository"),
        ("empty packed-refs", "corrupt_repository"),
    ],
)
def test_a_repository_that_cannot_be_used_is_named_in_one_sentence(
    git: Git, repository: Path, tmp_path: Path, how: str, code: str
) -> None:
    there = broken(git, repository, how)
    error = refused(lambda: FORGE.describe(str(there)))
    assert error.code == code
    assert "secret" not in error.message + error.next
    assert str(tmp_path) not in error.message + error.next


# -- damaged objects --------------------------------------------------------------------------------------------------


def object_path(repository: Path, name: str) -> Path:
    return repository / ".git" / "objects" / name[:2] / name[2:]


@pytest.mark.parametrize("damage", ["gone", "empty", "flipped", "another", "other kind"])
@pytest.mark.parametrize("which", ["main", "main^{tree}", "main:README.md"])
def test_a_damaged_object_stops_everything(git: Git, repository: Path, which: str, damage: str) -> None:
    name, other = git(repository, "rev-parse", which, "main:docs/guide.md").split()
    if damage == "other kind":
        other = git(repository, "rev-parse", "main:models").strip()
    path = object_path(repository, name)
    path.chmod(0o644)
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "flipped":
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    else:
        shutil.copyfile(object_path(repository, other), path)
    args = arguments(git(repository, "rev-parse", "refs/heads/main").strip())
    error = refused(lambda: OpenPullRequest(FORGE).render(args, context(repository)))
    assert error.code in {"corrupt_repository", "no_commit"}


def test_a_folder_that_lists_a_name_twice_is_no_folder(git: Git, repository: Path) -> None:
    blob = bytes.fromhex(git(repository, "rev-parse", "main:README.md").strip())
    raw = (b"100644 README.md\0" + blob) * 2
    tree = git(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw).strip()
    commit = git(repository, "commit-tree", tree, "-m", "twice").strip()
    git(repository, "update-ref", "refs/heads/main", commit)
    error = refused(lambda: OpenPullRequest(FORGE).render(arguments(commit), context(repository)))
    assert error.code == "corrupt_repository"


def test_a_name_that_is_no_tree_or_commit_is_damage(git: Git, repository: Path) -> None:
    blob = git(repository, "rev-parse", "main:README.md").strip()
    with FORGE.open(str(repository)) as there:
        assert refused(lambda: there.directory(blob)).code == "corrupt_repository"
        assert refused(lambda: there.root(blob)).code == "corrupt_repository"
        assert refused(lambda: there.blob(there.root(there.tip("main")), 100)).code == "corrupt_repository"
        with pytest.raises(NotFound):
            there.root("0" * 40)


# -- what became of a pull request ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("nothing", "open"),
        ("merge", "merged"),
        ("fast-forward", "merged"),
        ("squash", "merged"),
        ("rebase", "merged"),
        ("squash, then others", "merged"),
        ("others", "open"),
        ("delete", "closed"),
        ("same words elsewhere", "closed"),
        ("base gone", "open"),
        ("base replaced", "open"),
        ("merged long ago", "open"),
    ],
)
def test_the_state_is_what_git_says(git: Git, commit: Git, repository: Path, how: str, expected: str) -> None:
    result = opened(repository)
    if how == "merge":
        git(repository, "merge", "--quiet", "--no-ff", "--no-edit", "twokey/tags")
    elif how == "fast-forward":
        git(repository, "merge", "--quiet", "--ff-only", "twokey/tags")
    elif how.startswith("squash"):
        git(repository, "merge", "--quiet", "--squash", "twokey/tags")
        commit(repository, {})
        git(repository, "branch", "-D", "twokey/tags")
        if "others" in how:
            commit(repository, {"README.md": b"and on\n", "more.md": b"x\n"})
    elif how == "rebase":
        commit(repository, {"more.md": b"x\n"})
        git(repository, "cherry-pick", result.head)
    elif how == "others":
        commit(repository, {"README.md": b"something else\n"})
    elif how == "delete":
        git(repository, "branch", "-D", "twokey/tags")
    elif how == "same words elsewhere":
        git(repository, "branch", "-D", "twokey/tags")
        commit(repository, {"README.md": b"# The shop\n"})
    elif how == "base gone":
        git(repository, "checkout", "--quiet", "--detach")
        git(repository, "branch", "-D", "main")
    elif how == "base replaced":
        tree = git(repository, "rev-parse", "main^{tree}").strip()
        git(repository, "update-ref", "refs/heads/main", git(repository, "commit-tree", tree, "-m", "new").strip())
    elif how == "merged long ago":
        commit(repository, {"README.md": b"# The shop\n", "docs/a/b.md": b"new\n"})
        assert state(repository) == "merged"
        history = "".join(
            f"commit refs/heads/main\ncommitter A <a@b> {1_800_000_000 + number} +0000\ndata 1\nx\n"
            + ("" if number else "from refs/heads/main^0\n")
            + "M 100644 inline README.md\ndata 1\ny\n\n"
            for number in range(501)
        )
        git(repository, "fast-import", "--quiet", stdin=history.encode())
    assert state(repository) == expected


def test_a_change_of_folders_into_files_is_found_again(git: Git, commit: Git, repository: Path) -> None:
    tool = OpenPullRequest(FORGE)
    args = PullRequestArgs.model_validate(
        arguments(FORGE.describe(str(repository)).commit).model_dump()
        | {"files": [{"path": "docs/guide.md", "content": None}, {"path": "docs", "content": "a file\n"}]}
    )
    tool.apply(args, tool.render(args, context(repository)), MARKER, context(repository))
    git(repository, "branch", "-D", "twokey/tags")
    assert state(repository) == "closed"
    commit(repository, {"docs/guide.md": None})
    assert state(repository) == "closed"
    shutil.rmtree(repository / "docs", ignore_errors=True)
    commit(repository, {"docs": b"a file\n"})
    assert state(repository) == "merged"


def test_pull_requests_are_listed_newest_first(repository: Path) -> None:
    assert pulls(repository) == Pulls(records=())
    for number in (1, 2, 3):
        marker = replace(MARKER, proposal=f"p-00000000000{number}", created_us=MARKER.created_us + number)
        opened(repository, marker=marker, branch=f"twokey/n{number}")
    found = pulls(repository).records
    assert [record.id for record in found] == ["p-000000000003", "p-000000000002", "p-000000000001"]
    assert (found[0].title, found[0].author, found[0].run) == ("Tag what is personal", "ana", MARKER.run)


@pytest.mark.parametrize(
    "forgery", ["other id", "other head", "no json", "no record", "title", "huge", "blob", "gone", "dangling"]
)
def test_a_forged_record_is_called_damaged_and_hides_no_other(git: Git, repository: Path, forgery: str) -> None:
    result = opened(repository)
    stored = json.loads(git(repository, "show", f"{REF}:pull.json"))
    ref, parent = "refs/twokey/pulls/p-000000000009", result.head
    stored["id"] = "p-000000000009"
    if forgery == "other id":
        stored["id"] = "p-000000000008"
    elif forgery == "other head":
        parent = stored["base_commit"]
    elif forgery == "title":
        stored["title"] = "\x1b[2J"
    elif forgery == "gone":
        stored["base_commit"] = "0" * 40
    text = b"no json" if forgery == "no json" else json.dumps(stored).encode()
    text += b" " * 70_000 if forgery == "huge" else b""
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=text).strip()
    name = "other.json" if forgery == "no record" else "pull.json"
    tree = git(repository, "mktree", stdin=f"100644 blob {blob}\t{name}\n".encode()).strip()
    forged = git(repository, "commit-tree", tree, "-p", parent, "-m", "x").strip()
    git(repository, "update-ref", ref, blob if forgery == "blob" else forged)
    if forgery == "dangling":
        git(repository, "symbolic-ref", ref, "refs/heads/nothing")
    found = pulls(repository)
    assert [record.id for record in found.records] == [MARKER.proposal]
    assert found.damaged == (ref,)


# -- refs -------------------------------------------------------------------------------------------------------------


def visible(git: Git, repository: Path) -> list[str]:
    return [ref for ref in git(repository, "for-each-ref", "--format=%(refname)").split() if "twokey" in ref]


@pytest.mark.parametrize("how", ["folder", "parent", "packed folder", "packed parent", "symref", "file"])
def test_a_ref_in_the_way_is_refused_and_left_alone(git: Git, repository: Path, how: str) -> None:
    if "folder" in how:
        git(repository, "branch", "twokey/tags/deeper")
    elif "parent" in how:
        git(repository, "branch", "twokey")
    elif how == "symref":
        git(repository, "symbolic-ref", "refs/heads/twokey/tags", "refs/heads/nothing")
    else:
        (repository / ".git/refs/heads/twokey").write_text("no ref at all\n")
    if how.startswith("packed"):
        git(repository, "pack-refs", "--all")
    before = git(repository, "for-each-ref")
    error = refused(lambda: opened(repository))
    assert error.code in {"branch_exists", "corrupt_repository"}
    assert git(repository, "for-each-ref") == before
    assert not list((repository / ".git").rglob("*.lock"))


def test_an_empty_folder_that_git_left_behind_is_no_hindrance(git: Git, repository: Path) -> None:
    (repository / ".git/refs/heads/twokey/tags").mkdir(parents=True)
    assert git(repository, "rev-parse", "refs/heads/main")
    assert visible(git, repository) == []
    opened(repository)
    assert visible(git, repository) == ["refs/heads/twokey/tags", REF]


@pytest.mark.parametrize("content", [b"", b"0" * 40 + b"\n", b"x"])
def test_a_lock_that_git_holds_is_respected(git: Git, repository: Path, content: bytes) -> None:
    lock = repository / ".git/refs/heads/twokey/tags.lock"
    lock.parent.mkdir(parents=True)
    lock.write_bytes(content)
    error = refused(lambda: opened(repository))
    assert error.code == "branch_locked"
    assert lock.read_bytes() == content
    assert visible(git, repository) == []
    lock.unlink()
    opened(repository)


def test_a_lock_that_is_a_link_is_not_followed(git: Git, repository: Path, tmp_path: Path) -> None:
    expected = opened(repository)
    git(repository, "update-ref", "-d", REF)
    git(repository, "branch", "-D", "twokey/tags")
    (tmp_path / "outside").write_text(f"{expected.head}\n")
    lock = repository / ".git/refs/heads/twokey/tags.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.symlink_to(tmp_path / "outside")
    assert refused(lambda: opened(repository)).code == "branch_locked"
    assert lock.is_symlink()


def test_another_twokey_is_waited_for_and_then_named(git: Git, repository: Path) -> None:
    handle = os.open(repository / ".git/objects", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert refused(lambda: opened(repository, LocalGit(wait_s=0.05))).code == "repository_busy"
        assert visible(git, repository) == []
        results: list[OpenedPullRequest] = []
        waiting = threading.Thread(target=lambda: results.append(opened(repository)))
        waiting.start()
    finally:
        os.close(handle)
    waiting.join()
    assert visible(git, repository) == ["refs/heads/twokey/tags", REF]
    assert results


class Tidy(Disk):
    """Lets git tidy away the empty folder of refs, some times, just before it is used."""

    def __init__(self, times: int) -> None:
        self.times = times

    def link(self, source: Path, target: Path) -> None:
        if self.times > 0:
            self.times -= 1
            target.parent.rmdir()
        super().link(source, target)


def test_a_folder_that_git_tidies_away_meanwhile_is_made_again(git: Git, repository: Path) -> None:
    error = refused(lambda: opened(repository, LocalGit(Tidy(5))))
    assert error.code == "repository_disk"
    assert visible(git, repository) == []
    opened(repository, LocalGit(Tidy(4)))
    assert visible(git, repository) == ["refs/heads/twokey/tags", REF]


# -- crashes and full disks -------------------------------------------------------------------------------------------


def never() -> None:
    raise AssertionError("this step is past the end")


@pytest.fixture
def steps(repository: Path, tmp_path: Path) -> int:
    """How many steps the usual change takes."""
    counting = Faulty(0, never)
    shutil.copytree(repository, tmp_path / "counted", symlinks=True)
    opened(tmp_path / "counted", LocalGit(counting))
    return counting.count


def test_killed_at_any_step_it_leaves_a_sound_repository_and_can_be_applied_again(
    git: Git, repository: Path, in_memory: Path, steps: int
) -> None:
    tool = OpenPullRequest(FORGE)
    args = arguments(FORGE.describe(str(repository)).commit)
    rendered = tool.render(args, context(repository))
    (repository / "README.md").write_text("dirty\n")
    seen: list[str] = []
    expected: OpenedPullRequest | None = None
    assert steps > 40
    for step in range(1, steps + 1):
        there = in_memory / f"crash{step}"
        shutil.copytree(repository, there, symlinks=True)
        index = (there / ".git/index").read_bytes()
        disk = Faulty(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        status, said = in_a_child(lambda there=there, disk=disk: str(opened(there, LocalGit(disk))))
        assert (os.WIFSIGNALED(status), os.WTERMSIG(status), said) == (True, signal.SIGKILL, "")
        git(there, "fsck", "--strict", "--full", "--no-dangling")
        after_crash = visible(git, there)
        seen.append(tool.reconcile(args, rendered, MARKER, context(there)).seen)
        assert (seen[-1] == "written") is (REF in after_crash)
        assert after_crash in ([], ["refs/heads/twokey/tags"], ["refs/heads/twokey/tags", REF])
        result = tool.apply(args, rendered, MARKER, context(there))
        expected = expected or result
        assert result == expected
        assert visible(git, there) == ["refs/heads/twokey/tags", REF]
        assert not list((there / ".git").rglob("*.lock"))
        if step % 8 == 0:
            git(there, "fsck", "--strict", "--full", "--no-dangling")
            git(there, "gc", "--quiet", "--prune=now")
            assert not list((there / ".git/objects").rglob("tmp_*"))
        assert tool.reconcile(args, rendered, MARKER, context(there)).result == expected
        assert (there / ".git/index").read_bytes() == index
        assert (there / "README.md").read_text() == "dirty\n"
        shutil.rmtree(there)
    assert seen == sorted(seen)  # absent up to the last ref, written from there on
    assert {"absent", "written"} == set(seen)


def test_a_full_disk_leaves_nothing_visible_and_nothing_locked(
    git: Git, repository: Path, in_memory: Path, steps: int
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step in range(1, steps + 1):
        there = in_memory / f"full{step}"
        shutil.copytree(repository, there, symlinks=True)
        error = refused(lambda there=there, step=step: opened(there, LocalGit(Faulty(step, full))))
        assert error.code == "disk_full"
        opened(there)
        assert not list((there / ".git").rglob("*.lock"))
        assert visible(git, there) == ["refs/heads/twokey/tags", REF]
        shutil.rmtree(there)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EROFS, "repository_read_only"),
        (errno.EACCES, "repository_permission"),
        (errno.EDQUOT, "disk_full"),
        (errno.EIO, "repository_disk"),
    ],
)
def test_what_the_file_system_says_is_said_in_words(repository: Path, number: int, code: str) -> None:
    def fail() -> None:
        raise OSError(number, os.strerror(number), str(repository))

    error = refused(lambda: opened(repository, LocalGit(Faulty(1, fail))))
    assert error.code == code
    assert str(repository) not in error.message


@pytest.fixture
def public(repository: Path) -> Iterator[Path]:
    """The repository where every user of the machine can get at it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(repository, folder / "dbt", symlinks=True)
        yield folder / "dbt"


def as_somebody(work: Callable[[], str]) -> str:
    """Run ``work`` as a user without rights, if this one could do anything."""

    def become_and_work() -> str:
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        return work()

    return in_a_child(become_and_work)[1]


def test_without_permission_it_says_so_and_writes_nothing(git: Git, public: Path) -> None:
    def everything() -> list[str]:
        return sorted(str(path) for path in public.rglob("*"))

    for path in [public, *public.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    before = everything()
    assert as_somebody(lambda: FORGE.describe(str(public)).branch) == "main"
    assert as_somebody(lambda: str(opened(public))) == "repository_permission"
    assert everything() == before
    for folder in (public / ".git", public):
        folder.chmod(0o700 if os.geteuid() == 0 else 0)
        assert as_somebody(lambda: FORGE.describe(str(public)).branch) == "repository_permission"
        folder.chmod(0o755)
    for path in [public, *public.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    assert visible(git, public) == []


# -- many at once -----------------------------------------------------------------------------------------------------


def race(works: list[Callable[[], str]]) -> list[str]:
    """Run each of ``works`` in a process of its own, started by one signal; gives what they said."""
    go_reading, go_writing = os.pipe()
    children: list[tuple[int, int]] = []
    for work in works:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go_writing)
            os.read(go_reading, 1)  # returns when the parent closes its end
            try:
                os.write(writing, work().encode())
            except TwokeyError as error:
                os.write(writing, error.code.encode())
            except BaseException as error:  # noqa: BLE001 - a child must never return into pytest
                os.write(writing, repr(error).encode())
            os._exit(0)
        os.close(writing)
        children.append((child, reading))
    os.close(go_reading)
    os.close(go_writing)
    said: list[str] = []
    for child, reading in children:
        with os.fdopen(reading, "rb") as pipe:
            said.append(pipe.read().decode())
        os.waitpid(child, 0)
    return said


def test_processes_that_apply_the_same_get_the_same(git: Git, repository: Path, tmp_path: Path) -> None:
    for round_ in range(8):
        there = tmp_path / f"race{round_}"
        shutil.copytree(repository, there, symlinks=True)
        said = race([lambda there=there: opened(there).model_dump_json()] * 3)
        assert len(set(said)) == 1
        assert said[0].startswith("{")
        assert visible(git, there) == ["refs/heads/twokey/tags", REF]
        git(there, "fsck", "--strict", "--no-dangling")


def test_of_two_proposals_for_one_branch_one_wins(git: Git, repository: Path, tmp_path: Path) -> None:
    for round_ in range(8):
        there = tmp_path / f"race{round_}"
        shutil.copytree(repository, there, symlinks=True)
        markers = [replace(MARKER, proposal=f"p-00000000000{number}") for number in (1, 2)]
        said = race([lambda there=there, marker=marker: opened(there, marker=marker).head for marker in markers])
        assert sorted(len(one) for one in said) == [len("branch_exists"), 40]
        head = max(said, key=len)
        assert git(there, "rev-parse", "twokey/tags").strip() == head
        assert [record.head for record in pulls(there).records] == [head]
        git(there, "fsck", "--strict", "--no-dangling")


def test_git_and_twokey_do_not_overwrite_each_other(git: Git, repository: Path, tmp_path: Path) -> None:
    def with_git(there: Path) -> str:
        done = subprocess.run(
            ["git", "-C", str(there), "branch", "twokey/tags", "main"], capture_output=True, check=False
        )
        return f"git {done.returncode}"

    winners: set[str] = set()
    for round_ in range(12):
        there = tmp_path / f"race{round_}"
        shutil.copytree(repository, there, symlinks=True)
        said = race([lambda there=there: opened(there).head, lambda there=there: with_git(there)])
        tip = git(there, "rev-parse", "twokey/tags").strip()
        if said[1] == "git 0":
            assert said[0] in {"branch_exists", "branch_locked"}
            assert visible(git, there) == ["refs/heads/twokey/tags"]
            winners.add("git")
        else:
            assert said[0] == tip
            winners.add("twokey")
    assert winners


# -- size -------------------------------------------------------------------------------------------------------------


def test_a_repository_of_two_thousand_files_is_quick(git: Git, commit: Git, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "large")
    there = tmp_path / "large"
    commit(there, {f"models/m{number % 40}/t{number}.yml": b"version: 2\n" * 20 for number in range(2000)})
    commit(there, {"README.md": b"# Large\n"})
    tool = OpenPullRequest(FORGE)
    started = time.process_time()
    args = arguments(FORGE.describe(str(there)).commit)
    rendered: Rendered = tool.render(args, context(there))
    rendering = time.process_time() - started
    result = tool.apply(args, rendered, MARKER, context(there))
    assert rendering < seconds(1)
    assert time.process_time() - started < seconds(5)
    assert git(there, "diff", "--name-only", "main", result.head).split() == ["README.md", "docs/a/b.md"]


def test_an_unknown_fault_of_the_forge_is_no_answer(git: Git, repository: Path) -> None:
    """The branch is taken away between the write and the look: no receipt is made up."""

    class Thief(Disk):
        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            if target.name == MARKER.proposal:
                target.unlink()

    with pytest.raises(EnvironmentFault) as caught:
        opened(repository, LocalGit(Thief()))
    assert caught.value.code == "not_there"
    assert visible(git, repository) == ["refs/heads/twokey/tags"]


def test_a_tree_that_is_not_the_reviewed_one_is_not_written(git: Git, repository: Path) -> None:
    from twokey.tools.forge import Edit, NewPull, Stamp

    base = FORGE.describe(str(repository)).commit
    pull = NewPull(
        base_branch="main",
        base_commit=base,
        branch="twokey/tags",
        title="x",
        body="",
        edits=(Edit("README.md", b"y\n"),),
        tree="0" * 40,
        diff="",
        stamp=Stamp(
            proposal=MARKER.proposal, digest=MARKER.digest, run=MARKER.run, requester="ana", created_us=1_000_000
        ),
    )
    before = git(repository, "count-objects")
    with FORGE.open(str(repository)) as there:
        assert refused(lambda: there.open_pull(pull)).code == "tree_differs"
    assert git(repository, "count-objects") == before


def test_a_long_body_is_cut_after_a_line_in_the_commit_and_kept_in_the_record(git: Git, repository: Path) -> None:
    tool = OpenPullRequest(FORGE)
    lines = "\n".join(f"line {number}" for number in range(400))
    for number, body in enumerate((lines, "x" * 3000)):
        args = arguments(FORGE.describe(str(repository)).commit, f"twokey/n{number}").model_copy(update={"body": body})
        marker = replace(MARKER, proposal=f"p-00000000000{number}")
        result = tool.apply(args, tool.render(args, context(repository)), marker, context(repository))
        message = git(repository, "log", "-1", "--format=%B", result.head)
        assert len(message) < 2500
        assert message.split("\n\n")[1] in body
        assert git(repository, "show", f"refs/twokey/pulls/{marker.proposal}:body.md") == body
