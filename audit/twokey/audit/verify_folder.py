"""Verifies an exported log, alone: a folder of C2SP ``tlog-tiles``, without a workspace or a database.

Like ``verify`` it imports nothing but the standard library, ``cryptography`` and canonical JSON, and shares no code
with what writes the folder; audit/SPEC.md is all it follows.

Rules: the key is given, never taken from the folder. Every entry up to the signed size is read, and its hash, the tiles
over it and the signed root must all follow from its bytes. A narrower tile that was left behind must be a beginning of
what came after it. Links are not followed, and below ``tile`` nothing may lie but tiles. What is wrong names the first
entry that can be wrong, or under which the first wrong hash lies. What lies beyond the checkpoint, as an interrupted
export leaves it, is told and counts for nothing. What is read is hostile: only names in their one form are repeated.

``python -m twokey.audit.verify_folder DIR --key VKEY [--checkpoint OLD] [--witness VKEY]`` prints the answer as one
JSON object and ends with 0 (good), 1 (not good) or 2 (bad input).
"""

import argparse
import contextlib
import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from twokey.audit.verify import (
    MAX_ENTRY_BYTES,
    MAX_NOTE_BYTES,
    BadArgument,
    BadLog,
    Ids,
    Key,
    Report,
    Tree,
    answered,
    event_of,
)
from twokey.audit.verify_cosigned import witnessed

WIDTH: Final = 256
BUNDLES: Final = "entries"
DEEPEST: Final = 8
"""Folders below each other at most: no log has so many entries that there are more."""

