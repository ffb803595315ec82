"""A value that ran into its neighbour: one column is blank, and another ends in what belongs there.

Rules: the blank column must have a small vocabulary that repeats; the other must end (or begin) with a word of it in
most rows where the first is blank, and hardly ever where it is filled. Both cells are wrong.
"""

from collections.abc import Iterator
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem
from twokey.tools.read.warehouse.inspection.grid import BLANK, Column, Grid

LEAST: Final = 3
_MOST_VALUES: Final = 500
_MOST_COLUMNS: Final = 60


def find(grid: Grid) -> Iterator[Problem]:
    """Give one problem per pair of columns."""
    for lacking in grid.columns[:_MOST_COLUMNS]:
        blanks = grid.rows - lacking.filled
        if not LEAST <= blanks <= 0.5 * grid.rows or not lacking.is_text or not _is_vocabulary(lacking):
            continue
        words = {text.casefold() for text in lacking.texts}
        rows = [row for row, code in enumerate(lacking.codes) if code == BLANK]
        for holding in grid.columns[:_MOST_COLUMNS]:
            if holding.index != lacking.index and holding.is_text and holding.distinct > 1:
                cells = _spilled(lacking, holding, rows, words)
                if cells:
                    columns = (lacking.index, holding.index)
                    found = frozenset((row, column) for row in cells for column in columns)
                    yield Problem("spilled_value", columns, found, 93, by=(holding.index,))
                    break


def _is_vocabulary(column: Column) -> bool:
    return (
        1 < column.distinct <= min(_MOST_VALUES, column.filled // 3)
        and max(map(len, column.texts)) <= 60
        and column.numeric < 0.1 * column.filled
    )


def _spilled(lacking: Column, holding: Column, rows: list[int], words: set[str]) -> list[int]:
    likely = {code for code in {holding.codes[row] for row in rows} if code != BLANK}
    ends = {code for code in likely if _ends_in(holding.texts[code], words)}
    hit = [row for row in rows if holding.codes[row] in ends]
    if len(hit) < LEAST or len(hit) < 0.5 * len(rows):
        return []
    everywhere = {code for code, text in enumerate(holding.texts) if code in ends or _ends_in(text, words)}
    elsewhere = sum(holding.counts[code] for code in everywhere) - len(hit)
    return hit if elsewhere * len(rows) <= 0.1 * len(hit) * max(1, lacking.filled) else []


def _ends_in(text: str, words: set[str]) -> bool:
    """Whether a text of several words ends or begins with one of ``words``."""
    if " " not in text:
        return False
    parts = text.casefold().replace(",", " ").replace(";", " ").split()
    if not 2 <= len(parts) <= 12:
        return False
    return any(
        " ".join(parts[-size:]) in words or " ".join(parts[:size]) in words for size in range(1, min(4, len(parts)))
    )
