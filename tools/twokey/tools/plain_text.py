"""Texts and names that a pull request may carry.

Rules: a title is one line that shows what it holds; a body is lines of text. Neither holds control characters,
characters that reorder or hide text (bidirectional marks, Unicode TR 36), or separators that some programs take for a
line end. A branch name is one that git takes (git-check-ref-format(1)) and that no shell or option parser trips over.
"""

import unicodedata
from typing import Annotated, Final

from dulwich.refs import Ref, check_ref_format
from pydantic import AfterValidator, StringConstraints

_NEVER: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_shown(char: str) -> bool:
    """Tell whether a character may stand in text that people read: it is visible and moves nothing around it."""
    return unicodedata.category(char) not in _NEVER and char not in _BIDI


def check_line(text: str) -> str:
    """Let one line of visible text pass; raises ``ValueError``."""
    if text != text.strip() or not all(map(is_shown, text)):
        raise ValueError("one line of visible text, without blanks around it")
    return text


def check_text(text: str) -> str:
    """Let lines of visible text pass; raises ``ValueError``."""
    if not all(char in "\n\t" or is_shown(char) for char in text):
        raise ValueError("lines of visible text; a line ends with a line feed")
    return text


def _check_branch(name: str) -> str:
    if not check_ref_format(Ref(b"heads/" + name.encode())) or not all(map(is_shown, name)) or name == "HEAD":
        raise ValueError("a branch name that git takes")
    return name


Title = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(check_line)]
Body = Annotated[str, StringConstraints(max_length=60_000), AfterValidator(check_text)]
BranchName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^-]"), AfterValidator(_check_branch)
]
OwnBranch = Annotated[
    str, StringConstraints(pattern=r"^twokey/[a-z0-9][a-z0-9._-]{0,99}$"), AfterValidator(_check_branch)
]
"""A branch of ours: one name below ``twokey/``."""
