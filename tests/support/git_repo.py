"""Real git repositories, made and inspected by the real git program, with nobody's settings."""

import os
import subprocess
from pathlib import Path

from support.templates import templates

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.org",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
    "GIT_OPTIONAL_LOCKS": "0",
}


def run_git(folder: Path, *args: str, stdin: bytes = b"", **more: str) -> str:
    """Run git in a folder and give its output; fails where git fails."""
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "safe.directory=*", *args],
        input=stdin,
        capture_output=True,
        check=False,
        env=ENVIRONMENT | more,
    )
    assert done.returncode == 0, (args, done.stderr.decode())
    return done.stdout.decode("utf-8", "surrogateescape")


def make_commit(folder: Path, files: dict[str, bytes | None], message: str = "a change") -> str:
    """Write files into a working copy (``None`` deletes) and commit everything; gives the commit's id."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    run_git(folder, "add", "--all")
    run_git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return run_git(folder, "rev-parse", "HEAD").strip()


def drop_samples(folder: Path) -> None:
    """Remove the examples of hooks that git puts into a repository: nothing runs them, and they are copied with it."""
    for sample in (folder / ".git" / "hooks").glob("*.sample"):
        sample.unlink()


def small_project(folder: Path) -> Path:
    """Make a small dbt project in a new repository, one commit on ``main``."""
    return templates().copy("small project", _small_project, folder)


def _small_project(folder: Path) -> None:
    folder.mkdir()
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    files: dict[str, bytes | None] = {
        "dbt_project.yml": b"name: shop\n",
        "models/schema.yml": b"models:\n  - name: orders\n    columns:\n      - name: id\n      - name: contact\n",
        "models/orders.sql": b"select * from raw.orders\n",
        "README.md": b"# Shop\n",
        "docs/guide.md": b"one\ntwo\nthree",
    }
    make_commit(folder, files, "the project")
    drop_samples(folder)
