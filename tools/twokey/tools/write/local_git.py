"""A forge that is a git repository on this disk, through dulwich; no git program is needed.

Rules: reading never follows the working copy, and an object whose bytes do not give its id is refused. No hook, filter
or configured program runs, whatever the repository says. Repositories that are read wrongly by anything that does not
know their format are refused by name: SHA-256, reftable, partial clones. Bare repositories, linked worktrees, packed
refs, alternates and shallow clones work. No message of a library and no file's content reaches an error.
"""

import errno
import os
import re
import struct
import zlib
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException, NotGitRepository, RefFormatError
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree, parse_tree
from dulwich.refs import Ref, SymrefLoop
from dulwich.repo import InvalidWorktreeConfiguration, Repo, UnsupportedExtension, UnsupportedVersion

from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, NotFound, Refused
from twokey.tools.forge import (
    Base,
    Closing,
    Edit,
    Entry,
    Found,
    Landed,
    NewPull,
    PullRecord,
    Pulls,
    PullState,
    Writer,
)
from twokey.tools.write.git_compare import carry, differences, file_at
from twokey.tools.write.git_disk import Disk, GitWriter
from twokey.tools.write.git_history import History, Past
from twokey.tools.write.git_tree import build
from twokey.tools.write.pull_store import (
    CLOSINGS,
    MAX_RECORD_BYTES,
    PULLS,
    closing_of,
    commit_of,
    read_record,
    record_of,
)

_HEADS: Final = "refs/heads/"
_MAX_WALK: Final = 20_000
"""Ancestors that are looked at, at most, to tell whether a pull request was merged."""
_MAX_FIRST_PARENTS: Final = 500
"""Commits of the base branch that are searched, at most, for a squashed or picked change."""
_EMPTY_TREE: Final = Tree()
"""Git knows the empty directory without storing it."""
_IS_NAME: Final = re.compile(rb"[0-9a-f]{40}")
_DAMAGE: Final = (
    AssertionError,
    ApplyDeltaError,
    ChecksumMismatch,
    EOFError,
    FileFormatException,
    IndexError,
    KeyError,
    RefFormatError,
    SymrefLoop,
    ValueError,
    struct.error,
    zlib.error,
)
"""What dulwich raises on bytes that are no sound repository."""


class LocalGit:
    """Repositories on this disk. ``disk`` carries out what changes a file system."""

    def __init__(self, disk: Disk | None = None, *, wait_s: float = 10.0) -> None:
        self._disk = disk or Disk()
        self._wait_s = wait_s

    @contextmanager
    def open(self, location: str) -> Generator["LocalRepository"]:
        """Open the repository whose top folder (or bare folder) is ``location``.

        Raises:
            BadInput: there is no such folder, or it is no git repository.
            EnvironmentFault: its format is not supported, or it may not be read.
            CheckFailed: it is damaged.

        """
        try:
            repo = _opened(location)
            try:
                yield LocalRepository(repo, self._disk, self._wait_s)
            finally:
                repo.close()
        except OSError as error:
            raise _refused_by_disk(error) from error

    def describe(self, location: str) -> Base:
        """Say where the repository at ``location`` stands."""
        with self.open(location) as repository:
            return repository.describe()


def _opened(location: str) -> Repo:
    if not Path(location).is_dir():
        raise BadInput(
            "The folder of the repository does not exist.",
            next="Name the top folder of a git repository.",
            code="no_repository",
        )
    try:
        repo = Repo(location)
    except NotGitRepository as error:
        # dulwich takes a folder that it may not look into for one that is not there
        for folder in (Path(location), Path(location) / ".git"):
            if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from error
        raise _no_repository() from error
    except (UnsupportedExtension, UnsupportedVersion, InvalidWorktreeConfiguration) as error:
        raise _unsupported() from error
    except _DAMAGE as error:
        raise _corrupt() from error
    fault = _fault_of(repo)
    if fault is not None:
        repo.close()
        raise fault
    return repo


