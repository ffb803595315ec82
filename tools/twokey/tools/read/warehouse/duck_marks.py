"""Marks of the rows of a table, as arrays of numbers: enough to count what is different, and no text among them.

Rules: numbers of a machine's sizes are their own marks; other values are told apart by DuckDB's 64-bit hash, which is
the same for equal values only but for one pair of columns in ten billions of 50,000 rows (``n * n / 2 ** 65``). All
columns are marked by one statement that does nothing else: counting different values in SQL costs five times as much
as sorting marks, and every expression over the texts of a table costs as much as reading them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twokey.tools.read.warehouse.duck_session import DuckSession

_NONE: Final = "hash(NULL)"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one column: how many are neither NaN nor infinite, the ends of those, and how many are 0 or 1."""

    finite: int
    least: int | float | None
    greatest: int | float | None
    zeros_and_ones: int


@dataclass(frozen=True, slots=True)
class Marks:
    """One column. ``marks`` and ``at`` (row ids) have an entry for each row that is not null.

    Values with the same mark are the same. ``numbers`` is ``None`` for a column that was marked by hashes.
    """

    marks: NDArray[Any]
    at: NDArray[np.int64]
    distinct: int
    numbers: Numbers | None = None

    @property
    def values(self) -> int:
        """Rows that are not null."""
        return len(self.marks)

    def groups(self) -> tuple[Sequence[int], Sequence[int]]:
        """Give, for each different value, a row that holds it, and how many do."""
        ordered = np.sort(self.marks)
        starts = np.flatnonzero(_is_new(ordered))
        counts = np.diff(np.append(starts, len(ordered)))
        where = np.searchsorted(ordered[starts], self.marks[::-1])
        rows = np.empty(len(starts), dtype=np.int64)
        rows[where] = self.at[::-1]  # of several rows with one value the first one is written last, and stays
        return rows.tolist(), counts.tolist()


def mark(session: DuckSession, source: str, columns: Sequence[tuple[str, bool]]) -> tuple[int, list[Marks]]:
    """Mark every row of ``source``, which has row ids; gives the rows, and the marks of each column.

    A column is the SQL of its value, and whether that is a number of 8 to 64 bits. Raises ``StatementFailed``.
    """
    listed = [value if is_number else f"hash({value})" for value, is_number in columns]
    asked = ", ".join(f"{value} AS h{number}" for number, value in enumerate(listed))
    found = session.arrays(f"SELECT rowid AS at, {_NONE} AS none, {asked} FROM {source}")  # noqa: S608 - quoted by the caller
    rows: NDArray[np.int64] = found["at"]
    if not len(rows):
        return 0, [Marks(found["none"], rows, 0) for _ in columns]
    marked = [
        _of_numbers(found[f"h{number}"], rows) if is_number else _of_hashes(found[f"h{number}"], rows, found["none"])
        for number, (_, is_number) in enumerate(columns)
    ]
    return len(rows), marked


def _of_hashes(hashes: NDArray[np.uint64], rows: NDArray[np.int64], none: NDArray[np.uint64]) -> Marks:
    kept = hashes != none
    if not kept.all():
        hashes, rows = hashes[kept], rows[kept]
    return Marks(hashes, rows, _distinct(hashes))


def _of_numbers(found: NDArray[Any], rows: NDArray[np.int64]) -> Marks:
    if isinstance(found, np.ma.MaskedArray):
        kept = ~np.ma.getmaskarray(found)
        found, rows = np.ma.getdata(found)[kept], rows[kept]
    if found.dtype.kind == "f":
        return _of_fractions(found, rows)
    zeros_and_ones = int(np.count_nonzero((found == 0) | (found == 1)))
    ends = (int(found.min()), int(found.max())) if len(found) else (None, None)
    return Marks(found, rows, _distinct(found), Numbers(len(found), *ends, zeros_and_ones))


def _of_fractions(found: NDArray[Any], rows: NDArray[np.int64]) -> Marks:
    """Mark floating-point numbers by their bits: one NaN is as good as another, and so is the sign of a zero."""
    finite = found[np.isfinite(found)]
    ends = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    plain = found + 0.0
    plain[np.isnan(plain)] = np.nan
    bits = plain.view(np.uint64 if found.dtype.itemsize == 8 else np.uint32)
    return Marks(bits, rows, _distinct(bits), Numbers(len(finite), *ends, 0))


def _distinct(marks: NDArray[Any]) -> int:
    return int(np.count_nonzero(_is_new(np.sort(marks))))


def _is_new(ordered: NDArray[Any]) -> NDArray[np.bool]:
    """Tell of each number of an ordered array whether it is the first of its kind."""
    new = np.ones(len(ordered), dtype=np.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return new
