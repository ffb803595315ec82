"""Comments on a Markdown ticket: ``KEY.comments.jsonl`` beside ``KEY.md``.

Rules: a comment is one line of JSON with ``id``, ``author``, ``created_at``, ``body`` and, where Twokey made it,
``marker``. They stand beside the ticket and not in it, because the ticket's text comes from anybody: nothing written
there can pass for a comment, or for one that Twokey made. A line that is no comment is passed over and kept.
"""

import json
from typing import Any, Final

from twokey.tools.local_tickets.files import Unreadable
from twokey.tools.local_tickets.rows import loaded
from twokey.tools.tickets import TicketComment

SUFFIX: Final = ".comments.jsonl"
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_BODY: Final = 65_000


def read(content: bytes) -> list[dict[str, Any]]:
    """Give the comments of a file, oldest first."""
    found: list[dict[str, Any]] = []
    for line in content.decode("utf-8", "replace").split("\n"):
        if line.strip():
            try:
                found.append(loaded(line))
            except Unreadable:
                continue
    return found


def shown(item: dict[str, Any], at: int) -> TicketComment:
    """Give a comment of a file; ``at`` counts from 0 and names those without an id."""

    def text(name: str) -> str:
        value = item.get(name)
        return value if isinstance(value, str) else ""

    return TicketComment(
        id=text("id") or str(at + 1),
        body=text("body"),
        author=text("author"),
        author_id="",
        created_at=text("created_at"),
        ours=bool(text("marker")),
    )


def line_of(item: dict[str, Any]) -> bytes:
    """Write a comment as a line."""
    return json.dumps(item, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def appended(content: bytes, item: dict[str, Any]) -> bytes:
    """Give the file with one comment more."""
    joint = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + joint + line_of(item)


def with_body(content: bytes, marker: str, body: str) -> bytes:
    """Give the file with another text for the comment made under ``marker``; every other line stays as it is."""
    lines = content.split(b"\n")
    for at, line in enumerate(lines):
        items = read(line)
        if items and items[0].get("marker") == marker:
            lines[at] = line_of(items[0] | {"body": body})[:-1]
            break
    return b"\n".join(lines)
