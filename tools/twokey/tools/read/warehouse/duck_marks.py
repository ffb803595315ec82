"""Marks of the rows of a table, as arrays of numbers: enough to count what is different, and no value among them.

Rules: values are told apart by DuckDB's 64-bit hash, which is the same for equal values only but for one pair of
columns in ten billions of 50,000 rows (``n * n / 2 ** 65``). Characters are counted exactly, and so are the rows that
begin like a blank or hold an ``@``. All columns are marked by one statement: an aggregate costs DuckDB a tenth of a
millisecond whatever it counts, and counting different values costs five times as much as sorting their hashes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twokey.tools.read.warehouse.duck_session import DuckSession

_NONE: Final = "hash(NULL)"


@dataclass(frozen=True, slots=True)
class Marks:
    """One column. ``hashes`` and ``at`` (row ids) have an entry for each row that is not null.

    Lengths in characters, ``blank`` and ``at_signs`` (rows that may be blank, and that may hold an address) are 0 for a
    column that holds no texts.
    """

    hashes: NDArray[np.uint64]
    at: NDArray[np.int64]
    distinct: int
    shortest: int = 0
    longest: int = 0
    characters: int = 0
    blank: int = 0
    at_signs: int = 0

    @property
    def values(self) -> int:
        """Rows that are not null."""
        return len(self.hashes)

    def groups(self) -> tuple[Sequence[int], Sequence[int]]:
        """Give, for each different value, a row that holds it, and how many do."""
        ordered = np.sort(self.hashes)
        starts = np.flatnonzero(_is_new(ordered))
        counts = np.diff(np.append(starts, len(ordered)))
        where = np.searchsorted(ordered[starts], self.hashes[::-1])
        rows = np.empty(len(starts), dtype=np.int64)
        rows[where] = self.at[::-1]  # of several rows with one value the first one is written last, and stays
        return rows.tolist(), counts.tolist()


def mark(session: DuckSession, source: str, columns: Sequence[tuple[str, bool]]) -> tuple[int, list[Marks]]:
    """Mark every row of ``source``, which has row ids; gives the rows, and the marks of each column.

    A column is the SQL of its value, and whether that is a text. Raises ``StatementFailed``.
    """
    listed = ["rowid AS at", f"{_NONE} AS none"]
    for number, (value, is_text) in enumerate(columns):
        listed.append(f"hash({value}) AS h{number}")
        if is_text:
            listed += [
                # what has no nulls comes as a plain array: masked ones cost several times as much
                f"coalesce(length({value}), -1) AS n{number}",
                f"coalesce({value} < '!', false) AS b{number}",
                f"coalesce(contains({value}, '@'), false) AS a{number}",
            ]
    found = session.arrays(f"SELECT {', '.join(listed)} FROM {source}")  # noqa: S608 - quoted by the caller
    rows: NDArray[np.int64] = found["at"]
    if not len(rows):
        return 0, [Marks(found["none"], rows, 0) for _ in columns]
    return len(rows), [_marks(found, number, is_text=is_text) for number, (_, is_text) in enumerate(columns)]


def _marks(found: dict[str, Any], number: int, *, is_text: bool) -> Marks:
    rows: NDArray[np.int64] = found["at"]
    hashes: NDArray[np.uint64] = found[f"h{number}"]
    lengths: NDArray[np.int64] | None = found[f"n{number}"] if is_text else None
    kept = hashes != found["none"] if lengths is None else lengths >= 0
    if not kept.all():
        hashes, rows = hashes[kept], rows[kept]
        lengths = None if lengths is None else lengths[kept]
    distinct = int(np.count_nonzero(_is_new(np.sort(hashes))))
    if lengths is None or not len(hashes):
        return Marks(hashes, rows, distinct)
    return Marks(
        hashes,
        rows,
        distinct,
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        characters=int(lengths.sum()),
        blank=int(np.count_nonzero(found[f"b{number}"])),
        at_signs=int(np.count_nonzero(found[f"a{number}"])),
    )


def _is_new(ordered: NDArray[np.uint64]) -> NDArray[np.bool]:
    """Tell of each number of an ordered array whether it is the first of its kind."""
    new = np.ones(len(ordered), dtype=np.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return new
