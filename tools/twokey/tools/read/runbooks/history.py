"""Which commit holds a runbook as it was read.

Rules: the repository is the one whose top folder is the nearest at or above the runbooks; of it only the branch that it
is on and the ids of files are looked at. A commit is named only where it holds exactly the bytes that were read; a file
that differs from it, or that it does not know, is cited without one. A history that cannot be read is said, and stops
no search.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Literal

from twokey.core.errors import TwokeyError
from twokey.tools.forge import Repository

MAX_ABOVE: Final = 32
"""Folders above the runbooks in which a repository is looked for."""


def commits(
    open_repository: Callable[[str], AbstractContextManager[Repository]], folder: Path, blobs: Iterable[tuple[str, str]]
) -> tuple[Literal["none", "read", "unreadable"], Mapping[str, str]]:
    """Give the commit of each file that has one. ``blobs`` holds paths below ``folder`` with the ids of their bytes."""
    top = next((each for each in (folder, *folder.parents)[:MAX_ABOVE] if (each / ".git").exists()), None)
    if top is None:
        return "none", {}
    below = folder.relative_to(top).as_posix()
    prefix = "" if below == "." else f"{below}/"
    try:
        with open_repository(str(top)) as repository:
            commit = repository.describe().commit
            return "read", {
                path: commit for path, blob in blobs if repository.file_id(commit, f"{prefix}{path}") == blob
            }
    except TwokeyError:
        return "unreadable", {}
