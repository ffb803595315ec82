"""The largest checkpoint this machine has signed or seen, kept outside the database.

Rules: a pin only grows. It is one 512-byte record, overwritten in place under a file lock: a killed process leaves the
old record or the new one, and one that is held while it has the lock is waited for a bounded time. It is made durable
when it is created and not at every step: after a power loss it may name an older checkpoint, never a false one, and
costs no disk flush per commit. A pin that does not verify is refused.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from twokey.audit.keys import open_private
from twokey.audit.note import Verifier
from twokey.core.errors import CheckFailed, LogUnavailable
from twokey.core.private_files import sync_folder
from twokey.core.values import Checkpoint

RECORD_BYTES: Final = 512
"""One sector, which a disk writes whole."""
WAIT_S: Final = 10.0
"""How long to wait for another process that has the lock, in seconds. It needs it for less than a millisecond."""
_POLL_S: Final = 0.005


class Pin:
    """A pin file. Several processes may use it at once."""

    def __init__(self, path: Path, verifier: Verifier, *, wait_s: float = WAIT_S) -> None:
        self._path = path
        self._wait_s = wait_s
        self._verifier = verifier
        self._last: tuple[bytes, Checkpoint] | None = None  # what was read last, so that it is not verified again

    def read(self) -> Checkpoint | None:
        """Give the pinned checkpoint, or ``None`` where nothing was pinned yet.

        Raises:
            LogUnavailable: the file cannot be used, or does not hold a checkpoint of this log.

        """
        if not self._path.exists():
            return None
        with self._locked() as descriptor:
            return self._record(descriptor)

    def advance(self, checkpoint: Checkpoint) -> None:
        """Pin ``checkpoint`` unless a larger one is pinned already."""
        record = checkpoint.note.encode().ljust(RECORD_BYTES, b"\n")
        if len(record) != RECORD_BYTES:
            raise self._refuse("the checkpoint is too long for it")
        with self._locked() as descriptor:
            pinned = self._record(descriptor)
            if pinned is not None and pinned.size >= checkpoint.size:
                return
            os.pwrite(descriptor, record, 0)
            self._last = record, checkpoint
            if pinned is None:
                os.fsync(descriptor)
                sync_folder(self._path.parent)

    @contextmanager
    def _locked(self) -> Generator[int]:
        try:
            descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise self._refuse("it cannot be opened") from error
        try:
            self._lock(descriptor)
            yield descriptor
        except OSError as error:
            raise self._refuse("it cannot be read or written") from error
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        until = time.monotonic() + self._wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise self._refuse("another process holds it and does not go on") from None
                time.sleep(_POLL_S)
            else:
                return

    def _record(self, descriptor: int) -> Checkpoint | None:
        record = os.pread(descriptor, RECORD_BYTES, 0)
        if not record:
            return None
        if self._last is not None and self._last[0] == record:
            return self._last[1]
        try:
            checkpoint = self._verifier.checkpoint(record.decode("utf-8", errors="replace").rstrip("\n") + "\n")
        except CheckFailed as error:
            raise self._refuse("it does not hold a checkpoint signed by this log's key") from error
        self._last = record, checkpoint
        return checkpoint

    def _refuse(self, why: str) -> LogUnavailable:
        return LogUnavailable(
            f"The pin file {self._path.name} of the audit log cannot be used: {why}.",
            next="Check the file's owner and permissions; compare the log with a checkpoint held elsewhere "
            "(`twokey audit verify --checkpoint OLD`) before you remove the file.",
        )
