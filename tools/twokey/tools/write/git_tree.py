"""Works out in memory the tree that a commit's tree becomes under some edits. Nothing is written.

Rules: an edit goes through real directories and touches plain files (mode 100644) with UTF-8 text only. Refused are
links, submodules and executables, a file where a directory is and the other way round, a new name that collides with
another on a disk that ignores case, a deletion of what is not there, and an edit that changes nothing. Whatever is not
named by an edit keeps its bytes. A directory that becomes empty goes, as git has none.
"""

from dataclasses import dataclass, field
from typing import Final

from dulwich.objects import Blob, ObjectID, Tree

from twokey.core.errors import CheckFailed, ToolRetry
from twokey.tools.forge import EXECUTABLE_MODE, FILE_MODE, SUBMODULE_MODE, SYMLINK_MODE, TREE_MODE, Edit, Reader
from twokey.tools.git_paths import fault, quoted, same_on_a_case_blind_disk

MAX_FILE_BYTES: Final = 1024 * 1024
_NEXT: Final = "Correct the list of files and propose again."


@dataclass(frozen=True, slots=True)
class Changed:
    """One file before and after. An id and content are ``None`` where the file does not exist."""

    path: str
    before: bytes | None
    before_id: str | None
    after: bytes | None
    after_id: str | None


@dataclass(frozen=True, slots=True)
class Built:
    """The resulting tree: its id, the objects that a repository needs for it, and what changed, by path."""

    tree: str
    objects: tuple[Blob | Tree, ...]
    changes: tuple[Changed, ...]


@dataclass(slots=True)
class _Folder:
    """A directory that is being edited. Entries are files and untouched directories; ``folders`` were opened."""

    entries: dict[bytes, tuple[int, str]] = field(default_factory=dict[bytes, tuple[int, str]])
    names: dict[str, set[bytes]] = field(default_factory=dict[str, set[bytes]])
    folders: dict[bytes, "_Folder"] = field(default_factory=dict[bytes, "_Folder"])

    def claim(self, name: bytes) -> bool:
        """Take ``name``; false where another name would be the same file on a disk that ignores case."""
        alike = self.names.setdefault(same_on_a_case_blind_disk(name), set())
        fits = name in alike or not alike
        alike.add(name)
        return fits

    def holds_a_file(self) -> bool:
        """Tell whether git would keep this directory."""
        return bool(self.entries) or any(inner.holds_a_file() for inner in self.folders.values())


def build(reader: Reader, root: str, edits: tuple[Edit, ...]) -> Built:
    """Apply ``edits`` to the tree ``root``.

    Raises:
        ToolRetry: an edit breaks a rule of this module; the sentence says which, and names the path quoted.
        CheckFailed: a directory of the repository is damaged.

    """
    top = _open(reader, root)
    changes: list[Changed] = []
    objects: dict[str, Blob | Tree] = {}
    ordered = sorted(edits, key=lambda edit: edit.path.encode("utf-8", "surrogatepass"))
    for edit in ordered:
        reason = fault(edit.path)
        if reason is not None:
            raise ToolRetry(f"A file cannot be changed: {reason}.", next=_NEXT, code="unsafe_path")
    # deletions first, so that a file may take the place of a directory that goes, and the other way round
    for edit in sorted(ordered, key=lambda edit: edit.content is not None):
        changed, blob = _edit(reader, top, edit)
        changes.append(changed)
        if blob is not None:
            objects[blob.id.decode()] = blob
    tree = _close(top, objects)
    changes.sort(key=lambda changed: changed.path.encode())
    return Built(tree, tuple(objects.values()), tuple(changes))


def _refuse(edit: Edit, why: str) -> ToolRetry:
    return ToolRetry(f"{quoted(edit.path.encode())} cannot be changed: {why}.", next=_NEXT, code="unsafe_change")


