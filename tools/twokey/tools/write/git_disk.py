"""Writes objects and new refs into a git repository so that a crash at any point leaves it sound.

Rules:

- only ``objects/`` and ``refs/`` are written: no index, working copy, config, reflog or hook is touched;
- every file is complete and on the disk (fsync of the file, then of its folder) before the next step may rely on it;
- a ref is created or deleted, and never moved: git's own lock file guards it (``REF.lock``, gitrepository-layout(5)),
  and it comes and goes at once or not at all. The lock appears with its content, so one that a killed Twokey left
  behind is recognised by the commit it names, and is finished;
- one Twokey at a time writes to a repository: an advisory lock on the folder ``objects``, released by the kernel when
  its holder dies.

Why not dulwich's own writers: a kill while they hold ``REF.lock`` or ``OBJECT.lock`` leaves an empty lock that blocks
every later write of that name, folders are not brought to the disk, and a packed ref in the way goes unseen.

Formats: loose objects (zlib of ``TYPE SIZE NUL CONTENT``) and loose refs, gitformat-loose and gitrepository-layout(5).
"""

import os
import secrets
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dulwich.file import SharedPerm, adjust_shared_perm
from dulwich.objects import ShaFile

from twokey.core.errors import EnvironmentFault, Refused
from twokey.tools import file_locks

_RACES: Final = 5
"""How often git may tidy away an empty folder of refs while we are about to use it."""


