"""Writes the log into a folder of static files: the layout of C2SP ``tlog-tiles``, and the verifier key beside it.

Rules:

- What is written leads to the signed root: every hash and every entry is checked against it before its file is put in
  place. A log that was changed underneath is not exported.
- A folder holds one log for ever. One with another key, or with a checkpoint that is no beginning of this log, is
  refused and left as it is.
- Files of tiles and entries never change. One that is there is compared, not written again; one that is missing is
  written. The checkpoint comes last, after everything under it is on the disk: a crash at any moment leaves a folder
  that holds whole the log that its checkpoint signs.
- A file that holds a narrower tile goes once the whole tile is there and a newer checkpoint is on the disk.
- Memory grows by one hash for every 256 entries.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select

from twokey.audit import merkle, storage, tiles
from twokey.audit.disk import DRAFTS, Folder, Steps, disk_fault
from twokey.audit.merkle import BadProof
from twokey.audit.note import MAX_NOTE_BYTES, Verifier, split
from twokey.audit.tiles import ENTRIES, WIDTH, Tile
from twokey.core.errors import BadInput, CheckFailed, EnvironmentFault
from twokey.core.private_files import sync_folder
from twokey.core.values import Checkpoint

CHECKPOINT: Final = "checkpoint"
KEY: Final = "log.vkey"
MAX_KEY_BYTES: Final = 4096
WAIT_S: Final = 5.0
"""How long to wait for another process that writes to the folder, in seconds."""

_PLACE: Final = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})")

Progress = Callable[[int, int], None]
"""Is told how many entries are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did."""

    checkpoint: Checkpoint
    """What the folder now holds; its note with every cosignature that the folder has."""
    written: int
    """Files that were written."""
    entries: int
    """Entries that the folder's checkpoint covers beyond the one before."""


def export(
    connection: Connection,
    checkpoint: Checkpoint,
    verifier: Verifier,
    path: Path,
    *,
    progress: Progress = lambda _done, _all: None,
    steps: Steps | None = None,
) -> Exported:
    """Bring the folder at ``path`` up to ``checkpoint``, which was verified in the open view of ``connection``.

    Raises:
        BadInput: the folder holds something else than an exported log.
        CheckFailed: it holds another log, another history, or files that differ from the log; or the log itself was
            changed underneath.
        EnvironmentFault: the disk failed, or another process writes to the folder.

    """
    if connection.dialect.name == "postgresql":
        # Files that are there are compared without a question to the database, for longer than it waits elsewhere. No
        # lock is held meanwhile that anybody waits for.
        connection.execute(select(func.set_config("idle_in_transaction_session_timeout", "0", True)))
    try:
        _make(path)
        with Folder(path, steps) as folder:
            folder.lock(WAIT_S, _busy())
            return _Writer(connection, checkpoint, verifier, folder, progress).all()
    except OSError as error:
        raise disk_fault(error) from error


def add_cosignatures(path: Path, note: str, verifier: Verifier, *, steps: Steps | None = None) -> None:
    """Put a cosigned note in the place of a folder's checkpoint, whose text has to be the same.

    Raises:
        CheckFailed: the folder has another checkpoint by now.
        EnvironmentFault: the disk failed, or another process writes to the folder.

    """
    try:
        with Folder(path, steps) as folder:
            folder.lock(WAIT_S, _busy())
            held = read_checkpoint(folder, verifier)
            if held is None or split(held.note)[0] != split(note)[0]:
                raise CheckFailed("The folder has another checkpoint by now.", next="Ask the witnesses again.")
            folder.write(CHECKPOINT, note.encode())
            folder.settle()
    except OSError as error:
        raise disk_fault(error) from error


def read_checkpoint(folder: Folder, verifier: Verifier) -> Checkpoint | None:
    """Give the checkpoint of an exported log, or ``None`` where it has none.

    Raises:
        CheckFailed: it is not signed by the log's key.

    """
    content = folder.read(CHECKPOINT, MAX_NOTE_BYTES)
    return None if content is None else verifier.checkpoint(content.decode("utf-8", errors="replace"))


def reader(folder: Folder) -> Callable[[Tile], bytes]:
    """Give what reads tiles of an exported log, a whole one where the narrower one has gone; raises ``BadProof``."""

    def read(tile: Tile) -> bytes:
        for wide in (tile, Tile(tile.level, tile.index, WIDTH)):
            content = folder.read(wide.path, wide.most_bytes)
            if content is not None:
                return content[: tile.most_bytes]
        raise BadProof(f"the file {tile.path} is missing")

    return read


