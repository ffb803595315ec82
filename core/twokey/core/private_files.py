"""Files that only their owner may read, such as those of keys.

Rules: such a file is a plain file of this account's that nobody else can read or write, or it is not used; a link in
its place is not followed; it is written whole or not at all; a new one never takes the place of one that is there.
"""

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 4096
"""What is read of a file at most."""


class UnusableFileError(Exception):
    """A file is not private, or cannot be opened or written; the text says why, after "it"."""


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner may read; gives the descriptor.

    Raises:
        OSError: it cannot be opened.
        UnusableFileError: it is no plain file, belongs to somebody else, or others can read or write it.

    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    status = os.fstat(descriptor)
    why = None
    if not stat.S_ISREG(status.st_mode):
        why = "it is no plain file"
    elif status.st_uid != os.geteuid():
        why = "it belongs to another user"
    elif status.st_mode & 0o077:
        why = "others can read or write it"
    if why:
        os.close(descriptor)
        raise UnusableFileError(why)
    return descriptor


def read_private(path: Path, most: int = MAX_BYTES) -> str:
    """Read a private file of ASCII, ``most`` bytes of it; what is no ASCII comes back as replacement characters.

    Raises:
        UnusableFileError: it is not private, is a link, or cannot be opened.

    """
    try:
        descriptor = open_private(path, os.O_RDONLY)
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else "it cannot be opened"
        raise UnusableFileError(why) from error
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most).decode("ascii", errors="replace")


def write_private(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a private file of ASCII, whole or not at all.

    Without ``replace`` an existing file is never touched; with it, it is exchanged as a whole.

    Raises:
        FileExistsError: there is one already.
        UnusableFileError: it cannot be written.

    """
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".twokey-")  # O_EXCL, mode 0600
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(temporary).replace(path)
        else:
            path.hardlink_to(temporary)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise UnusableFileError("it cannot be written") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make new names in ``folder`` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
