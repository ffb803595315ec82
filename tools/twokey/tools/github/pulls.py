"""Finds Twokey's pull requests among those of a repository on GitHub.

Rules: a pull request is ours where Twokey's own account opened it, its branch lies in the repository itself, its text
bears the mark, and it holds the commit that the mark stands for: a fork, a copied text, copied words in a commit or a
branch of the same name is none. What became of it is what GitHub says of it. A pull request of ours that bears a mark
without the commit is listed as damaged. A commit that bears our words and cannot be Twokey's is passed over: it hides
nothing. However many marks a text bears, the same few commits are looked at.
"""

from collections.abc import Callable, Iterator
from typing import Final, Literal

from pydantic import ValidationError

from twokey.core.errors import CheckFailed
from twokey.tools.forge import NewPull, PullRecord, Pulls, PullState
from twokey.tools.github.client import Client
from twokey.tools.github.marks import marks_in, pull_mark, trailers_of
from twokey.tools.github.models import Account, Compared, ListedCommit, Pull, read
from twokey.tools.github.objects import GitObjects, SeenCommit
from twokey.tools.github.wire import segment

MOST_PULLS: Final = 50
"""Pages of pull requests that are looked through."""
MOST_COMMITS: Final = 3
"""GitHub lists 250 commits of a pull request at most."""


class PullBook:
    """The pull requests of one repository. ``mine`` tells whether an account is the one that Twokey writes as."""

    def __init__(self, client: Client, objects: GitObjects, mine: Callable[[Account | None], bool]) -> None:
        self._mine = mine
        self._client = client
        self._objects = objects
        self._path = objects.path
        self._owner = client.repository.split("/")[0]

    def all(self) -> Pulls:
        """List the pull requests that were opened here, newest first."""
        records: list[PullRecord] = []
        damaged: list[str] = []
        for pull in self._listed():
            if not self._bears(pull):
                continue
            record = next(self.told(pull), None)
            if record is None:
                damaged.append(f"#{pull.number}")
            else:
                records.append(record)
        return Pulls(records=tuple(records), damaged=tuple(damaged))

    def marked(self, proposal: str) -> PullRecord | None:
        """Give the record of the pull request that ``proposal`` opened."""
        found = self._found(proposal, None)
        return found and found[1]

    def holding(self, proposal: str, branch: str, head: str) -> Pull | None:
        """Give the pull request that ``proposal`` opened from ``branch``, and whose commit is ``head``."""
        found = self._found(proposal, branch, head)
        return found and found[0]

    def _found(self, proposal: str, branch: str | None, head: str | None = None) -> tuple[Pull, PullRecord] | None:
        """Give the pull request of a proposal; of two commits with its words, the first one."""
        for pull in self._listed(branch):
            if self._bears(pull, proposal):
                told = [record for record in self.told(pull) if record.id == proposal and head in {None, record.head}]
                if told:
                    return pull, told[-1]
        return None

    def _bears(self, pull: Pull, proposal: str | None = None) -> bool:
        """Tell whether a pull request is by Twokey and bears a mark, of ``proposal`` if it is given."""
        marks = any(mark.kind == "pull" and proposal in {None, mark.proposal} for mark in marks_in(pull.body))
        return marks and self._mine(pull.user)

    def offering(self, pull: NewPull, head: str) -> Pull | Literal["another"] | None:
        """Give the pull request that offers the commit ``head``; ``"another"`` where one is in its place."""
        mark = pull_mark(pull.stamp)
        another = False
        for found in self._listed(pull.branch):
            holds = found.base.ref == pull.base_branch and (found.head.sha == head or head in self._commits(found))
            if holds and mark in marks_in(found.body) and self._mine(found.user):
                return found
            another = another or holds or found.state == "open"
        return "another" if another else None

    def told(self, pull: Pull) -> Iterator[PullRecord]:
        """Read from its commits what a pull request of Twokey's account may belong to: at most two records."""
        if pull.head.repo is None or pull.head.repo != pull.base.repo or not self._bears(pull):
            return
        digests: dict[str, set[str]] = {}
        for mark in marks_in(pull.body):
            if mark.kind == "pull":
                digests.setdefault(mark.proposal, set()).add(mark.digest)
        for sha in self._candidates(pull):
            seen = self._objects.commit(sha)
            trailers = trailers_of(seen.message)
            if trailers is not None and digests.get(trailers.proposal) == {trailers.digest}:
                try:
                    record = self.record(pull, seen)
                except CheckFailed:  # words that somebody copied; Twokey's own commit may come next
                    continue
                yield record

    def _candidates(self, pull: Pull) -> Iterator[str]:
        """Give the tip of a pull request, and the first of its commits, which was Twokey's if any was."""
        yield pull.head.sha
        first = next(self._commits(pull), pull.head.sha)
        if first != pull.head.sha:
            yield first

    def record(self, pull: Pull, seen: SeenCommit) -> PullRecord:
        """Give the record of a pull request whose commit is ``seen``.

        Raises:
            CheckFailed: the commit is none of Twokey's.

        """
        trailers = trailers_of(seen.message)
        if trailers is None or len(seen.parents) != 1:
            raise _not_ours()
        try:
            return PullRecord(
                id=trailers.proposal,
                title=pull.title,
                author=trailers.requester,
                run=trailers.run,
                digest=trailers.digest,
                base_branch=pull.base.ref,
                base_commit=seen.parents[0],
                branch=pull.head.ref,
                head=seen.id,
                tree=seen.tree,
                opened_us=seen.at_us,
                record=seen.id,
                state=_state(pull),
            )
        except ValidationError:
            raise _not_ours() from None

    def holds(self, tip: str, commit: str) -> bool:
        """Tell whether ``commit`` is ``tip`` or an ancestor of it."""
        if tip == commit:
            return True
        between = segment(f"{commit}...{tip}")
        reply = self._client.get(f"{self._path}/compare/{between}", {"per_page": 1}, fine=(404,))
        return reply.status == 200 and read(Compared, reply.json()).status == "ahead"

    def _listed(self, branch: str | None = None) -> Iterator[Pull]:
        """Give pull requests whose branch lies in this repository, newest first."""
        params: dict[str, str | int] = {"state": "all", "sort": "created", "direction": "desc"}
        if branch is not None:
            params["head"] = f"{self._owner}:{branch}"
        for page in self._client.pages(f"{self._path}/pulls", params, most=MOST_PULLS):
            for item in page:
                pull = read(Pull, item)
                here = pull.head.repo is not None and pull.base.repo is not None
                if here and pull.head.repo == pull.base.repo and branch in {None, pull.head.ref}:
                    yield pull

    def _commits(self, pull: Pull) -> Iterator[str]:
        for page in self._client.pages(f"{self._path}/pulls/{pull.number}/commits", most=MOST_COMMITS):
            yield from (read(ListedCommit, item).sha for item in page)


def _state(pull: Pull) -> PullState:
    if pull.merged_at is not None:
        return "merged"
    return "open" if pull.state == "open" else "closed"


def _not_ours() -> CheckFailed:
    return CheckFailed(
        "The commit of the pull request is none of Twokey's.",
        next="See who else works in this repository.",
        code="tree_differs",
    )
