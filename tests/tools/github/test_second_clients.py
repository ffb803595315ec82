"""The twin is a GitHub to others, too: PyGithub and ``gh`` work with it, and see what Twokey has done."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from github import Auth, Github, GithubException
from twins.github.fixtures import FULL_NAME, LOCATION, Stand

from twokey.tools.forge import Edit, NewPull, Stamp
from twokey.tools.write.git_tree import build

STAMP = Stamp(
    proposal="p-000000000001",
    digest="ab" * 32,
    run="r-000000000002",
    requester="ana",
    created_us=1_767_225_600_000_000,
)


def opened(github: Stand) -> str:
    """Open a pull request through the product; gives the commit."""
    with github.forge().open(LOCATION) as repository:
        base = repository.tip("main")
        edits = (Edit("docs/new.md", b"new\n"),)
        tree = build(repository, repository.root(base), edits).tree
        pull = NewPull("main", base, "twokey/new", "A new page", "Because.", edits, tree, "", STAMP)
        return repository.open_pull(pull).head


def test_pygithub_sees_the_pull_request_and_works_beside_it(github: Stand) -> None:
    head = opened(github)
    hub = Github(auth=Auth.Token(github.token), base_url=github.twin.api, retry=None)
    repository = hub.get_repo(FULL_NAME)
    [pull] = list(repository.get_pulls(state="open"))
    assert (pull.title, pull.head.sha, pull.base.ref, pull.user.login) == ("A new page", head, "main", "twokey")
    assert [label.name for label in pull.labels] == ["twokey", "twokey: adds files"]
    assert [commit.sha for commit in pull.get_commits()] == [head]
    assert repository.get_git_tree(head, recursive=True).tree[2].path == "docs"
    base = repository.get_git_ref("heads/main").object.sha
    blob = repository.create_git_blob("theirs\n", "utf-8")
    assert repository.get_git_blob(blob.sha).size == 7
    with pytest.raises(GithubException) as caught:
        repository.create_git_ref("refs/heads/twokey/new", base)
    assert (caught.value.status, caught.value.data["message"]) == (422, "Reference already exists")
    issue = repository.create_issue("Orders are late", body="since Monday")
    issue.add_to_labels("bug")
    issue.create_comment("Looking into it.")
    issue.edit(state="closed", state_reason="completed")
    assert [found.title for found in repository.get_issues(state="closed")] == ["Orders are late"]
    assert [comment.body for comment in issue.get_comments()] == ["Looking into it."]
    pull.edit(state="closed")
    assert github.repository.pulls[1].ticket.state == "closed"
    hub.close()


def test_gh_sees_the_pull_request(github: Stand, tmp_path: Path) -> None:
    gh = shutil.which("gh")
    if gh is None:
        pytest.skip("gh is not installed")
    head = opened(github)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GH_CONFIG_DIR": str(tmp_path / "gh"),
        "GH_HOST": "github.localhost",  # the one host that gh speaks plain HTTP to
        "GH_ENTERPRISE_TOKEN": github.token,
        "GH_TOKEN": github.token,
        "HTTP_PROXY": github.twin.api,  # which leads it to the twin
        "NO_COLOR": "1",
    }

    def ask(*arguments: str) -> str:
        done = subprocess.run(
            [gh, "api", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert ask(f"repos/{FULL_NAME}/pulls", "--jq", ".[0].head.sha") == head
    made = ask(f"repos/{FULL_NAME}/issues", "-f", "title=From gh", "--jq", ".number")
    assert github.repository.tickets[int(made)].title == "From gh"
