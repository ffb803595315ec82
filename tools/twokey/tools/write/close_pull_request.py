"""The write tool ``close_pull_request``: takes an open pull request back by deleting its branch.

Rules: it undoes what ``open_pull_request`` did and is proposed from its rollback plan, never by an agent; only a branch
whose tip is the one that was reviewed is deleted, so that nobody's later work is lost; what was proposed stays in the
repository under the record of the pull request; the base branch is not touched.
"""

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from twokey.core.errors import Refused
from twokey.core.values import ContentHash, ProposalId, ResourceKind, RollbackPlan, Target, Value
from twokey.tools.contract import Context, Guarantee, Marker, Outcome, Rendered, Reverse, WriteTool
from twokey.tools.forge import Closing, Forge, ObjectName, PullRecord, Repository
from twokey.tools.plain_text import OwnBranch
from twokey.tools.write.pull_request import reopened, stamp_of


class CloseArgs(Value):
    """Which pull request, and the tip its branch must have."""

    repository: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    pull: ProposalId
    branch: OwnBranch
    head: ObjectName


class ClosedPullRequest(Value):
    """The pull request that was closed, and the commit that can bring it back."""

    pull: ProposalId
    branch: OwnBranch
    head: ObjectName


class ClosePullRequest(WriteTool[CloseArgs, ClosedPullRequest]):
    """Closes pull requests through a forge."""

    name: ClassVar[str] = "close_pull_request"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "repository"
    guarantee: ClassVar[Guarantee] = "keyed"
    only_undoes: ClassVar[bool] = True
    input_type = CloseArgs
    output_type = ClosedPullRequest

    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def place_name(self, args: CloseArgs) -> str:
        """Give the name of the repository."""
        return args.repository

    def render(self, args: CloseArgs, context: Context) -> Rendered:
        """Say what goes.

        Raises:
            Refused: the pull request is not open, or its branch has moved on.

        """
        with self._forge.open(context.places.find(self.kind, args.repository).location) as repository:
            found = _open_pull(repository, args)
        lines = (
            f"close   {found.id} {found.title}",
            f"branch  {found.branch} @ {found.head} is deleted",
            f"base    {found.base_branch} is not touched",
        )
        return Rendered(
            preview="".join(f"{line}\n" for line in lines),
            content=(ContentHash(name="head", hash=f"git:{found.head}"),),
            target=Target(kind=self.kind, id=args.repository, version=found.head),
            files=(),
            labels=("closes_pull_request",),
            rollback=RollbackPlan(
                text=f"Open the same change again, as a new proposal; the commit {found.head} stays in the repository.",
                tool="open_pull_request",
            ),
        )

    def apply(self, args: CloseArgs, rendered: Rendered, marker: Marker, context: Context) -> ClosedPullRequest:
        """Delete the branch and record it.

        Raises:
            Refused: the branch has moved on; nothing was deleted.
            EnvironmentFault: the repository cannot be written.

        """
        del rendered
        with self._forge.open(context.places.find(self.kind, args.repository).location) as repository:
            repository.close_pull(_closing(args, marker))
        return _result(args)

    def reconcile(
        self, args: CloseArgs, rendered: Rendered, marker: Marker, context: Context
    ) -> Outcome[ClosedPullRequest]:
        """Look for the record of this closing."""
        del rendered
        with self._forge.open(context.places.find(self.kind, args.repository).location) as repository:
            seen = repository.is_closed(_closing(args, marker))
        return Outcome(seen, _result(args) if seen == "written" else None)

    def reverse(self, args: CloseArgs, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """Open the same change again on top of the base branch as it is now.

        Raises:
            Refused: the record is gone or names another commit, or a file of the change was changed since.

        """
        del rendered, marker
        with self._forge.open(context.places.find(self.kind, args.repository).location) as repository:
            found = repository.pull(args.pull)
            if found is None or found.head != args.head:
                raise _gone()
            tip = repository.tip(found.base_branch)
            edits = repository.carry(repository.root(found.base_commit), found.tree, tip)
        return Reverse(
            tool="open_pull_request",
            args=reopened(args.repository, found.base_branch, tip, found, edits, title=found.title),
            why=f"Open {found.id} again, which was closed.",
        )


def _open_pull(repository: Repository, args: CloseArgs) -> PullRecord:
    found = repository.pull(args.pull)
    if found is None or found.state != "open" or (found.branch, found.head) != (args.branch, args.head):
        raise _not_open()
    if repository.tip(found.branch) != found.head:
        raise Refused(
            "Somebody has added to the branch since the pull request was opened.",
            next="Look at what was added; close the pull request by hand if it is to go.",
            code="branch_moved",
        )
    return found


def _not_open() -> Refused:
    return Refused("There is no such open pull request.", next="Nothing is left to close.", code="nothing_to_undo")


def _gone() -> Refused:
    return Refused(
        "The pull request that was closed is not there with the commit that was closed.",
        next="Repeat the request for a new proposal.",
        code="nothing_to_undo",
    )


def _closing(args: CloseArgs, marker: Marker) -> Closing:
    return Closing(pull=args.pull, branch=args.branch, head=args.head, stamp=stamp_of(marker))


def _result(args: CloseArgs) -> ClosedPullRequest:
    return ClosedPullRequest(pull=args.pull, branch=args.branch, head=args.head)
