"""What is read of GitHub's answers: thin, so that a missing or a new field elsewhere breaks nothing.

Rules: a model names only what is used; what GitHub may leave out has a default; unknown fields are passed over; an
answer that lacks what is needed is one clear error. Everything in it is untrusted text from outside.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twokey.core.errors import EnvironmentFault


class Thin(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Model = TypeVar("Model", bound=Thin)


def read(model: type[Model], value: Any) -> Model:
    """Read ``value`` as ``model``.

    Raises:
        EnvironmentFault: it lacks something that is needed. The sentence names the field and nothing of its content.

    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise EnvironmentFault(
            f"An answer of GitHub lacks {where[:80] or 'everything'!r}, or has it otherwise than expected.",
            next="Check that github.api leads to a GitHub; report it with the version of the server.",
            code="github_answer",
        ) from error


class Named(Thin):
    """A thing with a name."""

    name: str = ""


class Account(Thin):
    """Somebody. ``id`` is theirs for good, ``login`` is not."""

    id: int
    login: str = ""
    type: str = "User"


class Installation(Thin):
    """Where an App is installed, and what it may do there."""

    id: int
    permissions: dict[str, str] = Field(default_factory=dict)
    events: tuple[str, ...] = ()
    suspended_at: str | None = None


class InstallationToken(Thin):
    """A token that opens some repositories for an hour."""

    token: str
    expires_at: str


class AppItself(Thin):
    """An App as it sees itself."""

    id: int
    slug: str = ""
    permissions: dict[str, str] = Field(default_factory=dict)
    events: tuple[str, ...] = ()


class Hook(Thin):
    """Where an App's deliveries go."""

    url: str | None = None
    content_type: str | None = None
    insecure_ssl: str | int | None = None
    secret: str | None = None


class Repo(Thin):
    """A repository."""

    id: int
    full_name: str
    default_branch: str = "main"
    archived: bool = False
    permissions: dict[str, bool] = Field(default_factory=dict)


class GitObject(Thin):
    """What a ref names."""

    sha: str
    type: str = "commit"


class GitRef(Thin):
    """A ref."""

    ref: str
    object: GitObject


class Sha(Thin):
    """An object's id and nothing else."""

    sha: str


class Person(Thin):
    """Whoever a commit names. ``date`` is ISO 8601 in UTC."""

    name: str = ""
    email: str = ""
    date: str = ""


class GitCommit(Thin):
    """A commit of the git data API."""

    sha: str
    tree: Sha
    parents: tuple[Sha, ...] = ()
    message: str = ""
    author: Person = Person()
    committer: Person = Person()


class TreeEntry(Thin):
    """One name in a tree; ``path`` has slashes where the listing is recursive."""

    path: str
    mode: str
    type: str
    sha: str
    size: int | None = None


class GitTree(Thin):
    """A listing of a tree."""

    sha: str
    tree: tuple[TreeEntry, ...] = ()
    truncated: bool = False


class PullRepo(Thin):
    """The repository of one side of a pull request."""

    id: int
    full_name: str = ""


class PullSide(Thin):
    """One side of a pull request. The repository is missing where it was deleted."""

    ref: str
    sha: str
    repo: PullRepo | None = None


class Pull(Thin):
    """A pull request."""

    number: int
    state: str
    title: str = ""
    body: str | None = None
    user: Account | None = None
    head: PullSide
    base: PullSide
    merged_at: str | None = None
    merge_commit_sha: str | None = None


class ListedCommit(Thin):
    """A commit in the list of a pull request."""

    sha: str


class Comment(Thin):
    """A comment on an issue or a pull request."""

    id: int
    body: str | None = None
    user: Account | None = None
    created_at: str = ""
    updated_at: str = ""
    issue_url: str = ""
    pull_request_url: str = ""
    path: str = ""
    commit_id: str = ""
    side: str = ""
    start_line: int | None = None
    line: int | None = None


class Review(Thin):
    """A review of a pull request."""

    id: int
    body: str | None = None
    user: Account | None = None
    state: str = ""
    submitted_at: str = ""


class Issue(Thin):
    """An issue. ``pull_request`` is there where it is a pull request in truth."""

    number: int
    title: str = ""
    body: str | None = None
    state: str = "open"
    state_reason: str | None = None
    user: Account | None = None
    labels: tuple[Named | str, ...] = ()
    assignees: tuple[Account, ...] | None = ()
    comments: int = 0
    created_at: str = ""
    updated_at: str = ""
    closed_at: str | None = None
    pull_request: dict[str, Any] | None = None


class FoundIssues(Thin):
    """A page of a search."""

    total_count: int = 0
    incomplete_results: bool = False
    items: tuple[Issue, ...] = ()


class Compared(Thin):
    """How one commit stands to another."""

    status: str
