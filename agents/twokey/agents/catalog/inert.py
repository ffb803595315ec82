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
    shown = text[: limit * 8]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(" " if char.isspace() else char for char in shown if _is_shown(char) or char.isspace())
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


_ANYWHERE: Final = ("://", "www.", "{{", "{%", "{#")
_OUTSIDE_CODE: Final = ("**", "__", "~~")


def prose(text: str, limit: int = MAX_CHARS) -> str:
    """Give outside text for the middle of a sentence: one line without anything that Markdown or HTML act on."""
    return _broken(text, limit, (*_OUTSIDE_CODE, *_ANYWHERE))


def code(text: str, limit: int = MAX_CHARS) -> str:
    """Give outside text as a code span of Markdown: as in prose, but what marks emphasis means nothing there."""
    return f"`{_broken(text, limit, _ANYWHERE)}`"


def _broken(text: str, limit: int, marks: tuple[str, ...]) -> str:
    found = line(text, limit).translate(_STAND_INS)
    for mark in marks:
        found = found.replace(mark, " ".join(mark))
    return found or "(no visible name)"


def _is_shown(char: str) -> bool:
    return unicodedata.category(char) not in _HIDDEN
