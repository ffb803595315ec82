"""Opens a program that is exactly the one whose SHA-256 was pinned, in a way that what was checked is what runs.

Rules: a regular file that belongs to root or to this user and that nobody else may write; hashed through the open file
that is then executed (``/proc/self/fd/N``), so that putting another file in its place changes nothing.
"""

import hashlib
import hmac
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from twokey.core.errors import EngineFault


@contextmanager
def pinned(path: Path, sha256: str) -> Generator[int]:
    """Give the file descriptor of the checked program.

    Raises:
        EngineFault: it is missing, may be changed by others, or has another SHA-256 than ``sha256`` (64 hex digits).

    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise EngineFault(
            "The policy server's program cannot be opened.", next="Install OPA, and name it in twokey.toml."
        ) from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid not in {0, os.geteuid()} or status.st_mode & 0o022:
            raise EngineFault(
                "The policy server's program could be changed by other users of this machine.",
                next="Let it belong to root or to you, and take write permission from group and others (chmod go-w).",
            )
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not hmac.compare_digest(digest, sha256):
            raise EngineFault(
                "The policy server's program is not the pinned one: its SHA-256 differs.",
                next="Install the pinned version again, or pin the new one after checking where it came from.",
                code="policy_binary",
            )
        yield file.fileno()
