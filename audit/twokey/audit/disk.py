"""A folder that is read without following links, and in which files are whole or not there.

Rules: below the folder every part of a name is opened by itself and must be no link; what is read is a plain file of a
bounded length. A file is written in the folder ``.twokey-drafts``, brought to the disk, and then renamed: whoever
reads, and whoever comes after a crash, finds the old content or the new one. ``settle`` brings the names to the disk.
One writer at a time has the folder; the system takes the lock back from one that dies. A fault of the disk ends the
work: it is never tried again behind the caller's back.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from twokey.core.errors import CheckFailed, EnvironmentFault, TwokeyError

DRAFTS: Final = ".twokey-drafts"
"""Folder of what is being written. It is no part of what the folder holds."""
_DRAFT: Final = "draft"
_POLL_S: Final = 0.02
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Steps:
    """The steps that change a file system, relative to open folders. Tests pass some that fail or die."""

    def write(self, folder: int, name: str, content: bytes, mode: int) -> None:
        """Create the file ``name`` and bring its content to the disk; raises ``FileExistsError``."""
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, source: int, draft: str, folder: int, name: str) -> None:
        """Move a file over another, or to where there is none."""
        os.rename(draft, name, src_dir_fd=source, dst_dir_fd=folder)

    def make_folder(self, folder: int, name: str) -> None:
        """Create a folder; raises ``FileExistsError``."""
        os.mkdir(name, dir_fd=folder)

    def remove(self, folder: int, name: str) -> None:
        """Remove a file."""
        os.unlink(name, dir_fd=folder)

    def remove_folder(self, folder: int, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(name, dir_fd=folder)

    def settle(self, folder: int) -> None:
        """Bring the names in a folder to the disk."""
        os.fsync(folder)


class Folder:
    """An open folder. Close it after use; used by one thread."""

    def __init__(self, path: Path, steps: Steps | None = None) -> None:
        """Open the folder, which must exist; raises ``OSError``."""
        self.path: Final = path
        self._steps: Final = steps or Steps()
        self._top: Final = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._touched: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._top)

    def lock(self, wait_s: float, busy: TwokeyError) -> None:
        """Hold the folder against every other writer until it is closed.

        Raises ``busy`` where another one keeps it for more than ``wait_s`` seconds.
        """
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._top, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise busy from None
                time.sleep(_POLL_S)
            else:
                return

    def read(self, name: str, most: int) -> bytes | None:
        """Give the content of a file, or ``None`` where there is none.

        Raises:
            CheckFailed: it is a link or no plain file, lies behind a link, or has more than ``most`` bytes.

        """
        parent, _, last = name.rpartition("/")
        try:
            with self._opened(parent) as folder:
                handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(name, error) from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise CheckFailed(f"{name} is no plain file.", next=_NEXT)
        with os.fdopen(handle, "rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise CheckFailed(f"{name} is longer than it can be.", next=_NEXT)
        return content

    def write(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Put a whole file in place; it is durable after ``settle``. Raises ``OSError``, ``CheckFailed``."""
        parent, _, last = name.rpartition("/")
        self._make(parent)
        self._make(DRAFTS)
        with self._opened(DRAFTS) as drafts, self._opened(parent) as folder:
            with suppress(FileNotFoundError):
                self._steps.remove(drafts, _DRAFT)  # what a killed writer left
            self._steps.write(drafts, _DRAFT, content, mode)
            self._steps.rename(drafts, _DRAFT, folder, last)

    def touch(self, name: str) -> None:
        """Have the folders on the way to a file that is there brought to the disk by ``settle``, too.

        A process that was killed may have made them, and the system not have written them since.
        """
        parent = name.rpartition("/")[0]
        while parent not in self._touched:
            self._touched[parent] = None
            parent = parent.rpartition("/")[0]

    def settle(self) -> None:
        """Bring the names of what was written and touched to the disk."""
        for parent in sorted(self._touched, reverse=True):  # what is deeper first
            with self._opened(parent) as folder:
                self._steps.settle(folder)
        self._touched.clear()

    def remove(self, name: str) -> None:
        """Remove a file."""
        parent, _, last = name.rpartition("/")
        with self._opened(parent) as folder:
            self._steps.remove(folder, last)
        self._touched[parent] = None

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder."""
        parent, _, last = name.rpartition("/")
        with self._opened(parent) as folder:
            self._steps.remove_folder(folder, last)
        self._touched.pop(name, None)
        self._touched[parent] = None

    def names(self, name: str = "") -> list[str]:
        """List a folder, sorted; one that is not there is empty. Raises ``CheckFailed`` where it is no folder."""
        try:
            with self._opened(name) as folder:
                return sorted(os.listdir(folder))  # noqa: PTH208 - an open folder has no path
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _refused(name, error) from error

    def _make(self, name: str) -> None:
        """Create the folders on the way to ``name``."""
        parts = name.split("/") if name else []
        self.touch(f"{name}/")
        for count, part in enumerate(parts):
            with self._opened("/".join(parts[:count])) as folder, suppress(FileExistsError):
                self._steps.make_folder(folder, part)

    @contextmanager
    def _opened(self, name: str) -> Generator[int]:
        handle = os.dup(self._top)
        try:
            for part in name.split("/") if name else []:
                inner = os.open(part, _FOLDER, dir_fd=handle)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)


_NEXT: Final = "Find out who changed the folder; write the log to a fresh one."


def _refused(name: str, error: OSError) -> TwokeyError:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return CheckFailed(f"{name!a} is a link or lies behind one, and links are not followed.", next=_NEXT)
    return disk_fault(error)


def disk_fault(error: OSError) -> EnvironmentFault:
    """Say that the disk failed, and how."""
    return EnvironmentFault(
        f"The folder cannot be read or written ({error.strerror or type(error).__name__}).",
        next="Check the free space, the permissions and the disk; what was whole before still is.",
        code="disk",
    )
