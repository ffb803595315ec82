"""The files of a folder as they lie on disk, for checks before anything is committed.

Rules: read only, and lazily; links are not followed and nothing outside the folder is opened. Hidden folders, installed
packages and environments are passed over. A file that is larger than any reader wants is read no further than that; one
that vanished meanwhile is empty.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from twokey.core.errors import BadInput

MAX_FILES: Final = 500_000
MAX_BYTES: Final = 64 * 1024 * 1024 + 1
"""More than any reader takes, so that each can say that a file is too large."""
_PASSED_OVER: Final = frozenset({"dbt_packages", "dbt_modules", "node_modules", "site-packages", "__pycache__", "venv"})


class WorkingTree(Mapping[str, bytes]):
    """Path (POSIX, relative to the folder) -> content."""

    def __init__(self, folder: Path) -> None:
        """List the files of a folder.

        Raises:
            BadInput: there is no such folder, or it holds more than ``MAX_FILES`` files.

        """
        if not folder.is_dir():
            raise BadInput("There is no such folder.", next="Name the folder of the repository with --repo.")
        self._folder = folder
        self._paths = dict.fromkeys(_paths(folder))

    def __getitem__(self, path: str) -> bytes:
        """Read one file."""
        if path not in self._paths:
            raise KeyError(path)
        try:
            with (self._folder / path).open("rb") as file:
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return b""

    def __iter__(self) -> Iterator[str]:
        """Give the paths, in order."""
        return iter(self._paths)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._paths)


def _paths(folder: Path) -> Iterator[str]:
    count = 0
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _PASSED_OVER)
        for name in sorted(names):
            path = Path(at, name)
            if path.is_symlink() or not path.is_file():
                continue
            count += 1
            if count > MAX_FILES:
                raise BadInput(
                    "The folder holds too many files.", next="Name the folder of the dbt project with --repo."
                )
            yield path.relative_to(folder).as_posix()
