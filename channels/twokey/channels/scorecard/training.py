"""Training and pulse, from a CSV file that somebody exported.

Rules: the file has a header with ``level`` and ``completed`` (a day, or nothing), and may have ``pulse`` (1 to 5) and
``quarter`` (rows of another quarter are left out); every other column is passed over, so names of people are never
read. A row counts as completed where its day is not after the quarter. A file that cannot be used as a whole is not
used at all, and says why; nothing is guessed.
"""

import csv
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from twokey.channels.scorecard.values import Quarter
from twokey.core.errors import BadInput

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_ROWS: Final = 200_000
MOST_LEVELS: Final = 50


@dataclass(frozen=True, slots=True)
class Level:
    """How many people are to complete one level of training, and how many have."""

    name: str
    people: int
    completed: int


@dataclass(frozen=True, slots=True)
class Training:
    """What the file says of a quarter."""

    levels: tuple[Level, ...]
    answers: int
    """How many gave a pulse score."""
    pulse: Decimal | None
    """Their mean, to one hundredth."""


def read(path: Path, quarter: Quarter) -> Training:
    """Read the file.

    Raises:
        BadInput: it is not there, too large, no CSV, lacks a column, or a cell does not fit.

    """
    last = datetime.fromtimestamp(quarter.until_us / 1_000_000 - 1, tz=UTC).date()
    levels: dict[str, list[int]] = {}
    scores: list[Decimal] = []
    for number, row in enumerate(_rows(_text(path)), 2):
        if row.get("quarter") and Quarter.parse(row["quarter"]) != quarter:
            continue
        name = row["level"][:60] or "no level"
        found = levels.setdefault(name, [0, 0])
        if len(levels) > MOST_LEVELS:
            raise _unusable(f"it names more than {MOST_LEVELS} levels")
        found[0] += 1
        found[1] += _completed(row["completed"], last, number)
        if row.get("pulse"):
            scores.append(_score(row["pulse"], number))
    mean = (sum(scores, Decimal(0)) / len(scores)).quantize(Decimal("0.01"), ROUND_HALF_EVEN) if scores else None
    return Training(tuple(Level(name, *found) for name, found in sorted(levels.items())), len(scores), mean)


def _text(path: Path) -> str:
    try:
        # Without waiting where somebody put a pipe, and never more than the bound.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unusable("it is no file")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unusable(f"it cannot be read ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise _unusable(f"it has more than {MOST_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable("it is not UTF-8") from error


def _rows(text: str) -> Iterator[Mapping[str, str]]:
    try:
        for number, row in enumerate(_cells(text.splitlines())):
            if number >= MOST_ROWS:
                raise _unusable(f"it has more than {MOST_ROWS:,} rows")
            yield row
    except csv.Error as error:
        raise _unusable(f"it is no CSV ({error})") from error


def _cells(lines: Iterable[str]) -> Iterator[Mapping[str, str]]:
    reader = csv.reader(lines, strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in ("level", "completed") if header.count(name) != 1]
    if missing:
        raise _unusable(f"its header does not name {' and '.join(missing)} once")
    for row in reader:
        if row:
            yield dict(zip(header, (cell.strip() for cell in (*row, *[""] * len(header))), strict=False))


def _completed(text: str, last: date, number: int) -> int:
    if not text:
        return 0
    try:
        return int(date.fromisoformat(text[:10]) <= last)
    except ValueError as error:
        raise _unusable(f"row {number} has no day as 2026-11-30 in completed") from error


def _score(text: str, number: int) -> Decimal:
    try:
        score = Decimal(text)
    except InvalidOperation as error:
        raise _unusable(f"row {number} has no number in pulse") from error
    if not score.is_finite() or not 1 <= score <= 5:
        raise _unusable(f"row {number} has a pulse that is not from 1 to 5")
    return score


def _unusable(why: str) -> BadInput:
    return BadInput(
        f"The file of scorecard.training cannot be used: {why}.",
        next="Export it again with the columns level and completed; see docs/scorecard.md.",
        code="bad_training",
    )
