"""Tells whether files changed, without reading them.

Rules: a fingerprint covers path, size, time of the last change of content and of the inode, and the inode itself, so
that a file which was written, replaced, restored or touched gets another one. A file that changed less than two
seconds ago has none: it may change again within one tick of its clock, and nobody would see.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

SETTLED_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What files looked like at one moment. ``version`` is empty where a change could go unnoticed."""

    digest: str
    settled: bool

    @property
    def version(self) -> str:
        """The fingerprint that later ones may be compared with."""
        return self.digest if self.settled else ""


UNKNOWN: Final = Seen("", settled=False)


def look(
    paths: Sequence[Path], *extra: object, settled_s: float = SETTLED_S, now_ns: Callable[[], int] = time.time_ns
) -> Seen:
    """Look at the files at ``paths``; ``extra`` is part of what is compared. A missing file gives ``UNKNOWN``."""
    seen: list[object] = [*extra]
    latest = 0
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            return UNKNOWN
        latest = max(latest, status.st_mtime_ns, status.st_ctime_ns)
        seen.append((str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev))
    digest = sha256(repr(seen).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Seen(digest, settled=now_ns() - latest >= settled_s * 1e9)
