"""Works out what taking one commit back would change on top of another: what ``git revert`` does, in memory.

Rules: a file that is as the commit left it becomes what it was before; one that went on since keeps what was added
where no line of both meets (``git_merge``), else nothing is proposed at all; one that is as it was before already is
left alone. Only plain text files are touched, and the whole is bounded. Nothing is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from twokey.tools.forge import FILE_MODE, TREE_MODE, Edit, Entry, Reader
from twokey.tools.git_paths import fault
from twokey.tools.write.git_compare import TreePath, differences
from twokey.tools.write.git_merge import merged
from twokey.tools.write.git_tree import MAX_FILE_BYTES

MAX_FILES: Final = 100
MAX_BYTES: Final = 2 * 1024 * 1024
"""Of all files after the change."""
Outcome = Literal["clean", "taken_back", "changed_since", "not_text", "too_large"]


@dataclass(frozen=True, slots=True)
class Undoing:
    """What came of it. ``edits`` are there where it is ``clean`` and nowhere else."""

    code: Outcome
    edits: tuple[Edit, ...] = ()


class _Stop(Exception):  # noqa: N818 - it ends the work and is no error
    def __init__(self, code: Outcome) -> None:
        super().__init__(code)
        self.code: Outcome = code


def undo(reader: Reader, commit: str, before: str, there: str) -> Undoing:
    """Give the edits that take the change from the tree ``before`` to the tree ``commit`` out of the tree ``there``."""
    try:
        edits = tuple(_edits(reader, commit, before, there))
    except _Stop as stop:
        return Undoing(stop.code)
    return Undoing("clean", edits) if edits else Undoing("taken_back")


def _edits(reader: Reader, commit: str, before: str, there: str) -> Iterator[Edit]:
    size = 0
    for count, (path, _) in enumerate(differences(reader, commit, before), 1):
        if count > MAX_FILES:
            raise _Stop("too_large")
        found = _Files(*(_entry(reader, tree, path) for tree in (commit, before, there)))
        if found.now == found.wanted:
            continue
        content = _content(reader, found)
        size += len(content or b"")
        if size > MAX_BYTES:
            raise _Stop("too_large")
        yield Edit(_name(path), content)


@dataclass(frozen=True, slots=True)
class _Files:
    """One file as the commit left it, as it was before, and as it is now; nothing where it is not there."""

    left: Entry | None
    wanted: Entry | None
    now: Entry | None


def _content(reader: Reader, found: _Files) -> bytes | None:
    texts = [_text(reader, entry) for entry in (found.left, found.wanted, found.now)]
    left, wanted, now = texts
    if now == left:
        return wanted
    if left is None or wanted is None or now is None:
        raise _Stop("changed_since")
    made = merged(left, now, wanted)
    if made is None:
        raise _Stop("changed_since")
    return made


def _text(reader: Reader, entry: Entry | None) -> bytes | None:
    """Read a plain file of text; stops at anything else."""
    if entry is None:
        return None
    content = reader.blob(entry.id, MAX_FILE_BYTES) if entry.mode == FILE_MODE else None
    if content is None or b"\0" in content:
        raise _Stop("not_text")
    try:
        content.decode()
    except UnicodeDecodeError:
        raise _Stop("not_text") from None
    return content


def _name(path: TreePath) -> str:
    try:
        name = b"/".join(path).decode()
    except UnicodeDecodeError:
        raise _Stop("not_text") from None
    if fault(name) is not None:
        raise _Stop("not_text")
    return name


def _entry(reader: Reader, tree: str, path: TreePath) -> Entry | None:
    """Give what is at a path that is no folder; a folder in its place is in the way."""
    folder: str = tree
    for name in path[:-1]:
        found = next((entry for entry in reader.directory(folder) if entry.name == name), None)
        if found is None or found.mode != TREE_MODE:
            return None
        folder = found.id
    return next((entry for entry in reader.directory(folder) if entry.name == path[-1]), None)
