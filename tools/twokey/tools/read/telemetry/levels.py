"""How bad a log line says it is, in one word of few.

Rules: a level that was told beside the line counts before words in it; syllables that loggers use are one of ``trace``,
``debug``, ``info``, ``warn``, ``error``, ``fatal``; what is none of them is no level. Only the beginning of a line is
looked at.
"""

import re
from typing import Final

LOOKED_AT: Final = 120
"""Characters of a line in which its level is looked for."""
_KNOWN: Final = {
    "trace": "trace",
    "verbose": "trace",
    "debug": "debug",
    "dbg": "debug",
    "info": "info",
    "information": "info",
    "notice": "info",
    "warn": "warn",
    "warning": "warn",
    "err": "error",
    "error": "error",
    "severe": "error",
    "critical": "fatal",
    "crit": "fatal",
    "alert": "fatal",
    "emerg": "fatal",
    "panic": "fatal",
    "fatal": "fatal",
}
_IN_LINE: Final = re.compile(
    r"(?:\blevel=\"?(?P<key>[A-Za-z]{3,11})\b)|(?:(?:^|[\s\[|<(])(?P<word>[A-Z]{3,11})(?=[\s\]|>):]))"
)


def level_of(told: str, line: str) -> str:
    """Give the level of a line; empty where nothing says one."""
    known = _KNOWN.get(told.strip().lower())
    if known is not None:
        return known
    for match in _IN_LINE.finditer(line[:LOOKED_AT]):
        known = _KNOWN.get((match["key"] or match["word"]).lower())
        if known is not None:
            return known
    return ""
