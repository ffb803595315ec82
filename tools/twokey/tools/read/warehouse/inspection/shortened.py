"""Values that say what a more frequent value says in a shorter or another form: initials, abbreviations, truth values.

Rules: the column must be a vocabulary, that is, a few frequent values make up nearly all of it. A single letter counts
where it begins just one frequent value, where every single letter of the column does so, and where there are two of
them; an abbreviation counts where a full stop says that it is one. Other words for yes and no count where one pair of
them prevails. What is shortened must be at most an eighth as frequent as what it stands for.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid

ENOUGH: Final = 30
DETAIL: Final = "shortened"
_LEAST_CELLS: Final = 5
_MOST_FREQUENT: Final = 300
_MOST_TEXT: Final = 60
_TIMES: Final = 8
_TIMES_INITIAL: Final = 3
_TRUTH_PREVAILS: Final = 0.75
_TRUTHS: Final[tuple[tuple[str, str], ...]] = (
    *(("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"), ("1", "0"), ("1.0", "0.0"), ("on", "off")),
    *(("ja", "nein"), ("oui", "non"), ("si", "no"), ("sí", "no"), ("j", "n"), ("sim", "não"), ("ja", "nee")),
)
_WORDS_OF_TRUTH: Final = frozenset(word for pair in _TRUTHS for word in pair)


def find(grid: Grid) -> Iterator[Problem]:
    """Give at most one problem per text column."""
    for column in grid.columns:
        if not column.is_text or column.filled < ENOUGH or column.distinct < 3 or column.most < _LEAST_CELLS:
            continue
        codes = _truths(column) or _initials(column) | _abbreviations(column)
        if codes:
            cells = cells_of(column.index, column.rows_of(codes))
            yield Problem("spelling_variants", (column.index,), cells, 84, DETAIL)


def _truths(column: Column) -> set[int]:
    """Give other words for yes and no in a column where one pair prevails."""
    if column.distinct > 2 * len(_WORDS_OF_TRUTH):
        return set()
    words = {code: text.casefold() for code, text in enumerate(column.texts) if text.casefold() in _WORDS_OF_TRUTH}
    ranked = sorted(words, key=lambda code: -column.counts[code])
    if len(ranked) < 3:
        return set()
    usual = {words[code] for code in ranked[:2]}
    most = sum(column.counts[code] for code in ranked[:2])
    if usual not in [set(pair) for pair in _TRUTHS] or most < _TRUTH_PREVAILS * column.filled:
        return set()
    # digits that count something go on after one
    if any(code not in words and text.isdigit() for code, text in enumerate(column.texts)):
        return set()
    return {code for code in words if words[code] not in usual}


def _initials(column: Column) -> set[int]:
    """Give single letters, each of which begins one frequent value."""
    single = {code for code, text in enumerate(column.texts) if len(text) == 1 and text.isalpha()}
    if len(single) < 2 or len(column.texts) > _MOST_FREQUENT:
        return set()
    begun: defaultdict[str, list[int]] = defaultdict(list)
    for code, text in enumerate(column.texts):
        if len(text) > 1 and column.counts[code] >= _LEAST_CELLS:
            begun[text[0].casefold()].append(code)
    for code in single:
        meant = {column.texts[other].casefold(): other for other in begun[column.texts[code].casefold()]}
        most = max(meant.values(), key=lambda other: column.counts[other], default=None)
        if most is None or _TIMES_INITIAL * column.counts[code] > column.counts[most]:
            return set()
        if any(other != most and column.counts[other] * _TIMES > column.counts[most] for other in meant.values()):
            return set()
    return single


def _abbreviations(column: Column) -> set[int]:
    """Give values of which a word ends in a full stop and begins the same word of one frequent value."""
    likely = [code for code, text in enumerate(column.texts) if "." in text and len(text) <= _MOST_TEXT]
    likely = [code for code in likely if any(_is_short(part) for part in column.texts[code].split())]
    if not likely:
        return set()
    frequent = sorted(
        (code for code, count in enumerate(column.counts) if count >= _LEAST_CELLS), key=lambda c: -column.counts[c]
    )[:_MOST_FREQUENT]
    by_length: defaultdict[int, list[tuple[int, Sequence[str]]]] = defaultdict(list)
    for code in frequent:
        parts = column.texts[code].casefold().split()
        by_length[len(parts)].append((code, parts))
    return {code for code in likely if _stands_for(column, code, by_length)}


def _is_short(word: str) -> bool:
    return len(word) > 1 and word.endswith(".") and word[:-1].isalpha()


def _stands_for(column: Column, code: int, by_length: Mapping[int, Sequence[tuple[int, Sequence[str]]]]) -> bool:
    parts = column.texts[code].casefold().split()
    meant = [
        other
        for other, words in by_length.get(len(parts), ())
        if other != code and all(map(_may_be, parts, words)) and any(map(_is_short, parts))
    ]
    return len(meant) == 1 and column.counts[meant[0]] >= _TIMES * column.counts[code]


def _may_be(short: str, word: str) -> bool:
    return short == word or (_is_short(short) and len(word) > len(short) - 1 and word.startswith(short[:-1]))
