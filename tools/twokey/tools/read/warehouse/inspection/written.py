"""What a text is written like, without what it says.

Rules: runs of digits are ``9``, runs of letters ``a``, runs of blanks one blank; other signs stay. Texts count up to
``MAX_FORM`` characters. All texts of a column are translated together, which costs a tenth of doing it one by one.
"""

from collections.abc import Sequence
from typing import Final

MAX_FORM: Final = 200
_SIGNS: Final = "9a "
"""Signs of which a run counts as one."""
_SHORTER: Final = (16, 4, 2, 2, 2)
"""So many signs become one, step by step, until no two stand together: most runs are short."""
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
    for sign in _SIGNS:
        forms = without_runs(forms, sign)
    return forms.split("\n")


def without_runs(text: str, sign: str) -> str:
    """Give ``text`` with each run of ``sign`` as one."""
    if sign + sign not in text:
        return text
    for several in _SHORTER:
        text = text.replace(sign * several, sign)
    while sign + sign in text:
        text = text.replace(sign + sign, sign)
    return text
