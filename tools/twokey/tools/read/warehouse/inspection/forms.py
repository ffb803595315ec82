"""Values that are not written like the others of their column: mixed types, other formats, broken characters.

Rules: a column must have a habit before anything breaks it. Numbers have one where nearly all values are numbers;
codes, dates and measures where a few forms (runs of digits and letters with what stands between them) cover nearly
all cells. Free text has none: names and sentences are never judged by their form, only by characters that no
writing holds. A second form that is used often is a second habit and one problem by itself, not many.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Code, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid

ENOUGH: Final = 20
"""Cells below which a column has no habit."""
_NEARLY_ALL: Final = 0.9
_RARE: Final = 0.015
_OFTEN: Final = 0.03
_PREVAILS: Final = 0.6
_ENOUGH_VALUES: Final = 8
"""Different values below which a column is a list of names, which need not be written alike."""
_VOCABULARY: Final = 30
_CODE_LENGTH: Final = 4
_MOST_LOWER: Final = 0.05
_BROKEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]"  # controls, and the sign for what could not be decoded
    "|[\u00c2\u00c3][\u0080-\u00bf\u0178\u20ac]|\u00e2\u20ac"  # UTF-8 read as Windows-1252 or Latin-1
    "|&(?:amp|quot|lt|gt|nbsp|#[0-9]{2,4});"
)
_DATED: Final = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{1,2}:[0-9]{2}"
)
_WORDS: Final = re.compile(r"[^\W\d_]+")
_ODD: Final = re.compile(r"[*^~|\\<>{}\[\]\u00a7\u00ac`]")


@dataclass(frozen=True, slots=True)
class _Habit:
    """Cells per form, without those that stand for nothing."""

    column: Column
    cells: Counter[str]
    total: int
    nothing: frozenset[int]

    def codes_of(self, forms: set[str]) -> set[int]:
        known = self.column.forms
        return {code for code in range(self.column.distinct) if known[code] in forms and code not in self.nothing}


def find(grid: Grid) -> Iterator[Problem]:
    """Give the faults of each text column."""
    for column in grid.columns:
        if not column.is_text or column.filled < ENOUGH:
            continue
        habit = _habit(column)
        if habit.total >= ENOUGH:
            yield from _types(habit) or _formats(habit)
            yield from _lengths(habit)
            yield from _case(habit)
        yield from _characters(column)


def _habit(column: Column) -> _Habit:
    cells = Counter({form: count for form, count in column.cells_that_say.items() if count})
    return _Habit(column, cells, cells.total(), column.nothing)


def _types(habit: _Habit) -> list[Problem]:
    """Text among numbers."""
    column = habit.column
    others = habit.total - column.numeric
    if not 0 < others <= (1 - _NEARLY_ALL) * habit.total:
        return []
    codes = {code for code, number in enumerate(column.numbers) if number is None and code not in habit.nothing}
    frequent = {code for code in codes if column.counts[code] > _OFTEN * habit.total}
    codes -= frequent  # a word that is used often stands for something
    if not codes:
        return []
    sure = 97 if others <= 0.05 * habit.total else 85
    return [_problem("mixed_types", column, codes, sure, "number")]


def _formats(habit: _Habit) -> list[Problem]:
    """Forms that are rare in a column of few forms, and a second form beside the usual one."""
    column, total = habit.column, habit.total
    if column.numeric >= _NEARLY_ALL * total:
        return []
    ranked = habit.cells.most_common()
    usual = [form for form, count in ranked if count >= _OFTEN * total]
    kept = sum(habit.cells[form] for form in usual)
    if (
        not usual
        or len(usual) > 5
        or kept < _NEARLY_ALL * total
        or sum(map(frozenset(usual).__contains__, column.forms)) < _ENOUGH_VALUES
        or not _is_written_by_rule(usual, habit)
    ):
        return []
    found: list[Problem] = []
    # where one form prevails, whatever is not it is in doubt; among several forms only what is next to never seen
    bound = 1.0 if ranked[0][1] >= _NEARLY_ALL * total else _RARE
    rare = {form for form, count in ranked[1:] if count < bound * total}
    odd = {code for code in habit.codes_of(rare) if column.counts[code] < _RARE * total or column.counts[code] <= 2}
    if 0 < sum(column.counts[code] for code in odd) <= (1 - _NEARLY_ALL) * total:
        found.append(_problem("format_break", column, odd, 90, "format"))
    second: set[str] = set()
    if habit.cells[usual[0]] >= _PREVAILS * total and _is_dated(usual[0], habit):
        second = {form for form in usual[1:] if form not in rare and _is_dated(form, habit)}
    if second:
        found.append(_problem("format_break", column, habit.codes_of(second), 80, "second_format"))
    return found


def _is_written_by_rule(usual: list[str], habit: _Habit) -> bool:
    """Whether the usual forms are those of codes, dates and measures: they hold digits, and no free text.

    Words with blanks between them are free text unless they come from a small vocabulary, as units and months do.
    """
    digits = sum(habit.cells[form] for form in usual if "9" in form)
    if digits < 0.5 * habit.total:
        return False
    spoken = {form for form in usual if " a" in form or "a " in form}
    if not spoken:
        return max(form.count("a") for form in usual) <= 4
    words: set[str] = set()
    for text, form in zip(habit.column.texts, habit.column.forms, strict=True):
        if form in spoken:
            words.update(part.casefold() for part in _WORDS.findall(text))
            if len(words) > _VOCABULARY:
                return False
    return True


def _is_dated(form: str, habit: _Habit) -> bool:
    """Whether the values of a form are dates or times of day."""
    texts = [text for text, known in zip(habit.column.texts, habit.column.forms, strict=True) if known == form]
    return all(_DATED.match(text) for text in texts[:50])


def _lengths(habit: _Habit) -> Iterator[Problem]:
    """Codes of digits that all have one length, but for a few that lost or gained some."""
    column = habit.column
    if habit.cells["9"] < _NEARLY_ALL * habit.total:
        return
    lengths: Counter[int] = Counter()
    for code, form in enumerate(column.forms):
        if form == "9" and code not in habit.nothing:
            lengths[len(column.texts[code])] += column.counts[code]
    whole = lengths.total()
    if column.distinct < ENOUGH:
        return
    length, most = lengths.most_common(1)[0]
    zeros = sum(
        count
        for text, form, count in zip(column.texts, column.forms, column.counts, strict=True)
        if form == "9" and len(text) == length and text.startswith("0")
    )
    others = whole - most
    # without zeros in front these are numbers that may have grown; with them they are codes of one length
    if length >= 3 and zeros >= 2 and 0 < others <= 0.1 * whole:
        codes = {
            code
            for code, form in enumerate(column.forms)
            if form == "9" and len(column.texts[code]) != length and code not in habit.nothing
        }
        yield _problem("format_break", column, codes, 80, "length")


def _case(habit: _Habit) -> Iterator[Problem]:
    """Short codes in capital letters, but for a few."""
    column = habit.column
    long = sum(count for text, count in zip(column.texts, column.counts, strict=True) if len(text) > _CODE_LENGTH)
    if long > _MOST_LOWER * habit.total:
        return
    lower = {code for code, text in enumerate(column.texts) if text != text.upper() and code not in habit.nothing}
    cells = sum(column.counts[code] for code in lower)
    if 0 < cells <= _MOST_LOWER * habit.total and all(
        len(text) <= _CODE_LENGTH for code, text in enumerate(column.texts) if code not in lower
    ):
        yield _problem("format_break", column, lower, 80, "format")


def _characters(column: Column) -> Iterator[Problem]:
    """Text that a wrong encoding broke, control characters, and signs that a column of words holds next to never."""
    together = " ".join(column.texts)
    if together.isascii() and together.isprintable() and "&" not in together and not _ODD.search(together):
        return
    broken: set[int] = set()
    odd: set[int] = set()
    for code, text in enumerate(column.texts):
        plain = text.isascii() and text.isprintable() and "&" not in text
        if not plain and _BROKEN.search(text):
            broken.add(code)
        elif _ODD.search(text):
            odd.add(code)
    if broken and sum(column.counts[code] for code in broken) <= 0.5 * column.filled:
        yield _problem("broken_text", column, broken, 85, "encoding")
    cells = sum(column.counts[code] for code in odd)
    if not cells:
        return
    words = sum(
        count for count, form in zip(column.counts, column.forms, strict=True) if "a" in form and "9" not in form
    )
    if 0 < cells <= 0.02 * column.filled and words >= 0.9 * column.filled:
        yield _problem("format_break", column, odd, 70, "characters")


def _problem(code: Code, column: Column, codes: set[int], confidence: int, detail: str) -> Problem:
    return Problem(code, (column.index,), cells_of(column.index, column.rows_of(codes)), confidence, detail)