def _fault_of(repo: Repo) -> BadInput | EnvironmentFault | None:
    """Say what keeps us from using a repository that dulwich could open."""
    common = Path(repo.commondir())
    if not (common / "objects").is_dir() or not (Path(repo.controldir()) / "HEAD").is_file():
        return _no_repository()
    if repo.object_format.name != "sha1" or (common / "reftable").is_dir():
        return _unsupported()
    return None


class LocalRepository:
    """One repository on this disk, opened for one call."""

    def __init__(self, repo: Repo, disk: Disk, wait_s: float) -> None:
        self._repo = repo
        self._disk = disk
        self._wait_s = wait_s
        self._common = Path(repo.commondir())
        self._histories: dict[str, set[str]] = {}
        self._commits: dict[str, _Commit] = {}

    # -- reading ------------------------------------------------------------------------------------------------------

    def describe(self) -> Base:
        """Say where the repository stands; refuses a detached HEAD and a repository without commits."""
        head = self._repo.refs.read_loose_ref(Ref(b"HEAD")) or b""
        if not head.startswith(b"ref: "):
            raise EnvironmentFault(
                "The repository is on no branch (its HEAD is detached).",
                next="Check out the branch that pull requests should go to, or name it.",
                code="detached_head",
            )
        try:
            branch = head.removeprefix(b"ref: ").strip().decode("utf-8").removeprefix(_HEADS)
        except UnicodeDecodeError as error:
            raise _corrupt() from error
        commit = self._ref(f"{_HEADS}{branch}")
        if commit is None:
            empty = not any(name.startswith(_HEADS.encode()) for name in self._repo.refs.allkeys())
            raise EnvironmentFault(
                "The repository has no commits yet."
                if empty
                else "The branch that the repository is on does not exist.",
                next="Commit something first." if empty else "Check out a branch, or name the base branch.",
                code="no_commits" if empty else "no_branch",
            )
        return Base(branch=branch, commit=commit, bare=self._repo.bare, shallow=bool(self._shallow))

    def tip(self, branch: str) -> str:
        """Give the commit at the tip of ``branch``; raises ``NotFound``."""
        commit = self._ref(f"{_HEADS}{branch}")
        if commit is None:
            raise NotFound(
                "The repository has no branch of that name.",
                next="Name an existing branch as the base (`git branch` lists them).",
                code="no_branch",
            )
        return commit

    def root(self, commit: str) -> str:
        """Give the tree of ``commit``; raises ``NotFound``."""
        return self._commit(commit).tree

    def directory(self, tree: str) -> Sequence[Entry]:
        """Names in the directory ``tree``, in git's order."""
        value = self._object(tree)
        if not isinstance(value, Tree):
            raise _corrupt()
        with _reading():
            # not through `Tree`, which keeps one of two entries that carry the same name
            return [Entry(name, mode, sha.decode()) for name, mode, sha in parse_tree(value.as_raw_string(), 20)]

    def blob(self, blob: str, max_bytes: int) -> bytes | None:
        """Content of a file; ``None`` where it is larger than ``max_bytes``."""
        value = self._object(blob)
        if not isinstance(value, Blob):
            raise _corrupt()
        content = value.as_raw_string()
        return content if len(content) <= max_bytes else None

    # -- pull requests ------------------------------------------------------------------------------------------------

    def open_pull(self, pull: NewPull) -> PullRecord:
        """Write the commit, the branch and the record, in this order. Opening it again gives the same record.

        Raises:
            Refused: a branch or record of that name exists and is another one; nothing of this pull is visible.
            CheckFailed: the edits do not give the tree that was reviewed; nothing was written.
            EnvironmentFault: the repository cannot be written; whatever was written is not visible.

        """
        head = commit_of(pull)
        head_id = head.id.decode()
        record, parts = record_of(pull, head_id)
        record_id = record.id.decode()
        record_ref = f"{PULLS}{pull.stamp.proposal}"
        built = build(self, self.root(pull.base_commit), pull.edits)
        if built.tree != pull.tree:
            raise CheckFailed(
                "The change does not give the files that were reviewed.",
                next="Propose the change again.",
                code="tree_differs",
            )
        writer = GitWriter(self._common, self._disk, self._repo.object_store.shared_perm, self._wait_s)
        with writer.alone():
            if self._ref(record_ref) != record_id:
                there = self._ref(f"{_HEADS}{pull.branch}")
                if self._ref(record_ref) is not None or (there and not self._contains(there, head_id)):
                    raise Refused(
                        "A branch or pull request of that name exists already and is another one.",
                        next="Propose the change again under another branch name.",
                        code="branch_exists",
                    )
                writer.write_objects((*built.objects, head, *parts, record))
                if there is None:
                    writer.create_ref(f"{_HEADS}{pull.branch}", head_id, self._packed)
                writer.create_ref(record_ref, record_id, self._packed)
        found = self.find_pull(pull)
        if found.record is None:
            raise EnvironmentFault(
                "The pull request was written and is not there any more.",
                next="See who else works in this repository, then reconcile.",
                code="not_there",
            )
        return found.record

    def find_pull(self, pull: NewPull) -> Found:
        """Look for the very commit and record that ``pull`` stands for."""
        head = commit_of(pull).id.decode()
        record = record_of(pull, head)[0].id.decode()
        ref = f"{PULLS}{pull.stamp.proposal}"
        seen = self._ref(ref)
        if seen == record:
            kept = self._record(ref) if self.root(head) == pull.tree else None
            return Found("written", kept) if kept else Found("different")
        tip = self._ref(f"{_HEADS}{pull.branch}")
        if seen is not None or (tip is not None and not self._contains(tip, head)):
            return Found("different")
        return Found("absent")

    def pulls(self) -> Pulls:
        """List the pull requests that were opened here, newest first."""
        records: list[PullRecord] = []
        damaged: list[str] = []
        with _reading():
            names = sorted(self._repo.refs.subkeys(Ref(PULLS.encode())))
        for name in names:
            ref = f"{PULLS}{name.decode('utf-8', 'replace')}"
            try:
                record = self._record(ref)
            except (CheckFailed, NotFound):
                record = None
            if record is None:
                damaged.append(ref)
            else:
                records.append(record)
        records.sort(key=lambda record: (record.opened_us, record.id), reverse=True)
        return Pulls(records=tuple(records), damaged=tuple(damaged))

    def pull(self, proposal: str) -> PullRecord | None:
        """Read the pull request that ``proposal`` opened; ``None`` where there is none, or its record is damaged."""
        try:
            return self._record(f"{PULLS}{proposal}")
        except (CheckFailed, NotFound):
            return None

    def close_pull(self, closing: Closing) -> None:
        """Delete the branch, then record that it was closed. Closing again changes nothing.

        Raises:
            Refused: the branch has another tip than the one that was reviewed, or is checked out; nothing was deleted.
            CheckFailed: there is no such pull request.
            EnvironmentFault: the repository cannot be written.

        """
        record, parts, ref = self._closing(closing)
        branch = f"{_HEADS}{closing.branch}"
        writer = GitWriter(self._common, self._disk, self._repo.object_store.shared_perm, self._wait_s)
        with writer.alone():
            if self._ref(ref) == record.id.decode():
                return
            if self._is_checked_out(branch):
                raise Refused(
                    "Somebody has the branch checked out, so it is not deleted.",
                    next="Check out another branch there, then propose to close it again.",
                    code="branch_checked_out",
                )
            writer.write_objects((*parts, record))
            writer.delete_ref(branch, closing.head, lambda: self._ref(branch))
            writer.create_ref(ref, record.id.decode(), self._packed)

    def is_closed(self, closing: Closing) -> Literal["written", "absent", "different"]:
        """Look whether ``closing`` was carried out, by its record."""
        record, _, ref = self._closing(closing)
        seen = self._ref(ref)
        return "absent" if seen is None else "written" if seen == record.id.decode() else "different"

    def _closing(self, closing: Closing) -> tuple[Commit, tuple[Blob | Tree, ...], str]:
        pull = self._ref(f"{PULLS}{closing.pull}")
        if pull is None:
            raise CheckFailed(
                "The record of the pull request is gone.",
                next="See who else works in this repository; the branch may be deleted by hand.",
                code="no_pull_request",
            )
        return *closing_of(closing, pull), f"{CLOSINGS}{closing.stamp.proposal}"

    def _is_checked_out(self, branch: str) -> bool:
        """Tell whether the repository or one of its linked worktrees is on ``branch``."""
        heads = (self._common / "HEAD", *self._common.glob("worktrees/*/HEAD"))
        return any(head.read_bytes().strip() == f"ref: {branch}".encode() for head in heads)

    def file_id(self, commit: str, path: str) -> str | None:
        """Give the id of the file at ``path`` in ``commit``; ``None`` where there is none."""
        return file_at(self, self.root(commit), tuple(path.encode().split(b"/")))

    def writers(self, commit: str, paths: Sequence[str]) -> Mapping[str, tuple[Writer, ...]]:
        """Give the main writers of each path as the history up to ``commit`` tells, see ``git_history``."""
        return History(self, self._past).writers(commit, paths)

    def landed(self, tip: str, since_us: int, most: int) -> Iterator[Landed]:
        """Give what came into a branch with ``tip``, along first parents, the latest first."""
        name = tip
        for _ in range(most):
            found, value = self._commit(name), self._object(name)
            with _reading():
                seen = value if isinstance(value, Commit) else Commit()
                at_us, message = max(0, int(seen.commit_time)) * 1_000_000, seen.message.decode("utf-8", "replace")
            if at_us < since_us:
                return
            yield Landed(name, found.tree, found.parents, at_us, message)
            if not found.parents:
                return
            name = found.parents[0]

    def carry(self, before: str, after: str, onto: str) -> tuple[Edit, ...]:
        """Give the edits that lead from the tree ``before`` to ``after``, for use on top of the commit ``onto``.

        Raises:
            Refused: a file that they touch is not in ``onto`` as it is in ``before``, or is no plain text file.

        """
        return carry(self, before, after, self.root(onto))

    def _record(self, ref: str) -> PullRecord | None:
        commit_id = self._ref(ref)
        if commit_id is None:
            return None
        commit = self._commit(commit_id)
        stored = next((entry for entry in self.directory(commit.tree) if entry.name == b"pull.json"), None)
        content = self.blob(stored.id, MAX_RECORD_BYTES) if stored else None
        if content is None:
            return None
        record = read_record(content, ref, commit_id, commit.parents, "open")
        return record and record.model_copy(update={"state": self._state(record)})

    def _state(self, record: PullRecord) -> PullState:
        """Tell from git's facts what became of a pull request."""
        base = self._ref(f"{_HEADS}{record.base_branch}")
        if base is not None and (self._contains(base, record.head) or self._took_over(base, record)):
            return "merged"
        return "open" if self._ref(f"{_HEADS}{record.branch}") is not None else "closed"

    def _took_over(self, base: str, record: PullRecord) -> bool:
        """Tell whether a commit on the base branch holds the same change (squashed, rebased or picked)."""
        before, after = self.root(record.base_commit), record.tree
        changed = list(differences(self, before, after))
        at = base
        for _ in range(_MAX_FIRST_PARENTS):
            if at == record.base_commit:
                break
            commit = self._commit(at)
            if changed and all(file_at(self, commit.tree, path) == wanted for path, wanted in changed):
                return True
            if not commit.parents:
                break
            at = commit.parents[0]
        return False

    def _contains(self, tip: str, commit: str) -> bool:
        """Tell whether ``commit`` is ``tip`` or one of its nearer ancestors. Dates are not trusted to find the way."""
        if tip not in self._histories:
            seen, waiting = {tip}, deque([tip])
            while waiting and len(seen) < _MAX_WALK:
                fresh = [parent for parent in self._commit(waiting.popleft()).parents if parent not in seen]
                seen.update(fresh)
                waiting.extend(fresh)
            self._histories[tip] = seen
        return commit in self._histories[tip]

    # -- objects and refs ---------------------------------------------------------------------------------------------

    def _object(self, name: str) -> ShaFile:
        """Read one object; dulwich checks its bytes against its name."""
        if name == _EMPTY_TREE.id.decode():
            return _EMPTY_TREE
        with _reading():
            return self._repo.object_store[ObjectID(name.encode())]

    def _has(self, name: str) -> bool:
        with _reading():
            return ObjectID(name.encode()) in self._repo.object_store

    def _commit(self, name: str) -> "_Commit":
        """Read a commit, once in the time of one call: its name fixes what it is."""
        if name not in self._commits:
            self._commits[name] = self._read_commit(name)
        return self._commits[name]

    def _read_commit(self, name: str) -> "_Commit":
        if not self._has(name):
            raise NotFound(
                "The repository does not hold that commit.",
                next="Fetch it, or take the tip of the base branch.",
                code="no_commit",
            )
        value = self._object(name)
        if not isinstance(value, Commit):
            raise _corrupt()
        with _reading():
            parents = () if name in self._shallow else tuple(parent.decode() for parent in value.parents)
            return _Commit(value.tree.decode(), parents)

    def _past(self, name: str) -> Past:
        """Read a commit for its history; where its parents are cut off, nobody is known to have written its files."""
        found, value = self._commit(name), self._object(name)
        with _reading():
            known = isinstance(value, Commit) and name not in self._shallow
            return Past(found.tree, found.parents, value.author if known and isinstance(value, Commit) else b"")

    @cached_property
    def _shallow(self) -> frozenset[str]:
        """Commits whose parents are not here (gitformat-shallow(5)); linked worktrees share them."""
        try:
            return frozenset((self._common / "shallow").read_text("ascii", "replace").split())
        except FileNotFoundError:
            return frozenset()

    def _ref(self, name: str) -> str | None:
        try:
            value = self._repo.refs.follow(Ref(name.encode()))[1]
        except (*_DAMAGE, StopIteration) as error:
            raise _corrupt() from error
        if value is None:
            return None
        if not _IS_NAME.fullmatch(value):
            raise _corrupt()
        return value.decode()

    def _packed(self) -> list[str]:
        with _reading():
            return [name.decode("utf-8", "replace") for name in self._repo.refs.get_packed_refs()]


