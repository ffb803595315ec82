"""Texts that were cut off at a fixed length, and texts in brackets or quotes where the others have none.

Rules: texts are cut where many have one length, hardly any have nearly that length, and most of these end within a
word that other texts hold whole. Texts are wrapped where a few begin and end with a pair of signs, and none of the
others begins with it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import MAX_TEXT, Column, Grid

ENOUGH: Final = 50
_PAIRS: Final = {"{": "}", "[": "]", "(": ")", "<": ">", '"': '"', "'": "'", "«": "»", "“": "”"}
_MOST: Final = 0.15
_LEAST_CUT: Final = 8
_SOME: Final = 100
_LEAST_LENGTH: Final = 8
_LONGEST_WORD: Final = 24
_BEGINNINGS: Final = 0.3
_WORDS: Final = re.compile(r"[^\W\d_]+")


def find(grid: Grid) -> Iterator[Problem]:
    """Give at most two problems per text column."""
    for column in grid.columns:
        if column.is_text and column.filled >= ENOUGH and column.numeric < 0.5 * column.filled:
            for codes, detail in ((_wrapped(column), "characters"), (_cut(column), "cut")):
                if codes:
                    cells = cells_of(column.index, column.rows_of(codes))
                    yield Problem("format_break", (column.index,), cells, 80, detail)


def _wrapped(column: Column) -> set[int]:
    firsts = {text[0] for text in column.texts}
    found: set[int] = set()
    for sign in firsts & _PAIRS.keys():
        begins = {code for code, text in enumerate(column.texts) if text[0] == sign}
        wrapped = {code for code in begins if len(column.texts[code]) > 1 and column.texts[code][-1] == _PAIRS[sign]}
        if begins == wrapped and sum(column.counts[code] for code in begins) <= _MOST * column.filled:
            found |= wrapped
    return found if sum(column.counts[code] for code in found) >= 3 else set()


def _cut(column: Column) -> set[int]:
    if column.distinct < ENOUGH or column.distinct < 0.02 * column.filled:
        return set()
    if sum(" " in text for text in column.texts[:_SOME]) < 0.5 * min(_SOME, column.distinct):
        return set()
    lengths = Counter(map(len, column.texts))
    longest = max(lengths)
    if longest < _LEAST_LENGTH or longest >= MAX_TEXT:
        return set()
    for length, count in lengths.items():
        near = [lengths[other] for other in range(length - 4, length + 5) if other != length and other <= longest]
        if length < _LEAST_LENGTH or count < _LEAST_CUT or count < 4 * (sum(near) / max(1, len(near)) + 1):
            continue
        likely = {code for code, text in enumerate(column.texts) if len(text) == length}
        cut = _within_a_word(column, likely)
        if len(cut) >= 0.5 * len(likely):
            # where other texts are about as long, one that ends in a whole word may be whole
            cut = likely if sum(near) <= 0.02 * count * len(near) else cut
            cells = sum(column.counts[code] for code in cut)
            return cut if cells <= _MOST * column.filled else set()
    return set()


def _within_a_word(column: Column, likely: set[int]) -> set[int]:
    """Give the texts that end in what is no word of the others, where many of these are beginnings of one."""
    words: set[str] = set()
    for code, text in enumerate(column.texts):
        if code not in likely:
            words.update(_WORDS.findall(text.casefold()))
    begun = {word[:size] for word in words for size in range(1, min(len(word), _LONGEST_WORD))} - words
    found: set[int] = set()
    beginnings = 0
    for code in likely:
        parts = _WORDS.findall(column.texts[code].casefold())
        if len(parts) > 1 and column.texts[code][-1].isalpha() and parts[-1] not in words:
            found.add(code)
            beginnings += parts[-1] in begun
    return found if beginnings >= _BEGINNINGS * len(likely) else set()
