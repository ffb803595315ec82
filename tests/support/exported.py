"""An exported log for tests: made from a log of the tests, read and changed as its owner or an attacker would."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from support.log_world import World, step
from twokey.audit import export
from twokey.audit.disk import Steps
from twokey.audit.export import Exported
from twokey.audit.log import Log
from twokey.audit.verify import Report
from twokey.audit.verify_folder import verify_folder


class Faulty(Steps):
    """Carries out steps until number ``at``; in that one, does half of it and calls ``fail``."""

    def __init__(self, at: int, fail: Callable[[], None]) -> None:
        self.at = at
        self.fail = fail
        self.count = 0

    def _step(self) -> bool:
        self.count += 1
        return self.count == self.at

    def write(self, folder: int, name: str, content: bytes, mode: int) -> None:
        if self._step():
            super().write(folder, name, content[: len(content) // 2], mode)
            self.fail()
        super().write(folder, name, content, mode)

    def rename(self, source: int, draft: str, folder: int, name: str) -> None:
        if self._step():
            self.fail()
        super().rename(source, draft, folder, name)

    def make_folder(self, folder: int, name: str) -> None:
        if self._step():
            self.fail()
        super().make_folder(folder, name)

    def remove(self, folder: int, name: str) -> None:
        if self._step():
            self.fail()
        super().remove(folder, name)

    def remove_folder(self, folder: int, name: str) -> None:
        if self._step():
            self.fail()
        super().remove_folder(folder, name)

    def settle(self, folder: int) -> None:
        if self._step():
            self.fail()
        super().settle(folder)


def broken() -> None:
    """Fail as a disk does."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def full() -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def grow(world: World, log: Log, size: int) -> None:
    """Bring the log to so many entries, in transactions of 100."""
    held = log.latest()
    numbers = range(held.size if held else 0, size)
    for start in range(numbers.start, size, 100):
        world.record(log, *(step(number) for number in range(start, min(start + 100, size))))


def export_to(world: World, log: Log, folder: Path, steps: Steps | None = None) -> Exported:
    """Export the log as it is."""
    with log.view() as (connection, checkpoint):
        assert checkpoint is not None
        return export.export(connection, checkpoint, world.key.verifier, folder, steps=steps)


def checked(world: World, folder: Path, old: str | None = None) -> Report:
    """Verify an exported log with the log's own key."""
    return verify_folder(folder, key=world.key.verifier.vkey, old=old)


def files(folder: Path) -> dict[str, bytes]:
    """Everything that is served: the names of files, and their bytes."""
    return dict(_files(folder))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(".twokey-drafts"):
            yield name, path.read_bytes()
