"""The files of a folder, and nothing beyond it.

Rules: only regular files that lie in the folder itself are read; links are not followed, not even a link that is put in
a file's place between two looks; a file that is larger than the bound is not read in part. A file is replaced whole, in
one step, with the rights it had, and is on the disk when the call returns. Two processes do not write at once: each
holds the folder's lock. An editor knows nothing of the lock, so a file that changed since it was read is not replaced.
"""

import contextlib
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from twokey.core.errors import EnvironmentFault, NotFound, Refused
from twokey.tools import file_locks

Reason = Literal["symlink", "no_file", "too_large", "binary", "not_text", "malformed"]
_FLAGS: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Unreadable(Exception):  # noqa: N818 - becomes a line in a list, never an error of the run
    """A file that is no ticket, and why. ``line`` counts from 1 where it is one line of a file."""

    def __init__(self, reason: Reason, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Final[Reason] = reason
        self.line: Final = line


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the folder lists it. Whatever changes its content changes one of these, as far as the disk tells."""

    name: str
    changed_ns: int
    size: int
    inode: int
    is_link: bool
    is_file: bool


class Files:
    """The files of the folder at ``path``."""

    def __init__(self, path: Path, wait_s: float = 10.0) -> None:
        self._path = path
        self._wait_s = wait_s

    def look(self) -> Iterator[Seen]:
        """List the folder, without reading any file. Names that are not UTF-8 come with escapes (PEP 383)."""
        with self._open() as folder, os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield _seen(entry.name, entry.stat(follow_symlinks=False))

    def stat(self, name: str) -> Seen | None:
        """Look at one file; ``None`` where there is none."""
        with self._open() as folder:
            try:
                return _seen(name, os.stat(name, dir_fd=folder, follow_symlinks=False))
            except FileNotFoundError:
                return None

    @contextmanager
    def open(self, name: str, most: int) -> Generator[BinaryIO]:
        """Open a file to read.

        Raises:
            FileNotFoundError: there is none.
            Unreadable: it is no regular file, or larger than ``most`` bytes.

        """
        with self._open() as folder:
            try:
                handle = os.open(name, os.O_RDONLY | _FLAGS, dir_fd=folder)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise Unreadable("no_file") from error
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise Unreadable("no_file")
            if state.st_size > most:
                raise Unreadable("too_large")
            yield file

    def read(self, name: str, most: int) -> bytes:
        """Read a file whole; raises what ``open`` does."""
        with self.open(name, most) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise Unreadable("too_large")
        return content

    @contextmanager
    def alone(self) -> Generator[None]:
        """Hold the folder against every other Twokey; waits a bounded time.

        Raises:
            EnvironmentFault: another one holds it for longer than that.

        """
        with self._open() as folder:
            busy = EnvironmentFault(
                "Another Twokey process is writing tickets and does not finish.",
                next="See what that process is doing, then try again.",
                code="tickets_busy",
            )
            file_locks.hold(folder, self._wait_s, busy)
            yield

    def replace(self, name: str, before: bytes | None, after: bytes, most: int) -> None:
        """Put ``after`` in the place of ``before`` (``None``: there is no such file yet). Call it ``alone``.

        Raises:
            Refused: the file is not what it was when it was read.
            EnvironmentFault: the disk says no.

        """
        beside = f".{name}.twokey"
        try:
            with self._open() as folder:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(beside, dir_fd=folder)
                mode = 0o644 if before is None else stat.S_IMODE(os.stat(name, dir_fd=folder).st_mode)
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=folder)
                with os.fdopen(handle, "wb") as file:
                    os.fchmod(handle, mode)
                    file.write(after)
                    file.flush()
                    os.fsync(handle)
                if self._now(name, most) != before:
                    os.unlink(beside, dir_fd=folder)
                    raise Refused(
                        "The ticket was changed while it was being written to; nothing was written.",
                        next="Try again.",
                        code="ticket_changed",
                    )
                os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
        except OSError as error:
            raise EnvironmentFault(
                f"The ticket cannot be written: {error.strerror or type(error).__name__}.",
                next="Check the folder's permissions and the room on the disk.",
                code="tickets_not_writable",
            ) from error

    def _now(self, name: str, most: int) -> bytes | None:
        try:
            return self.read(name, most)
        except FileNotFoundError:
            return None
        except Unreadable:
            return b"\0"

    @contextmanager
    def _open(self) -> Generator[int]:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                "There is no folder of tickets at the place that was named.",
                next="Check its location in twokey.toml.",
                code="no_tickets",
            ) from None
        except OSError as error:
            raise EnvironmentFault(
                f"The folder of tickets cannot be opened: {error.strerror}.",
                next="Check its permissions.",
                code="tickets_unreadable",
            ) from error
        try:
            yield handle
        finally:
            os.close(handle)


def _seen(name: str, state: os.stat_result) -> Seen:
    return Seen(
        name=name,
        changed_ns=state.st_mtime_ns,
        size=state.st_size,
        inode=state.st_ino,
        is_link=stat.S_ISLNK(state.st_mode),
        is_file=stat.S_ISREG(state.st_mode),
    )


def text_of(content: bytes) -> str:
    """Give the text of a file; raises ``Unreadable`` where it is none."""
    if b"\0" in content:
        raise Unreadable("binary")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("not_text") from error