@dataclass(frozen=True, slots=True)
class _Commit:
    """What matters of a commit. ``parents`` are those that are here."""

    tree: str
    parents: tuple[str, ...]


@contextmanager
def _reading() -> Generator[None]:
    """Turn what dulwich raises on damaged bytes into one clear sentence."""
    try:
        yield
    except _DAMAGE as error:
        raise _corrupt() from error


def _refused_by_disk(error: OSError) -> EnvironmentFault:
    sentence, step, code = _DISK.get(
        error.errno or 0,
        (
            f"The file system refused to serve the repository ({os.strerror(error.errno or errno.EIO)}).",
            "Check the disk and the repository's folder, then try again.",
            "repository_disk",
        ),
    )
    return EnvironmentFault(sentence, next=step, code=code)


_NO_PERMISSION: Final = (
    "This user may not read or write the repository's folder.",
    "Give the user that runs Twokey access to it, then try again.",
    "repository_permission",
)
_FULL: Final = (
    "The disk that holds the repository is full; no branch was made.",
    "Make room, then try again.",
    "disk_full",
)
_DISK: Final = {
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: (
        "The repository lies on a read-only file system.",
        "Use a repository that can be written.",
        "repository_read_only",
    ),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}


def _no_repository() -> BadInput:
    return BadInput(
        "The folder is no git repository.",
        next="Name the top folder of a git repository, or run `git init` there and commit.",
        code="no_repository",
    )


def _unsupported() -> EnvironmentFault:
    return EnvironmentFault(
        "The repository uses a format that is not supported (SHA-256 objects, reftable, a partial clone or newer).",
        next="Use an ordinary clone with SHA-1 objects and files as refs.",
        code="repository_format",
    )


def _corrupt() -> CheckFailed:
    return CheckFailed(
        "The repository is damaged: an object or ref in it cannot be read or is not what its name says.",
        next="Run `git fsck` in the repository and repair it; nothing was written.",
        code="corrupt_repository",
    )
