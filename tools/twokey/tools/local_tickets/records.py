"""What a ticket is in a file, whatever the kind of file.

Rules: the fields are ``id``, ``title``, ``author``, ``created_at``, ``updated_at``, ``labels``, ``assignee`` or
``assignees``, ``state`` (``open`` or ``closed``), ``reason`` and the text. Every value is text from outside. A record
without an id or a title, with a time that is none or with another state is no ticket. A ticket's number is its key
where that is a number; any other key is numbered from 2^52 on by its SHA-256, so that the number stays whatever else
comes into the folder.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from twokey.tools.local_tickets.files import Unreadable
from twokey.tools.tickets import Ticket, TicketState

MAX_TITLE: Final = 1_000
MAX_NAMES: Final = 100
KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,14}")
_FIRST_DERIVED: Final = 1 << 52
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = 13
"""Hexadecimal digits of the hash: 52 bits."""


def number_of(key: str) -> int:
    """Give the number of the ticket that people call ``key``."""
    if _NUMBER.fullmatch(key):
        return int(key)
    return _FIRST_DERIVED + int(hashlib.sha256(key.encode()).hexdigest()[:_DIGITS], 16)


def instant(changed_ns: int) -> str:
    """Give a file's time as an ISO 8601 instant in UTC, to the microsecond."""
    return written(_EPOCH + timedelta(microseconds=changed_ns // 1_000))


def written(moment: datetime) -> str:
    """Write an instant as ISO 8601 in UTC, always to the microsecond: as texts they sort as they do in time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(text: str) -> str:
    """Give a time somebody wrote as ``written`` does; without a zone it is UTC. Raises ``Unreadable``."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return written(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise Unreadable("malformed") from error


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of a ticket as they stand in a file."""

    fields: dict[str, Any]
    body: str

    def text(self, *names: str) -> str:
        """Give the first of these fields that is there; empty where none is."""
        for name in names:
            value = self.fields.get(name)
            if value is not None and value != "":
                if not isinstance(value, str | int):
                    raise Unreadable("malformed")
                return str(value)
        return ""

    def names(self, *names: str) -> tuple[str, ...]:
        """Give the first of these fields as a list: a list, or a text with commas, semicolons or bars."""
        for name in names:
            value = self.fields.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, list | tuple):
                parts = [*cast("Iterable[object]", value)]
            elif isinstance(value, str):
                parts = re.split(r"[,;|]", value) if name.endswith("s") else [value]
            else:
                raise Unreadable("malformed")
            if len(parts) > MAX_NAMES or not all(isinstance(part, str | int) for part in parts):
                raise Unreadable("malformed")
            return tuple(dict.fromkeys(text for text in (str(part).strip() for part in parts) if text))
        return ()

    @property
    def key(self) -> str:
        """What people call the ticket; raises ``Unreadable`` where it is no name."""
        key = self.text("id", "key", "number")
        if not KEY.fullmatch(key):
            raise Unreadable("malformed")
        return key

    def ticket(self, *, key: str, changed: str | None, version: str, comments: int) -> Ticket:
        """Give the ticket. ``changed`` is when its file was, where the file holds no other ticket.

        Raises:
            Unreadable: it has no title, or a value does not fit.

        """
        title = " ".join(self.text("title").split())[:MAX_TITLE]
        state = self.text("state").lower() or "open"
        if not title or state not in {"open", "closed"}:
            raise Unreadable("malformed")
        created = self.text("created_at", "created")
        created = moment_of(created) if created else (changed or "")
        return Ticket(
            number=number_of(key),
            key=key,
            title=title,
            body=self.body,
            state=cast("TicketState", state),
            reason=self.text("reason"),
            author=self.text("author"),
            author_id="",
            labels=self.names("labels", "label"),
            assignees=self.names("assignees", "assignee"),
            comments=comments,
            created_at=created,
            updated_at=changed or self.changed() or created,
            version=version,
        )

    def seconds(self) -> int:
        """When the ticket says it was made, in seconds since 1970; 0 where it does not say."""
        said = self.text("created_at", "created")
        return int(datetime.fromisoformat(moment_of(said)).timestamp()) if said else 0

    def changed(self) -> str:
        """When the ticket says it was changed, else made; empty where it says neither."""
        said = self.text("updated_at", "updated") or self.text("created_at", "created")
        return moment_of(said) if said else ""
