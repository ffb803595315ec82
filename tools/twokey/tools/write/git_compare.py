"""Compares trees of a repository, through whatever reads it, and carries a change over to another commit.

Rules: only ids are compared, so nothing is read that does not differ; a change is carried only where every file that it
touches stands there as it stood before it, and only plain text files are carried.
"""

from collections.abc import Iterator

from twokey.core.errors import CheckFailed, Refused
from twokey.tools.forge import FILE_MODE, TREE_MODE, Edit, Entry, Reader
from twokey.tools.write.git_tree import MAX_FILE_BYTES

TreePath = tuple[bytes, ...]
"""The names that lead from the top of a tree to a file."""


def differences(reader: Reader, before: str | None, after: str | None) -> Iterator[tuple[TreePath, str | None]]:
    """Give the paths of files that differ between two trees, with the id they have afterwards."""
    old = {entry.name: entry for entry in reader.directory(before)} if before else {}
    new = {entry.name: entry for entry in reader.directory(after)} if after else {}
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        old_folder, old_file = _sorted_out(was)
        new_folder, new_file = _sorted_out(now)
        if old_folder or new_folder:
            for path, wanted in differences(reader, old_folder, new_folder):
                yield (name, *path), wanted
        if old_file or new_file:
            yield (name,), new_file


def file_at(reader: Reader, tree: str, path: TreePath) -> str | None:
    """Give the id of the file at ``path`` in ``tree``; ``None`` where there is none."""
    folder: str | None = tree
    for name in path[:-1]:
        folder, _ = _entry(reader, folder, name)
    return _entry(reader, folder, path[-1])[1]


def carry(reader: Reader, before: str, after: str, there: str) -> tuple[Edit, ...]:
    """Give the edits that lead from the tree ``before`` to ``after``, for use on top of the tree ``there``.

    Raises:
        Refused: a file that they touch is not in ``there`` as it is in ``before``, or is no plain text file.
        CheckFailed: a name in the repository is no text.

    """
    edits: list[Edit] = []
    for path, wanted in differences(reader, before, after):
        if file_at(reader, there, path) != file_at(reader, before, path):
            raise Refused(
                "A file of the change was changed again since.",
                next="Undo it by hand, or ask for a new change.",
                code="changed_since",
            )
        try:
            name = b"/".join(path).decode()
        except UnicodeDecodeError as error:
            raise CheckFailed(
                "A file of the change has a name that is no text.",
                next="Run `git fsck` in the repository and repair it; nothing was written.",
                code="corrupt_repository",
            ) from error
        edits.append(Edit(name, None if wanted is None else _text(reader, after, path, wanted)))
    return tuple(edits)


def _text(reader: Reader, tree: str, path: TreePath, wanted: str) -> bytes:
    """Read a plain file of UTF-8 text; raises ``Refused`` where it is anything else."""
    folder: str | None = tree
    for name in path[:-1]:
        folder, _ = _entry(reader, folder, name)
    modes = [entry.mode for entry in reader.directory(str(folder)) if entry.name == path[-1]]
    content = reader.blob(wanted, MAX_FILE_BYTES) if modes == [FILE_MODE] else None
    try:
        (content or b"\xff").decode()
    except UnicodeDecodeError:
        content = None
    if content is None:
        raise Refused(
            "A file of the change is no plain text file, so it cannot be brought back like that.",
            next="Undo it by hand.",
            code="not_text",
        )
    return content


def _entry(reader: Reader, tree: str | None, name: bytes) -> tuple[str | None, str | None]:
    entries = reader.directory(tree) if tree else ()
    return _sorted_out(next((entry for entry in entries if entry.name == name), None))


def _sorted_out(entry: Entry | None) -> tuple[str | None, str | None]:
    """Give the id of an entry as (folder, file); a folder is no file."""
    if entry is None:
        return None, None
    return (entry.id, None) if entry.mode == TREE_MODE else (None, entry.id)
