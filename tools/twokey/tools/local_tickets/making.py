"""A new ticket as a Markdown file.

Rules: what people call it follows from the marker it is made under, so that making it twice is making it once; where a
file has that name already and bears another marker, the next name is tried, and never is a file written over. The
marker stands in the front matter, which a ticket's text cannot reach.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Final

from twokey.core.errors import Refused
from twokey.tools.local_tickets.files import Unreadable
from twokey.tools.local_tickets.markdown import MarkdownTicket
from twokey.tools.tickets import NewTicket

PREFIX: Final = "TK"
TRIES: Final = 8
_DIGITS: Final = 10**9
_FIELD: Final = "marker"


def keys(marker: str) -> Iterator[str]:
    """Give the keys that a ticket under ``marker`` may have, in the order in which they are tried."""
    for attempt in range(TRIES):
        drawn = hashlib.sha256(f"ticket {attempt} {marker}".encode()).hexdigest()
        yield f"{PREFIX}-{int(drawn[:15], 16) % _DIGITS:09d}"


def written(key: str, new: NewTicket, *, author: str, moment: str, marker: str) -> bytes:
    """Write a ticket. JSON strings and lists are YAML."""
    fields = {
        "id": key,
        "title": new.title,
        "author": author,
        "created_at": moment,
        "labels": list(new.labels),
        "assignees": [],
        "state": "open",
        _FIELD: marker,
    }
    front = "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items())
    return f"---\n{front}---\n\n{new.body}\n".encode()


def marker_of(content: bytes) -> str:
    """Give the marker that a file bears; empty where it bears none."""
    try:
        return MarkdownTicket(content).record.text(_FIELD)
    except Unreadable:
        return ""


def none_free() -> Refused:
    """Say that every name is taken."""
    return Refused(
        "The folder of tickets has files of every name that the new ticket could have.",
        next="Look at the files named TK-*.md, and ask again.",
        code="no_free_key",
    )