class Disk:
    """The steps that change a file system. What holds a name is durable after ``settle``. Tests pass one that dies."""

    def write(self, path: Path, content: bytes, mode: int) -> None:
        """Create ``path`` with ``content`` and bring it to the disk; raises ``FileExistsError``."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, source: Path, target: Path) -> None:
        """Move ``source`` over ``target``."""
        source.rename(target)

    def link(self, source: Path, target: Path) -> None:
        """Give ``source`` the second name ``target``; raises ``FileExistsError``."""
        os.link(source, target)

    def remove(self, path: Path) -> None:
        """Remove a file that may be gone already."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """Create the folder ``path``, whose parent exists; one that is there is fine."""
        path.mkdir(exist_ok=True)

    def settle(self, folder: Path) -> None:
        """Bring the names in ``folder`` to the disk."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class GitWriter:
    """Writes into the repository whose common directory is ``common``."""

    def __init__(self, common: Path, disk: Disk, shared: SharedPerm | None, wait_s: float) -> None:
        self._common = common
        self._objects = common / "objects"
        self._disk = disk
        self._shared = shared
        self._wait_s = wait_s

    @contextmanager
    def alone(self) -> Generator[None]:
        """Hold the repository against every other Twokey; waits a bounded time.

        Raises:
            EnvironmentFault: another one holds it for longer than that.

        """
        handle = os.open(self._objects, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            busy = EnvironmentFault(
                "Another Twokey process is writing to this repository and does not finish.",
                next="See what that process is doing, then try again.",
                code="repository_busy",
            )
            file_locks.hold(handle, self._wait_s, busy)
            yield
        finally:
            os.close(handle)

    def write_objects(self, values: Iterable[ShaFile]) -> None:
        """Write objects and bring them to the disk; one that is there already is written again, and is sound then."""
        folders: set[Path] = set()
        for value in values:
            name = value.id.decode()
            folder = self._objects / name[:2]
            self._make_folders(folder, self._objects)
            folders.add(folder)
            content = value.as_raw_string()
            header = value.type_name + b" " + str(len(content)).encode() + b"\0"
            self._replace(folder / name[2:], zlib.compress(header + content), 0o444)
        for folder in sorted(folders):
            self._disk.settle(folder)
        self._disk.settle(self._objects)

    def create_ref(self, ref: str, commit: str, packed: Callable[[], Iterable[str]]) -> None:
        """Create ``ref`` pointing to ``commit``. ``packed`` reads the names in the file ``packed-refs``.

        Raises:
            Refused: a ref of that name, or one in its way, exists; or git holds the name.
            OSError: the file system says no.

        """
        path = self._common / ref
        lock = path.with_name(f"{path.name}.lock")
        _refuse_packed(ref, packed())
        self._hold(lock, commit)
        try:
            _refuse_packed(ref, packed())
            _refuse_loose(path)
            self._disk.rename(lock, path)
        except BaseException:
            self._disk.remove(lock)
            raise
        for folder in (path.parent, *path.parent.parents):
            self._disk.settle(folder)
            if folder == self._common / "refs":
                break

    def delete_ref(self, ref: str, commit: str, value: Callable[[], str | None]) -> None:
        """Delete ``ref``, loose and packed, if it points to ``commit``. ``value`` reads it; one that is gone is fine.

        Raises:
            Refused: it points elsewhere, or git holds its name.
            OSError: the file system says no.

        """
        path = self._common / ref
        lock = path.with_name(f"{path.name}.lock")
        self._hold(lock, commit)
        try:
            if value() not in {commit, None}:
                raise Refused(
                    "The branch has moved on since this was reviewed.",
                    next="Look at what was added to it; propose again what is to become of it.",
                    code="branch_moved",
                )
            self._unpack(ref)  # first, so that an old packed value never shows through
            self._disk.remove(path)
            self._disk.settle(path.parent)
        finally:
            self._disk.remove(lock)

    def _unpack(self, ref: str) -> None:
        """Write ``packed-refs`` anew without ``ref``; raises ``Refused`` where git holds it or keeps changing it."""
        packed = self._common / "packed-refs"
        lock = packed.with_name("packed-refs.lock")
        for _ in range(_RACES):
            old = packed.read_bytes() if packed.exists() else b""
            new = _without(old, ref)
            if new == old:
                return
            self._take(lock, new)
            try:
                if packed.read_bytes() == old:
                    self._disk.rename(lock, packed)
                    self._disk.settle(self._common)
                    return
            finally:
                self._disk.remove(lock)
        raise _locked()

    def _hold(self, lock: Path, commit: str) -> None:
        """Take the lock of a ref; git may tidy its folder away just then."""
        for attempt in range(_RACES):
            try:
                self._make_folders(lock.parent, self._common / "refs")
                self._take(lock, f"{commit}\n".encode())
                break
            except FileNotFoundError:
                if attempt == _RACES - 1:
                    raise

    def _take(self, lock: Path, content: bytes) -> None:
        """Create git's lock file with ``content`` at once, or take over one that a killed Twokey left."""
        draft = self._draft(content, 0o666)
        try:
            self._disk.link(draft, lock)
        except FileExistsError as error:
            if lock.is_symlink() or lock.read_bytes() != content:
                raise _locked() from error
        finally:
            self._disk.remove(draft)

    def _draft(self, content: bytes, mode: int) -> Path:
        """Write a nameless file; git tidies up after a crash (``git gc`` removes ``tmp_*``)."""
        path = self._objects / f"tmp_twokey_{secrets.token_hex(8)}"
        try:
            self._disk.write(path, content, mode)
            adjust_shared_perm(path, self._shared)
        except BaseException:
            self._disk.remove(path)
            raise
        return path

    def _replace(self, target: Path, content: bytes, mode: int) -> None:
        draft = self._draft(content, mode)
        try:
            self._disk.rename(draft, target)
        except BaseException:
            self._disk.remove(draft)
            raise

    def _make_folders(self, folder: Path, top: Path) -> None:
        """Create the folders between ``top``, which exists, and ``folder``."""
        for name in folder.relative_to(top).parts:
            top /= name
            if top.is_dir():
                continue
            if os.path.lexists(top):
                raise _taken()
            self._disk.make_folder(top)
            adjust_shared_perm(top, self._shared)


def _without(packed: bytes, ref: str) -> bytes:
    """Give the content of ``packed-refs`` without one ref, and without the peeled tag that may follow it."""
    kept: list[bytes] = []
    skipping = False
    for line in packed.splitlines(keepends=True):
        skipping = line.rstrip(b"\n").endswith(b" " + ref.encode()) or (skipping and line.startswith(b"^"))
        if not skipping:
            kept.append(line)
    return b"".join(kept)


def _locked() -> Refused:
    return Refused(
        "Git holds the lock of that branch.",
        next="Wait for the other git command; if none is running, remove the branch's .lock file.",
        code="branch_locked",
    )


def _refuse_packed(ref: str, packed: Iterable[str]) -> None:
    ways = {ref.rsplit("/", cut)[0] for cut in range(ref.count("/"))}
    if any(name in ways or name.startswith(f"{ref}/") for name in packed):
        raise _taken()


def _refuse_loose(path: Path) -> None:
    if path.is_dir():
        try:
            path.rmdir()  # git leaves empty folders behind, and removes them when it needs the name
        except OSError as error:
            raise _taken() from error
    if os.path.lexists(path):
        raise _taken()


def _taken() -> Refused:
    return Refused(
        "A branch of that name, or one in its way, exists already.",
        next="Propose the change again under another branch name.",
        code="branch_exists",
    )
