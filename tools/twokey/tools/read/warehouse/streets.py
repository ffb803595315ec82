"""Recognises addresses: a street with its number in the order of some country, a part of one, a whole one, a map's.

Rules: shape and words for kinds of streets decide, never a list of streets; English, German, French, Spanish,
Portuguese, Italian and Dutch. Texts are given folded (``gazetteer.fold``) where that is said. Linear in the text.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from twokey.tools.read.warehouse import gazetteer
from twokey.tools.read.warehouse.signal_names import SignalName

_NUMBERED: Final = re.compile(r"[0-9]{1,6}[a-z]?(?:[-/ ][0-9]{1,4}[a-z]?)? +[^\s]")
_NUMBERED_END: Final = re.compile(r"[^\W\d_].{2,60} [0-9]{1,4} ?[a-z]?(?: ?[-/] ?[0-9]{1,4}[a-z]?)?", re.UNICODE)
_ORDINAL: Final = re.compile(r"[0-9]{1,3}(?:st|nd|rd|th)")
_BOX: Final = re.compile(r"(?:p\.? ?o\.? ?(?:box|drawer)|post office box|postfach|postbus|apartado|boite postale|bp)\b")
_BOX_BEGINS: Final = frozenset("pab")
_PART: Final = re.compile(
    r"(?:suite|ste|apt|apartment|unit|fl|floor|room|rm|bldg|building|lot|spc|space|piso|local|oficina|apto|bureau|etage"
    r"|c/o|attn|#)[ .:#-]{0,3}.{0,40}|[0-9]{1,3}(?:st|nd|rd|th) (?:floor|fl)"
)
_STATE_ZIP: Final = re.compile(r"\b[A-Z]{2}[ ,]{1,3}[0-9]{5}(?:-[0-9]{4})?\b|\b[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]\b")
_GEOMETRY: Final = re.compile(
    r"(?:SRID=[0-9]{1,6};)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON) ?(?:Z |M )?\(", re.IGNORECASE
)
_EAST_ASIAN: Final = re.compile(
    r"[^\s0-9]{1,12}[\u90fd\u9053\u5e9c\u770c\u7701\u5e02\u533a\u5340\u753a\u6751\u90e1\u8def\u8857][^\s]{0,20}[0-9]"
)
"""A place that is named as a prefecture, city, ward, road or street in Japanese or Chinese, then a number."""
_ENDS: Final = (
    "strasse",
    "str",
    "weg",
    "platz",
    "allee",
    "gasse",
    "ring",
    "damm",
    "ufer",
    "straat",
    "laan",
    "plein",
    "gracht",
    "kade",
    "dijk",
    "gatan",
    "vagen",
    "vej",
    "gade",
)  # fmt: skip - a list of endings reads better as one


def is_geometry(value: str) -> bool:
    """Whether a text begins as a geometry in well-known text (ISO 19125) does."""
    return "(" in value and _GEOMETRY.match(value) is not None


def is_part(folded: str) -> bool:
    """Whether a folded text is what stands beside a street and number: a suite, a floor."""
    return _PART.match(folded) is not None


def of_mixed(value: str, folded: str) -> Iterator[SignalName]:
    """Name what a text of letters and digits is of an address."""
    if "\n" in value or (not value.islower() and _STATE_ZIP.search(value)):
        if " " in value and not value.startswith("("):
            yield "full_address"
    elif is_street(folded):
        yield "street"
    elif is_part(folded):
        yield "street_part"


def is_numbered(folded: str) -> bool:
    """Whether a folded text begins with a number and goes on in words, as an address may."""
    return _NUMBERED.match(folded) is not None and folded.count(" ") <= 8


def is_street(folded: str) -> bool:
    """Whether a folded text with a digit reads as a street with its number, or as a post-office box."""
    if len(folded) < 5:
        return False
    if folded[0] in _BOX_BEGINS and _BOX.match(folded):
        return True
    if not folded.isascii() and _EAST_ASIAN.match(folded):
        return True
    words = folded.replace(",", " ").split()
    if words[0][0].isdigit():
        return _has(words[1:], gazetteer.STREET) or any(map(_ORDINAL.fullmatch, words[1:]))
    first = words[0].strip(".")
    if gazetteer.known().get(first, 0) & gazetteer.STREET and len(words) >= 2:
        return True
    if 2 <= len(words) <= 6 and _NUMBERED_END.fullmatch(folded):
        return any(word.rstrip(".").endswith(_ENDS) for word in words[:-1])
    return False


def _has(words: Iterable[str], bit: int) -> bool:
    known = gazetteer.known()
    return any(known.get(word.strip(".#"), 0) & bit for word in words)
