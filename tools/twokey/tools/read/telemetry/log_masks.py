"""What in a log line is surely a value: numbers, addresses, ids, times, hosts, places, paths.

Rules: one pass of one expression that cannot backtrack far; lines are cut to ``MAX_LINE`` characters first; no list of
products, services or words. A line becomes words and what stands between them; a word that is a value is ``WILD``.
"""

import re
from typing import Final

MAX_LINE: Final = 1_000
MAX_WORDS: Final = 120
WILD: Final = "<*>"

_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DATE: Final = (
    rf"(?:{_DAY},?\s+)?(?:{_MONTH}\s+\d{{1,2}}|\d{{1,2}}\s+{_MONTH})"
    r"(?:,?\s+\d\d:\d\d:\d\d(?:\.\d+)?)?(?:\s+\d{4})?\b"
)
_NUMBER: Final = r"\d+(?:[,_]\d{3})*(?:\.\d+)*"
_SIZE: Final = r"(?:[kKMGTP]i?[bB](?:ps|/s)?|[kKMGT]?Hz|[KMGTB%])(?!\w)"
"""A size's unit changes with the number, so it is part of the value; that of a duration stays in the text."""
VALUES: Final = re.compile(
    "|".join(
        (
            r"(?<=://)[^\s\"'<>\[\](){},;]+",  # places, whatever their scheme
            r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",  # addresses of people
            _DATE,
            r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?",
            r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b",
            r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])",  # hardware, IPv6, times of day
            r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.])",
            r"\b0[xX][0-9a-fA-F]+\b",
            r"(?<![\w./-])(?:/(?!\d{1,3}(?:\.\d{1,3}){3})[\w.$@%+~=-]+)+/?(?=[\s,;:)\]'\"]|$)",  # paths
            r"(?<![\w.-])(?:[A-Za-z0-9-]+\.){1,8}[A-Za-z]{2,}:\d{1,5}(?![\w.-])",  # hosts with a port
            r"(?<![\w.-])(?=[a-zA-Z.-]*\d)(?:[A-Za-z0-9-]+\.){2,8}[A-Za-z]{2,}(?![\w.-])",  # hosts with a number
            rf"(?<![A-Za-z\d.])[+-]?{_NUMBER}\s?{_SIZE}",
            r"\b(?=[a-f]*\d)(?=\d*[a-f])[a-f\d]{8,}\b",  # digests
            r"(?<=_)-?\d+",
            rf"(?<![A-Za-z\d]){_NUMBER}",
            r"(?<=[A-Za-z])\d{3,}",
        )
    )
)
_SIGNED: Final = re.compile(r"(?<![\w<>*])[+-]<\*>")
_JOINED: Final = re.compile(r"<\*>(?:(?:[-_.:/#]|_[A-Za-z]_)?<\*>)+")
_REPEATED: Final = re.compile(r"(?<!\S)(\S*<\*>\S*)(?:\s+\1(?!\S))+")
_PARTS: Final = re.compile(r"[^\s=:,;()\[\]{}\"'|]+|(?<=\()(?=\))")
"""Words, and the nothing between empty brackets, where other lines may have a value."""


def masked(line: str) -> str:
    """Give the line with ``WILD`` where values stand."""
    if len(line) > MAX_LINE:
        line = line[:MAX_LINE].rpartition(" ")[0]  # the last word may be half a word
    text = " ".join(VALUES.sub(WILD, line).split())
    if WILD in text:
        text = _REPEATED.sub(r"\1", _JOINED.sub(WILD, _SIGNED.sub(WILD, text)))
    return text


def parts_of(text: str) -> tuple[str, ...]:
    """Give what stands between words (even places) and the words (odd places) of a masked line, in order."""
    parts: list[str] = []
    end = 0
    for word in _PARTS.finditer(text):
        parts.append(text[end : word.start()])
        parts.append(word.group())
        end = word.end()
        if len(parts) >= 2 * MAX_WORDS:
            break
    parts.append(text[end:])
    return tuple(parts)
