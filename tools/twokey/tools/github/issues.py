"""Tickets that are issues on GitHub.

Rules, beside those of the port: pull requests are no tickets, though GitHub lists them as issues; a comment is ours
where it bears the marker and is by the account that Twokey writes as, which is asked of GitHub once; of two that were
made under one marker at the same moment the later one is taken away, of two tickets it is closed; text that is searched
for is one quoted phrase.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from twokey.core.errors import BadInput, NotFound, Refused
from twokey.tools.github.client import Client
from twokey.tools.github.models import Account, Comment, FoundIssues, Issue, read
from twokey.tools.github.wire import segment
from twokey.tools.tickets import NewTicket, Query, Ticket, TicketComment, TicketState, Unread, struck

MOST_PAGES: Final = 1_000
MOST_COMMENTS: Final = 100
MOST_RECENT: Final = 20
"""Pages of the issues opened last, among which one of ours is looked for."""
MAX_PHRASE: Final = 200
MAX_BODY: Final = 65_000
_KEY: Final = re.compile(r"#?([1-9][0-9]{0,14})")
_MARKED: Final = re.compile(r"<!-- twokey:comment [a-z0-9:_-]{1,128} -->\Z")
_MARKER: Final = re.compile(r"[a-z0-9][a-z0-9:_-]{0,127}")


def marker_of(marker: str) -> str:
    """Give what a comment made under ``marker`` ends with."""
    if not _MARKER.fullmatch(marker):
        raise BadInput("That is no marker.", next="Use small letters, digits, colons and dashes.", code="bad_marker")
    return f"<!-- twokey:comment {marker} -->"


def ticket_marker_of(marker: str) -> str:
    """Give what a ticket opened under ``marker`` ends with."""
    return marker_of(marker).replace("twokey:comment", "twokey:ticket")


def external(account: Account | None) -> str:
    """Give an account's id for good."""
    return f"github:{account.id}" if account else ""


