"""Where indexes of texts are kept: one file for each place, in a folder of the workspace.

Rules: one process or thread at a time has an index open; whoever waits does so for a bounded time. The files are
readable by the user that runs Twokey alone, and are named by a digest of the place, so that no name leads elsewhere.
Where the workspace's database is encrypted, so is an index: it is in memory while it is open, is written sealed and as
a whole when it is closed, and an index that lay there unsealed is removed. One that is too large for that, or does not
open, is not kept: it is made again from the texts.
"""

import hashlib
import os
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from twokey.core.errors import EnvironmentFault, TryLater
from twokey.store.sealing import Sealer
from twokey.tools import file_locks
from twokey.tools.retrieval.index import Index
from twokey.tools.retrieval.meaning import Embeddings
from twokey.tools.retrieval.shelf import Shelf

MOST_SEALED: Final = 1 << 29
"""How large an index may be that is kept sealed, in bytes: it is in memory twice for a moment."""

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def opened(
    kept: Shelf | Path | None, location: str, of: str, embeddings: Embeddings | None = None, wait_s: float = 20.0
) -> Generator[Index]:
    """Open the index of the place at ``location``: a file in the folder ``kept``; without, an index for this once.

    ``of`` says in an error what is indexed.

    Raises:
        TryLater: another process keeps it for longer than ``wait_s`` seconds.
        EnvironmentFault: the file cannot be used.

    """
    if kept is None:
        with closing(Index(embeddings=embeddings)) as index:
            yield index
        return
    shelf = kept if isinstance(kept, Shelf) else Shelf(kept)
    folder, sealer = shelf.folder, shelf.sealer
    name = hashlib.sha256(location.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (*([folder / f"{name}.db"] if sealer is None else []), folder / f"{name}.lock"):
            os.close(os.open(path, _FLAGS, 0o600))
    except OSError as error:
        raise EnvironmentFault(
            f"The index of {of} cannot be written: {error.strerror or type(error).__name__}.",
            next="Check the permissions of the workspace's folder .twokey.",
            code="index_broken",
        ) from error
    with _alone(folder / f"{name}.lock", of, wait_s):
        if sealer is not None:
            with _sealed(folder, name, sealer, embeddings) as index:
                yield index
            return
        (folder / f"{name}.sealed").unlink(missing_ok=True)
        with closing(Index(folder / f"{name}.db", embeddings)) as index:
            yield index


@contextmanager
def _sealed(folder: Path, name: str, sealer: Sealer, embeddings: Embeddings | None) -> Generator[Index]:
    for suffix in (".db", ".db-journal"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)
    path, place = folder / f"{name}.sealed", f"\0index\0{name}".encode()
    with closing(Index(embeddings=embeddings, image=_image(path, sealer, place))) as index:
        before = index.changes
        try:
            yield index
        finally:
            image = index.image() if index.changes != before else b""
            if 0 < len(image) <= MOST_SEALED:
                _write(path, sealer.seal(place, image))


def _image(path: Path, sealer: Sealer, place: bytes) -> bytes | None:
    """Give what is kept, if it can be used: a key that was dropped, or a changed file, costs no more than the work."""
    try:
        return sealer.open(place, path.read_bytes())
    except (OSError, ValueError, EnvironmentFault):
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; what cannot be kept is made again."""
    with suppress(OSError):
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".sealed-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(fresh).replace(path)
        finally:
            Path(fresh).unlink(missing_ok=True)


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
