"""Outside text made harmless before it stands in anything a person reads.

Rules: what comes out is one line of visible characters, of bounded length; nothing in it opens a tag, a link, a
mention, an image, a code span or a list in Markdown, and nothing reorders or hides text. Plain names come out as they
went in. The original can be recognised, not restored.
"""

import unicodedata
from typing import Final

MAX_CHARS: Final = 120
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_STAND_INS: Final = str.maketrans(
    {
        "<": "\u2039",  # single angle quotation marks
        ">": "\u203a",
        "[": "(",
        "]": ")",
        "`": "'",
        "@": "\uff20",  # full width forms, which name nobody
        "#": "\uff03",
        "&": "\uff06",
        "!": "\uff01",
        "|": "\u00a6",
        "\\": "/",
    }
)


def speakable(name: str) -> bool:
    """Tell whether a name can be told to a person so that they recognise it: short enough, with a letter or digit."""
    return len(name) <= MAX_CHARS and any(char.isalnum() for char in name)


def line(text: str, limit: int = MAX_CHARS) -> str:
    """Give one visible line: blanks evened out, hidden and reordering characters dropped, cut at ``limit``."""
    shown = "".join(" " if char.isspace() else char for char in text[: limit * 8] if _is_shown(char) or char.isspace())
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def prose(text: str, limit: int = MAX_CHARS) -> str:
    """Give outside text for the middle of a sentence: one line without anything that Markdown or HTML act on."""
    found = line(text, limit).translate(_STAND_INS)
    for mark in ("**", "__", "~~", "://", "www.", "{{", "{%", "{#"):
        found = found.replace(mark, " ".join(mark))
    return found or "(no visible name)"


def code(text: str, limit: int = MAX_CHARS) -> str:
    """Give outside text as a code span of Markdown: the same, set apart from our own words."""
    return f"`{prose(text, limit)}`"


def _is_shown(char: str) -> bool:
    return unicodedata.category(char) not in _HIDDEN
