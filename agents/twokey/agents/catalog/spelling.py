"""Repairs words of names that were misspelt, or that lost a letter with an accent on their way (``g_nero``).

Rules: only towards words of kinds whose values have a look of their own (``vocabulary``). A slip is one letter too
many, too few, wrong or in the wrong place in a long word, never the first. A word that is known stays as it is. A
repaired name is a hint, which values must confirm.
"""

from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from twokey.agents.catalog.vocabulary import BY_NAME, Kind

_WITH_A_LOOK: Final[tuple[Kind, ...]] = (
    "email", "phone", "street_address", "person_name", "postal_code", "coordinate", "state", "city", "country",
    "gender", "demographic", "url", "company", "birth_date", "age",
)  # fmt: skip
_KNOWN: Final = frozenset(word for entries in BY_NAME.values() for entry in entries for word in entry)
_LEAST_LETTERS: Final = 7
_WORDS: Final = tuple(
    sorted({word for kind in _WITH_A_LOOK for entry in BY_NAME[kind] for word in entry if word.isascii()})
)
_LONG_WORDS: Final = {
    first: tuple(word for word in _WORDS if len(word) >= _LEAST_LETTERS and word[0] == first)
    for first in {word[0] for word in _WORDS}
}
_SHORTEST_WITH_A_GAP: Final = 4
_LOST: Final = frozenset("aeiounc")
"""Letters that carry accents in the languages of the vocabulary."""


def _gapped() -> dict[tuple[str, ...], str]:
    """Give the parts of every word that lost one letter or two, with the word."""
    found: dict[tuple[str, ...], str] = {}
    for word in _WORDS:
        lost = [index for index, letter in enumerate(word) if letter in _LOST and 0 < index < len(word) - 1]
        if len(word) < _SHORTEST_WITH_A_GAP:
            continue
        for index in lost:
            found.setdefault((word[:index], word[index + 1 :]), word)
            for other in lost:
                if other > index + 1:
                    found.setdefault((word[:index], word[index + 1 : other], word[other + 1 :]), word)
    return found


_GAPPED: Final = _gapped()


@lru_cache(maxsize=65_536)
def repaired(words: tuple[str, ...]) -> tuple[str, ...]:
    """Give the words of a name with gaps closed and slips mended; the same words where there are none."""
    found: list[str] = []
    rest = words
    while rest:
        size = 3 if _closed(rest[:3]) else 2 if _closed(rest[:2]) else 1
        found.append(_closed(rest[:size]) or _mended(rest[0]))
        rest = rest[size:]
    return tuple(found)


def _closed(parts: tuple[str, ...]) -> str:
    """Give the word that lost one letter between each two of ``parts``; empty where there is none."""
    if len(parts) < 2 or all(len(part) > 1 and part in _KNOWN for part in parts):
        return ""
    return _GAPPED.get(parts, "")


def _mended(word: str) -> str:
    if len(word) < _LEAST_LETTERS - 1 or word in _KNOWN or not word.isascii():
        return word
    near = (known for known in _LONG_WORDS.get(word[0], ()) if OSA.distance(word, known, score_cutoff=1) <= 1)
    return next(near, word)