class GitHubTickets:
    """The issues of one repository. ``mine`` tells whether an account is the one that Twokey writes as."""

    def __init__(self, client: Client, mine: Callable[[Account | None], bool]) -> None:
        self._client = client
        self._mine = mine
        owner, name = client.repository.split("/")
        self._path = f"/repos/{segment(owner)}/{segment(name)}/issues"

    def list(self, query: Query) -> Iterator[Sequence[Ticket]]:
        """Give the issues page by page, those changed first coming first."""
        params: dict[str, str | int] = {"state": query.state, "sort": "updated", "direction": "asc"}
        if query.labels:
            params["labels"] = ",".join(query.labels)
        if query.since is not None:
            params["since"] = query.since
        for page in self._client.pages(self._path, params, most=MOST_PAGES):
            found = [_ticket(issue) for issue in (read(Issue, item) for item in page) if issue.pull_request is None]
            if found:
                yield found

    def search(self, text: str, limit: int) -> Sequence[Ticket]:
        """Give issues that hold ``text`` as a phrase, the best first."""
        phrase = " ".join(re.sub(r'["\\]', " ", text).split())[:MAX_PHRASE]
        if not phrase:
            return []
        asked = f'"{phrase}" repo:{self._client.repository} is:issue'
        reply = self._client.get("/search/issues", {"q": asked, "per_page": min(max(limit, 1), 100)})
        found = read(FoundIssues, reply.json()).items
        return [_ticket(issue) for issue in found if issue.pull_request is None][:limit]

    def get(self, number: int) -> Ticket:
        """Read one issue; raises ``NotFound``, for a pull request too."""
        issue = read(Issue, self._client.get(f"{self._path}/{number:d}").json())
        if issue.pull_request is not None:
            raise NotFound("That is a pull request and no ticket.", next="Name an issue.", code="not_a_ticket")
        return _ticket(issue)

    def named(self, key: str) -> Ticket:
        """Read one issue by its number in writing, with or without ``#``."""
        found = _KEY.fullmatch(key)
        if found is None:
            raise NotFound("That is no number of an issue.", next="Write it as 131 or #131.", code="no_ticket")
        return self.get(int(found[1]))

    def unread(self) -> Sequence[Unread]:
        """Give nothing: GitHub shows issues or fails."""
        return ()

    def comments(self, number: int) -> Iterator[Sequence[TicketComment]]:
        """Give the comments on an issue or pull request page by page, oldest first; raises ``NotFound``."""
        for page in self._client.pages(f"{self._path}/{number:d}/comments", most=MOST_COMMENTS):
            yield [self._told(read(Comment, item)) for item in page]

    def _told(self, found: Comment) -> TicketComment:
        marked = _MARKED.search(found.body or "") is not None
        return _comment(found).model_copy(update={"ours": marked and self._mine(found.user)})

    def create(self, new: NewTicket, marker: str) -> Ticket:
        """Open an issue once under ``marker``; of two opened at the same moment the later one is closed again."""
        there = self.find_created(marker)
        if there is not None:
            return there
        mark = ticket_marker_of(marker)
        body = {
            "title": new.title,
            "body": f"{new.body[:MAX_BODY]}\n\n{mark}",
            "labels": [*new.labels],
        }
        made = read(Issue, self._client.send("POST", self._path, body, keyed=False).json())
        ours = {made.number: made} | {found.number: found for found in self._created(marker)}
        first, *others = (ours[number] for number in sorted(ours))
        for other in others:
            if other.state != "closed":
                self.move(other.number, "closed", "not_planned")
        return _ticket(first)

    def find_created(self, marker: str) -> Ticket | None:
        """Look for the issue that was opened under ``marker``; anybody may copy the marker, but not the account."""
        found = min(self._created(marker), key=lambda issue: issue.number, default=None)
        return None if found is None else _ticket(found)

    def _created(self, marker: str) -> Iterator[Issue]:
        mark = ticket_marker_of(marker)
        params: dict[str, str | int] = {"state": "all", "sort": "created", "direction": "desc"}
        for page in islice(self._client.pages(self._path, params, most=MOST_PAGES), MOST_RECENT):
            for found in (read(Issue, item) for item in page):
                if found.pull_request is None and (found.body or "").endswith(mark) and self._mine(found.user):
                    yield found

    def label(self, number: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
        """Put labels on and take labels off; a label that nobody made before is made."""
        path = f"{self._path}/{number:d}/labels"
        if add:
            self._client.send("POST", path, {"labels": [*add]}, keyed=True)
        for name in remove:
            self._client.send("DELETE", f"{path}/{segment(name)}", keyed=True, fine=(404,))
        return self.get(number)

    def assign(self, number: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ticket:
        """Assign people and take them off.

        Raises:
            Refused: GitHub passed over somebody, who may not be assigned there.

        """
        path = f"{self._path}/{number:d}/assignees"
        if remove:
            self._client.send("DELETE", path, {"assignees": [*remove]}, keyed=True)
        if add:
            self._client.send("POST", path, {"assignees": [*add]}, keyed=True)
        ticket = self.get(number)
        if not {name.lower() for name in add} <= {name.lower() for name in ticket.assignees}:
            raise Refused(
                "GitHub did not assign everybody: somebody has no access to the repository, or it has ten already.",
                next="Assign people who work in the repository.",
                code="cannot_assign",
            )
        return ticket

    def comment(self, number: int, body: str, marker: str) -> TicketComment:
        """Comment once under ``marker``."""
        there = self.find_comment(number, marker)
        if there is not None:
            return there
        text = f"{body[:MAX_BODY]}\n\n{marker_of(marker)}"
        reply = self._client.send("POST", f"{self._path}/{number:d}/comments", {"body": text}, keyed=False)
        made = read(Comment, reply.json())
        ours = {made.id: made} | {found.id: found for found in self._ours(number, marker)}
        first, *others = (ours[key] for key in sorted(ours))
        for other in others:
            self._client.send("DELETE", f"{self._path}/comments/{other.id:d}", keyed=True, fine=(404,))
        return _comment(first)

    def find_comment(self, number: int, marker: str) -> TicketComment | None:
        """Look for the comment that was made under ``marker``; anybody may copy the marker, but not the account."""
        found = self._mine_under(number, marker)
        return None if found is None else _comment(found)

    def strike(self, number: int, marker: str, note: str) -> TicketComment:
        """Strike out the comment made under ``marker``; it is found under it afterwards, too."""
        found = self._mine_under(number, marker)
        if found is None:
            raise NotFound("There is no such comment of ours.", next="Look at the ticket.", code="no_comment")
        mark = marker_of(marker)
        before = (found.body or "").removesuffix(mark).rstrip()
        after = struck(before, note)
        if after == before:
            return _comment(found)
        path = f"{self._path}/comments/{found.id:d}"
        reply = self._client.send("PATCH", path, {"body": f"{after[:MAX_BODY]}\n\n{mark}"}, keyed=True)
        return _comment(read(Comment, reply.json()))

    def _mine_under(self, number: int, marker: str) -> Comment | None:
        return min(self._ours(number, marker), key=lambda found: found.id, default=None)

    def _ours(self, number: int, marker: str) -> Iterator[Comment]:
        mark = marker_of(marker)
        for page in self._client.pages(f"{self._path}/{number:d}/comments", most=MOST_COMMENTS):
            for found in (read(Comment, item) for item in page):
                if (found.body or "").endswith(mark) and self._mine(found.user):
                    yield found

    def move(self, number: int, state: TicketState, reason: str = "") -> Ticket:
        """Close an issue or open it again."""
        body: dict[str, Any] = {"state": state}
        if state == "closed" and reason in {"completed", "not_planned"}:
            body["state_reason"] = reason
        self._client.send("PATCH", f"{self._path}/{number:d}", body, keyed=True)
        return self.get(number)


def _ticket(issue: Issue) -> Ticket:
    return Ticket(
        number=issue.number,
        key=str(issue.number),
        title=issue.title,
        body=issue.body or "",
        state="closed" if issue.state == "closed" else "open",
        reason=issue.state_reason or "",
        author=issue.user.login if issue.user else "",
        author_id=external(issue.user),
        labels=tuple(label if isinstance(label, str) else label.name for label in issue.labels),
        assignees=tuple(account.login for account in issue.assignees or ()),
        comments=issue.comments,
        created_at=issue.created_at,
        updated_at=issue.updated_at,
        version=issue.updated_at,
    )


def _comment(found: Comment) -> TicketComment:
    return TicketComment(
        id=str(found.id),
        body=found.body or "",
        author=found.user.login if found.user else "",
        author_id=external(found.user),
        created_at=found.created_at,
    )
