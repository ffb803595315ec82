"""Texts that stand where a value is missing.

Rules: a text that can mean nothing else (``N/A``, ``NULL``) counts everywhere but among short codes, where ``NA``
may be a country; a word that can be an answer (``unknown``, ``none``, ``-``) counts only where the column otherwise
holds numbers or dates. A column that holds nothing else is not called wrong: somebody chose the word.
"""

from collections.abc import Mapping, Sequence
from typing import Final

_SURE: Final = frozenset(
    {"n/a", "#n/a", "n.a.", "null", "(null)", "<null>", "nan", "<na>", "#null!", "\\n", "nil", "[null]"}
)
_WEAK: Final = frozenset(
    {"-", "--", "---", "?", "??", ".", "na", "none", "unknown", "missing", "undefined", "tbd", "tba", "void", "blank"}
    | {"not available", "not applicable", "no data", "#value!", "#ref!", "#div/0!", "#name?", "(blank)", "n\\a"}
)
_ANY: Final = _SURE | _WEAK
_CODE_LENGTH: Final = 3
_MAX_LENGTH: Final = 14
_MOST_SIGNS: Final = 0.3
_ENOUGH: Final = 30
_MOST_WORDS: Final = 0.005
_DATED: Final = ("9-9-9", "9/9/9", "9.9.9", "9:9")


def standing_for_nothing(
    texts: Sequence[str], counts: Sequence[int], cells_of_forms: Mapping[str, int], numeric: int
) -> frozenset[int]:
    """Give the texts of a column that stand for a missing value, as indexes; ``numeric`` cells hold plain numbers."""
    if _ANY.isdisjoint(map(str.casefold, texts)):
        return frozenset()  # as in nearly every column
    sure: set[int] = set()
    weak: set[int] = set()
    for code, text in enumerate(texts):
        if len(text) <= _MAX_LENGTH:
            word = text.casefold()
            if word in _SURE:
                sure.add(code)
            elif word in _WEAK:
                weak.add(code)
    others = sum(counts) - sum(counts[code] for code in sure | weak)
    if not others:
        return frozenset()
    # a sign without a letter or digit is no answer where the others are words or numbers
    signs = {code for code in weak if not any(map(str.isalnum, texts[code]))}
    if signs and sum(counts[code] for code in signs) <= _MOST_SIGNS * others:
        sure |= signs
    if weak:
        dated = sum(cells for form, cells in cells_of_forms.items() if form.startswith(_DATED))
        if numeric + dated >= 0.8 * others or _is_another_kind(texts, counts, weak | sure, others):
            sure |= weak
    if sure and _are_codes(texts, counts, sure):
        sure = {code for code in sure if not texts[code].isalpha() or len(texts[code]) > _CODE_LENGTH}
    return frozenset(sure)


def _is_another_kind(texts: Sequence[str], counts: Sequence[int], without: set[int], others: int) -> bool:
    """Whether hardly any other value is a single word: then a word is no answer."""
    words = sum(
        count
        for code, (text, count) in enumerate(zip(texts, counts, strict=True))
        if code not in without and text.isalpha()
    )
    return others >= _ENOUGH and words <= _MOST_WORDS * others and len(texts) - len(without) >= _ENOUGH


def _are_codes(texts: Sequence[str], counts: Sequence[int], without: set[int]) -> bool:
    """Whether the other values are short codes of letters, among which an abbreviation may be one of them."""
    others = [(text, counts[code]) for code, text in enumerate(texts) if code not in without]
    short = sum(count for text, count in others if len(text) <= _CODE_LENGTH and text.isalpha())
    return short >= 0.8 * sum(count for _, count in others)
