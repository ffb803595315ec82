"""Folders that are made once in a process and copied for whoever needs one like it.

Rules: a copy has the contents, modes and times of what was made, and shares nothing with it; what is made depends on
its key alone and holds no path of the place where it was made. The templates go when the process ends.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path


class Templates:
    """What one process has made."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tk-made-"))
        self._owner = os.getpid()
        self._made: dict[Hashable, Path] = {}

    def copy(self, key: Hashable, make: Callable[[Path], object], to: Path) -> Path:
        """Make ``to`` a copy of what ``make`` puts at the path that it is given."""
        found = self._made.get(key)
        if found is None:
            found = self._folder / str(len(self._made))
            make(found)
            self._made[key] = found
        shutil.copytree(found, to, symlinks=True)
        return to

    def remove(self) -> None:
        """Remove them, unless this is a process that was forked from the one that made them."""
        if os.getpid() == self._owner:
            shutil.rmtree(self._folder, ignore_errors=True)


@cache
def templates() -> Templates:
    """The templates of this process."""
    made = Templates()
    atexit.register(made.remove)
    return made
