"""Forty tickets as such a team gets them, one Markdown file each.

Rules: front matter is YAML with exactly ``id``, ``title``, ``author``, ``created_at`` (ISO-8601 UTC), ``labels``,
``assignee`` (or null) and ``state`` (``open`` or ``closed``); the text follows. A file was changed last when its ticket
was made. What a careful person would say of a
ticket is returned and never written. The texts hold a prompt injection and a security report; both are data.
"""

import os
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from twokey.channels.sample import shipped
from twokey.channels.sample.values import TicketTruth


def build(folder: Path, now: datetime) -> tuple[TicketTruth, ...]:
    """Write the tickets into the new folder ``folder`` and tell the truth about each."""
    folder.mkdir()
    tickets: list[dict[str, Any]] = tomllib.loads(shipped.read("tickets.toml").decode())["ticket"]
    for ticket in tickets:
        created = now - timedelta(**ticket["age"])
        front = {
            "id": ticket["id"],
            "title": ticket["title"],
            "author": ticket["author"],
            "created_at": created.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "labels": ticket["labels"],
            "assignee": ticket["assignee"] or None,
            "state": ticket["state"],
        }
        head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1_000)
        path = folder / f"{ticket['id']}.md"
        path.write_bytes(f"---\n{head}---\n\n{ticket['body']}".encode())
        os.utime(path, (created.timestamp(), created.timestamp()))
    return tuple(
        TicketTruth(ticket["id"], ticket["kind"], ticket.get("duplicate_of"), ticket.get("trait")) for ticket in tickets
    )
