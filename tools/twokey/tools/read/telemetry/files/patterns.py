"""Which files a pattern of the settings means.

Rules: a pattern is relative to the workspace unless it begins with ``/``; ``*`` and ``?`` stand for any name or letter
and never for a ``/``; names come sorted, at most ``MOST_FILES`` of them. Links in the place of a file are refused when
it is opened (``bundle.files``): whoever may write a log must not choose what is read.
"""

from pathlib import Path
from typing import Final

MOST_FILES: Final = 1_000


def matching(folder: Path, pattern: str) -> tuple[list[Path], bool]:
    """Give the files that ``pattern`` means now, and whether there are more than are given."""
    found = sorted(Path("/").glob(pattern.lstrip("/")) if pattern.startswith("/") else folder.glob(pattern))
    return found[:MOST_FILES], len(found) > MOST_FILES
