"""Real git repositories for the tests of what writes to them."""

import os
import tempfile
from collections.abc import Callable, Iterator
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


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A folder for sweeps that bring thousands of files to the disk: in memory, where the machine has such a place."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else tmp_path) as name:
        yield Path(name)
