"""Rare values that read like a frequent one: slips of the pen, and other spellings of the same.

Rules: the column must repeat its values; digits are never compared (``unit 1`` is not a slip of ``unit 2``); the
nearer the two texts, the less often the right one has to be; a prefix that turns a word into another (``inactive``)
is no slip; and a value that is itself repeated must hold letters in an order that the column does not know. Edit
distance: optimal string alignment (Damerau 1964), by RapidFuzz.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from twokey.tools.read.warehouse.inspection.found import Problem, cells_of
from twokey.tools.read.warehouse.inspection.grid import Column, Grid, masked

ENOUGH: Final = 30
_MOST_FREQUENT: Final = 300
_MOST_RARE: Final = 1_500
_MAX_LENGTH: Final = 300
_REPEATED: Final = 3
_MOST_KEPT: Final = 0x3000
_MOST_NUMBERS: Final = 0.15
_OPEN: Final = 0.12
"""Share of cells with rare values from which a column has an open vocabulary, as one of first names has."""
_LONG: Final = 9
_LEAST: Final = 3
"""Letters of a word among others below which another letter makes another word."""


class _Bare(dict[int, int | None]):
    """Translation table that fills itself: letters and digits stay, and a line break that stands between texts."""

    def __missing__(self, code: int) -> int | None:
        kept = code if chr(code).isalnum() else None
        if code < _MOST_KEPT:
            self[code] = kept
        return kept


_BARE: Final = _Bare({10: 10})


def find(grid: Grid) -> Iterator[Problem]:
    """Give at most two problems per text column: spelling variants, and slips."""
    for column in grid.columns:
        if not column.is_text or column.filled < ENOUGH or column.distinct < 2:
            continue
        if column.numeric > 0.5 * column.filled:
            variants = _numbers(column)
            if 0 < sum(column.counts[code] for code in variants) <= _MOST_NUMBERS * column.filled:
                yield Problem(
                    "spelling_variants", (column.index,), cells_of(column.index, column.rows_of(variants)), 80
                )
            continue
        variants = _variants(column)
        if variants:
            yield Problem("spelling_variants", (column.index,), cells_of(column.index, column.rows_of(variants)), 85)
        slips = _slips(column) - variants
        if slips:
            yield Problem("misspelt_values", (column.index,), cells_of(column.index, column.rows_of(slips)), 88)


def _words(column: Column) -> Mapping[str, list[int]]:
    """Texts with letters, without their digits, and the codes that share each."""
    nothing = column.nothing
    words: defaultdict[str, list[int]] = defaultdict(list)
    forms = column.forms
    told = [
        code
        for code, text in enumerate(column.texts)
        if code not in nothing and len(text) <= _MAX_LENGTH and "a" in forms[code]
    ]
    for code, word in zip(told, masked([column.texts[code] for code in told]), strict=True):
        words[word].append(code)
    return words


def _variants(column: Column) -> set[int]:
    """Values that differ from a more frequent one in case, blanks and punctuation only."""
    if column.most < _REPEATED:
        return set()
    keys = _folded(column.texts)
    if len(set(keys)) == len(keys):
        return set()
    same: defaultdict[str, list[int]] = defaultdict(list)
    for code, key in enumerate(keys):
        if key and not key.isdigit():
            same[key].append(code)
    return _rarer(column, same.values())


def _folded(texts: Sequence[str]) -> Sequence[str]:
    """Give each text without case, blanks and punctuation. All at once, which costs a third of one by one."""
    keys = "\n".join(texts).casefold().translate(_BARE).split("\n")
    return keys if len(keys) == len(texts) else [text.casefold().translate(_BARE).replace("\n", "") for text in texts]


def _numbers(column: Column) -> set[int]:
    """Numbers that are also written in a more frequent way: ``7.0`` beside ``7``."""
    if column.most < _REPEATED or not {"9", "9.9"} <= set(column.forms):
        return set()
    same: defaultdict[float, list[int]] = defaultdict(list)
    for code, number in enumerate(column.numbers):
        if number is not None and not column.texts[code].startswith("0"):
            same[number].append(code)
    return _rarer(column, [codes for codes in same.values() if any("." in column.texts[code] for code in codes)])


def _rarer(column: Column, same: Iterable[Sequence[int]]) -> set[int]:
    """Give what is at most a third as frequent as the most frequent of those that are the same."""
    found: set[int] = set()
    for codes in same:
        if len(codes) > 1:
            most = max(codes, key=lambda code: column.counts[code])
            found.update(code for code in codes if code != most and 3 * column.counts[code] <= column.counts[most])
    return found


def _slips(column: Column) -> set[int]:
    if (
        column.distinct > 0.5 * column.filled
        and column.most < _REPEATED
        and len(set(column.forms)) > 0.1 * column.filled
    ):
        return set()
    words = _words(column)
    counts = {word: sum(column.counts[code] for code in codes) for word, codes in words.items()}
    total = sum(counts.values())
    if column.distinct > 0.5 * column.filled and len(words) > 0.1 * total:
        return set()  # nearly every value is its own
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    frequent = [word for word in ranked[:_MOST_FREQUENT] if counts[word] >= 5]
    most_rare = max(2, total // 50)
    rare = [word for word in reversed(ranked) if counts[word] <= most_rare][:_MOST_RARE]
    if not frequent or sum(counts[word] for word in frequent) < 0.5 * total:
        return set()
    known = _pairs_of(frequent, counts)
    few = len(frequent) <= 40
    is_open = sum(counts[word] for word in ranked if counts[word] <= 2) > _OPEN * total
    found: set[int] = set()
    for word in rare:
        if is_open and len(word) < _LONG:
            continue
        right = _meant(word, [other for other in frequent if counts[other] >= 8 * counts[word]], few=few)
        if right is None or counts[right] < _times(word, right) * counts[word]:
            continue
        if (counts[word] >= 3 or is_open or not few) and not _has_new_pair(word, known, 8 * counts[word]):
            continue
        found.update(words[word])
    for word in _with_a_short_word_off(rare, frequent, counts):
        found.update(words[word])
    return found


def _with_a_short_word_off(rare: Sequence[str], frequent: Sequence[str], counts: Mapping[str, int]) -> Iterator[str]:
    """Give texts whose other words only one frequent text holds, and one of whose words no frequent text does."""
    wholes: defaultdict[tuple[int, int, str], list[str]] = defaultdict(list)
    known: set[str] = set()
    for text in frequent:
        parts = text.split()
        known.update(parts)
        for at in range(len(parts)):
            wholes[len(parts), at, _without(parts, at)].append(text)
    for word in rare:
        parts = word.split()
        odd = [at for at, part in enumerate(parts) if part not in known]
        if len(parts) < 2 or len(odd) != 1 or counts[word] > 2 or not parts[odd[0]].isalpha():
            continue
        rest = _without(parts, odd[0])
        meant = wholes.get((len(parts), odd[0], rest), ())
        if len(meant) == 1 and _letters(rest) >= _LEAST + 1 and counts[meant[0]] >= 10 * counts[word]:
            theirs = meant[0].split()[odd[0]]
            if min(len(parts[odd[0]]), len(theirs)) < _LEAST <= len(parts[odd[0]]) + len(theirs) and (
                OSA.distance(parts[odd[0]], theirs) == 1
            ):
                yield word


def _without(parts: Sequence[str], at: int) -> str:
    return " ".join((*parts[:at], *parts[at + 1 :]))


def _meant(word: str, choices: Sequence[str], *, few: bool) -> str | None:
    """Give the frequent value that a rare one may be a slip of."""
    allowed = _allowed(_letters(word), few=few)
    if not allowed or not choices:
        return None
    best = process.extractOne(word, choices, scorer=OSA.distance, score_cutoff=allowed)
    if best is None or best[1] == 0:
        return None
    right = str(best[0])
    if best[1] > _allowed(min(_letters(word), _letters(right)), few=few) or _is_another_word(word, right):
        return None
    return right if _words_are_near(word, right) else None


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _words_are_near(word: str, right: str) -> bool:
    """Whether texts of several words differ by slips within words, and not by a word of another meaning."""
    mine, theirs = word.split(), right.split()
    if len(mine) != len(theirs):
        return OSA.distance(word, right) <= max(1, min(len(word), len(right)) // 6)
    return all(
        a == b or (min(len(a), len(b)) >= _LEAST and OSA.distance(a, b) <= max(1, min(len(a), len(b)) // 3))
        for a, b in zip(mine, theirs, strict=True)
    )


def _allowed(length: int, *, few: bool) -> int:
    """Give how many letters may differ in a text of so many."""
    if length < 3:
        return 0
    if length <= 4:
        return 1 if few else 0
    return max(1, min(length // 4, 30)) if length > 8 else (2 if length >= 7 else 1)


def _times(word: str, right: str) -> int:
    """Give how many times as frequent the right value has to be."""
    length = min(len(word), len(right))
    return 30 if length <= 4 else 10


def _is_another_word(word: str, right: str) -> bool:
    """Whether one text is the other with something before it, or with one more word."""
    longer, shorter = (word, right) if len(word) > len(right) else (right, word)
    return len(longer) - len(shorter) >= 2 and (longer.endswith(shorter) or longer.startswith(shorter + " "))


def _pairs_of(frequent: Sequence[str], counts: Mapping[str, int]) -> Mapping[str, int]:
    """Give each pair of neighbouring letters with the cells of the most frequent value that holds it."""
    known: dict[str, int] = {}
    for word in frequent:
        for at in range(len(word) - 1):
            known.setdefault(word[at : at + 2], counts[word])  # the most frequent come first
    return known


def _has_new_pair(word: str, known: Mapping[str, int], least: int) -> bool:
    """Whether a text holds two letters side by side that no value of at least so many cells holds."""
    return any(known.get(word[at : at + 2], 0) < least for at in range(len(word) - 1))
