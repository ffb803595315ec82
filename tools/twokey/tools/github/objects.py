"""Reads git objects through GitHub's git data API and holds each to the id it was asked by.

Rules: a tree is put together again from its listing and must give its id, so a listing that is cut or made up does not
pass; the same for the content of a file. Of a commit the API leaves things out (time zones, signatures), so which tree
belongs to a commit that others made is GitHub's word. Objects never change: one that was read is not asked for again.
A listing of a whole tree at once spares requests; where GitHub cuts it, folders are read one by one.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dulwich.objects import Blob, ObjectID, Tree

from twokey.core.errors import CheckFailed, EnvironmentFault, NotFound
from twokey.tools.forge import TREE_MODE, Base, Entry
from twokey.tools.github.client import Client, Memory
from twokey.tools.github.models import GitCommit, GitRef, GitTree, Repo, Thin, TreeEntry, read
from twokey.tools.github.wire import Reply, segment

EMPTY_TREE: Final = Tree().id.decode()
_NAME: Final = re.compile(r"[0-9a-f]{40}")


class _BlobContent(Thin):
    content: str
    encoding: str


@dataclass(frozen=True, slots=True)
class SeenCommit:
    """What matters of a commit."""

    id: str
    tree: str
    parents: tuple[str, ...]
    message: str
    at_us: int


class GitObjects:
    """Objects and refs of one repository. ``kept`` holds contents that were checked already."""

    def __init__(self, client: Client, kept: Memory) -> None:
        self._client = client
        self._kept = kept
        owner, name = client.repository.split("/")
        self.path: Final = f"/repos/{segment(owner)}/{segment(name)}"
        self._folders: dict[str, tuple[Entry, ...]] = {EMPTY_TREE: ()}
        self._sizes: dict[str, int] = {}

    # -- refs ---------------------------------------------------------------------------------------------------------

    def repository(self) -> Repo:
        """Give the repository as GitHub describes it."""
        return read(Repo, self._client.get(self.path).json())

    def describe(self) -> Base:
        """Give the default branch and its tip; refuses a repository without commits."""
        branch = self.repository().default_branch
        commit = self.branch(branch)
        if commit is None:
            raise EnvironmentFault(
                "The repository has no commits yet, or its default branch does not exist.",
                next="Commit something first, or choose another default branch.",
                code="no_commits",
            )
        return Base(branch=branch, commit=commit, bare=True, shallow=False)

    def branch(self, name: str) -> str | None:
        """Give the commit at the tip of a branch; ``None`` where there is none."""
        ref = f"heads/{name}"
        reply = self._client.get(f"{self.path}/git/ref/{'/'.join(map(segment, ref.split('/')))}", fine=(404, 409))
        if reply.status != 200:  # 409: a repository without commits
            if reply.status == 404:
                self.repository()  # tells a repository that is not there from a branch that is not
            return None
        found = read(GitRef, reply.json())
        if found.ref != f"refs/{ref}" or found.object.type != "commit" or not _NAME.fullmatch(found.object.sha):
            raise _differs()
        return found.object.sha

    def tip(self, branch: str) -> str:
        """Give the commit at the tip of ``branch``; raises ``NotFound``."""
        commit = self.branch(branch)
        if commit is None:
            raise NotFound(
                "The repository has no branch of that name.",
                next="Name an existing branch as the base.",
                code="no_branch",
            )
        return commit

    # -- objects ------------------------------------------------------------------------------------------------------

    def commit(self, commit: str) -> SeenCommit:
        """Read a commit; raises ``NotFound``."""
        reply = self._client.get(f"{self.path}/git/commits/{_named(commit)}", fine=(404, 422))
        if reply.status != 200:
            self.repository()
            raise NotFound(
                "The repository does not hold that commit.",
                next="Push it, or take the tip of the base branch.",
                code="no_commit",
            )
        found = read(GitCommit, reply.json())
        if found.sha != commit or not _NAME.fullmatch(found.tree.sha):
            raise _differs()
        try:
            at_us = int(datetime.fromisoformat(found.committer.date).timestamp()) * 1_000_000
        except ValueError:
            at_us = 0
        return SeenCommit(commit, found.tree.sha, tuple(item.sha for item in found.parents), found.message, at_us)

    def root(self, commit: str) -> str:
        """Give the tree of ``commit``; raises ``NotFound``."""
        return self.commit(commit).tree

    def directory(self, tree: str) -> Sequence[Entry]:
        """Names in the directory ``tree``, in git's order.

        Raises:
            CheckFailed: the listing does not give the id that it was asked by.

        """
        if tree not in self._folders:
            whole = self._listing(tree, recursive=True)
            if whole.truncated:
                self._take(tree, self._listing(tree, recursive=False).tree)
            else:
                self._take(tree, whole.tree)
        return self._folders[tree]

    def blob(self, blob: str, max_bytes: int) -> bytes | None:
        """Content of a file; ``None`` where it is larger than ``max_bytes``."""
        if self._sizes.get(blob, 0) > max_bytes:
            return None
        key = f"{self._client.repository} {blob}"
        kept = self._kept.get(key)
        content = kept.body if kept else self._content(blob)
        if kept is None:
            self._kept.put(key, Reply(200, content))
        return content if len(content) <= max_bytes else None

    def _content(self, blob: str) -> bytes:
        found = read(_BlobContent, self._client.get(f"{self.path}/git/blobs/{_named(blob)}").json())
        try:
            content = base64.b64decode(found.content) if found.encoding == "base64" else found.content.encode()
        except (binascii.Error, ValueError) as error:
            raise _differs() from error
        if Blob.from_string(content).id.decode() != blob:
            raise _differs()
        return content

    def _listing(self, tree: str, *, recursive: bool) -> GitTree:
        params = {"recursive": "1"} if recursive else None
        found = read(GitTree, self._client.get(f"{self.path}/git/trees/{_named(tree)}", params).json())
        if found.truncated and not recursive:
            raise CheckFailed(
                "GitHub lists only a part of a folder, so it cannot be read whole.",
                next="Move some of its files into folders of their own.",
                code="listing_cut",
            )
        return found

    def _take(self, tree: str, listing: Iterable[TreeEntry]) -> None:
        """Sort a listing into folders and hold each to its id."""
        folders: dict[str, list[Entry]] = {"": []}
        ids = {"": tree}
        sizes: dict[str, int] = {}
        nested = False
        for item in listing:
            above, _, name = item.path.rpartition("/")
            nested = nested or bool(above)
            try:
                entry = Entry(name.encode(), int(item.mode, 8), item.sha)
            except ValueError as error:
                raise _differs() from error
            folders.setdefault(above, []).append(entry)
            if entry.mode == TREE_MODE:
                ids[item.path] = item.sha
            elif item.size is not None:
                sizes[item.sha] = item.size
        listed = folders if nested else {"": folders[""]}
        if not listed.keys() <= ids.keys():
            raise _differs()
        for path, entries in listed.items():
            if _tree_id(entries) != ids[path]:
                raise _differs()
        self._folders |= {ids[path]: tuple(entries) for path, entries in listed.items()}
        self._sizes |= sizes


def _tree_id(entries: Iterable[Entry]) -> str:
    tree = Tree()
    for entry in entries:
        if not entry.name or not _NAME.fullmatch(entry.id) or entry.name in tree:
            raise _differs()
        tree.add(entry.name, entry.mode, ObjectID(entry.id.encode()))
    return tree.id.decode()


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise _differs()
    return name


def _differs() -> CheckFailed:
    return CheckFailed(
        "What GitHub answered is not what the id that it was asked by stands for.",
        next="Run `git fsck` on a clone; if it is sound, somebody answers in GitHub's place. Nothing was written.",
        code="corrupt_repository",
    )
