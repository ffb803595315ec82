"""Brings what a driver returns into canonical form: text, integers below 2**53, booleans and nulls.

Rules: nothing is rounded silently: whatever has no canonical form becomes its exact text; binaries become their length;
text that is no Unicode scalar text is repaired with U+FFFD. Collecting stops at a number of rows and of bytes.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from twokey.core.canonical import MAX_INTEGER
from twokey.tools.read.warehouse.values import MAX_NAME, Cell, SelectResult

MAX_CELL = 4_000
"""Longest text of one cell, in characters; longer ones end in an ellipsis."""


def clean(text: str) -> str:
    """Replace lone surrogates, which no canonical text may hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def line(text: str, limit: int) -> str:
    """Give ``text`` cut to ``limit`` characters, without lone surrogates."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cell(value: Any) -> Cell:
    """Give one value of a row in canonical form."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -MAX_INTEGER <= value <= MAX_INTEGER else str(value)
    if isinstance(value, str):
        return line(value, MAX_CELL)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list | dict | tuple):
        return line(json.dumps(value, default=str, ensure_ascii=False), MAX_CELL)
    return line(str(value), MAX_CELL)


def collect(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, max_rows: int, max_bytes: int) -> SelectResult:
    """Read rows until the first bound is met; the result says whether there were more."""
    kept: list[tuple[Cell, ...]] = []
    size = 0
    truncated = False
    for row in rows:
        if len(kept) >= max_rows:
            truncated = True
            break
        values = tuple(cell(value) for value in row)
        size += sum(len(value.encode()) if isinstance(value, str) else 8 for value in values)
        if size > max_bytes:
            truncated = True
            break
        kept.append(values)
    return SelectResult(
        columns=tuple(line(column, MAX_NAME) for column in columns), rows=tuple(kept), truncated=truncated
    )
