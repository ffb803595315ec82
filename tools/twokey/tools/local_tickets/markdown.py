"""A ticket that is a Markdown file with front matter, and changes to it.

Rules: the front matter is a YAML mapping of names to texts or lists of texts, between two lines ``---``; every scalar
is a text, whatever YAML would make of it; anchors, aliases, tags, merge keys and a name given twice are refused. A
change replaces the bytes of the one value it sets and no other byte of the file; where it could not do that (a
comment stands inside a list), it refuses. After a change the file is read again: everything else has to be what it
was.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from twokey.core.errors import Refused
from twokey.tools.local_tickets.files import Unreadable, text_of
from twokey.tools.local_tickets.records import Record

MAX_FRONT: Final = 64 * 1024
_OPEN: Final = re.compile(r"\ufeff?---[ \t]*(\r?\n)")
_CLOSE: Final = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
"""Plain words that YAML 1.1 takes for something else than a text."""
Written = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a field stands: characters from its name to the end of its value, counted from the front matter's start."""

    start: int
    end: int
    value: Any
    indent: int | None = None
    """Column of the dashes where the value is a block list."""


class MarkdownTicket:
    """One file. ``content`` is all of it."""

    def __init__(self, content: bytes) -> None:
        """Read it; raises ``Unreadable`` where it is no ticket."""
        self._text = text_of(content)
        opening = _OPEN.match(self._text)
        closing = _CLOSE.search(self._text, opening.end()) if opening else None
        if opening is None or closing is None or closing.start() - opening.end() > MAX_FRONT:
            raise Unreadable("malformed")
        self._newline = opening[1]
        self._from, self._to = opening.end(), closing.start()
        self._slots = _slots(self._text[self._from : self._to])
        self.record: Final = Record(
            {name: slot.value for name, slot in self._slots.items()}, self._text[closing.end() :].strip("\r\n")
        )

    def has(self, name: str) -> bool:
        """Tell whether the front matter has a field of this name."""
        return name in self._slots

    def setting(self, name: str, value: Written) -> bytes:
        """Give the file with one field set.

        Raises:
            Refused: the file is written in a way that would lose something of it.

        """
        slot = self._slots.get(name)
        front = self._text[self._from : self._to]
        if slot is None:
            changed = f"{front}{_entry(name, value, None, self._newline)}{self._newline}"
        else:
            old = front[slot.start : slot.end]
            if "#" in old and _entry(name, slot.value, slot.indent, self._newline) != old:
                raise _cannot()
            changed = front[: slot.start] + _entry(name, value, slot.indent, self._newline) + front[slot.end :]
        whole = (self._text[: self._from] + changed + self._text[self._to :]).encode()
        self._check(whole, self.record.fields | {name: value})
        return whole

    def without(self, name: str) -> bytes:
        """Give the file without the line of a field that stands on one line; raises ``Refused`` where it does not."""
        slot = self._slots[name]
        front = self._text[self._from : self._to]
        end = front.find("\n", slot.end) + 1
        if front[slot.end : end].strip() or "\n" in front[slot.start : slot.end]:
            raise _cannot()
        whole = (self._text[: self._from] + front[: slot.start] + front[end:] + self._text[self._to :]).encode()
        self._check(whole, {key: value for key, value in self.record.fields.items() if key != name})
        return whole

    def _check(self, whole: bytes, wanted: dict[str, Any]) -> None:
        try:
            again = MarkdownTicket(whole)
        except Unreadable as error:
            raise _cannot() from error
        if again.record.fields != wanted or again.record.body != self.record.body:
            raise _cannot()


def _cannot() -> Refused:
    return Refused(
        "The ticket's front matter is written in a way that Twokey cannot change without losing something.",
        next="Change it by hand, or write its lists without comments in them.",
        code="cannot_edit",
    )


def _entry(name: str, value: Written, indent: int | None, newline: str) -> str:
    if value is None:
        return f"{name}: null"
    if isinstance(value, str):
        return f"{name}: {_scalar(value)}"
    if indent is None or not value:
        return f"{name}: [{', '.join(_scalar(item) for item in value)}]"
    return newline.join([f"{name}:", *(f"{' ' * indent}- {_scalar(item)}" for item in value)])


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _slots(front: str) -> dict[str, _Slot]:
    """Read a mapping of texts and lists of texts, with where each stands."""
    try:
        events = [*yaml.parse(front, Loader=yaml.CSafeLoader)]
    except (yaml.YAMLError, ValueError) as error:
        raise Unreadable("malformed") from error
    inner = events[2:-2]
    if len(events) < 4 or not isinstance(events[2], yaml.MappingStartEvent) or not _is_tame(events):
        raise Unreadable("malformed")
    slots: dict[str, _Slot] = {}
    at = 1
    while at < len(inner) - 1:
        name = inner[at]
        if not isinstance(name, yaml.ScalarEvent) or name.value in slots or name.value == "<<":
            raise Unreadable("malformed")
        slots[name.value], at = _value(name, inner, at + 1)
    return slots


def _value(name: yaml.ScalarEvent, events: Sequence[yaml.Event], at: int) -> tuple[_Slot, int]:
    """Give the slot of the value that starts at event ``at``, and the event after it."""
    first = events[at]
    start = _start(name)
    if isinstance(first, yaml.ScalarEvent):
        return _Slot(start, _end(first), _text(first)), at + 1
    if not isinstance(first, yaml.SequenceStartEvent):
        raise Unreadable("malformed")
    items: list[Any] = []
    end = _end(first)
    at += 1
    while not isinstance(events[at], yaml.SequenceEndEvent):
        item = events[at]
        if not isinstance(item, yaml.ScalarEvent):
            raise Unreadable("malformed")
        items.append(_text(item) or "")
        end = _end(item)
        at += 1
    if first.flow_style:
        return _Slot(start, _end(events[at]), tuple(items)), at + 1
    return _Slot(start, end, tuple(items), first.start_mark.column if first.start_mark else None), at + 1


def _start(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark else 0


def _text(event: yaml.ScalarEvent) -> str | None:
    plain = not event.style
    return None if plain and event.value in _NULLS else event.value


def _is_tame(events: Sequence[yaml.Event]) -> bool:
    """Tell whether there is one document, without anchors, aliases and tags."""
    return sum(isinstance(event, yaml.DocumentStartEvent) for event in events) == 1 and not any(
        isinstance(event, yaml.AliasEvent)
        or getattr(event, "anchor", None) is not None
        or getattr(event, "tag", None) is not None
        for event in events
    )
