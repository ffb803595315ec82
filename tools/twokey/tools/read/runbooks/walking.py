"""The Markdown files of a folder and of the folders in it, and nothing beyond.

Rules: no link is followed, to a file or to a folder, not even one that is put in a folder's place between two looks;
only regular files are opened; a file over a bound is not read in part; hidden files and folders (``.git``) are not
looked at. What is passed over is named with the reason. Names that cannot be shown are passed over, too.
"""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokey.core.errors import EnvironmentFault, NotFound
from twokey.tools.plain_text import is_shown
from twokey.tools.read.runbooks.values import Reason

MAX_FILES: Final = 5_000
MAX_ENTRIES: Final = 50_000
"""Names that are looked at in all, whatever they are."""
MAX_DEPTH: Final = 16
MAX_FILE: Final = 512 * 1024
MAX_LINES: Final = 20_000
MAX_PATH: Final = 400
SUFFIXES: Final = (".md", ".markdown", ".mdown")
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FOLDER: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as its folder lists it; ``fault`` says why it is not read."""

    path: str
    stamp: str = ""
    """Changes with the content, as far as the disk tells."""
    changed_ns: int = 0
    """When the disk says that the file was last touched."""
    fault: Reason | None = None


class Unreadable(Exception):  # noqa: N818 - becomes a line in a list, never an error of the run
    """A file that cannot be taken in, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Final[Reason] = reason


class Folder:
    """The Markdown files below ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self) -> Iterator[Seen]:
        """List the files, sorted by path within each folder, without reading any.

        Raises:
            NotFound: there is no such folder.
            EnvironmentFault: it may not be read.

        """
        with self._opened() as top:
            yield from _bounded(top)

    def read(self, path: str) -> tuple[bytes, Seen]:
        """Read a file whole; gives what it was when it was opened, too.

        Raises:
            Unreadable: it is not there any more, or cannot be taken in.

        """
        *folders, name = path.split("/")
        with self._opened() as top:
            opened = [top]
            try:
                for folder in folders:
                    opened.append(os.open(folder, _FOLDER, dir_fd=opened[-1]))
                handle = os.open(name, _READ, dir_fd=opened[-1])
            except OSError as error:
                raise Unreadable("unreadable") from error
            finally:
                for number in opened[1:]:
                    os.close(number)
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise Unreadable("no_file")
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise Unreadable("too_large")
        return content, _seen(path, state)

    @contextmanager
    def _opened(self) -> Generator[int]:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                "There is no folder of runbooks at the place that was named.",
                next="Check its location in twokey.toml.",
                code="no_runbooks",
            ) from None
        except OSError as error:
            raise EnvironmentFault(
                f"The folder of runbooks cannot be opened: {error.strerror}.",
                next="Check its permissions.",
                code="runbooks_unreadable",
            ) from error
        try:
            yield handle
        finally:
            os.close(handle)


def text_of(content: bytes) -> str:
    """Give the text of a file with line feeds alone; raises ``Unreadable`` where it is none or has too many lines."""
    if b"\0" in content:
        raise Unreadable("binary")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("not_text") from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MAX_LINES:
        raise Unreadable("too_large")
    return text


def _bounded(top: int) -> Iterator[Seen]:
    """Walk, until there are too many files or names; then say where it ended."""
    budget = _Budget()
    for seen in _walked(top, "", 0, budget):
        if budget.spent or budget.files >= MAX_FILES:
            yield Seen(seen.path, fault="too_many")
            return
        budget.files += seen.fault is None
        yield seen


@dataclass(slots=True)
class _Budget:
    entries: int = 0
    files: int = 0

    @property
    def spent(self) -> bool:
        return self.entries > MAX_ENTRIES


def _walked(folder: int, prefix: str, depth: int, budget: _Budget) -> Iterator[Seen]:
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            budget.entries += 1
            if budget.spent:
                break
            if not entry.name.startswith("."):
                names.append(entry.name)
    for name in sorted(names):
        yield from _one(folder, name, f"{prefix}{name}", depth, budget)
    if budget.spent:
        yield Seen(f"{prefix}..." if _is_good(prefix) else "...", fault="too_many")


def _one(folder: int, name: str, path: str, depth: int, budget: _Budget) -> Iterator[Seen]:
    try:
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    wanted = name.casefold().endswith(SUFFIXES)
    link, inner = stat.S_ISLNK(state.st_mode), stat.S_ISDIR(state.st_mode)
    if not (wanted or link or inner):
        return
    if not _is_good(path):
        yield Seen(_escaped(path), fault="bad_name")
    elif link:
        yield Seen(path, fault="symlink")
    elif inner and depth >= MAX_DEPTH:
        yield Seen(path, fault="too_deep")
    elif inner:
        try:
            below = os.open(name, _FOLDER, dir_fd=folder)
        except OSError:
            yield Seen(path, fault="unreadable")
            return
        try:
            yield from _walked(below, f"{path}/", depth + 1, budget)
        finally:
            os.close(below)
    elif not stat.S_ISREG(state.st_mode):
        yield Seen(path, fault="no_file")
    elif state.st_size > MAX_FILE:
        yield Seen(path, fault="too_large")
    else:
        yield _seen(path, state)


def _seen(path: str, state: os.stat_result) -> Seen:
    stamp = f"{state.st_mtime_ns}.{state.st_ctime_ns}.{state.st_size}.{state.st_ino}"
    return Seen(path, stamp, max(state.st_mtime_ns, state.st_ctime_ns))


def _is_good(path: str) -> bool:
    return len(path) <= MAX_PATH and all(map(is_shown, path))


def _escaped(path: str) -> str:
    return path.encode("ascii", "backslashreplace").decode("ascii")[:MAX_PATH]
