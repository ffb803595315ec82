"""Builds the document that policy reads: the intended call, and the time in nanoseconds.

Rules: the document is a function of the call alone, so each past decision can be taken again; its canonical part is
hashed, ``now_ns`` (the call's own time times 1000, for Rego) stands beside it because it is not below 2**53.
"""

import hashlib
from dataclasses import dataclass
from typing import cast

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.values import Call


@dataclass(frozen=True, slots=True)
class Document:
    """The input document as JSON bytes, and the SHA-256 (hexadecimal) of its canonical part."""

    text: bytes
    digest: str


def build(call: Call) -> Document:
    """Give the document of ``call``.

    Raises:
        ValueError: the arguments hold something that has no canonical form (a float, a lone surrogate ...).

    """
    fields = cast("dict[str, Json]", call.canonical())
    part = canonical.encode_plain({"type": "twokey/input/v1", **fields})
    text = b'%b,"now_ns":%d}' % (part[:-1], call.now_us * 1000)
    return Document(text=text, digest=hashlib.sha256(part).hexdigest())
