"""The forge port: where a team keeps its repository and opens pull requests.

Rules every adapter keeps:

- reading is by commit, never from a working copy, and what is read is checked against the id it was asked by;
- ``open_pull`` is keyed by the proposal: the same ``NewPull`` gives the same commit, and opening it twice is
  opening it once. What cannot be opened leaves no branch and no record behind;
- ``close_pull`` is keyed by its own proposal: it deletes the branch only where its tip is the one that was reviewed,
  and closing twice is closing once, even where somebody has made the branch again meanwhile;
- ``find_pull``, ``is_closed`` and ``pulls`` only read; whether a pull request is open, merged or closed is told by the
  repository's own facts and never stored;
- names and bytes of a repository are untrusted: paths are bytes here, and whoever shows one quotes it first.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol

from pydantic import Field, StringConstraints

from twokey.core.values import Digest, Instant, PrincipalName, ProposalId, RunId, Value

ObjectName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
"""The id of a git object (SHA-1, 40 hexadecimal digits)."""

TREE_MODE: Final = 0o040000
FILE_MODE: Final = 0o100644
EXECUTABLE_MODE: Final = 0o100755
SYMLINK_MODE: Final = 0o120000
SUBMODULE_MODE: Final = 0o160000


class Base(Value):
    """Where a repository stands: the branch that HEAD names, and its tip."""

    branch: str
    commit: ObjectName
    bare: bool
    shallow: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory of a commit. ``name`` is what the repository says, unchecked."""

    name: bytes
    mode: int
    id: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One file after a change: its whole content, or ``None`` where the file is to go."""

    path: str
    content: bytes | None


class Writer(Value):
    """Somebody who wrote lines of a file, by the name in the history (outside text, no address), and their percent."""

    who: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    share: Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True, slots=True)
class Landed:
    """One commit of a branch. ``message`` is outside text; ``at_us`` is its committer's time, as the commit says it."""

    id: str
    tree: str
    parents: tuple[str, ...]
    at_us: int
    message: str


class Stamp(Value):
    """For whom, and under which digest, a pull request is opened. It goes into the commit and so fixes its id."""

    proposal: ProposalId
    digest: Digest
    run: RunId
    requester: PrincipalName
    created_us: Instant


@dataclass(frozen=True, slots=True)
class NewPull:
    """A pull request, fully worked out."""

    base_branch: str
    base_commit: str
    branch: str
    title: str
    body: str
    edits: tuple[Edit, ...]
    tree: str
    """The id the resulting tree must have."""
    diff: str
    stamp: Stamp


PullState = Literal["open", "merged", "closed"]


class PullRecord(Value):
    """A pull request as the repository tells it."""

    id: ProposalId
    title: str
    author: PrincipalName
    run: RunId
    digest: Digest
    base_branch: str
    base_commit: ObjectName
    branch: str
    head: ObjectName
    tree: ObjectName
    opened_us: Instant
    record: ObjectName
    """The object that holds the record."""
    state: PullState


class Pulls(Value):
    """All pull requests, newest first, and the names of records that somebody damaged or forged."""

    records: tuple[PullRecord, ...]
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up saw. ``absent`` may be half-opened: a branch without its record; opening again completes it."""

    seen: Literal["written", "absent", "different"]
    record: PullRecord | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """The closing of a pull request: which one, the branch that goes and the tip it must have, and on whose behalf."""

    pull: str
    branch: str
    head: str
    stamp: Stamp


class Reader(Protocol):
    """Reads the objects of a repository."""

    def directory(self, tree: str) -> Sequence[Entry]:
        """Names in the directory ``tree`` (one level)."""
        ...

    def blob(self, blob: str, max_bytes: int) -> bytes | None:
        """Content of a file; ``None`` where it is larger than ``max_bytes``."""
        ...


class Repository(Reader, Protocol):
    """One repository, opened for the time of one call."""

    def describe(self) -> Base:
        """Say where the repository stands; refuses a detached HEAD and a repository without commits."""
        ...

    def tip(self, branch: str) -> str:
        """Give the commit at the tip of ``branch``; raises ``NotFound``."""
        ...

    def root(self, commit: str) -> str:
        """Give the tree of ``commit``; raises ``NotFound``."""
        ...

    def open_pull(self, pull: NewPull) -> PullRecord:
        """Write the commit, the branch and the record, in this order.

        Raises:
            Refused: a branch or record of that name exists and is another one; nothing of this pull is visible.
            EnvironmentFault: the repository cannot be written.

        """
        ...

    def find_pull(self, pull: NewPull) -> Found:
        """Look whether ``pull`` was opened, by what it would be and not by what a name says."""
        ...

    def pulls(self) -> Pulls:
        """List the pull requests that were opened here."""
        ...

    def pull(self, proposal: str) -> PullRecord | None:
        """Read the pull request that ``proposal`` opened; ``None`` where there is none, or its record is damaged."""
        ...

    def close_pull(self, closing: Closing) -> None:
        """Delete the branch and record that it was closed, in this order.

        Raises:
            Refused: the branch has another tip than the one that was reviewed; nothing was deleted.
            EnvironmentFault: the repository cannot be written.

        """
        ...

    def is_closed(self, closing: Closing) -> Literal["written", "absent", "different"]:
        """Look whether ``closing`` was carried out, by its record."""
        ...

    def file_id(self, commit: str, path: str) -> str | None:
        """Give the id of the file at ``path`` in ``commit``; ``None`` where there is none."""
        ...

    def writers(self, commit: str, paths: Sequence[str]) -> Mapping[str, tuple[Writer, ...]]:
        """Give the main writers of each path as the history up to ``commit`` tells; nothing where it does not."""
        ...

    def landed(self, tip: str, since_us: int, most: int) -> Iterator[Landed]:
        """Give what came into a branch with ``tip``, along first parents, the latest first and ``most`` at most.

        It ends with the first commit that is older than ``since_us`` (microseconds since 1970), which is not given.
        """
        ...

    def carry(self, before: str, after: str, onto: str) -> tuple[Edit, ...]:
        """Give the edits that lead from the tree ``before`` to ``after``, for use on top of the commit ``onto``.

        Raises:
            Refused: a file that they touch is not in ``onto`` as it is in ``before`` (code ``changed_since``), or is
                no plain text file.

        """
        ...


class Forge(Protocol):
    """Opens repositories by their location (a path, or a URL), as the run's places name it."""

    def open(self, location: str) -> AbstractContextManager[Repository]:
        """Open the repository at ``location``; one clear error where that cannot be done."""
        ...
