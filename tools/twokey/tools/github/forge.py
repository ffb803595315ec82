"""A forge that is GitHub, or a GitHub Enterprise Server.

Rules, beside those of the port:

- a pull request is written in this order: tree and commit (nobody sees them), the branch, the pull request; what stops
  in between is completed by opening it again. Labels and reviewers come last and are no part of what was approved:
  where GitHub does not take one, the pull request stands without it;
- GitHub's answers are held to what was reviewed before anything can be seen: the tree by its id, the commit by its id;
- a pull request is ours where Twokey's account opened it and its branch holds the very commit that was worked out; a
  text that says so is a hint;
- GitHub deletes a branch without asking what it points to: its tip is read right before, and a commit that slips in
  between stays in GitHub's memory of the branch (``Restore branch``);
- a closing is recorded as a comment by Twokey's account; a comment of anybody else with the same words is no record.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import urlsplit

from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault, Refused
from twokey.tools.forge import Base, Closing, Edit, Entry, Found, Landed, NewPull, PullRecord, Pulls, Writer
from twokey.tools.github.access import Access
from twokey.tools.github.client import PATIENCE_S, Client, Memory
from twokey.tools.github.marks import (
    LABEL,
    body_of,
    closing_mark,
    head_of,
    marks_in,
)
from twokey.tools.github.models import Account, Comment, GitCommit, GitTree, Pull, read
from twokey.tools.github.objects import GitObjects
from twokey.tools.github.owners import reviewers
from twokey.tools.github.pulls import PullBook
from twokey.tools.github.wire import Wire, segment
from twokey.tools.write.change_labels import labels
from twokey.tools.write.git_compare import carry, file_at
from twokey.tools.write.git_tree import Changed, build

MOST_COMMENTS: Final = 50
MOST_LANDED: Final = 200
"""Commits of a branch that are looked at; each is a request."""
_REPOSITORY: Final = re.compile(r"/([A-Za-z0-9][A-Za-z0-9-]{0,38})/([A-Za-z0-9._-]{1,100})")


def repository_of(location: str, url: str) -> str:
    """Give ``OWNER/REPO`` of a location ``URL/OWNER/REPO``, where ``url`` is the GitHub that is set up.

    Raises:
        BadInput: it is no repository of that GitHub.

    """
    try:
        parts, own = urlsplit(location), urlsplit(url)
        same = (parts.scheme, parts.netloc.lower()) == (own.scheme, own.netloc)
    except ValueError:
        parts, same = urlsplit(""), False
    found = _REPOSITORY.fullmatch(parts.path.rstrip("/").removesuffix(".git"))
    if not same or parts.query or parts.fragment or found is None or found[2] in {".", ".."}:
        raise BadInput(
            "That is no repository of the GitHub that this workspace uses.",
            next=f"Write it as {url}/OWNER/REPO, without a user, a token or anything after it.",
            code="no_repository",
        )
    return f"{found[1]}/{found[2]}"


class GitHubForge:
    """The repositories of one GitHub; threads may share it."""

    def __init__(
        self,
        url: str,
        wire: Wire,
        access: Callable[[], Access],
        *,
        mine: Callable[[Account | None], bool],
        pause: Callable[[float], None],
    ) -> None:
        """``mine`` tells whether an account is the one that Twokey writes as."""
        self._url = url
        self._mine = mine
        self._wire = wire
        self._access = access
        self._pause = pause
        self._memory = Memory()
        self._kept = Memory(64 * 1024 * 1024)

    @contextmanager
    def open(self, location: str) -> Generator["GitHubRepository"]:
        """Open the repository at ``location`` (``URL/OWNER/REPO``).

        Raises:
            BadInput: it is no repository of this GitHub.

        """
        yield GitHubRepository(self.client(location), self._kept, self._mine)

    def client(self, location: str, patience_s: float = PATIENCE_S) -> Client:
        """Give what asks about the repository at ``location``, and waits that long for rate limits."""
        name = repository_of(location, self._url)
        return Client(self._wire, self._access(), name, pause=self._pause, memory=self._memory, patience_s=patience_s)


class GitHubRepository:
    """One repository on GitHub, opened for one call."""

    def __init__(self, client: Client, kept: Memory, mine: Callable[[Account | None], bool]) -> None:
        self._client = client
        self._mine = mine
        self._objects = GitObjects(client, kept)
        self._book = PullBook(client, self._objects, mine)
        self._path = self._objects.path

    # -- reading ------------------------------------------------------------------------------------------------------

    def describe(self) -> Base:
        """Give the default branch and its tip; refuses a repository without commits."""
        return self._objects.describe()

    def tip(self, branch: str) -> str:
        """Give the commit at the tip of ``branch``; raises ``NotFound``."""
        return self._objects.tip(branch)

    def root(self, commit: str) -> str:
        """Give the tree of ``commit``; raises ``NotFound``."""
        return self._objects.root(commit)

    def directory(self, tree: str) -> Sequence[Entry]:
        """Names in the directory ``tree``."""
        return self._objects.directory(tree)

    def blob(self, blob: str, max_bytes: int) -> bytes | None:
        """Content of a file; ``None`` where it is larger than ``max_bytes``."""
        return self._objects.blob(blob, max_bytes)

    def file_id(self, commit: str, path: str) -> str | None:
        """Give the id of the file at ``path`` in ``commit``; ``None`` where there is none."""
        return file_at(self, self.root(commit), tuple(path.encode().split(b"/")))

    def writers(self, commit: str, paths: Sequence[str]) -> Mapping[str, tuple[Writer, ...]]:
        """Nothing: GitHub itself proposes reviewers by who wrote what, and asking for each commit costs too much."""
        del commit, paths
        return {}

    def landed(self, tip: str, since_us: int, most: int) -> Iterator[Landed]:
        """Give what came into a branch with ``tip``, along first parents, the latest first; one request for each."""
        name = tip
        for _ in range(min(most, MOST_LANDED)):
            seen = self._objects.commit(name)
            if seen.at_us < since_us:
                return
            yield Landed(seen.id, seen.tree, seen.parents, seen.at_us, seen.message)
            if not seen.parents:
                return
            name = seen.parents[0]

    def carry(self, before: str, after: str, onto: str) -> tuple[Edit, ...]:
        """Give the edits that lead from the tree ``before`` to ``after``, for use on top of the commit ``onto``.

        Raises:
            Refused: a file that they touch is not in ``onto`` as it is in ``before``, or is no plain text file.

        """
        return carry(self, before, after, self.root(onto))

    # -- opening ------------------------------------------------------------------------------------------------------

    def open_pull(self, pull: NewPull) -> PullRecord:
        """Write tree, commit, branch and pull request, in this order. Opening it again gives the same record.

        Raises:
            Refused: a branch or pull request of that name exists and is another one; nothing of this one is visible.
            CheckFailed: the edits do not give the tree, or GitHub does not give the commit, that was reviewed.
            EnvironmentFault: GitHub is not reached or does not allow it; opening it again completes what was begun.

        """
        commit = head_of(pull)
        head = commit.id.decode()
        base_tree = self.root(pull.base_commit)
        built = build(self, base_tree, pull.edits)
        if built.tree != pull.tree:
            raise _differs("The change does not give the files that were reviewed.")
        there = self._objects.branch(pull.branch)
        found = self._book.offering(pull, head)
        if found is None:
            if there is None:
                self._write_commit(pull, base_tree, head)
                self._make_branch(pull.branch, head)
            elif not self._book.holds(there, head):
                raise _taken()
            found = self._make_pull(pull, head)
        elif found == "another":
            raise _taken()
        self._decorate(found, pull, built.changes)
        return self._book.record(found, self._objects.commit(head))

    def find_pull(self, pull: NewPull) -> Found:
        """Look for the very commit that ``pull`` stands for, and the pull request that offers it."""
        head = head_of(pull).id.decode()
        found = self._book.offering(pull, head)
        if found == "another":
            return Found("different")
        if found is not None:
            seen = self._objects.commit(head)
            return Found("written", self._book.record(found, seen)) if seen.tree == pull.tree else Found("different")
        tip = self._objects.branch(pull.branch)
        return Found("absent" if tip is None or self._book.holds(tip, head) else "different")

    def _write_commit(self, pull: NewPull, base_tree: str, head: str) -> None:
        """Write what nobody sees yet. The same objects again are the same objects."""
        entries = [
            {"path": edit.path, "mode": "100644", "type": "blob", "sha": None}
            if edit.content is None
            else {"path": edit.path, "mode": "100644", "type": "blob", "content": edit.content.decode()}
            for edit in pull.edits
        ]
        body = {"base_tree": base_tree, "tree": entries}
        tree = read(GitTree, self._client.send("POST", f"{self._path}/git/trees", body, keyed=True).json())
        if tree.sha != pull.tree:
            raise _differs("The tree that GitHub made of the change is not the one that was reviewed.")
        commit = head_of(pull)
        name, _, email = commit.author.decode().removesuffix(">").partition(" <")
        person = {"name": name, "email": email, "date": _iso(commit.commit_time)}
        body = {
            "message": commit.message.decode(),
            "tree": pull.tree,
            "parents": [pull.base_commit],
            "author": person,
            "committer": person,
        }
        made = read(GitCommit, self._client.send("POST", f"{self._path}/git/commits", body, keyed=True).json())
        if made.sha != head:
            raise _differs("The commit that GitHub made of the change is not the one that was worked out here.")

    def _make_branch(self, branch: str, head: str) -> None:
        body = {"ref": f"refs/heads/{branch}", "sha": head}
        reply = self._client.send("POST", f"{self._path}/git/refs", body, keyed=True, fine=(422,))
        if reply.status == 422:  # somebody was faster, or an earlier try of ours got through
            there = self._objects.branch(branch)
            if there is None or not self._book.holds(there, head):
                raise _taken()

    def _make_pull(self, pull: NewPull, head: str) -> Pull:
        body = {
            "title": pull.title,
            "body": body_of(pull),
            "head": pull.branch,
            "base": pull.base_branch,
            "maintainer_can_modify": False,
        }
        reply = self._client.send("POST", f"{self._path}/pulls", body, keyed=True, fine=(422,))
        if reply.status == 201:
            made = read(Pull, reply.json())
            if made.head.sha == head or self._book.holds(made.head.sha, head):
                return made
        found = self._book.offering(pull, head)  # an earlier try got through, or something is in the way
        if isinstance(found, Pull):
            return found
        raise Refused(
            "GitHub does not take the pull request: another one exists for its branch, or the base branch is gone.",
            next=f"Look at the branch {pull.branch}; delete it, then propose the change again.",
            code="pull_refused",
        )

    def _decorate(self, found: Pull, pull: NewPull, changes: tuple[Changed, ...]) -> None:
        """Put on labels and ask reviewers. A refusal leaves them out; each is done twice as it is done once."""
        kinds = [f"{LABEL}: {kind.replace('_', ' ')}" for kind in labels(changes)]
        self._client.send(
            "POST",
            f"{self._path}/issues/{found.number}/labels",
            {"labels": [LABEL, *kinds]},
            keyed=True,
            fine=(403, 404, 410, 422),
        )
        asked = reviewers(self, self.root(pull.base_commit), [edit.path for edit in pull.edits])
        path = f"{self._path}/pulls/{found.number}/requested_reviewers"
        # one by one: GitHub takes none of a list in which one may not be asked
        for who in [*({"reviewers": [name]} for name in asked.people), *({"team_reviewers": [n]} for n in asked.teams)]:
            self._client.send("POST", path, who, keyed=True, fine=(403, 404, 422))

    # -- looking ------------------------------------------------------------------------------------------------------

    def pulls(self) -> Pulls:
        """List the pull requests that were opened here, newest first."""
        return self._book.all()

    def pull(self, proposal: str) -> PullRecord | None:
        """Read the pull request that ``proposal`` opened; ``None`` where there is none, or it lacks its commit."""
        return self._book.marked(proposal)

    # -- closing ------------------------------------------------------------------------------------------------------

    def close_pull(self, closing: Closing) -> None:
        """Close the pull request, delete its branch and record it, in this order. Closing again changes nothing.

        Raises:
            Refused: the branch has another tip than the one that was reviewed; nothing was deleted.
            CheckFailed: there is no such pull request.
            EnvironmentFault: GitHub is not reached or does not allow it; closing again completes what was begun.

        """
        pull = self._to_close(closing)
        if self._is_recorded(pull, closing):
            return
        self._check_tip(closing)
        if pull.state == "open":
            path = f"{self._path}/pulls/{pull.number}"
            closed = read(Pull, self._client.send("PATCH", path, {"state": "closed"}, keyed=True).json())
            if closed.state != "closed":
                raise _differs("GitHub did not close the pull request.")
        if self._check_tip(closing):
            path = f"{self._path}/git/refs/heads/{'/'.join(map(segment, closing.branch.split('/')))}"
            self._client.send("DELETE", path, keyed=True, fine=(404, 422))  # gone already
            if self._objects.branch(closing.branch) == closing.head:
                raise EnvironmentFault(
                    "GitHub did not delete the branch of the pull request.",
                    next="Check the rules of the repository for it, then reconcile.",
                    code="branch_not_deleted",
                )
        text = (
            f"Closed by proposal `{closing.stamp.proposal}`, asked for by `{closing.stamp.requester}` and approved "
            f"through Twokey. The commit was `{closing.head}`.\n\n{closing_mark(closing)}"
        )
        self._client.send("POST", f"{self._path}/issues/{pull.number}/comments", {"body": text}, keyed=False)

    def is_closed(self, closing: Closing) -> Literal["written", "absent", "different"]:
        """Look whether ``closing`` was carried out, by its record."""
        return "written" if self._is_recorded(self._to_close(closing), closing) else "absent"

    def _to_close(self, closing: Closing) -> Pull:
        pull = self._book.holding(closing.pull, closing.branch, closing.head)
        if pull is None:
            raise CheckFailed(
                "The pull request is gone, is another account's, or its text lacks the mark that Twokey left in it.",
                next="See who else works in this repository; the pull request may be closed by hand.",
                code="no_pull_request",
            )
        return pull

    def _check_tip(self, closing: Closing) -> bool:
        """Tell whether the branch is there; raises ``Refused`` where its tip is another."""
        tip = self._objects.branch(closing.branch)
        if tip not in {None, closing.head}:
            raise Refused(
                "Somebody has added to the branch since it was reviewed, so it is not deleted.",
                next="Look at what was added; close the pull request by hand if it is to go.",
                code="branch_moved",
            )
        return tip is not None

    def _is_recorded(self, pull: Pull, closing: Closing) -> bool:
        mark = closing_mark(closing)
        return any(
            mark in marks_in(comment.body) and self._mine(comment.user)
            for page in self._client.pages(f"{self._path}/issues/{pull.number}/comments", most=MOST_COMMENTS)
            for comment in (read(Comment, item) for item in page)
        )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _differs(sentence: str) -> CheckFailed:
    return CheckFailed(sentence, next="Nothing can be seen of it. Propose the change again.", code="tree_differs")


def _taken() -> Refused:
    return Refused(
        "A branch or pull request of that name exists already and is another one.",
        next="Propose the change again under another branch name.",
        code="branch_exists",
    )
