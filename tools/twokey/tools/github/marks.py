"""What Twokey leaves in a pull request, so that it is found again: the commit, and a mark in texts.

Rules: the commit is a function of the pull request, so that making it twice is making it once; it is the commit of the
local forge without the line feed at its end, which GitHub might add or take. A mark is an HTML comment, which nobody
sees. Marks and trailers are outside text like everything else there: they say where to look, and what is found counts
only where the commit behind it is the one they name.
"""

import re
from dataclasses import dataclass
from typing import Final

from dulwich.objects import Commit

from twokey.tools.forge import Closing, NewPull, Stamp
from twokey.tools.write.pull_store import commit_of

LABEL: Final = "twokey"
_MARK: Final = re.compile(r"<!-- twokey:(?P<kind>pull|closing) (?P<id>p-[0-9a-z]{12}) (?P<digest>[0-9a-f]{64}) -->")
_TRAILERS: Final = re.compile(
    r"\n\nTwokey-Proposal: (?P<id>p-[0-9a-z]{12})\nTwokey-Digest: (?P<digest>[0-9a-f]{64})\n"
    r"Twokey-Run: (?P<run>r-[0-9a-z]{12})\nRequested-By: (?P<requester>[^\n]{1,100})\n?\Z"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Which proposal a text belongs to, by its own word."""

    kind: str
    proposal: str
    digest: str

    def __str__(self) -> str:
        """Give the mark as it stands in a text."""
        return f"<!-- twokey:{self.kind} {self.proposal} {self.digest} -->"


@dataclass(frozen=True, slots=True)
class Trailers:
    """What a commit says of itself."""

    proposal: str
    digest: str
    run: str
    requester: str


def head_of(pull: NewPull) -> Commit:
    """Give the commit that ``pull`` proposes."""
    commit = commit_of(pull)
    commit.message = commit.message.rstrip(b"\n")
    return commit


def pull_mark(stamp: Stamp) -> Mark:
    """Give the mark of a pull request."""
    return Mark("pull", stamp.proposal, stamp.digest)


def closing_mark(closing: Closing) -> Mark:
    """Give the mark of a closing."""
    return Mark("closing", closing.stamp.proposal, closing.stamp.digest)


def marks_in(text: str | None) -> tuple[Mark, ...]:
    """Give the marks that a text holds."""
    return tuple(Mark(found["kind"], found["id"], found["digest"]) for found in _MARK.finditer(text or ""))


def trailers_of(message: str) -> Trailers | None:
    """Read the trailers of a commit's message; ``None`` where it is none of ours."""
    found = _TRAILERS.search(message)
    return Trailers(found["id"], found["digest"], found["run"], found["requester"]) if found else None


def body_of(pull: NewPull) -> str:
    """Give the text of a pull request: what was reviewed, who asked for it, and the mark."""
    stamp = pull.stamp
    foot = (
        f"---\nProposal `{stamp.proposal}` of run `{stamp.run}`, asked for by `{stamp.requester}`, was decided on by "
        f"policy and approved by people before it was opened here (`twokey approvals show {stamp.proposal}`). "
        "Merging it stays with you."
    )
    return "\n\n".join(part for part in (pull.body.rstrip(), foot, str(pull_mark(stamp))) if part)
