"""Files of a folder as tables: which there are, which may be opened, and how DuckDB reads each.

Rules: only regular files that lie in the folder itself are tables; a link is followed only to another file of the same
folder. A file is read the strictest way that can read it; what is left out or repaired is never guessed silently:
a file that no way can read keeps its place in the list and says why.
"""

import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokey.tools.read.warehouse.csv_dialect import dialect_of
from twokey.tools.read.warehouse.duck_session import literal
from twokey.tools.read.warehouse.location import DATA_SUFFIXES
from twokey.tools.read.warehouse.values import MAX_NAME

_LONGEST_FIRST: Final = tuple(sorted(DATA_SUFFIXES, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class File:
    """One file of a folder, as a table. ``problem`` says why it may not be opened; ``size`` is in bytes."""

    name: str
    path: Path
    size: int
    problem: str = ""

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file."""
        return self.path.name.lower().endswith(".parquet")

    @property
    def is_compressed(self) -> bool:
        """Whether it is a text file that was compressed."""
        return self.path.name.lower().endswith(".gz")

    @property
    def is_text(self) -> bool:
        """Whether it is a text file as it lies there."""
        return not (self.is_parquet or self.is_compressed)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read a file: a SELECT. ``sure``: it is known to read every line."""

    select: str
    sure: bool = False


def files_of(place: Path) -> Sequence[File]:
    """Give every data file of a folder (or the one file) by name; those that may not be opened carry a problem.

    Raises ``OSError`` where the folder cannot be listed.
    """
    folder = place.parent if place.is_file() else place
    names = [place.name] if place.is_file() else sorted(path.name for path in place.iterdir())
    data = [name for name in names if name.lower().endswith(DATA_SUFFIXES)]
    stems = Counter(_stem(name).lower() for name in data)
    return [_file(folder, name, alone=stems[_stem(name).lower()] == 1) for name in data]


def _file(folder: Path, name: str, *, alone: bool) -> File:
    path, shown = folder / name, _stem(name) if alone else name
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            path = path.resolve(strict=True)
            status = path.stat()
            if path.parent != folder:
                return File(shown, path, 0, "the link leads out of the folder")
    except (OSError, RuntimeError):
        return File(shown, path, 0, "the link leads nowhere")
    if not stat.S_ISREG(status.st_mode):
        return File(shown, path, 0, "it is no regular file")
    problem = "" if status.st_size else "the file is empty"
    return File(shown, path, status.st_size, "the name is too long" if len(_stem(name)) > MAX_NAME else problem)


def ways_to_read(file: File, *, as_text: bool) -> Sequence[Way]:
    """Give the SELECTs that may read ``file``, strictest first. ``as_text``: every column of a CSV as it is written."""
    path = literal(str(file.path))
    if file.is_parquet:
        return [Way(f"SELECT * FROM read_parquet({path})", sure=True)]  # noqa: S608 - the path is a quoted literal
    types = f"all_varchar={'true' if as_text else 'false'}"
    dialect = dialect_of(file.path)
    separator = dialect.separator if dialect else "\t" if ".tsv" in file.path.name.lower() else ","
    written = f"delim={literal(separator)}, quote='\"', escape='\"'"
    lenient = f"{written}, strict_mode=false, null_padding=true, parallel=false"
    ways = [f"{types}, {lenient}", f"{types}, {lenient}, encoding='latin-1'"]
    if dialect is not None and dialect.encoding == "latin-1":
        ways = ways[1:] if dialect.ragged else [f"{types}, {written}, encoding='latin-1'", ways[1]]
    elif dialect is None or not dialect.ragged:
        ways = [f"{types}, {written}" if dialect else types, *ways]
    return [
        Way(
            f"SELECT * FROM read_csv({path}, header=true, {way})",  # noqa: S608 - as above
            sure=number == 0 and dialect is not None and dialect.whole,
        )
        for number, way in enumerate(ways)
    ]


def estimated_lines(file: File) -> int | None:
    """Guess the rows of a text file from its first 64 KiB; ``None`` for a compressed one."""
    if not file.is_text:
        return None
    with file.path.open("rb") as opened:
        start = opened.read(65_536)
    lines = start.count(b"\n") + (0 if start.endswith(b"\n") else 1)
    return max(0, lines * file.size // max(1, len(start)) - 1)


def _stem(name: str) -> str:
    suffix = next(suffix for suffix in _LONGEST_FIRST if name.lower().endswith(suffix))
    return name[: -len(suffix)] or name
