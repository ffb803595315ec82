"""A disk that fails or dies at one of its steps, and a process that may be killed by it."""

import os
from collections.abc import Callable
from pathlib import Path

from twokey.core.errors import TwokeyError
from twokey.tools.write.git_disk import Disk


class Faulty(Disk):
    """Carries out steps until number ``at``; in that one, does half of it and calls ``fail``."""

    def __init__(self, at: int, fail: Callable[[], None]) -> None:
        self.at = at
        self.fail = fail
        self.count = 0

    def _step(self) -> bool:
        self.count += 1
        return self.count == self.at

    def write(self, path: Path, content: bytes, mode: int) -> None:
        if self._step():
            path.write_bytes(content[: len(content) // 2])
            self.fail()
        super().write(path, content, mode)

    def rename(self, source: Path, target: Path) -> None:
        if self._step():
            self.fail()
        super().rename(source, target)

    def link(self, source: Path, target: Path) -> None:
        if self._step():
            self.fail()
        super().link(source, target)

    def make_folder(self, path: Path) -> None:
        if self._step():
            self.fail()
        super().make_folder(path)

    def settle(self, folder: Path) -> None:
        if self._step():
            self.fail()
        super().settle(folder)

    def remove(self, path: Path) -> None:
        if self._step():
            self.fail()
        super().remove(path)


def in_a_child(work: Callable[[], str]) -> tuple[int, str]:
    """Run ``work`` in a process of its own; gives how it ended and what it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, work().encode())
        except TwokeyError as error:
            os.write(writing, error.code.encode())
        except BaseException as error:  # noqa: BLE001 - a child must never return into pytest
            os.write(writing, repr(error).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    return os.waitpid(child, 0)[1], said
