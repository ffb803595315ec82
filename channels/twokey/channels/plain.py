r"""Makes text from outside safe to show in a terminal.

Rules: what is shown is what is there: control characters, escape sequences, bidirectional overrides and invisible
characters are made visible as ``\u{...}`` and never act; line breaks survive only where the caller says so.
"""

import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def line(text: str, limit: int = 400) -> str:
    """Give ``text`` as one harmless line of at most ``limit`` characters."""
    shown = _visible(text[: limit + 1], keep="")
    return shown if len(shown) <= limit else shown[:limit] + "…"


def block(text: str) -> str:
    """Give ``text`` as harmless lines; line feeds and tabs stay."""
    return _visible(text, keep="\n\t")


def _visible(text: str, keep: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _HIDDEN
        else f"\\u{{{ord(character):x}}}"
        for character in text
    )
