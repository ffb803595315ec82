"""The forum port: what people say under issues and pull requests, and what became of these, asked at the source.

Rules every adapter keeps: what is given was read from the forge itself, with Twokey's own credential, and is no older
than the call; who wrote something is an id that is given once; texts are untrusted. What Twokey says is keyed by its
marker and counts as Twokey's only where Twokey's account wrote it.
"""

from collections.abc import Callable
from typing import Annotated, Literal, Protocol

from pydantic import Field

from twokey.core.values import Instant, ProposalId, Value
from twokey.tools.forge import ObjectName, PullRecord


class Lines(Value):
    """Lines of a file that a review comment is about, in the commit that was proposed."""

    commit: ObjectName
    path: Annotated[str, Field(min_length=1, max_length=400)]
    first: Annotated[int, Field(ge=1, le=10_000_000)]
    last: Annotated[int, Field(ge=1, le=10_000_000)]


class Said(Value):
    """Something that somebody wrote. ``approves`` is true for an approving review that was not dismissed."""

    number: Annotated[int, Field(ge=0)]
    """The issue or pull request that it stands under."""
    body: str
    author: str
    """``github:NUMBER``; empty where the account is gone."""
    bot: bool
    created_us: Instant
    approves: bool = False
    about: Lines | None = None
    """The lines that a comment on a pull request stands at, where they are still there."""


class PullSeen(Value):
    """A pull request that a proposal opened, as the forge tells it now."""

    proposal: ProposalId
    state: Literal["open", "merged", "closed"]
    head: ObjectName
    """The commit that was proposed."""
    merge: ObjectName | None = None
    """The commit that brought it into the base branch."""


class Forum(Protocol):
    """The issues and pull requests of one repository."""

    def comment(self, comment: int) -> Said | None:
        """Read a comment on an issue or pull request; ``None`` where there is none (any more)."""
        ...

    def review_comment(self, comment: int) -> Said | None:
        """Read a comment on lines of a pull request."""
        ...

    def review(self, number: int, review: int) -> Said | None:
        """Read a review of a pull request."""
        ...

    def pull(self, number: int, proven: Callable[[PullRecord], bool]) -> PullSeen | None:
        """Read a pull request; ``None`` where Twokey did not open it, or ``proven`` bears out nothing of it.

        What a pull request and its commits say of themselves can be copied: ``proven`` holds it to something else.
        """
        ...

    def say(self, number: int, text: str, marker: str) -> str:
        """Comment under ``marker``; gives how the forge names the comment. Not keyed: ``find`` it first."""
        ...

    def find(self, number: int, marker: str) -> str | None:
        """Look for Twokey's own comment under ``marker``."""
        ...

    def edit(self, comment: str, text: str, marker: str) -> None:
        """Put other words into Twokey's own comment."""
        ...
