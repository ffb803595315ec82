"""Texts that stand where a value is missing.

Rules: a text that can mean nothing else (``N/A``, ``NULL``) counts everywhere but among short codes, where ``NA``
may be a country; a word that can be an answer (``unknown``, ``none``, ``-``) counts only where the column otherwise
holds numbers or dates. A column that holds nothing else is not called wrong: somebody chose the word.
"""

from collections.abc import Iterator
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid

_SURE: Final = frozenset(
    {"n/a", "#n/a", "n.a.", "null", "(null)", "<null>", "nan", "<na>", "#null!", "\\n", "nil", "[null]"}
)
_WEAK: Final = frozenset(
    {"-", "--", "---", "?", "??", ".", "na", "none", "unknown", "missing", "undefined", "tbd", "tba", "void", "blank"}
    | {"not available", "not applicable", "no data", "#value!", "#ref!", "#div/0!", "#name?", "(blank)", "n\\a"}
)
_CODE_LENGTH: Final = 3


def find(grid: Grid) -> Iterator[Problem]:
    """Give one problem per column that holds such texts."""
    for column in grid.columns:
        codes = standing_for_nothing(column)
        if codes:
            yield Problem("missing_as_text", (column.index,), cells_of(column.index, column.rows_of(codes)), 95)


def standing_for_nothing(column: Column) -> set[int]:
    """Give the texts of a column that stand for a missing value, as codes."""
    if not column.is_text:
        return set()
    sure, weak = _by_kind(column)
    others = column.filled - sum(column.counts[code] for code in sure | weak)
    if not others:
        return set()
    if weak and column.numeric + _dated(column) >= 0.8 * others:
        sure |= weak
    if sure and _are_codes(column, sure):
        sure = {code for code in sure if not column.texts[code].isalpha()}
    return sure


def _by_kind(column: Column) -> tuple[set[int], set[int]]:
    sure: set[int] = set()
    weak: set[int] = set()
    for code, text in enumerate(column.texts):
        if len(text) <= 14:
            word = text.casefold()
            if word in _SURE:
                sure.add(code)
            elif word in _WEAK:
                weak.add(code)
    return sure, weak


def _dated(column: Column) -> int:
    return sum(
        count
        for count, form in zip(column.counts, column.forms, strict=True)
        if form.startswith(("9-9-9", "9/9/9", "9.9.9", "9:9"))
    )


def _are_codes(column: Column, without: set[int]) -> bool:
    """Whether the other values are short codes of letters, among which an abbreviation may be one of them."""
    others = [(text, column.counts[code]) for code, text in enumerate(column.texts) if code not in without]
    short = sum(count for text, count in others if len(text) <= _CODE_LENGTH and text.isalpha())
    return short >= 0.8 * sum(count for _, count in others)
