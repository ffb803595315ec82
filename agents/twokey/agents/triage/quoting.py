"""Words of a ticket that may stand in a sentence of Twokey's own.

Rules: a quote is short, one line, and made of letters, digits, blanks and a few marks that no renderer, shell, template
or tracker acts on: no ``@`` (mentions), ``#`` (references), backticks, brackets, slashes or ``:`` (links, commands).
What looks like a secret, an address or a long number is masked, because a reason travels further than the ticket.
"""

import re
from typing import Final

LONGEST: Final = 40

_SAFE: Final = frozenset(" '-.,?!%+_")
_SECRET: Final = re.compile(
    r"[A-Za-z0-9_+/=-]{16,}|\d{6,}|\S+@\S+|(?i:(?:password|passwd|token|secret|key)\s{0,3}[=:]\s{0,3}\S+)"
)


def quoted(text: str) -> str:
    """Quote words of a ticket, shortened, masked and made inert."""
    line = " ".join(text[: 4 * LONGEST].split())
    masked = _SECRET.sub("...", line)
    safe = "".join(mark if mark.isalnum() or mark in _SAFE else " " for mark in masked)
    short = " ".join(safe.split())
    if len(short) > LONGEST:
        short = short[: LONGEST - 3].rstrip() + "..."
    return f'"{short}"'
