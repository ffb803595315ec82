"""Tickets that are lines of a JSONL file or rows of a CSV file; read only.

Rules: a file is gone through once, holding one row at a time; what is kept of it is where each ticket stands. A row
that is no ticket is named by its line and keeps nobody from reading the next. A row over the bound is passed over,
not cut.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from twokey.tools.local_tickets.files import Unreadable, text_of
from twokey.tools.local_tickets.records import Record

MAX_ROW: Final = 4 * 1024 * 1024
MAX_COLUMNS: Final = 100
JSON_LINES: Final = (".jsonl", ".ndjson")
_LINES_PER_ROW: Final = 200_000
_TEXTS: Final = ("body", "text", "description")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in its file."""

    offset: int
    length: int
    line: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was read."""

    place: Place
    record: Record
    version: str


def rows(file: BinaryIO, name: str) -> Iterator[Row | Unreadable]:
    """Go through a file; what is no row comes as the reason why."""
    if name.endswith(JSON_LINES):
        for place, raw in _lines(file):
            if raw is None or raw.strip():
                yield _row(place, raw, None)
        return
    header: list[str] | None = None
    for place, raw in _csv_rows(file):
        if header is not None:
            yield _row(place, raw, header)
            continue
        try:
            header = _header(raw)
        except Unreadable as error:
            yield Unreadable(error.reason, 1)
            return


def row_at(file: BinaryIO, name: str, place: Place) -> Row:
    """Read one row again; raises ``Unreadable`` where it is none any more."""
    header = None if name.endswith(JSON_LINES) else _header(next((raw for _, raw in _csv_rows(file)), b""))
    file.seek(place.offset)
    found = _row(place, file.read(place.length), header)
    if isinstance(found, Unreadable):
        raise found
    return found


def comments_of(record: Record) -> list[dict[str, Any]]:
    """Give the comments that a JSON line carries; what is no comment is left out."""
    given = record.fields.get("comments")
    items = cast("list[object]", given) if isinstance(given, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def loaded(text: str) -> dict[str, Any]:
    """Read one JSON object; raises ``Unreadable`` where it is none."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("malformed") from error
    if not isinstance(value, dict):
        raise Unreadable("malformed")
    if "\\u" in text:  # halves of characters may hide there, which no text may hold
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return cast("dict[str, Any]", value)


def _row(place: Place, raw: bytes | None, header: list[str] | None) -> Row | Unreadable:
    if raw is None:
        return Unreadable("too_large", place.line)
    try:
        text = text_of(raw)
        fields = loaded(text) if header is None else _cells(text, header)
        record = Record({name.strip().lower(): value for name, value in fields.items()}, "")
        record = Record(record.fields, record.text(*_TEXTS))
        _ = record.key
    except Unreadable as error:
        return Unreadable(error.reason, place.line)
    return Row(place, record, hashlib.sha256(raw).hexdigest())


def _cells(text: str, header: list[str]) -> dict[str, Any]:
    values = _parsed(text)
    if len(values) != len(header):
        raise Unreadable("malformed")
    return dict(zip(header, values, strict=True))


def _header(raw: bytes | None) -> list[str]:
    names = [name.strip().lower() for name in _parsed(text_of(raw or b"").removeprefix("\ufeff"))]
    if "title" not in names or len(set(names)) != len(names) or len(names) > MAX_COLUMNS:
        raise Unreadable("malformed")
    return names


def _parsed(text: str) -> list[str]:
    """Give the cells of one row (RFC 4180). The library's own bound on a cell belongs to the whole process."""
    if len(text) <= csv.field_size_limit():
        try:
            return next(csv.reader(text.splitlines(keepends=True), strict=True), [])
        except csv.Error as error:
            raise Unreadable("malformed") from error
    cells: list[str] = []
    at = 0
    text = text.removesuffix("\n").removesuffix("\r")
    while at <= len(text):
        if text[at : at + 1] == '"':
            cell, at = _quoted(text, at + 1)
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            cell, at = text[at:end], end
        cells.append(cell)
        if at < len(text) and text[at] != ",":
            raise Unreadable("malformed")
        at += 1
    return cells


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Give the quoted cell whose text starts at ``at``, and where it ends."""
    start = at
    while True:
        end = text.find('"', at)
        if end < 0:
            raise Unreadable("malformed")
        if text[end + 1 : end + 2] != '"':
            return text[start:end].replace('""', '"'), end + 1
        at = end + 2


def _lines(file: BinaryIO) -> Iterator[tuple[Place, bytes | None]]:
    """Give line by line, ``None`` for one over the bound."""
    offset, line = 0, 0
    while True:
        raw = file.readline(MAX_ROW + 1)
        if not raw:
            return
        line += 1
        length = len(raw)
        whole = length <= MAX_ROW
        while not raw.endswith(b"\n"):
            raw_more = file.readline(MAX_ROW)
            if not raw_more:
                break
            whole = False
            length += len(raw_more)
            raw = raw_more
        yield Place(offset, length, line), raw if whole else None
        offset += length


def _csv_rows(file: BinaryIO) -> Iterator[tuple[Place, bytes | None]]:
    """Give row by row: a row goes on while the number of quotes in it is odd."""
    parts: list[bytes] = []
    first = Place(0, 0, 1)
    length, quotes, too_large = 0, 0, False
    for place, raw in _lines(file):
        if not parts and not too_large:
            first, length, quotes = place, 0, 0
            if raw is not None and not raw.strip():
                continue
        length += place.length
        if raw is None or length > MAX_ROW or len(parts) > _LINES_PER_ROW:
            parts, too_large = [], True
        else:
            parts.append(raw)
        quotes += raw.count(b'"') if raw is not None else 0
        if quotes % 2 == 0:
            yield Place(first.offset, length, first.line), None if too_large else b"".join(parts)
            parts, too_large = [], False
    if parts:
        yield Place(first.offset, length, first.line), b"".join(parts)
