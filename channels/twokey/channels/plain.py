r"""Makes text from outside safe to show, wherever it is shown.

Rules: what is shown is what is there: control characters, escape sequences, bidirectional overrides and characters that
show nothing (Unicode's default ignorable code points, fillers) are made visible as ``\u{...}`` and never act; so are
combining marks beyond the sixth on one character, which would paint over the lines around. Line breaks survive only
where the caller says so. A cut never falls into such an escape, or between a character and its marks.
"""

import functools
import re
import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
# What shows nothing without being of a hidden category: joiners, fillers, variation selectors, the empty Braille cell.
_EMPTY: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_STACKED: Final = 6
_UNUSUAL: Final = re.compile(r"[^ -~]+")
_UNUSUAL_IN_LINES: Final = re.compile(r"[^ -~\n\t]+")
_ESCAPE: Final = re.compile(r"\\u\{[0-9a-f]{1,6}\}")
_LONGEST_ESCAPE: Final = 10


def line(text: str, limit: int = 400) -> str:
    """Give ``text`` as one harmless line of at most ``limit`` characters."""
    return shortened(_visible(text[: limit + 1], _UNUSUAL), limit)


def block(text: str) -> str:
    """Give ``text`` as harmless lines; line feeds and tabs stay."""
    return _visible(text, _UNUSUAL_IN_LINES)


def shortened(shown: str, limit: int) -> str:
    """Cut harmless text to ``limit`` characters and a mark, if it is longer."""
    return shown if len(shown) <= limit else shown[: cut_at(shown, limit)] + "…"


def cut_at(shown: str, position: int) -> int:
    """Give the last place at or before ``position`` where harmless text may be cut."""
    if position >= len(shown):
        return len(shown)
    while position > 0 and unicodedata.category(shown[position]) in _MARKS:
        position -= 1
    begin = shown.rfind("\\", max(0, position - _LONGEST_ESCAPE), position)
    escape = _ESCAPE.match(shown, begin) if begin >= 0 else None
    return begin if escape is not None and escape.end() > position else position


def _visible(text: str, unusual: re.Pattern[str]) -> str:
    return text if text.isascii() and text.isprintable() else unusual.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    """Give a run of unusual characters with each one that hides, acts or paints over others written out."""
    shown: list[str] = []
    marks = 0
    for character in found[0]:
        mark, hidden = _nature(character)
        marks = marks + 1 if mark else 0
        shown.append(f"\\u{{{ord(character):x}}}" if hidden or marks > _STACKED else character)
    return "".join(shown)


@functools.lru_cache(maxsize=4096)
def _nature(character: str) -> tuple[bool, bool]:
    """Tell whether a character is a combining mark, and whether it hides or acts."""
    category = unicodedata.category(character)
    return category in _MARKS, category in _HIDDEN or _EMPTY.match(character) is not None
