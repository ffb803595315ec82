"""A small file system that can be filled to the last byte and freed again."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import pytest

SIZE_KB = 6_000
CHUNK = bytes(64 * 1024)


class Disk:
    """A mounted tmpfs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no free byte."""
        for step in (len(CHUNK), 4096, 1):
            with self._ballast.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                _endlessly(file, CHUNK[:step])

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)


def _endlessly(file: FileIO, chunk: bytes) -> None:
    while file.write(chunk):
        pass


@contextmanager
def small_disk(folder: Path) -> Generator[Disk]:
    """Mount one at ``folder``; skips where this account may not."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k,mode=700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"this machine does not mount a small file system: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