_NAME: Final = re.compile(
    r"tile/(entries|[1-5]?[0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def verify_folder(path: Path, *, key: str, old: str | None = None, witnesses: Sequence[str] = ()) -> Report:
    """Verify an exported log.

    ``key`` is the log's verifier key in one line; ``old`` a checkpoint (signed note) of this log that was held
    elsewhere; ``witnesses`` are verifier keys of witnesses that must have cosigned ``old``, or else the folder's own
    checkpoint.

    Raises:
        BadArgument: a key is none, ``old`` is no checkpoint signed by ``key``, or there is no folder.

    """
    verifier = Key.parse(key)
    held: tuple[int, bytes] | None = None
    if old is not None:
        try:
            held = verifier.checkpoint(old)
        except BadArgument as error:
            raise BadArgument(f"The checkpoint held elsewhere {error}.") from error
    with _Files(path) as files:
        run = _Run(files, verifier, held)
        bad = None
        try:
            run.all()
        except BadLog as error:
            bad = error
        except OSError:
            bad = BadLog("the folder is damaged and cannot be read to its end", run.tree.size)
    remarks = list(run.remarks)
    if held is None:
        remarks.append("rollback was not checked: give a checkpoint that was held elsewhere")
    report = Report(
        ok=bad is None,
        size=run.good_size,
        root=run.good_root.hex(),
        first_bad=bad.seq if bad else None,
        reason=bad.reason if bad else "every entry is covered by a checkpoint that verifies",
        rollback_checked=held is not None,
        remarks=tuple(remarks),
    )
    return witnessed(report, old or run.note, witnesses)


class _Files:
    """The files below one folder, opened without following links."""

    def __init__(self, path: Path) -> None:
        try:
            self._top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BadArgument("There is no folder there that can be read.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._top)

    def read(self, name: str, most: int) -> bytes | None:
        """Give a file's content, ``most`` bytes and one at most; ``None`` where there is no plain file."""
        with contextlib.ExitStack() as stack:
            folder = self._top
            try:
                for part in name.split("/")[:-1]:
                    folder = os.open(part, _FOLDER, dir_fd=folder)
                    stack.callback(os.close, folder)
                handle = os.open(name.rpartition("/")[2], _FILE, dir_fd=folder)
            except OSError:
                return None
            stack.callback(os.close, handle)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(most + 1)

    def walk(self, name: str) -> Iterator[tuple[str, bool]]:
        """Name everything below a folder that is no folder, and whether it is a plain file."""
        handle = os.open(name, _FOLDER, dir_fd=self._top)
        try:
            yield from self._walk(handle, name)
        finally:
            os.close(handle)

    def _walk(self, folder: int, name: str) -> Iterator[tuple[str, bool]]:
        for inner in sorted(os.listdir(folder)):
            path = f"{name}/{inner}"
            mode = os.stat(inner, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode) and name.count("/") < DEEPEST:
                handle = os.open(inner, _FOLDER, dir_fd=folder)
                try:
                    yield from self._walk(handle, path)
                finally:
                    os.close(handle)
            else:
                yield path, stat.S_ISREG(mode)


@dataclass(slots=True)
class _Run:
    """One pass over a folder."""

    files: _Files
    key: Key
    held: tuple[int, bytes] | None
    note: str = ""
    good_size: int = 0
    good_root: bytes = field(default_factory=lambda: hashlib.sha256(b"").digest())
    tree: Tree = field(default_factory=Tree)
    ids: Ids = field(default_factory=Ids)
    remarks: list[str] = field(default_factory=list[str])
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    """Per level the hashes of the tile that is being filled, worked out from the entries."""
    done: list[int] = field(default_factory=lambda: [0])
    """Per level how many tiles were filled."""
    bad: BadLog | None = None
    """The first file of hashes that is not what follows from the entries."""
    rewritten: bool = False
    """Whether the entries contradict the checkpoint held elsewhere."""

    def all(self) -> None:
        """Go through the folder; raises ``BadLog``, or ``OSError`` where it cannot be read."""
        size, root = self._checkpoint()
        for index in range(-(-size // WIDTH)):
            self._bundle(index, min(WIDTH, size - index * WIDTH))
        for level, hashes in enumerate(self.levels):
            if hashes:
                self._compare(level)
        if size == 0 or self.tree.root() != root:
            raise self._other_root(size)
        self.good_size, self.good_root = size, root
        if self.rewritten:
            raise BadLog("the log contradicts the checkpoint held elsewhere: its signed history was rewritten", None)
        duplicate = self.ids.first_duplicate()
        if duplicate is not None:
            raise BadLog(f"entry {duplicate} has the id of an earlier entry", duplicate)
        if self.held is not None and self.held[0] > size:
            raise BadLog(
                f"the log was rolled back: it ends at {size}, "
                f"and the checkpoint that was held elsewhere has size {self.held[0]}",
                size,
            )
        if self.bad is not None:
            raise BadLog(f"the entries are those that were signed, but {self.bad.reason}", self.bad.seq)
        self._others(size)

    def _checkpoint(self) -> tuple[int, bytes]:
        content = self.files.read("checkpoint", MAX_NOTE_BYTES)
        if content is None:
            raise BadLog("there is no checkpoint, so nothing is proven", 0)
        self.note = content.decode("utf-8", errors="replace")
        try:
            signed = self.key.checkpoint(self.note)
        except BadArgument as error:
            raise BadLog(f"the checkpoint {error}", 0) from error
        stated = self.files.read("log.vkey", MAX_NOTE_BYTES)
        try:
            fits = stated is not None and Key.parse(stated.decode("ascii", errors="replace")) == self.key
        except BadArgument:
            fits = False
        if not fits:
            raise BadLog("the key in the file log.vkey is not the one that was given", None)
        return signed

    def _bundle(self, index: int, width: int) -> None:
        first = index * WIDTH
        name, content = self._content(BUNDLES, index, width)
        if content is None:
            raise BadLog(f"the file {name} is missing", first)
        place = 0
        for seq in range(first, first + width):
            begin = place + 2
            place = begin + int.from_bytes(content[place:begin], "big")
            if place > len(content) or begin > len(content):
                raise BadLog(f"the file {name} ends before entry {seq}", seq)
            self._entry(seq, content[begin:place])
        if place != len(content) and name == _path(BUNDLES, index, width):
            raise BadLog(f"the file {name} holds more than its {width} entries", first + width)

    def _entry(self, seq: int, body: bytes) -> None:
        own_id, _ = event_of(seq, body, self.key.name)
        self.ids.add(own_id, seq)
        leaf = hashlib.sha256(b"\x00" + body).digest()
        completed = self.tree.add(leaf)
        for level in range(len(completed) // 8 + 1):
            if level == len(self.levels):
                self.levels.append([])
                self.done.append(0)
            self.levels[level].append(completed[8 * level - 1] if level else leaf)
            if len(self.levels[level]) == WIDTH:
                self._compare(level)
                self.levels[level].clear()
                self.done[level] += 1
        if self.held is not None and self.tree.size == self.held[0]:
            if self.tree.root() == self.held[1]:
                self.good_size, self.good_root = self.held
            else:
                self.rewritten = True

    def _compare(self, level: int) -> None:
        """Compare a file of hashes with those that follow from the entries, and remember the first that differs."""
        hashes = self.levels[level]
        index = self.done[level]
        name, content = self._content(str(level), index, len(hashes))
        wanted = b"".join(hashes)
        if content is not None and name != _path(str(level), index, len(hashes)):
            content = content[: len(wanted)]
        if content == wanted or self.bad is not None:
            return
        if content is None:
            place, why = 0, "is missing"
        else:
            differs = (place for place, one in enumerate(hashes) if content[32 * place : 32 * place + 32] != one)
            place, why = next(differs, 0), "holds other hashes than those of the entries"
        self.bad = BadLog(f"the file {name} {why}", (index * WIDTH + place) * WIDTH**level)

    def _content(self, level: str, index: int, width: int) -> tuple[str, bytes | None]:
        """Read a file of this width; where there is none, the wider one that came after it."""
        most = width * (2 + MAX_ENTRY_BYTES) if level == BUNDLES else width * 32
        name = _path(level, index, width)
        content = self.files.read(name, most)
        if content is None and width < WIDTH:
            wide = _path(level, index, WIDTH)
            found = self.files.read(wide, most * WIDTH // width)
            return (name, None) if found is None else (wide, found)
        return name, content

    def _other_root(self, size: int) -> BadLog:
        """Name the first entry that can be wrong where the signed root and the entries disagree.

        Up to the size of a checkpoint held elsewhere they may be known to be right; behind it the files of hashes point
        at a place, unless they were changed, too.
        """
        first = self.good_size if self.bad is None or self.bad.seq is None else self.bad.seq
        return BadLog(
            f"the {size} entries are not those that the checkpoint was signed for", max(first, self.good_size)
        )

    def _others(self, size: int) -> None:
        """Look at every file that the checkpoint does not ask for."""
        beyond: list[str] = []
        for name, plain in self.files.walk("tile"):
            match = _NAME.fullmatch(name)
            parts = None if match is None else (match[1], int(re.sub("[x/]", "", match[2])), int(match[3] or WIDTH))
            if parts is None or _path(*parts) != name or not plain:
                raise BadLog(f"{ascii(name)[:80]} is no part of an exported log", None)
            level, index, width = parts
            height = 0 if level == BUNDLES else int(level)
            wanted = min(WIDTH, size // WIDTH**height - index * WIDTH)
            if wanted <= 0:
                beyond.append(name)
            elif wanted != width:
                self._prefix(name, parts, wanted)
                if wanted < width:
                    beyond.append(name)
        if beyond:
            self.remarks.append(
                f"{len(beyond)} files lie beyond the checkpoint and count for nothing, the first of them {beyond[0]}"
            )

    def _prefix(self, name: str, parts: tuple[str, int, int], wanted: int) -> None:
        """Hold a narrower or wider file to the one that was checked: one must be the beginning of the other."""
        level, index, width = parts
        most = WIDTH * (2 + MAX_ENTRY_BYTES)
        here = self.files.read(name, most) or b""
        checked = self._content(level, index, wanted)[1] or b""
        short, long = sorted((here, checked), key=len)
        whole = len(here) == 32 * width if level != BUNDLES else _entries(here) == width
        if not whole or not long.startswith(short):
            first = index * WIDTH * (1 if level == BUNDLES else WIDTH ** int(level))
            raise BadLog(f"the file {name} contradicts the one for the checkpoint", first)


def _path(level: str, index: int, width: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    part = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{part}"


def _entries(content: bytes) -> int | None:
    """Count the entries of a bundle; gives ``None`` where the lengths do not add up."""
    place = count = 0
    while place < len(content):
        place += 2 + int.from_bytes(content[place : place + 2], "big")
        count += 1
    return count if place == len(content) else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verifier on a folder."""
    parser = argparse.ArgumentParser(prog="twokey.audit.verify_folder", description="Verify an exported audit log.")
    parser.add_argument("folder", type=Path, help="the folder")
    parser.add_argument("--key", required=True, help="verifier key: its line, or a file that holds it")
    parser.add_argument("--checkpoint", type=Path, help="file with an older checkpoint that was held elsewhere")
    parser.add_argument(
        "--witness", action="append", default=[], help="verifier key of a witness that must have cosigned"
    )
    options = parser.parse_args(arguments)
    return answered(
        options, lambda key, old: verify_folder(options.folder, key=key, old=old, witnesses=options.witness)
    )


if __name__ == "__main__":
    sys.exit(main())
