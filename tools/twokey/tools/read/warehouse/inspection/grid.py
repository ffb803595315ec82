"""The rows that are inspected, held by column: each different text once, and a small number per row.

Rules: outer blanks never matter; a cell that is null or blank is ``BLANK``; texts are cut at ``MAX_TEXT``
characters, so a huge cell costs what a long one costs. Nothing here leaves the process.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Final, cast

from twokey.tools.read.warehouse.inspection.absent import standing_for_nothing
from twokey.tools.read.warehouse.inspection.days import days_of
from twokey.tools.read.warehouse.inspection.written import forms_of, without_runs

MAX_TEXT: Final = 1_000
BLANK: Final = -1
_BEGIN_NUMBERS: Final = frozenset("0123456789+-.")
_MAX_NUMBER: Final = 64
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_PLAIN_NUMBERS: Final = re.compile(r"-?[0-9]{1,30}+(?:\.[0-9]{0,30}+)?(?:\n-?[0-9]{1,30}+(?:\.[0-9]{0,30}+)?)*+")
"""Texts one below the other that all are numbers as nearly all numbers are written."""
_FORMS_OF_NUMBERS: Final = frozenset(
    f"{sign}{digits}{exponent}"
    for sign in ("", "+", "-")
    for digits in ("9", "9.", "9.9", ".9")
    for exponent in ("", "a9", "a+9", "a-9")
)
"""Every form (``written``) that a number may have."""
_MOST_DIGITS: Final = 30
_NINES: Final = str.maketrans("0123456789", "9" * 10)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True, eq=False)
class Column:
    """One column. ``codes`` has an entry per row: an index into ``texts``, or ``BLANK``."""

    index: int
    name: str
    texts: Sequence[str]
    counts: Sequence[int]
    codes: Sequence[int]
    is_text: bool = True
    """Whether the database stores texts here; else it keeps the type itself."""
    parts: tuple[int, ...] = ()
    """The columns this one stands for, where it stands for several."""

    @property
    def distinct(self) -> int:
        return len(self.texts)

    @cached_property
    def filled(self) -> int:
        """Cells that hold something."""
        return sum(self.counts)

    @cached_property
    def numbers(self) -> Sequence[float | None]:
        """Each text as a number; ``None`` where it is none."""
        together = "\n".join(self.texts)
        if _PLAIN_NUMBERS.fullmatch(together) and together.count("\n") == len(self.texts) - 1:
            return list(map(float, self.texts))
        if not self.is_text:
            return [_number(text) for text in self.texts]
        # the form tells what no number is, and what is one for sure
        return [
            _number(text) if form in _FORMS_OF_NUMBERS else None
            for text, form in zip(self.texts, self.forms, strict=True)
        ]

    @cached_property
    def numeric(self) -> int:
        """Cells that hold a plain number."""
        if None not in self.numbers:
            return self.filled
        return sum(count for count, number in zip(self.counts, self.numbers, strict=True) if number is not None)

    @cached_property
    def forms(self) -> Sequence[str]:
        """Each text with its runs of digits as ``9``, runs of letters as ``a``, runs of blanks as one."""
        return forms_of(self.texts)

    @cached_property
    def cells_of_forms(self) -> Mapping[str, int]:
        """Cells of each form, in the order in which the forms first occur."""
        found: dict[str, int] = {}
        for form, count in zip(self.forms, self.counts, strict=True):
            found[form] = found.get(form, 0) + count
        return found

    @cached_property
    def cells_that_say(self) -> Mapping[str, int]:
        """Cells of each form without those that stand for nothing; a form may be left with none."""
        if not self.nothing:
            return self.cells_of_forms
        found = dict(self.cells_of_forms)
        for code in self.nothing:
            found[self.forms[code]] -= self.counts[code]
        return found

    @cached_property
    def nothing(self) -> frozenset[int]:
        """Texts that stand where a value is missing."""
        return (
            standing_for_nothing(self.texts, self.counts, self.cells_of_forms, self.numeric)
            if self.is_text
            else frozenset()
        )

    @cached_property
    def days(self) -> Mapping[int, int | None] | None:
        """Day number of each text that is a date; ``None`` where the column does not hold dates."""
        return days_of(self.texts, self.counts, self.cells_of_forms)

    @cached_property
    def most(self) -> int:
        """How often the most frequent text occurs."""
        return max(self.counts, default=0)

    @cached_property
    def groups(self) -> dict[int, list[int]]:
        """Rows of each text that occurs at least twice."""
        found: dict[int, list[int]] = {code: [] for code, count in enumerate(self.counts) if count > 1}
        for row, code in enumerate(self.codes):
            if code in found:
                found[code].append(row)
        return found

    @cached_property
    def words(self) -> frozenset[str]:
        """Lower-case words of the name."""
        return frozenset(word.lower() for word in _WORDS.findall(self.name[:200]))

    def rows_of(self, codes: AbstractSet[int]) -> list[int]:
        """Give the rows that hold one of these texts."""
        return [row for row, code in enumerate(self.codes) if code in codes] if codes else []


@dataclass(frozen=True)
class Grid:
    """The rows of one table, or of a sample of it."""

    rows: int
    columns: Sequence[Column]


def column_of(index: int, name: str, cells: Sequence[str | None], *, is_text: bool = True) -> Column:
    """Give one column of texts as codes, in the order in which the texts first occur."""
    counted = Counter(cells)
    counted.pop(None, None)
    given = cast("list[str]", list(counted))
    if all(given) and len(max(given, key=len, default="")) <= MAX_TEXT and list(map(str.strip, given)) == given:
        # nothing to cut, as in nearly every column
        codes: dict[str | None, int] = dict(zip(given, range(len(given)), strict=True))
        codes[None] = BLANK
        return Column(index, name, tuple(given), list(counted.values()), list(map(codes.__getitem__, cells)), is_text)
    texts: dict[str, int] = {}
    counts: list[int] = []
    known: dict[str | None, int] = {None: BLANK}
    for cell, count in cast("Counter[str]", counted).items():
        text = cell[:MAX_TEXT].strip()
        if not text:
            known[cell] = BLANK
            continue
        code = texts.setdefault(text, len(counts))
        if code == len(counts):
            counts.append(0)
        counts[code] += count
        known[cell] = code
    return Column(index, name, tuple(texts), counts, list(map(known.__getitem__, cells)), is_text)


def masked(texts: Sequence[str]) -> Sequence[str]:
    """Give each text with its runs of digits as ``9``. All at once, which costs a tenth of one by one."""
    found = without_runs("\n".join(texts).translate(_NINES), "9").split("\n")
    return found if len(found) == len(texts) else [without_runs(text.translate(_NINES), "9") for text in texts]


def _number(text: str) -> float | None:
    if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit():
        return float(text)
    if text[0] not in _BEGIN_NUMBERS or len(text) > _MAX_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if isfinite(number) else None
