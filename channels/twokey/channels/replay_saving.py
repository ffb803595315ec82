"""What an interrupted replay had found so far, so that the next one goes on where it stopped.

Rules:
- it is kept on this machine, in a private file of the workspace, for one bundle, one beginning, one engine and one
  version of Twokey; anything else starts from nothing;
- it saves the work of engines and nothing else: the log is read and proven from its beginning again, each row is held
  against its entry again, and what was found counts only in the order of the log, up to the first entry that differs;
- where the database is encrypted nothing is kept: answers of engines may say what was to be written;
- it is removed when a replay comes to its end, and when the log did not bear one out; a line that was cut off, or that
  cannot be read, ends what was found; two replays at once do not share a file: the second one keeps nothing.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final, cast

import orjson

from twokey.channels.replaying import Again
from twokey.policies.bundle import BundleRevisions
from twokey.policies.replay import KINDS, Outcome
from twokey.tools.history import Past

REPLAYS: Final = "replays"
"""Name of the folder for it among the state of a workspace."""
MOST_FILES: Final = 3
"""How many interrupted replays are kept."""
FLUSH_EVERY: Final = 64
_END: Final = ".jsonl"
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Nothing:
    """Stands where nothing is kept."""

    carried = 0

    def outcome(self, past: Past) -> Outcome | None:
        """Know nothing."""
        del past

    def add(self, again: Again) -> None:
        """Keep nothing."""

    def done(self) -> None:
        """Do nothing."""


class Saved:
    """The file of one replay. ``carried`` is how many decisions were not taken again, because it held them."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._lines: Iterator[tuple[str, list[Any], int]] | None = _lines(file)
        self._end = 0
        """Length in bytes of what was found before and still counts."""
        self._found = self._added = 0
        self.carried = 0

    def outcome(self, past: Past) -> Outcome | None:
        """Give what became of a decision when it was taken before; asked in the order of the log."""
        if self._lines is None:
            return None
        entry, found, end = next(self._lines, ("", [], 0))
        if entry != past.entry:
            self._lines = None
            self._file.seek(self._end)
            self._file.truncate()
            return None
        self._found, self._end = self._found + 1, end
        if not found or past.kept is None:
            return None
        self.carried += 1
        before = orjson.loads(past.kept.answer)
        return Outcome(found[0], *(found[1:] or (before, before)))

    def add(self, again: Again) -> None:
        """Keep what became of a decision, in the order of the log, where it is not kept already."""
        self._added += 1
        if self._added <= self._found:
            return
        line: list[Any] = [again.past.entry]
        if again.outcome is not None:
            line.append(again.outcome.kind)
            if again.outcome.changed:
                line += [again.outcome.before, again.outcome.after]
        self._file.write(orjson.dumps(line) + b"\n")
        if self._added % FLUSH_EVERY == 0:
            self._file.flush()

    def done(self) -> None:
        """Remove what was kept: the replay came to its end, or is not to be relied on."""
        self._path.unlink(missing_ok=True)


@contextmanager
def saved(folder: Path | None, revisions: BundleRevisions, since_us: int) -> Generator[Saved | Nothing]:
    """Open what an interrupted replay on this bundle left in ``folder``, to read on and to add to; without, nothing."""
    if folder is None:
        yield Nothing()
        return
    path = folder / f"{_name(revisions, since_us)}{_END}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, _FLAGS, 0o600)
    except OSError:
        yield Nothing()  # a replay needs no place to write
        return
    with os.fdopen(handle, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield Nothing()
            return
        _tidy(folder, path)
        yield Saved(path, file)


def _name(revisions: BundleRevisions, since_us: int) -> str:
    engine = version("gordon-to-regorus")
    about = json.dumps([revisions.policy, revisions.data, since_us, engine, version("twokey")])
    return hashlib.sha256(about.encode()).hexdigest()[:40]


def _tidy(folder: Path, mine: Path) -> None:
    """Leave only the latest of what other replays left."""
    others = sorted((path for path in folder.glob(f"*{_END}") if path != mine), key=_age)
    for path in others[: max(0, len(others) - MOST_FILES + 1)]:
        path.unlink(missing_ok=True)


def _age(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _lines(file: IO[bytes]) -> Iterator[tuple[str, list[Any], int]]:
    """Give entry, what became of it, and where its line ends, for each whole line from the beginning."""
    end = 0
    while (line := file.readline()).endswith(b"\n"):
        end += len(line)
        try:
            value: object = orjson.loads(line)
        except ValueError:
            return
        parts = cast("list[Any]", value) if isinstance(value, list) else []
        if not parts or not isinstance(parts[0], str) or not _whole(parts[1:]):
            return
        yield parts[0], parts[1:], end


def _whole(found: list[Any]) -> bool:
    """Tell whether a line says a kind, and both answers where it changed."""
    if not found:
        return True
    unchanged = found[0] in {"same", "was_fault"}
    return found[0] in KINDS and len(found) == (1 if unchanged else 3) and all(isinstance(x, dict) for x in found[1:])
