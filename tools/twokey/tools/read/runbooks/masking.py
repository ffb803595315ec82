"""Secrets in a text, masked.

Rules: what has the form of a credential, what is assigned to a name such as ``password`` or ``token``, and the body of
a private key become ``MASK``; lines stay where they are. A form that is not known here is not seen: a mask limits what
an accident costs, and is no licence to keep secrets in runbooks.
"""

import re
from typing import Final

from twokey.tools.read.warehouse.detectors import is_secret

MASK: Final = "[masked]"
_KEY: Final = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----)(.*?)(-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_ASSIGNED: Final = re.compile(
    r"(?i)\b((?:[a-z0-9]{1,20}[_-]){0,4}(?:passw(?:or)?d|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key))"
    r"([\"']?\s{0,3}[:=]\s{0,3}[\"']?)([^\s\"'`,;<>|]{6,200})"
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)( )([A-Za-z0-9._~+/=-]{12,400})")
_WORD: Final = re.compile(r"[^\s\"'`,;()<>\[\]{}|]{16,400}")
_OPEN: Final = re.compile(r"\$\{?[A-Za-z_]|\*{3}|x{6}|\.{3}|%[A-Za-z_]|\{\{")
"""A placeholder stands where the secret would."""


def masked(text: str) -> str:
    """Give the text with secrets masked, each line where it was."""
    text = _KEY.sub(lambda found: f"{found[1]}{_lines(found[2])}{found[3]}", text)
    text = _ASSIGNED.sub(lambda found: found[0] if _OPEN.search(found[3]) else f"{found[1]}{found[2]}{MASK}", text)
    text = _BEARER.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text)
    return _WORD.sub(lambda found: MASK if _is_secret(found[0]) else found[0], text)


def _lines(body: str) -> str:
    """Keep as many lines as there were."""
    return MASK + "\n" * body.count("\n")


def _is_secret(word: str) -> bool:
    bare = word.rstrip(".:!?*_")
    return is_secret(bare) or any(is_secret(part) for part in re.split(r"[=:/@?&]", bare) if len(part) >= 16)
