"""What a text is written like, without what it says.

Rules: runs of digits are ``9``, runs of letters ``a``, runs of blanks one blank; other signs stay. Texts count up to
``MAX_FORM`` characters. All texts of a column are translated together, which costs a tenth of doing it one by one.
"""

import re
from collections.abc import Sequence
from typing import Final

MAX_FORM: Final = 200
_RUNS: Final = ((re.compile("99+"), "9"), (re.compile("aa+"), "a"), (re.compile("  +"), " "))
_MOST_KEPT: Final = 0x3000


class _Written(dict[int, str]):
    """Translation table that fills itself. A line break stays, because it stands between texts."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if sign in "0123456789":
            sign = "9"
        elif sign.isalnum() and not sign.isdecimal():
            sign = "a"
        elif sign.isspace():
            sign = " "
        if code < _MOST_KEPT:
            self[code] = sign
        return sign


_WRITTEN: Final = _Written({10: "\n"})


def forms_of(texts: Sequence[str]) -> list[str]:
    """Give the form of each text."""
    if not texts:
        return []
    joined = "\n".join([text[:MAX_FORM] for text in texts])
    if joined.count("\n") != len(texts) - 1:
        joined = "\n".join([text[:MAX_FORM].replace("\n", " ") for text in texts])
    forms = joined.translate(_WRITTEN)
    for run, sign in _RUNS:
        forms = run.sub(sign, forms)
    return forms.split("\n")
