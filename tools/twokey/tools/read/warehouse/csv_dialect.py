"""Says how a CSV file is written, from its first bytes, where there is no doubt.

Rules: a dialect is named only where exactly one separator gives every line as many fields as the header has, and
nothing hints at other quotes or escapes; in any other case there is no answer, and the reader has to find out by
itself, which costs it four times as long. The file is only read, 64 KiB at most.
"""

import codecs
import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SEPARATORS: Final = (",", ";", "\t", "|")
_START: Final = 65_536
_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. ``whole``: all of it was looked at, so that every line is known to fit."""

    separator: str
    encoding: str
    whole: bool


def dialect_of(path: Path) -> Dialect | None:
    """Look at the start of ``path``; ``None`` where there is any doubt. Raises ``OSError`` where it cannot be read."""
    start, whole = _start(path)
    encoding = _encoding(start, whole=whole)
    if encoding is None:
        return None
    text = start.decode(encoding, "ignore").removeprefix("\ufeff")
    if not whole:
        text = text[: text.rfind("\n") + 1]
    if not text or "\0" in text or '\\"' in text or text[0] == "#" or "'," in text or ",'" in text:
        return None
    fitting = [separator for separator in SEPARATORS if _fits(text, separator, whole=whole)]
    if not any(separator in text for separator in SEPARATORS):
        fitting = [","]  # one column: no separator at all
    return Dialect(fitting[0], encoding, whole and text.count("\n") < _LINES) if len(fitting) == 1 else None


def _start(path: Path) -> tuple[bytes, bool]:
    """Give the first bytes, and whether they are all."""
    if path.name.lower().endswith(".gz"):
        try:
            with gzip.open(path) as file:
                return file.read(_START), False
        except (gzip.BadGzipFile, EOFError, zlib.error):
            return b"", False
    with path.open("rb") as file:
        start = file.read(_START + 1)
    return start[:_START], len(start) <= _START


def _encoding(start: bytes, *, whole: bool) -> str | None:
    """Give ``utf-8`` or ``latin-1``, whichever the bytes can be; ``None`` for two-byte encodings."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=whole)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _fits(text: str, separator: str, *, whole: bool) -> bool:
    """Whether every line has as many fields as the first one, and that is more than one."""
    width = 0
    previous: list[str] = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator)):
            if number >= _LINES:
                return width > 1
            if number == 0:
                width = len(row)
            # one line behind: the last one of a part may be cut inside a quoted field
            elif previous and len(previous) != width:
                return False
            if any(len(field) > 1 and field[0] == field[-1] == "'" for field in row):
                return False
            previous = row
    except csv.Error:
        return False
    return width > 1 and (not whole or not previous or len(previous) == width)
