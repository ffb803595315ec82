"""The forum that is a repository's issues and pull requests on GitHub; see the port for its rules."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from twokey.core.errors import BadInput
from twokey.tools.forge import PullRecord
from twokey.tools.forum import Lines, PullSeen, Said
from twokey.tools.github.client import Client, Memory
from twokey.tools.github.issues import MAX_BODY, GitHubTickets, external, marker_of
from twokey.tools.github.models import Account, Comment, Pull, Review, read
from twokey.tools.github.objects import GitObjects
from twokey.tools.github.pulls import PullBook

_APPROVED: Final = "APPROVED"


class GitHubForum:
    """What is said in one repository. ``mine`` tells whether an account is the one that Twokey writes as."""

    def __init__(self, client: Client, mine: Callable[[Account | None], bool]) -> None:
        self._client = client
        self._mine = mine
        self._tickets = GitHubTickets(client, mine)
        self._objects = GitObjects(client, Memory(0))
        self._path = self._objects.path

    def comment(self, comment: int) -> Said | None:
        """Read a comment on an issue or pull request."""
        found = self._read(f"{self._path}/issues/comments/{comment:d}")
        return None if found is None else _said(read(Comment, found), None)

    def review_comment(self, comment: int) -> Said | None:
        """Read a comment on lines of a pull request."""
        found = self._read(f"{self._path}/pulls/comments/{comment:d}")
        return None if found is None else _said(read(Comment, found), None)

    def review(self, number: int, review: int) -> Said | None:
        """Read a review of a pull request."""
        found = self._read(f"{self._path}/pulls/{number:d}/reviews/{review:d}")
        if found is None:
            return None
        seen = read(Review, found)
        written = Comment(id=seen.id, body=seen.body, user=seen.user, created_at=seen.submitted_at)
        said = _said(written, number)
        return said.model_copy(update={"approves": seen.state.upper() == _APPROVED})

    def pull(self, number: int, proven: Callable[[PullRecord], bool]) -> PullSeen | None:
        """Read a pull request; ``None`` where Twokey did not open it, or ``proven`` bears out nothing of it."""
        found = self._read(f"{self._path}/pulls/{number:d}")
        if found is None:
            return None
        pull = read(Pull, found)
        for record in PullBook(self._client, self._objects, self._mine).told(pull):
            if proven(record):
                merge = pull.merge_commit_sha if record.state == "merged" else None
                return PullSeen(proposal=record.id, state=record.state, head=record.head, merge=merge)
        return None

    def say(self, number: int, text: str, marker: str) -> str:
        """Comment under ``marker``."""
        body = {"body": f"{text[:MAX_BODY]}\n\n{marker_of(marker)}"}
        reply = self._client.send("POST", f"{self._path}/issues/{number:d}/comments", body, keyed=False)
        return str(read(Comment, reply.json()).id)

    def find(self, number: int, marker: str) -> str | None:
        """Look for Twokey's own comment under ``marker``."""
        found = self._tickets.find_comment(number, marker)
        return None if found is None else found.id

    def edit(self, comment: str, text: str, marker: str) -> None:
        """Put other words into Twokey's own comment."""
        if not comment.isdecimal():
            raise BadInput("That is no comment.", next="Nothing is to be done.", code="bad_comment")
        body = {"body": f"{text[:MAX_BODY]}\n\n{marker_of(marker)}"}
        self._client.send("PATCH", f"{self._path}/issues/comments/{comment}", body, keyed=True)

    def _read(self, path: str) -> Any | None:
        reply = self._client.get(path, fine=(404, 410))
        return reply.json() if reply.status == 200 else None


def _said(found: Comment, number: int | None) -> Said:
    where = found.issue_url or found.pull_request_url
    last = where.rpartition("/")[2]
    about = int(last) if last.isdecimal() else 0
    return Said(
        number=about if number is None else number,
        body=found.body or "",
        author=external(found.user),
        bot=found.user is None or found.user.type != "User",
        created_us=_instant(found.created_at),
        about=_lines(found),
    )


def _lines(found: Comment) -> Lines | None:
    """Give the lines that a comment stands at: of the new side of the diff, and not outdated."""
    if found.side != "RIGHT" or found.line is None:
        return None
    try:
        first = found.line if found.start_line is None else found.start_line
        return Lines(commit=found.commit_id, path=found.path, first=first, last=found.line)
    except ValidationError:
        return None


def _instant(text: str) -> int:
    """Give microseconds; 0, which is long ago, where there is no instant."""
    try:
        return max(int(datetime.fromisoformat(text).timestamp() * 1_000_000), 0)
    except ValueError:
        return 0