def _open(reader: Reader, tree: str) -> _Folder:
    folder = _Folder()
    for entry in reader.directory(tree):
        if entry.name in folder.entries:
            raise CheckFailed(
                "A folder of the repository lists the same name twice.",
                next="Run `git fsck` in the repository and repair it.",
                code="corrupt_repository",
            )
        folder.entries[entry.name] = (entry.mode, entry.id)
        folder.claim(entry.name)
    return folder


def _edit(reader: Reader, top: _Folder, edit: Edit) -> tuple[Changed, Blob | None]:
    *folders, name = edit.path.encode().split(b"/")
    folder = top
    for part in folders:
        folder = _enter(reader, folder, part, edit)
    emptied = folder.folders.get(name)
    mode, before_id = folder.entries.get(name, (None, None))
    if mode == TREE_MODE or (emptied is not None and emptied.holds_a_file()):
        raise _refuse(edit, "a folder of that name is there")
    before = None if before_id is None else _read(reader, edit, mode, before_id)
    if edit.content is None:
        if before_id is None:
            raise _refuse(edit, "there is no such file to delete")
        del folder.entries[name]
        folder.names[same_on_a_case_blind_disk(name)].discard(name)
        return Changed(edit.path, before, before_id, None, None), None
    if edit.content == before:
        raise _refuse(edit, "it holds exactly that already")
    if not _is_text(edit.content):
        raise _refuse(edit, f"its content is not UTF-8 text of at most {MAX_FILE_BYTES} bytes")
    if not folder.claim(name):
        raise _refuse(edit, _COLLISION)
    folder.folders.pop(name, None)
    blob = Blob.from_string(edit.content)
    folder.entries[name] = (FILE_MODE, blob.id.decode())
    return Changed(edit.path, before, before_id, edit.content, blob.id.decode()), blob


def _enter(reader: Reader, folder: _Folder, name: bytes, edit: Edit) -> _Folder:
    opened = folder.folders.get(name)
    if opened is not None:
        return opened
    mode, tree = folder.entries.get(name, (None, ""))
    if mode is None:
        if edit.content is None:
            raise _refuse(edit, "there is no such file to delete")
        if not folder.claim(name):
            raise _refuse(edit, _COLLISION)
        opened = _Folder()
    elif mode == TREE_MODE:
        opened = _open(reader, tree)
        del folder.entries[name]
    else:
        raise _refuse(edit, f"the way to it leads through a {_KINDS.get(mode, 'file')}")
    folder.folders[name] = opened
    return opened


_COLLISION: Final = "a name there differs only in case or in Unicode form"
_KINDS: Final = {SYMLINK_MODE: "symbolic link", SUBMODULE_MODE: "submodule"}


def _read(reader: Reader, edit: Edit, mode: int | None, blob: str) -> bytes:
    if mode == EXECUTABLE_MODE:
        raise _refuse(edit, "it is an executable, and this tool changes plain files only")
    if mode != FILE_MODE:
        raise _refuse(edit, f"it is a {_KINDS.get(mode or 0, 'special file')} and no plain file")
    content = reader.blob(blob, MAX_FILE_BYTES)
    if content is None or not _is_text(content):
        raise _refuse(edit, f"the file there is not UTF-8 text of at most {MAX_FILE_BYTES} bytes")
    return content


def _is_text(content: bytes) -> bool:
    if len(content) > MAX_FILE_BYTES or b"\0" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _close(folder: _Folder, objects: dict[str, Blob | Tree]) -> str:
    """Give the id of the edited directory and collect the objects it needs."""
    tree = Tree()
    for name, (mode, object_id) in folder.entries.items():
        tree.add(name, mode, ObjectID(object_id.encode()))
    for name, inner in folder.folders.items():
        if inner.holds_a_file():
            tree.add(name, TREE_MODE, ObjectID(_close(inner, objects).encode()))
    object_id = tree.id.decode()
    objects[object_id] = tree
    return object_id
