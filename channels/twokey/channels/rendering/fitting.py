"""Fits a document into the room that a form has: what is too long is cut, and every cut is seen.

Rules: text from outside is made harmless before it is measured, and measured as it will be sent (``cost``: after
escaping); what a person must not miss is given room first, and what is ``spare`` last; a cut leaves a mark that says
how much is missing; buttons and questions are never cut. The costs of what comes out add up to at most ``total``.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from twokey.channels import plain
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Confirmation,
    Context,
    Document,
    Field,
    Foreign,
    Heading,
    Input,
    Items,
    Line,
    Link,
    Paragraph,
    Passage,
    Span,
    line,
    number,
)

_MARK: Final = 60
"""Room that is kept for the sign that something is missing, for each block."""
_MORE: Final = 20


@dataclass(frozen=True, slots=True)
class Room:
    """How much a form holds, in its own measure of text."""

    total: int
    block: int
    """At most this for one block."""
    span: int
    """At most this for one line of text from outside."""
    blocks: int
    """At most so many blocks."""
    cost: Callable[[str], int]
    around_span: int = 0
    """What the form itself adds to a span, at most."""
    around_block: int = 0


def escaped_length(text: str) -> int:
    """Give the length of ``text`` in UTF-16 units after ``& < >`` were escaped: how Slack counts, at worst."""
    escaped = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    units = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    return units + escaped


def cut(shown: str, most: int, cost: Callable[[str], int], mark: str = "…") -> str:
    """Cut harmless text so that it costs at most ``most``, mark included; nothing where not even the mark fits."""
    if cost(shown) <= most:
        return shown
    low, high = 0, min(len(shown), max(most, 0))
    while low < high:
        middle = (low + high + 1) // 2
        if cost(shown[:middle]) + cost(mark) <= most:
            low = middle
        else:
            high = middle - 1
    return f"{shown[: plain.cut_at(shown, low)]}{mark}" if cost(mark) <= most else ""


def fitted(document: Document, room: Room) -> Document:
    """Give the document as it can be shown: harmless, and not larger than the room."""
    lead = tuple(_harmless(span, room) for span in document.lead)
    blocks = _few(document.blocks, room.blocks)
    left = room.total - room.cost(document.title.text) - _line(lead, room) - 2 * room.around_block
    if document.subject is not None:
        left -= room.cost(document.subject.text) + room.around_span
    waiting = len(blocks)
    shown: dict[int, Block] = {}
    for place in sorted(range(len(blocks)), key=lambda place: _rank(blocks[place])):
        waiting -= 1
        given = min(room.block, left - waiting * (_MARK + room.around_block)) - room.around_block
        block = _fit(blocks[place], given, room)
        if block is not None:
            shown[place] = block
            left -= _cost(block, room) + room.around_block
    return replace(document, lead=lead, blocks=tuple(shown[place] for place in sorted(shown)))


def text_of(span: Span) -> str:
    """Give what a span says; of text from outside what was made harmless of it."""
    return span.text.text if isinstance(span, Link) else span.text


def _few(blocks: tuple[Block, ...], most: int) -> tuple[Block, ...]:
    if len(blocks) <= most:
        return blocks
    missing = line("… ", number(len(blocks) - most + 1), " more parts do not fit here")
    return (*blocks[: most - 1], Context(missing))


def _rank(block: Block) -> int:
    if isinstance(block, (Actions, Input, Heading)):
        return 0
    if isinstance(block, (Field, Passage)):
        return 2 if block.spare else 1
    return 1


def _harmless(span: Span, room: Room) -> Span:
    if not isinstance(span, Foreign):
        return span
    shown = plain.line(span.text, span.limit)
    return replace(span, text=cut(shown, room.span, room.cost) or "…")


def _fit(block: Block, most: int, room: Room) -> Block | None:
    match block:
        case Passage():
            return _passage(block, most, room)
        case Field() | Items():
            lines = _lines(block.lines, most - (room.cost(block.label) if isinstance(block, Field) else 0), room)
            return replace(block, lines=lines) if lines else None
        case Paragraph() | Context():
            lines = _lines((block.line,), most, room)
            return replace(block, line=lines[0]) if lines else None
        case Heading() | Actions() | Input():
            return block


def _lines(lines: tuple[Line, ...], most: int, room: Room) -> tuple[Line, ...]:
    """Give as many lines as fit, and how many more there are."""
    made = [tuple(_harmless(span, room) for span in item) for item in lines]
    costs = [_line(item, room) for item in made]
    if sum(costs) <= most:
        return tuple(made)
    kept, used = 0, 0
    while kept < len(made) and used + costs[kept] <= most - _MORE - 2 * room.around_span:
        used += costs[kept]
        kept += 1
    if most < _MORE + 2 * room.around_span:
        return ()
    return (*made[:kept], line("… ", number(len(made) - kept), " not shown"))


def _passage(block: Passage, most: int, room: Room) -> Passage | None:
    """Cut the lines of a passage; where not even one fits, only its size is told."""
    shown = plain.block(block.text)
    around = room.cost(block.label) + _line(block.where, room) + _MORE + 2 * room.around_span
    if room.cost(shown) + around <= most:
        return replace(block, text=shown)
    if around > most:
        few = room.cost(block.label) + _MORE + 2 * room.around_span
        missing = block.hidden + shown.count("\n") + 1
        return replace(block, text="", where=(), hidden=missing) if few <= most else None
    kept = cut(shown, most - around, room.cost)
    missing = shown.count("\n") - kept.count("\n")
    return replace(block, text=kept, hidden=block.hidden + max(missing, 1))


def _line(item: Line, room: Room) -> int:
    return sum(room.cost(text_of(span)) + _address(span, room) + room.around_span for span in item) + 1


def _address(span: Span, room: Room) -> int:
    return room.cost(span.address) if isinstance(span, Link) else 0


def _cost(block: Block, room: Room) -> int:
    match block:
        case Passage():
            extra = _MORE + 2 * room.around_span if block.hidden else 0
            return room.cost(block.label) + room.cost(block.text) + _line(block.where, room) + extra
        case Field() | Items():
            label = room.cost(block.label) if isinstance(block, Field) else 0
            return label + sum(_line(item, room) for item in block.lines)
        case Paragraph() | Context():
            return _line(block.line, room)
        case Heading():
            return room.cost(block.words.text)
        case Input():
            return room.cost(block.label.text) + (room.cost(block.hint.text) if block.hint else 0)
        case Actions():
            return sum(
                room.cost(button.words.text) + _confirmation(button.confirmation, room) for button in block.buttons
            )


def _confirmation(asked: Confirmation | None, room: Room) -> int:
    if asked is None:
        return 0
    lines = sum(_line(item, room) for item in asked.lines)
    return room.cost(asked.title.text) + room.cost(asked.yes.text) + room.cost(asked.no.text) + lines
