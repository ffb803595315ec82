"""The objects that a pull request consists of, and how its record is read back.

Rules: the same pull request gives the same bytes. The commit names its proposal, digest, run and requester in trailers;
they are a convenience for readers of ``git log`` and are never trusted: a look-up compares whole objects. A record is a
commit on ``refs/twokey/pulls/PROPOSAL`` with the proposed commit as its parent, so that git keeps what was proposed
when the branch is gone; its tree holds ``pull.json``, ``body.md`` and ``change.diff``. A closing is a commit on
``refs/twokey/closings/PROPOSAL`` with the record of the pull request as its parent. A record that does not agree with
itself is damaged, whoever made it.
"""

from typing import Final, Literal

from dulwich.objects import Blob, Commit, ObjectID, Tree
from pydantic import ValidationError

from twokey.core import canonical
from twokey.core.values import Digest, Instant, PrincipalName, ProposalId, RunId, Value
from twokey.tools.forge import FILE_MODE, Closing, NewPull, ObjectName, PullRecord, PullState
from twokey.tools.plain_text import BranchName, Title

PULLS: Final = "refs/twokey/pulls/"
CLOSINGS: Final = "refs/twokey/closings/"
IDENTITY: Final = b"Twokey <twokey@localhost>"
MAX_SUMMARY: Final = 2000
MAX_RECORD_BYTES: Final = 64 * 1024


class _Stored(Value):
    """What ``pull.json`` holds. The state is missing on purpose: git's own facts tell it."""

    type: Literal["twokey/pull/v1"] = "twokey/pull/v1"
    id: ProposalId
    title: Title
    author: PrincipalName
    run: RunId
    digest: Digest
    base_branch: BranchName
    base_commit: ObjectName
    branch: BranchName
    head: ObjectName
    tree: ObjectName
    opened_us: Instant


def commit_of(pull: NewPull) -> Commit:
    """Give the commit that ``pull`` proposes."""
    stamp = pull.stamp
    trailers = (
        f"Twokey-Proposal: {stamp.proposal}\nTwokey-Digest: {stamp.digest}\n"
        f"Twokey-Run: {stamp.run}\nRequested-By: {stamp.requester}\n"
    )
    summary = _summary(pull.body)
    message = "\n\n".join(part for part in (pull.title, summary, trailers) if part)
    return _commit(pull.tree, pull.base_commit, message, stamp.created_us)


def record_of(pull: NewPull, head: str) -> tuple[Commit, tuple[Blob | Tree, ...]]:
    """Give the commit that records ``pull`` and the objects it needs besides."""
    stored = _Stored(
        id=pull.stamp.proposal,
        title=pull.title,
        author=pull.stamp.requester,
        run=pull.stamp.run,
        digest=pull.stamp.digest,
        base_branch=pull.base_branch,
        base_commit=pull.base_commit,
        branch=pull.branch,
        head=head,
        tree=pull.tree,
        opened_us=pull.stamp.created_us,
    )
    tree = Tree()
    blobs: list[Blob] = []
    for name, content in (
        (b"body.md", pull.body.encode()),
        (b"change.diff", pull.diff.encode()),
        (b"pull.json", canonical.encode(stored.canonical()) + b"\n"),
    ):
        blob = Blob.from_string(content)
        blobs.append(blob)
        tree.add(name, FILE_MODE, blob.id)
    message = f"Pull request {stored.id}: {pull.title}\n"
    return _commit(tree.id.decode(), head, message, stored.opened_us), (*blobs, tree)


def closing_of(closing: Closing, record: str) -> tuple[Commit, tuple[Blob | Tree, ...]]:
    """Give the commit that records a closing, on top of the ``record`` of the pull request, and what it needs."""
    stamp = closing.stamp
    fields = {
        "type": "twokey/closing/v1",
        "pull": closing.pull,
        "branch": closing.branch,
        "head": closing.head,
        "proposal": stamp.proposal,
        "digest": stamp.digest,
        "run": stamp.run,
        "author": stamp.requester,
        "closed_us": stamp.created_us,
    }
    blob = Blob.from_string(canonical.encode(fields) + b"\n")
    tree = Tree()
    tree.add(b"closing.json", FILE_MODE, blob.id)
    message = f"Close pull request {closing.pull}\n"
    return _commit(tree.id.decode(), record, message, stamp.created_us), (blob, tree)


def read_record(stored: bytes, ref: str, record: str, parents: tuple[str, ...], state: PullState) -> PullRecord | None:
    """Read ``pull.json`` back; ``None`` where it is no record or belongs to another ref or commit."""
    try:
        value = _Stored.model_validate_json(stored)
    except ValidationError:
        return None
    if f"{PULLS}{value.id}" != ref or (value.head,) != parents:
        return None
    fields = value.model_dump(exclude={"type"})
    return PullRecord(**fields, record=record, state=state)


def _commit(tree: str, parent: str, message: str, at_us: int) -> Commit:
    commit = Commit()
    commit.tree = ObjectID(tree.encode())
    commit.parents = [ObjectID(parent.encode())]
    commit.author = commit.committer = IDENTITY
    commit.author_time = commit.commit_time = at_us // 1_000_000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.encode()
    return commit


def _summary(body: str) -> str:
    """Give the beginning of the body, cut after a whole line."""
    text = body.strip()
    if len(text) <= MAX_SUMMARY:
        return text
    return text[: MAX_SUMMARY + 1].rpartition("\n")[0].rstrip() or text[:MAX_SUMMARY]
