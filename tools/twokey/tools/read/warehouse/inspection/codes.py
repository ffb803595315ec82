"""Codes that break a rule that all others of their column keep: their length, their signs, their check digit, and
numbers within them that no clock, calendar or network has.

Rules: nearly all values of the column must keep the rule, and far more of them than would by chance. Free text has no
such rules. A check digit counts where it is right in nearly all values (EAN and GTIN, ISBN, ISSN, IBAN, card and device
numbers by Luhn; the rules are those of python-stdnum).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from stdnum import ean, isbn, issn, luhn
from stdnum.iso7064 import mod_97_10

from twokey.tools.read.warehouse.inspection.found import Code, Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid

ENOUGH: Final = 50
NEARLY_ALL: Final = 0.93
_CODED: Final = 0.8
_RUNS: Final = re.compile(r"[^\W_]+")
_PARTS: Final = re.compile(r"[0-9]+")
_MOST: Final = 0.06
_LEAST_VALUES: Final = 30
_BOUNDS: Final = (12, 23, 31, 59, 255)
_MOST_TEXT: Final = 64
_MANY: Final = 0.6
_MOST_WRONG: Final = 0.1


def find(grid: Grid) -> Iterator[Problem]:
    """Give the faults of each column of codes."""
    for column in grid.columns:
        if not column.is_text or column.filled < ENOUGH:
            continue
        signs = _signs(column)
        if signs:
            yield _problem("format_break", column, signs, 80, "characters")
        if column.distinct < _LEAST_VALUES:
            continue
        forms = column.cells_that_say
        digits = sum(count for form, count in forms.items() if "9" in form)
        if digits < _CODED * column.filled:
            continue
        if sum(count for form, count in forms.items() if " a " in form) > 0.1 * column.filled:
            continue
        checked = _checked(column)
        if checked:
            yield _problem("format_break", column, checked, 88, "check_digit")
        mixed = sum(count for form, count in forms.items() if "a" in form and "9" in form)
        if mixed >= _CODED * column.filled:
            codes = _separators(column) | _length(column) | _case(column) | _letters(column)
            if codes:
                yield _problem("format_break", column, codes, 82, "format")
        bounded = _bounds(column) if column.days is None else None
        if bounded:
            yield _problem("impossible_range", column, bounded, 84, "")


def _problem(code: Code, column: Column, codes: set[int], confidence: int, detail: str) -> Problem:
    return Problem(code, (column.index,), cells_of(column.index, column.rows_of(codes)), confidence, detail)


def _if_few(column: Column, codes: set[int], most: float = _MOST) -> set[int]:
    return codes if sum(column.counts[code] for code in codes) <= most * column.filled else set()


def _said(column: Column) -> Iterator[tuple[int, str]]:
    nothing = column.nothing
    return ((code, text) for code, text in enumerate(column.texts) if code not in nothing)


def _signs(column: Column) -> set[int]:
    """Give signs without a letter or digit where nearly all cells are single words."""
    if column.cells_of_forms.get("a", 0) < NEARLY_ALL * column.filled:
        return set()
    return _if_few(column, {code for code, text in _said(column) if not any(map(str.isalnum, text))})


def _separators(column: Column) -> set[int]:
    """Give values whose letters and digits are divided by other signs than those of nearly all."""
    lines = _RUNS.sub("x", "\n".join(column.texts)).split("\n")
    if len(lines) != column.distinct:
        return set()
    cells: Counter[str] = Counter()
    for line, count in zip(lines, column.counts, strict=True):
        cells[line] += count
    usual, most = cells.most_common(1)[0]
    if most < NEARLY_ALL * column.filled:
        return set()
    return _if_few(column, {code for code, _ in _said(column) if lines[code] != usual})


def _length(column: Column) -> set[int]:
    """Give codes shorter or longer than nearly all, where lengths could differ."""
    cells: Counter[int] = Counter()
    for text, count in zip(column.texts, column.counts, strict=True):
        cells[len(text)] += count
    length, most = cells.most_common(1)[0]
    if length < 4 or most < 0.95 * column.filled:
        return set()
    others = {code for code, text in _said(column) if len(text) != length}
    # one more digit than the others may be how a numbering goes on
    longer = {code for code in others if len(column.texts[code]) == length + 1}
    if longer and all(column.texts[code][-1].isdigit() for code in longer) and longer == others:
        return set()
    return _if_few(column, others)


def _case(column: Column) -> set[int]:
    """Give codes with small letters among capitals only, or the other way round."""
    lower = {code for code, text in _said(column) if text != text.upper()}
    upper = {code for code, text in _said(column) if text != text.lower()}
    if not lower or not upper:
        return set()
    few = lower if len(lower) < len(upper) else upper
    rest = upper if few is lower else lower
    if sum(column.counts[code] for code in rest - few) < NEARLY_ALL * column.filled:
        return set()
    return _if_few(column, few)


def _letters(column: Column) -> set[int]:
    """Give long codes with a letter that others hold next to never although they hold nearly all other letters."""
    length = sum(map(len, column.texts)) / column.distinct
    if length < 8 or any(len(text) > _MOST_TEXT for text in column.texts):
        return set()
    signs = Counter("".join(column.texts).upper())
    letters = {sign: count for sign, count in signs.items() if sign.isalpha()}
    if len(letters) < 15:
        return set()
    usual = sorted(letters.values())[len(letters) // 2]
    odd = {sign for sign, count in letters.items() if count < 0.05 * usual}
    if usual < 50 or not odd:
        return set()
    return _if_few(column, {code for code, text in _said(column) if not odd.isdisjoint(text.upper())})


def _bounds(column: Column) -> set[int]:
    """Give values in which a number is beyond what its place can hold: an hour of 26, a month of 13, a byte of 300."""
    shape, most = max(column.cells_that_say.items(), key=lambda item: item[1])
    if shape.count("9") < 2 or "a" in shape or " " in shape or most < 0.8 * column.filled or "9" not in shape:
        return set()
    if shape in {"9.9", "-9.9", "9,9"}:
        return set()
    if shape == "9.9.9.9":
        return _addresses(column)
    parts = [
        (code, list(map(int, _PARTS.findall(text[:_MOST_TEXT]))))
        for code, text in _said(column)
        if column.forms[code] == shape
    ]
    found: set[int] = set()
    for at in range(shape.count("9")):
        values: Counter[int] = Counter()
        for code, numbers in parts:
            values[numbers[at]] += column.counts[code]
        bound = _bound(values)
        if bound is not None:
            found |= {code for code, numbers in parts if numbers[at] > bound}
    return _if_few(column, found)


def _addresses(column: Column) -> set[int]:
    """Give what is no IPv4 address where nearly all are."""
    wrong = {
        code
        for code, text in _said(column)
        if column.forms[code] == "9.9.9.9" and any(int(part) > _BOUNDS[-1] for part in text[:_MOST_TEXT].split("."))
    }
    return _if_few(column, wrong)


def _bound(values: Counter[int]) -> int | None:
    """Give the bound that nearly all numbers keep, up to which they reach, and beyond which they drop."""
    total = values.total()
    for bound in _BOUNDS:
        beyond = sum(count for value, count in values.items() if value > bound)
        if not beyond:
            return None
        if beyond > 0.05 * total or max(values) > 3 * bound + 40:
            continue
        width = max(1, bound // 12)
        last = sum(values[bound - at] for at in range(3 * width)) / (3 * width)
        width = max(1, max(values) - bound)
        if last >= 6 * beyond / max(width, 3) and last > 0:
            return bound
    return None


def _checked(column: Column) -> set[int]:
    """Give codes whose check digit is wrong where that of nearly all others is right."""
    some = [_plain(text) for text in column.texts[:_LEAST_VALUES]]
    for applies, is_right in _CHECKS:
        # by chance one in ten is right, so a few tell whether to look at all of them
        if sum(applies(text) is not None and is_right(text) for text in some) < _MANY * len(some):
            continue
        plain = {code: _plain(text) for code, text in _said(column)}
        likely = {code for code, text in plain.items() if applies(text)}
        cells = sum(column.counts[code] for code in likely)
        wrong = {code for code in likely if not is_right(plain[code])}
        if cells >= _CODED * column.filled and len(wrong) <= 2 * _MOST_WRONG * len(likely):
            return wrong if sum(column.counts[code] for code in wrong) <= _MOST_WRONG * cells else set()
    return set()


def _plain(text: str) -> str:
    return text[:_MOST_TEXT].replace("-", "").replace(" ", "").upper()


def _iban(text: str) -> bool:
    return bool(mod_97_10.is_valid(text[4:] + text[:4]))


_CHECKS: Final[tuple[tuple[Callable[[str], object], Callable[[str], bool]], ...]] = (
    (re.compile(r"(?:[0-9]{8}|[0-9]{12,14})").fullmatch, ean.is_valid),
    (re.compile(r"[0-9]{7}[0-9X]").fullmatch, issn.is_valid),
    (re.compile(r"[0-9]{9}[0-9X]").fullmatch, isbn.is_valid),
    (re.compile(r"[0-9]{14,19}").fullmatch, luhn.is_valid),
    (re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}").fullmatch, _iban),
)
