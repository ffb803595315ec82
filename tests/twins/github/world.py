"""What the twin knows: repositories, people, tokens, Apps, issues and pull requests."""

import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dulwich.repo import Repo


@dataclass
class User:
    id: int
    login: str
    type: str = "User"


@dataclass
class Ticket:
    """An issue, or the half of a pull request that is one."""

    number: int
    title: str
    body: str | None
    user: User
    created_at: str
    updated_at: str
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    labels: list[str] = field(default_factory=list[str])
    assignees: list[User] = field(default_factory=list[User])
    comments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class PullRequest:
    """The other half of a pull request."""

    ticket: Ticket
    head: str
    base: str
    head_sha: str
    base_sha: str
    merged_at: str | None = None
    merge_commit: str | None = None
    reviewers: list[User] = field(default_factory=list[User])
    teams: list[str] = field(default_factory=list[str])
    reviews: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    review_comments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Repository:
    id: int
    owner: str
    name: str
    git: Repo
    default_branch: str = "main"
    collaborators: set[str] = field(default_factory=set[str])
    teams: set[str] = field(default_factory=set[str])
    tickets: dict[int, Ticket] = field(default_factory=dict[int, Ticket])
    pulls: dict[int, PullRequest] = field(default_factory=dict[int, PullRequest])
    deployments: list[Any] = field(default_factory=list[Any])
    protected: set[str] = field(default_factory=set[str])
    """Branches that nobody may delete."""

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass
class Grant:
    """What a token opens."""

    user: User
    repositories: set[str]
    permissions: dict[str, str]
    until: float = float("inf")
    left: int = 5000
    app: int | None = None


ALL = {"contents": "write", "deployments": "read", "pull_requests": "write", "issues": "write", "metadata": "read"}


@dataclass
class App:
    id: int
    slug: str
    key: rsa.RSAPrivateKey
    events: list[str]
    permissions: dict[str, str] = field(default_factory=lambda: dict(ALL))
    hook: dict[str, Any] = field(default_factory=dict[str, Any])

    def pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@dataclass
class Installation:
    id: int
    app: App
    repositories: set[str]
    suspended: bool = False


class World:
    """One GitHub. ``now`` gives seconds; a test may move it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.api = "https://api.github.example"
        """Where the twin listens: what its replies lead to."""
        self.repositories: dict[str, Repository] = {}
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Grant] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.truncate_at: int | None = None
        """Entries after which a recursive listing is cut."""
        self.cut_folders = False
        """Whether a listing of one folder is cut, too."""
        self._ids = itertools.count(1001)

    def next_id(self) -> int:
        return next(self._ids)

    def moment(self) -> str:
        return datetime.fromtimestamp(self.now(), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, login: str, kind: str = "User") -> User:
        return self.users.setdefault(login, User(self.next_id(), login, kind))

    def repository(self, full_name: str, git: Repo) -> Repository:
        owner, name = full_name.split("/")
        self.user(owner, "Organization")
        made = self.repositories[full_name] = Repository(self.next_id(), owner, name, git)
        return made

    def token(self, login: str, *repositories: str, permissions: dict[str, str] | None = None) -> str:
        token = f"ghp_{secrets.token_hex(18)}"
        self.tokens[token] = Grant(self.user(login), set(repositories), dict(permissions or ALL))
        return token

    def app(self, slug: str, *repositories: str) -> tuple[App, Installation]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        app = App(self.next_id(), slug, key, ["issue_comment", "pull_request", "pull_request_review"])
        self.apps[app.id] = app
        installation = Installation(self.next_id(), app, set(repositories))
        self.installations[installation.id] = installation
        return app, installation

    def installation_token(self, installation: Installation, repositories: set[str]) -> tuple[str, float]:
        token, until = f"ghs_{secrets.token_hex(18)}", self.now() + 3600
        bot = self.user(f"{installation.app.slug}[bot]", "Bot")
        self.tokens[token] = Grant(
            bot, repositories, dict(installation.app.permissions), until, app=installation.app.id
        )
        return token, until

    def ticket(self, repository: Repository, title: str, body: str | None, user: User) -> Ticket:
        number = len(repository.tickets) + 1
        moment = self.moment()
        made = repository.tickets[number] = Ticket(number, title, body, user, moment, moment)
        return made
