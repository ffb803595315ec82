"""Reads a small CSV file that is written so plainly that splitting it gives what DuckDB gives, in a tenth of the time.

Rules: a file is read here only where nothing in it can be taken in two ways: UTF-8, no backslash, carriage return,
comment or blank line, quotation marks only around whole fields that are not empty, every line as many fields as the
header, and names that are plain and differ. Of any other there is no answer. A field of no characters is null; every
other one is the text that stands there.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from twokey.tools.read.warehouse.csv_dialect import SEPARATORS, dialect_of

Rows = list[tuple[str | None, ...]]

_ODD: Final = re.compile("[\\\\\r\0\ufeff]|^#|^$", re.MULTILINE)
_QUOTED: Final = {
    separator: re.compile(rf'(?:^|{mark})"[^"\n]+"(?={mark}|$)', re.MULTILINE)
    for separator, mark in zip(SEPARATORS, map(re.escape, SEPARATORS), strict=True)
}
"""A quoted field with the separator before it, by separator."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def plain_rows(path: Path) -> tuple[Sequence[str], Rows] | None:
    """Give the names and the rows of a file; ``None`` where it is not plain. Raises ``OSError``."""
    dialect = dialect_of(path)
    if dialect is None or not dialect.whole or dialect.encoding != "utf-8":
        return None
    text = path.read_bytes().decode("utf-8", "replace").removesuffix("\n")
    if not text or "\ufffd" in text or _ODD.search(text):
        return None
    if '"' not in text:
        header, *lines = [line.split(dialect.separator) for line in text.split("\n")]
    elif '"' not in _QUOTED[dialect.separator].sub("", text):
        header, *lines = csv.reader(text.split("\n"), delimiter=dialect.separator)
    else:
        return None
    if len(header) < 2 or not all(map(_NAME.fullmatch, header)) or len({name.lower() for name in header}) < len(header):
        return None
    if any(len(line) != len(header) for line in lines):
        return None
    return header, [tuple([field or None for field in line]) for line in lines]
