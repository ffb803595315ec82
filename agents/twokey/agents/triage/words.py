"""Words of a text, in forms that say how somebody writes rather than what about.

Rules: case is folded; a word is cut at 30 characters, so that a pasted blob stays one short token; the work is linear
in the text. ``frame`` keeps the small words of a sentence and blanks the others, because "would be nice to X" is a wish
whatever X is; ``shapes`` keeps endings and spelling, which tells "Adding", "crashes" and "to_csv" apart without knowing
them. Both are after the idea of function-word and part-of-speech n-grams in authorship studies (Stamatatos 2009,
doi:10.1002/asi.21001).
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

MAX_WORD: Final = 30

_WORD: Final = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+|[?!]")
_TOKEN: Final = re.compile(r"[A-Za-z_][\w.]*(?:'[a-z]+)?|\d[\d.]*|[?!.,:;()\[\]`\"]")
_NAMED: Final = re.compile(r"[a-z][A-Z]")
_ENDINGS: Final = ("ing", "ed", "ly", "tion", "er", "able", "s", "e")

_SMALL: Final = """
    a an the i we you it he she they my our your this that these those is are was were be been being am do does did done
    have has had can could will would shall should may might must not no to of in on at for from with without by as if
    when while how what why which who where there here and or but so because than then just only also very too any some
    all each every more most other such please thanks thank hi hello need want like try tried trying use using used see
    get got make made work works working would've i'm i've don't doesn't didn't can't won't isn't it's after before
    instead support add allow possible feature error bug issue problem expected actual behavior behaviour request
    """
SMALL: Final = frozenset(_SMALL.split())
"""Words that carry the frame of a sentence, and the few with which tickets say what they are."""


def words(text: str) -> list[str]:
    """Give the words of a text, and its question and exclamation marks."""
    return [word[:MAX_WORD] for word in _WORD.findall(text.casefold())]


def grams(tokens: Sequence[str], longest: int = 2) -> list[str]:
    """Give the tokens and their sequences of up to ``longest`` (2 or 3)."""
    result = list(tokens)
    result += [f"{one} {two}" for one, two in pairwise(tokens)]
    if longest > 2:
        result += [f"{one} {two} {three}" for one, two, three in zip(tokens, tokens[1:], tokens[2:], strict=False)]
    return result


def runs(text: str, shortest: int = 2, longest: int = 5) -> list[str]:
    """Give every sequence of 2 to 5 characters: beginnings and endings of words, and words that are written as one."""
    line = f" {' '.join(text.casefold().split())} "
    return [line[at : at + length] for length in range(shortest, longest + 1) for at in range(len(line) - length + 1)]


def frame(tokens: Sequence[str]) -> list[str]:
    """Blank every word but the small ones."""
    return [token if token in SMALL else "_" for token in tokens]


def shapes(text: str) -> list[str]:
    """Give small words as they are, and of every other word its ending and spelling."""
    return [_shape(token[:MAX_WORD]) for token in _TOKEN.findall(text)]


def _shape(token: str) -> str:
    low = token.lower()
    if low in SMALL or not (token[0].isalpha() or token[0] == "_"):
        return "0" if token[0].isdigit() else low
    if "_" in token or "." in token or _NAMED.search(token) is not None:
        return "NAME"
    if token.isupper():
        return "UPPER"
    first = "C" if token[0].isupper() else ""
    for ending in _ENDINGS:
        if low.endswith(ending):
            return f"{first}-{ending}"
    return first or "_"
