"""The write tool ``open_pull_request``: puts a change of text files before a team as a branch and a pull request.

Rules:

- the repository is a place of the run, and nothing in the arguments leads elsewhere;
- the base commit is the tip of the base branch when the change is rendered, else the change is stale;
- what is rendered is the whole change: the text, the complete diff, the id of the resulting tree and of every file.
  ``apply`` works the change out again and writes only if every byte of it is the same;
- the commit is a function of the change and the marker, so applying twice is applying once (``keyed``);
- neither base branch, index nor working copy is touched: merging stays with the people who own the branch.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from twokey.core.errors import CheckFailed, Refused, ToolRetry
from twokey.core.values import (
    ContentHash,
    FieldCount,
    FileChange,
    ProposalId,
    ResourceKind,
    RollbackPlan,
    Target,
    Value,
)
from twokey.tools.contract import Context, Guarantee, Limits, Marker, Outcome, Rendered, Reverse, WriteTool
from twokey.tools.forge import Edit, Forge, NewPull, ObjectName, PullRecord, Repository, Stamp
from twokey.tools.plain_text import Body, BranchName, OwnBranch, Title
from twokey.tools.write import pull_text
from twokey.tools.write.change_fields import fields
from twokey.tools.write.change_labels import labels
from twokey.tools.write.git_diff import count, unified
from twokey.tools.write.git_tree import MAX_FILE_BYTES, Changed, build

MAX_FILES: Final = 200
MAX_CHANGE_BYTES: Final = 4 * 1024 * 1024
"""Old and new content of all files together."""
_DIFF: Final = "\ndiff --git "


class FileEdit(Value):
    """One file after the change: its whole text, or nothing where it is to be deleted."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    content: Annotated[str, StringConstraints(max_length=MAX_FILE_BYTES)] | None
    mode: Literal["100644"] = "100644"