def _make(path: Path) -> None:
    """Make the folder where there is none; raises ``BadInput`` where there can be none, and ``OSError``."""
    if path.is_dir():
        return
    try:
        path.mkdir()
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(
            f"There can be no folder {path.name!r} there: {error.strerror}.", next="Name a folder in one that exists."
        ) from error
    sync_folder(path.parent)


class _Writer:
    """One export."""

    def __init__(
        self, connection: Connection, checkpoint: Checkpoint, verifier: Verifier, folder: Folder, progress: Progress
    ) -> None:
        self._connection = connection
        self._checkpoint = checkpoint
        self._size = checkpoint.size
        self._verifier = verifier
        self._folder = folder
        self._progress = progress
        self._written = 0

    def all(self) -> Exported:
        """Bring the folder up to date."""
        self._claim()
        held = self._held()
        upper = self._hashes()
        for level in range(len(upper) - 1, 0, -1):
            for tile in tiles.tiles(level, self._size):
                first = tile.index * WIDTH
                self._put(tile, b"".join(upper[level][first : first + tile.width]))
        self._leaves(upper)
        if held is None or held.size < self._size:
            self._folder.settle()
            self._folder.write(CHECKPOINT, self._checkpoint.note.encode())
            self._folder.settle()
            self._written += 1
            newest = self._checkpoint
        else:
            newest = held
        self._sweep()
        return Exported(newest, self._written, self._size - (held.size if held else 0))

    def _claim(self) -> None:
        """Make sure that the folder is this log's, and nothing else's."""
        ours = f"{self._verifier.vkey}\n".encode()
        theirs = self._folder.read(KEY, MAX_KEY_BYTES)
        if theirs is None:
            if set(self._folder.names()) - {DRAFTS}:
                raise BadInput(
                    "The folder is not empty and holds no exported log.", next="Name an empty folder, or a new one."
                )
            self._folder.write(KEY, ours)
            self._folder.settle()
            self._written += 1
        elif theirs != ours:
            raise CheckFailed(
                f"The folder holds the log of another key: its {KEY} is not this log's.",
                next="Export into another folder; one folder holds one log for ever.",
            )

    def _held(self) -> Checkpoint | None:
        """Give the folder's checkpoint if the log still is what it says; raises ``CheckFailed``."""
        held = read_checkpoint(self._folder, self._verifier)
        if held is None:
            return None
        if held.size > self._size:
            raise CheckFailed(
                f"The folder holds {held.size} entries, and the log has {self._size}: the log was rolled back.",
                next="Restore the newest database. The folder is evidence: keep it as it is.",
            )
        try:
            root = merkle.root(held.size, self._stored).hex()
        except BadProof as error:
            raise _changed() from error
        if root != held.root:
            raise CheckFailed(
                f"The folder's checkpoint of size {held.size} is no beginning of this log: its signed history was "
                "rewritten.",
                next="Run `twokey audit verify`. The folder is evidence: keep it as it is.",
            )
        return held

    @property
    def _stored(self) -> merkle.Fetch:
        return storage.fetch(self._connection)

    def _hashes(self) -> list[list[bytes]]:
        """Give the hashes of every level of tiles (of level 0 those of the last tile only), proven by the signed root.

        Raises:
            CheckFailed: what is stored does not lead to that root.

        """
        tail = self._size % WIDTH
        leaves = [merkle.leaf_hash(body) for body in self._bodies(self._size - tail, tail)]
        found = [leaves, *(self._level(level) for level in range(1, tiles.levels(self._size)))]
        for level in range(1, len(found) - 1):
            whole = range(len(found[level]) // WIDTH)
            if any(tiles.subtree(found[level][n * WIDTH : (n + 1) * WIDTH]) != found[level + 1][n] for n in whole):
                raise _changed()

        def read(tile: Tile) -> bytes:
            level = found[tile.level]
            return b"".join(level[len(level) - tile.width :])  # the root follows from the last tile of each level

        try:
            root = merkle.root(self._size, tiles.fetch(self._size, read))
        except BadProof as error:
            raise _changed() from error
        if root.hex() != self._checkpoint.root:
            raise _changed()
        return found

    def _level(self, level: int) -> list[bytes]:
        found: list[bytes] = []
        for tile in tiles.tiles(level, self._size):
            first = tile.index * WIDTH
            nodes = [(level * tiles.HEIGHT, place) for place in range(first, first + tile.width)]
            stored = self._stored(nodes)
            found += [stored.get(node, b"") for node in nodes]
        return found

    def _bodies(self, first: int, count: int) -> list[bytes]:
        rows = storage.entries(self._connection, after=first - 1, limit=count) if count else ()
        bodies = [row.body for place, row in enumerate(rows) if row.seq == first + place]
        if len(bodies) != count:
            raise _changed()
        return bodies

    def _leaves(self, upper: Sequence[Sequence[bytes]]) -> None:
        """Put the entries and their hashes in place."""
        for tile in tiles.tiles(0, self._size):
            entries = Tile(ENTRIES, tile.index, tile.width)
            whole = tile.width == WIDTH

            def fits(leaves: list[bytes], place: int = tile.index, whole: bool = whole) -> bool:
                return tiles.subtree(leaves) == upper[1][place] if whole else leaves == upper[0]

            if not self._are_there(tile, entries, fits):
                bodies = self._bodies(tile.first, tile.width)
                leaves = [merkle.leaf_hash(body) for body in bodies]
                if not fits(leaves):
                    raise _changed()
                self._put(entries, tiles.bundle(bodies))
                self._put(tile, b"".join(leaves))
            self._progress(tile.first + tile.width, self._size)

    def _are_there(self, tile: Tile, entries: Tile, fits: Callable[[list[bytes]], bool]) -> bool:
        """Tell whether both files are there and hold what is proven; raises ``CheckFailed`` where one differs."""
        hashes = self._folder.read(tile.path, tile.most_bytes)
        content = self._folder.read(entries.path, entries.most_bytes)
        if hashes is None or content is None:
            return False
        leaves = tiles.hashes_of(hashes)
        if len(hashes) != tile.most_bytes or not fits(leaves):
            raise _differs(tile)
        bodies = tiles.entries_of(content)
        if bodies is None or [merkle.leaf_hash(body) for body in bodies] != leaves:
            raise _differs(entries)
        self._folder.touch(tile.path)
        self._folder.touch(entries.path)
        return True

    def _put(self, tile: Tile, content: bytes) -> None:
        """Write a file, or compare the one that is there; raises ``CheckFailed`` where it differs."""
        there = self._folder.read(tile.path, tile.most_bytes)
        if there is None:
            self._folder.write(tile.path, content)
            self._written += 1
        elif there == content:
            self._folder.touch(tile.path)
        else:
            raise _differs(tile)

    def _sweep(self) -> None:
        """Remove narrower tiles whose whole tile is there, and under the checkpoint."""
        for path in list(self._narrow(tiles.TOP)):
            for width in self._folder.names(path):
                self._folder.remove(f"{path}/{width}")
            self._folder.remove_folder(path)
        self._folder.settle()

    def _narrow(self, name: str) -> Iterator[str]:
        """Name the folders of narrower tiles that are no longer needed."""
        names = set(self._folder.names(name))
        for inner in sorted(names):
            path = f"{name}/{inner}"
            if inner.endswith(".p") and inner.removesuffix(".p") in names and self._is_whole(path.removesuffix(".p")):
                yield path
            elif name == tiles.TOP or (inner.startswith("x") and name.count("/") < tiles.DEEPEST):
                yield from self._narrow(path)

    def _is_whole(self, path: str) -> bool:
        """Tell whether the checkpoint covers all of a tile; one that lies beyond it may be anybody's."""
        match = _PLACE.fullmatch(path)
        if match is None:
            return False
        height = 0 if match[1] == "entries" else int(match[1])
        index = int(re.sub("[x/]", "", match[2]))
        return (index + 1) * WIDTH <= self._size >> height * tiles.HEIGHT


def _busy() -> EnvironmentFault:
    return EnvironmentFault(
        "Another process is writing to this folder.", next="Let it end, then try again.", code="export_busy"
    )


def _changed() -> CheckFailed:
    return CheckFailed(
        "The log is not what its checkpoint was signed for, so it is not exported.",
        next="Run `twokey audit verify`; treat the workspace's database as tampered with.",
    )


def _differs(tile: Tile) -> CheckFailed:
    return CheckFailed(
        f"The file {tile.path} differs from the log, and such files never change.",
        next="Find out who changed the folder (`twokey audit verify --export DIR`); export into a fresh one.",
    )
