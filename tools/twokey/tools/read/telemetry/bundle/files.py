"""The files of one bundle, opened below its folder and nowhere else.

Rules:
- a file is named by this package and never by what was read; links, devices, pipes and folders in its place are
  refused. ``NAME`` is read where it exists, else ``NAME.gz``;
- what is unpacked is handed on in blocks, and reading stops at a bound that is told beforehand, so that a small
  archive cannot become a large memory;
- a file that is missing gives nothing; one that cannot be read, or stops in the middle of a block, gives what came
  before, and the tally says ``unreadable``.
"""

import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokey.tools.read.telemetry.port import Shortfall, Signal

BLOCK: Final = 4 * 1024 * 1024
"""Bytes of unpacked text that are handed on at once, about."""
MOST_IN_LINE: Final = 1024 * 1024
"""Bytes of one line; a file with a longer one is read up to there."""
_PACKED: Final = 256 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class Tally:
    """What fell short while one signal was read."""

    signal: Signal
    malformed: int = 0
    too_much: int = 0
    unreadable: bool = False

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Give it as values of the port."""
        found: list[Shortfall] = []
        if self.unreadable:
            found.append(Shortfall(self.signal, "unreadable", 1))
        if self.too_much:
            found.append(Shortfall(self.signal, "too_much", self.too_much))
        if self.malformed:
            found.append(Shortfall(self.signal, "malformed", self.malformed))
        return tuple(found)


def whole_lines(folder: Path, name: str, most: int, tally: Tally) -> Iterator[bytes]:
    """Give the unpacked text of a file in blocks of whole lines, each ended by a newline; ``most`` bytes at most."""
    rest = b""
    for block in _blocks(folder, name, most, tally):
        cut = block.rfind(b"\n") + 1
        if not cut:
            rest += block
            if len(rest) > MOST_IN_LINE + BLOCK:
                tally.unreadable = True
                return
            continue
        yield rest + block[:cut]
        rest = block[cut:]
    if rest:
        yield rest + b"\n"


def exists(folder: Path, name: str) -> bool:
    """Whether there is something of that name, packed or not."""
    return any(os.path.lexists(folder / each) for each in (name, f"{name}.gz"))


def _blocks(folder: Path, name: str, most: int, tally: Tally) -> Iterator[bytes]:
    left = most
    for chosen in (name, f"{name}.gz"):
        if not os.path.lexists(folder / chosen):
            continue
        try:
            with _opened(folder / chosen) as descriptor:
                reading = _unpacked(descriptor) if chosen.endswith(".gz") else _plain(descriptor)
                for block in reading:
                    yield block[:left]
                    left -= len(block)
                    if left <= 0:
                        tally.too_much = most
                        return
        except (OSError, zlib.error, EOFError):
            tally.unreadable = True
        return


class _opened:  # noqa: N801 - read as a verb where it is used
    """A descriptor of a regular file, closed at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> int:
        self._descriptor = os.open(self._path, _FLAGS)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            os.close(self._descriptor)
            raise OSError("not a regular file")
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _plain(descriptor: int) -> Iterator[bytes]:
    while block := os.read(descriptor, BLOCK):
        yield block


def _unpacked(descriptor: int) -> Iterator[bytes]:
    """Unpack gzip, several members too; a file that ends within a member is an ``EOFError``."""
    engine = zlib.decompressobj(_GZIP)
    begun = False
    packed = b""
    while True:
        if not packed:
            packed = os.read(descriptor, _PACKED)
            if not packed:
                break
        if engine.eof:
            engine = zlib.decompressobj(_GZIP)
        begun = True
        block = engine.decompress(packed, BLOCK)
        packed = engine.unused_data if engine.eof else engine.unconsumed_tail
        if block:
            yield block
    if begun and not engine.eof:
        raise EOFError
