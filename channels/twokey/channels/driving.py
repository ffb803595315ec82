"""Which processes of this machine drive runs, told by locks that the system takes back when a process dies.

Rules: the lease in the database says who drives a run; the lock says whether that process still lives. Only a process
whose lock lies here is ever called alive or dead: of one on another machine nothing is known but its lease.
"""

import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from twokey.core.errors import LogUnavailable

Life = Literal["alive", "dead", "unknown"]

_HOLDER: Final = re.compile(r"x-[0-9a-z]{12}")
_FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Drivers:
    """The locks of one workspace on this machine, each a file named like the holder of a lease."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alive(self, holder: str) -> Generator[None]:
        """Hold the lock of ``holder``, an id nobody had before, as long as the context lasts.

        Where the database failed meanwhile, its lease is still there: the file stays, and tells that nobody holds it.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / holder
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        given_back = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except LogUnavailable:
            given_back = False
            raise
        finally:
            if given_back:
                path.unlink(missing_ok=True)
            os.close(descriptor)

    def life(self, holder: str) -> Life:
        """Tell what became of ``holder``. What a database row says is taken for a name and for nothing else."""
        if not _HOLDER.fullmatch(holder):
            return "unknown"
        try:
            descriptor = os.open(self._folder / holder, _FLAGS)
        except OSError:  # it is not there, or it is nothing that this class made
            return "unknown"
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "alive"
        finally:
            os.close(descriptor)
        return "dead"

    def forget(self, holder: str) -> None:
        """Remove what a dead holder left behind."""
        if self.life(holder) == "dead":
            (self._folder / holder).unlink(missing_ok=True)