class PullRequestArgs(Value):
    """What to propose, and on top of what."""

    repository: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    base_branch: BranchName
    base_commit: ObjectName
    branch: OwnBranch
    title: Title
    body: Body = ""
    files: Annotated[tuple[FileEdit, ...], Field(min_length=1, max_length=MAX_FILES)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if self.branch == self.base_branch:
            raise ValueError("the new branch is not the base branch")
        if len({file.path for file in self.files}) != len(self.files):
            raise ValueError("each file is named once")
        return self


class OpenedPullRequest(Value):
    """Where the pull request is: its branch and head, and the ref's object that records it."""

    id: ProposalId
    branch: OwnBranch
    head: ObjectName
    tree: ObjectName
    base_branch: BranchName
    base_commit: ObjectName
    record: ObjectName


class OpenPullRequest(WriteTool[PullRequestArgs, OpenedPullRequest]):
    """Opens pull requests through a forge."""

    name: ClassVar[str] = "open_pull_request"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "repository"
    limits: ClassVar[Limits] = Limits(max_rows=MAX_FILES, max_bytes=MAX_CHANGE_BYTES)
    guarantee: ClassVar[Guarantee] = "keyed"
    input_type = PullRequestArgs
    output_type = OpenedPullRequest

    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def place_name(self, args: PullRequestArgs) -> str:
        """Give the name of the repository."""
        return args.repository

    def once(self, args: PullRequestArgs) -> str:
        """Name the branch: one step may open several pull requests, each in a branch of its own."""
        return args.branch

    def render(self, args: PullRequestArgs, context: Context) -> Rendered:
        """Work out the change on top of the tip of the base branch, in memory.

        Raises:
            Refused: the base branch moved on (code ``stale_target``).
            ToolRetry: a file cannot be changed that way.
            TwokeyError: the repository cannot be read.

        """
        place = context.places.find(self.kind, args.repository)
        with self._forge.open(place.location) as repository:
            if repository.tip(args.base_branch) != args.base_commit:
                raise Refused(
                    "The base branch has moved on since the change was made.",
                    next="Propose the change again on top of the branch as it is now.",
                    code="stale_target",
                )
            return _work_out(args, repository).rendered

    def apply(self, args: PullRequestArgs, rendered: Rendered, marker: Marker, context: Context) -> OpenedPullRequest:
        """Write objects, branch and record; exactly what was rendered, or nothing that can be seen.

        Raises:
            CheckFailed: the change is not the one that was rendered.
            Refused: the branch exists and holds something else.
            EnvironmentFault: the repository cannot be written.

        """
        place = context.places.find(self.kind, args.repository)
        with self._forge.open(place.location) as repository:
            return _result(repository.open_pull(_pull(args, rendered, marker, repository)))

    def reconcile(
        self, args: PullRequestArgs, rendered: Rendered, marker: Marker, context: Context
    ) -> Outcome[OpenedPullRequest]:
        """Look whether the very commit and record of ``marker`` are there.

        A branch without its record is ``absent``: applying again completes it.
        """
        place = context.places.find(self.kind, args.repository)
        with self._forge.open(place.location) as repository:
            found = repository.find_pull(_pull(args, rendered, marker, repository))
        return Outcome(found.seen, _result(found.record) if found.record else None)

    def rebase(self, args: PullRequestArgs, context: Context) -> PullRequestArgs | None:
        """Put the same change on top of the tip of the base branch, where no file that it touches has changed since."""
        place = context.places.find(self.kind, args.repository)
        with self._forge.open(place.location) as repository:
            tip = repository.tip(args.base_branch)
            touched = [file.path for file in args.files]
            if any(repository.file_id(tip, path) != repository.file_id(args.base_commit, path) for path in touched):
                return None
        return args.model_copy(update={"base_commit": tip})

    def reverse(self, args: PullRequestArgs, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """Close the pull request while it is open; after a merge give the change that takes it back.

        Raises:
            Refused: it was closed already, was never opened, or files of it were changed again since.

        """
        place = context.places.find(self.kind, args.repository)
        with self._forge.open(place.location) as repository:
            found = repository.find_pull(_pull(args, rendered, marker, repository)).record
            if found is None or found.state == "closed":
                raise Refused(
                    "The pull request is closed already, or was never there.",
                    next="Nothing is left to undo.",
                    code="nothing_to_undo",
                )
            if found.state == "open":
                return Reverse(
                    tool="close_pull_request",
                    args={
                        "repository": args.repository,
                        "pull": found.id,
                        "branch": found.branch,
                        "head": found.head,
                    },
                    why=f"Take back {found.id}: close the pull request and delete its branch.",
                )
            tip = repository.tip(args.base_branch)
            edits = repository.carry(found.tree, repository.root(found.base_commit), tip)
        return Reverse(
            tool=self.name,
            args=reopened(args.repository, args.base_branch, tip, found, edits, title=f"Revert {args.title}"[:200]),
            why=f"Take back {found.id}, which was merged.",
        )


def reopened(  # the parts of a pull request's arguments
    repository: str, base_branch: str, tip: str, found: PullRecord, edits: tuple[Edit, ...], *, title: str
) -> dict[str, Any]:
    """Give the arguments of a pull request that carries ``edits``, on a branch of its own name."""
    return {
        "repository": repository,
        "base_branch": base_branch,
        "base_commit": tip,
        "branch": f"{found.branch}-again"[:107],
        "title": title,
        "body": f"Pull request {found.id} was opened as commit {found.head}.",
        "files": [
            {"path": edit.path, "content": None if edit.content is None else edit.content.decode()} for edit in edits
        ],
    }


def split_preview(preview: str) -> tuple[str, str]:
    """Split a preview into its head (title, branch, text) and its diff. No line of a head can begin a diff."""
    head, found, rest = preview.partition(_DIFF)
    return f"{head}\n", f"{found}{rest}".removeprefix("\n")


@dataclass(frozen=True, slots=True)
class _Worked:
    rendered: Rendered
    diff: str


def _work_out(args: PullRequestArgs, repository: Repository) -> _Worked:
    edits = _edits(args)
    built = build(repository, repository.root(args.base_commit), edits)
    size = sum(len(changed.before or b"") + len(changed.after or b"") for changed in built.changes)
    if size > MAX_CHANGE_BYTES:
        raise ToolRetry(
            f"The change is larger than {MAX_CHANGE_BYTES // 1024} KiB.",
            next="Propose it in several parts.",
            code="too_large",
        )
    said = _said(built.changes)
    kinds = tuple(sorted({*said.labels, *pull_text.labels(args.title, args.body)}))
    rendered = Rendered(
        preview=f"{_head(args, said.files, kinds)}\n{said.diff}",
        content=(
            ContentHash(name="tree", hash=f"git:{built.tree}"),
            *(
                ContentHash(name=changed.path, hash=f"git:{changed.after_id}")
                for changed in built.changes
                if changed.after_id is not None
            ),
        ),
        target=Target(kind="repository", id=args.repository, version=args.base_commit),
        files=said.files,
        labels=kinds,
        rollback=RollbackPlan(
            text=f"Close the pull request and delete the branch {args.branch}. After a merge: revert the commit, "
            "as a new proposal."
        ),
        fields=said.fields,
    )
    return _Worked(rendered=rendered, diff=said.diff)


@dataclass(frozen=True, slots=True)
class _Said:
    """What follows from the two versions of each file alone."""

    diff: str
    files: tuple[FileChange, ...]
    labels: tuple[str, ...]
    fields: tuple[FieldCount, ...]


@lru_cache(maxsize=4)  # one write asks five times about the same bytes, which are read anew each time
def _said(changes: tuple[Changed, ...]) -> _Said:
    return _Said(
        diff="".join(unified(changed) for changed in changes),
        files=tuple(_size(changed) for changed in changes),
        labels=labels(changes),
        fields=fields(changes),
    )


def _edits(args: PullRequestArgs) -> tuple[Edit, ...]:
    return tuple(Edit(file.path, None if file.content is None else file.content.encode()) for file in args.files)


def _size(changed: Changed) -> FileChange:
    added, removed = count(changed)
    return FileChange(path=changed.path, added=added, removed=removed)


def _head(args: PullRequestArgs, files: tuple[FileChange, ...], kinds: tuple[str, ...]) -> str:
    """Give what stands above the diff. Lines of the text are marked, so that none can pass for anything else."""
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    lines = [
        f"title   {args.title}",
        f"branch  {args.branch} -> {args.base_branch} @ {args.base_commit}",
        f"change  {len(files)} {'file' if len(files) == 1 else 'files'}, +{added} -{removed}: {', '.join(kinds)}",
        *(f"| {line}" for line in args.body.split("\n") if args.body),
    ]
    return "".join(f"{line}\n" for line in lines)


def _pull(args: PullRequestArgs, rendered: Rendered, marker: Marker, repository: Repository) -> NewPull:
    worked = _work_out(args, repository)
    if worked.rendered != rendered:
        raise CheckFailed(
            "The change is not the one that was reviewed.",
            next="Propose the change again.",
            code="differs_from_review",
        )
    return NewPull(
        base_branch=args.base_branch,
        base_commit=args.base_commit,
        branch=args.branch,
        title=args.title,
        body=args.body,
        edits=_edits(args),
        tree=rendered.content[0].hash.removeprefix("git:"),
        diff=worked.diff,
        stamp=stamp_of(marker),
    )


def stamp_of(marker: Marker) -> Stamp:
    """Give what a write puts into the commits it makes."""
    return Stamp(
        proposal=marker.proposal,
        digest=marker.digest,
        run=marker.run,
        requester=marker.requester,
        created_us=marker.created_us,
    )


def _result(record: PullRecord) -> OpenedPullRequest:
    return OpenedPullRequest.model_validate(record.model_dump(include=set(OpenedPullRequest.model_fields)))
