"""Where indexes of texts are kept: one file for each place, in a folder of the workspace.

Rules: one process or thread at a time has an index open; whoever waits does so for a bounded time. The files are
readable by the user that runs Twokey alone, and are named by a digest of the place, so that no name leads elsewhere.
"""

import hashlib
import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from twokey.core.errors import EnvironmentFault, TryLater
from twokey.tools import file_locks
from twokey.tools.retrieval.index import Index
from twokey.tools.retrieval.meaning import Embeddings

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def opened(
    folder: Path | None, location: str, of: str, embeddings: Embeddings | None = None, wait_s: float = 20.0
) -> Generator[Index]:
    """Open the index of the place at ``location``: a file in ``folder``; without one, an index for this once.

    ``of`` says in an error what is indexed.

    Raises:
        TryLater: another process keeps it for longer than ``wait_s`` seconds.
        EnvironmentFault: the file cannot be used.

    """
    if folder is None:
        with closing(Index(embeddings=embeddings)) as index:
            yield index
        return
    name = hashlib.sha256(location.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (folder / f"{name}.db", folder / f"{name}.lock"):
            os.close(os.open(path, _FLAGS, 0o600))
    except OSError as error:
        raise EnvironmentFault(
            f"The index of {of} cannot be written: {error.strerror or type(error).__name__}.",
            next="Check the permissions of the workspace's folder .twokey.",
            code="index_broken",
        ) from error
    with _alone(folder / f"{name}.lock", of, wait_s), closing(Index(folder / f"{name}.db", embeddings)) as index:
        yield index


@contextmanager
def _alone(path: Path, of: str, wait_s: float) -> Generator[None]:
    """Hold an index against other processes and threads."""
    handle = os.open(path, _FLAGS)
    try:
        busy = TryLater(
            f"Another Twokey process is going through these {of}.", next="Try again in a minute.", code="index_busy"
        )
        file_locks.hold(handle, wait_s, busy)
        yield
    finally:
        os.close(handle)
