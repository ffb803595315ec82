"""What tests get: a running twin with one repository, and the forge of the product in front of it."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dulwich.repo import Repo
from support.git_repo import make_commit, run_git, small_project

from twins.github.description import Description, load
from twins.github.routing import ROUTES
from twins.github.server import GitHubTwin
from twins.github.world import PullRequest, Repository, World
from twokey.tools.github.access import Access, TokenAccess
from twokey.tools.github.forge import GitHubForge
from twokey.tools.github.models import Account
from twokey.tools.github.wire import Wire

ROOT = Path(__file__).resolve().parents[3]
URL = "https://github.example"
FULL_NAME = "acme/dbt"
LOCATION = f"{URL}/{FULL_NAME}"


def data_folder() -> Path | None:
    """The development data, where it is."""
    folder = Path(os.environ.get("TWOKEY_TEST_DATA", ROOT.parent / "shared" / "data"))
    return folder if (folder / "github").is_dir() else None


@cache
def description(data: Path | None) -> Description | None:
    """The official description, loaded once; nothing where the data is absent."""
    return load(data, ROUTES) if data is not None else None


@dataclass
class Stand:
    """A twin, its repository, and what the product needs to reach it."""

    twin: GitHubTwin
    repository: Repository
    work: Path
    """A working copy of the repository."""
    token: str
    pauses: list[float] = field(default_factory=list[float])

    @property
    def world(self) -> World:
        return self.twin.world

    def wire(self, timeout_s: int = 60) -> Wire:
        return Wire(self.twin.api, timeout_s=timeout_s)

    def forge(self, access: Access | None = None, timeout_s: int = 60) -> GitHubForge:
        """A fresh forge: nothing is remembered from before."""
        given = access or TokenAccess(self.token)
        return GitHubForge(URL, self.wire(timeout_s), lambda: given, mine=self.mine, pause=self.pauses.append)

    def mine(self, account: Account | None) -> bool:
        """Tell whether an account is the one that Twokey writes as here."""
        return account is not None and account.id == self.world.user("twokey").id

    def commit(self, files: dict[str, bytes | None], branch: str = "main") -> str:
        """Commit to a branch of the repository, as somebody else would."""
        run_git(self.work, "fetch", "--quiet", "origin")
        run_git(self.work, "checkout", "--quiet", "-B", branch, f"origin/{branch}")
        made = make_commit(self.work, files)
        run_git(self.work, "push", "--quiet", "origin", branch)
        return made

    def look_alike(self, of: PullRequest, login: str, *, branch: str | None = None, base: str = "main") -> PullRequest:
        """Somebody who may push opens a pull request with the words of another, in its text and in its commit.

        From the very branch of the other where no ``branch`` is given.
        """
        head = of.head_sha
        if branch is not None:
            run_git(self.work, "fetch", "--quiet", "origin")
            run_git(self.work, "checkout", "--quiet", "-B", branch, of.base_sha)
            words = run_git(self.work, "log", "-1", "--format=%B", of.head_sha)
            run_git(self.work, "commit", "--quiet", "--allow-empty", "--message", words)
            run_git(self.work, "push", "--quiet", "--force", "origin", branch)
            head = self.branches()[branch]
        ticket = self.world.ticket(self.repository, of.ticket.title, of.ticket.body, self.world.user(login))
        made = PullRequest(ticket, branch or of.head, base, head, of.base_sha)
        self.repository.pulls[ticket.number] = made
        return made

    def branches(self) -> dict[str, str]:
        """Branches and their tips."""
        refs = self.repository.git.refs.as_dict()
        return {
            name.decode().removeprefix("refs/heads/"): sha.decode()
            for name, sha in refs.items()
            if name.startswith(b"refs/heads/")
        }


@contextmanager
def stand(folder: Path) -> Generator[Stand]:
    """Run a twin with the repository ``acme/dbt``; what the official description holds against it fails the test."""
    folder.mkdir(exist_ok=True)
    work = small_project(folder / "work")
    bare = folder / "bare.git"
    run_git(folder, "clone", "--quiet", "--bare", str(work), str(bare))
    run_git(work, "remote", "add", "origin", str(bare))
    run_git(work, "fetch", "--quiet", "origin")
    git = Repo(str(bare))
    world = World()
    repository = world.repository(FULL_NAME, git)
    repository.collaborators |= {"ana", "sam"}
    repository.teams |= {"platform-owners"}
    try:
        with GitHubTwin(world, description(data_folder())).running() as twin:
            yield Stand(twin, repository, work, world.token("twokey", FULL_NAME))
            assert not twin.problems, "\n".join(twin.problems[:10])
    finally:
        git.close()
