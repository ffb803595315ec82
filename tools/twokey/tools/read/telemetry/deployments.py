"""What was brought into a repository on this disk, as deployments of a service: the history of its branch.

Rules: the branch that is checked out is followed along first parents, so that a merge counts once, and no farther than
``MOST_COMMITS``; the time is the committer's. Names and subjects are outside text and are cut; an e-mail address is
never given. Nothing is written, and no hook or filter of the repository runs.
"""

from collections.abc import Iterator
from typing import Final

from dulwich.errors import NotGitRepository
from dulwich.objects import Commit
from dulwich.refs import HEADREF
from dulwich.repo import Repo

from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.port import MAX_NAME, MAX_TEXT, Event, Interval

MOST_COMMITS: Final = 5_000
SHOWN: Final = 12
"""Digits of a commit's id that an event names."""
_DAMAGE: Final = (OSError, KeyError, ValueError, AssertionError, NotGitRepository)


def from_git(location: str, service: str, within: Interval, tally: Tally) -> Iterator[Event]:
    """Give what came into the repository at ``location`` in ``within``, the latest first."""
    try:
        repo = Repo(location)
    except _DAMAGE:
        tally.unreadable = True
        return
    try:
        for commit in _followed(repo, within.start, tally):
            if float(commit.commit_time) in within:
                yield _event(commit, service)
    except _DAMAGE:
        tally.unreadable = True
    finally:
        repo.close()


def _followed(repo: Repo, since: float, tally: Tally) -> Iterator[Commit]:
    name = repo.refs.follow(HEADREF)[1]
    for _ in range(MOST_COMMITS):
        commit = repo[name] if name else None
        if not isinstance(commit, Commit) or commit.commit_time < since:
            return
        yield commit
        name = commit.parents[0] if commit.parents else None
    tally.too_much = MOST_COMMITS


def _event(commit: Commit, service: str) -> Event:
    author = commit.author.decode("utf-8", "replace").partition("<")[0].strip().partition("@")[0]
    subject = commit.message.decode("utf-8", "replace").strip().partition("\n")[0]
    shown = commit.id.decode("ascii")[:SHOWN]
    return Event(float(commit.commit_time), "deploy", service, author[:MAX_NAME], f"{shown} {subject}"[:MAX_TEXT])
