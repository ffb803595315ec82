"""Says how a CSV file is written, from its first bytes, where there is no doubt.

Rules: a dialect is named only where exactly one separator gives every line as many fields as the header has (failing
that, exactly one gives most lines as many: such a file is ragged), and nothing hints at other quotes or escapes; in any
other case there is no answer, and the reader has to find out by itself, which costs it four times as long. The file is
only read, 64 KiB at most.
"""

import codecs
import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

SEPARATORS: Final = (",", ";", "\t", "|")
_START: Final = 65_536
_LINES: Final = 500
_MOST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. ``whole``: all of it was looked at, so that every line is known to fit."""

    separator: str
    encoding: str
    whole: bool
    ragged: bool = False


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
    likely = [separator for separator in SEPARATORS if separator in text]
    if not likely:
        return Dialect(",", encoding, whole and text.count("\n") < _LINES)  # one column: no separator at all
    shares = {separator: _share(text, separator, whole=whole) for separator in likely}
    fitting = [separator for separator, share in shares.items() if share == 1]
    if len(fitting) == 1:
        return Dialect(fitting[0], encoding, whole and text.count("\n") < _LINES)
    mostly = [separator for separator, share in shares.items() if share >= _MOST]
    return Dialect(mostly[0], encoding, whole=False, ragged=True) if len(mostly) == 1 else None


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


def _share(text: str, separator: str, *, whole: bool) -> float:
    """Give the share of lines that have as many fields as the first one; 0 where that is one, or quotes are odd."""
    widths: list[int] = []
    odd = "'" in text
    try:
        for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), _LINES):
            if odd and any(len(field) > 1 and field[0] == field[-1] == "'" for field in row):
                return 0
            if row:
                widths.append(len(row))
    except csv.Error:
        return 0
    if not whole and len(widths) > 1 and len(widths) < _LINES:
        widths.pop()  # the last line of a part may be cut inside a quoted field
    return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0
