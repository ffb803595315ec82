"""Real git repositories for the tests of what writes to them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.git_repo import make_commit, run_git, small_project


@pytest.fixture(scope="session")
def git() -> Callable[..., str]:
    """Run git in a folder; gives its output, fails where it fails."""
    return run_git


@pytest.fixture(scope="session")
def commit() -> Callable[..., str]:
    """Write files into a working copy and commit them; gives the commit's id."""
    return make_commit


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small dbt project in a fresh repository, one commit on ``main``."""
    return small_project(tmp_path / "dbt")
