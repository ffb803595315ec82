"""A document as rows for a terminal: a label, and a line of text.

Rules: no control character, escape sequence or character that reorders text reaches the terminal; a line from outside
that ends in our words stands in quotes of its own; every row of a passage is indented under its label. Where the width
is known, rows are broken here, so that the terminal itself never puts text from outside at the beginning of a row.
"""

import functools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from twokey.channels import plain
from twokey.channels.rendering.model import (
    Actions,
    Block,
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

LABEL: Final = 16
"""Columns of a label."""
NARROWEST: Final = 20
GOES_ON: Final = "↳ "
"""Stands before the rest of a row that was broken: it could look like a row of its own."""
Row = tuple[str, str]


def rows(document: Document, width: int | None = None) -> Iterator[Row]:
    """Give a document as (label, text) rows; an empty label continues the row above.

    Args:
        document: What to show.
        width: Columns of the terminal, where there is one.

    """
    label = document.title.text if document.subject is None else document.subject.text
    yield from _broken([(label, as_text(document.lead))], width)
    for block in document.blocks:
        yield from _broken(_rows(block), width)


def lines(document: Document, width: int | None = None) -> Iterator[str]:
    """Give a document as the lines that a terminal shows."""
    for label, text in rows(document, width):
        yield f"{label:<{LABEL}}{text}".rstrip()


def _rows(block: Block) -> Iterable[Row]:
    match block:
        case Heading():
            return [("", ""), (block.words.text, "")]
        case Paragraph() | Context():
            return [("", as_text(block.line))]
        case Items():
            return [("", as_text(item)) for item in block.lines]
        case Field():
            return _labelled(block.label, [as_text(item) for item in block.lines])
        case Passage():
            return _labelled(block.label, _passage(block))
        case Actions():
            return [("", "  ".join(f"[{button.words.text}]" for button in block.buttons))]
        case Input():
            return [(block.label.text, block.hint.text if block.hint else "")]


def _passage(block: Passage) -> list[str]:
    shown = [text.expandtabs(8) for text in plain.block(block.text).removesuffix("\n").split("\n")]
    if not block.hidden:
        return shown
    where = line(": ", *block.where) if block.where else ()
    return [*shown, as_text((*line("… ", number(block.hidden), " more lines"), *where))]


def _labelled(label: str, texts: Iterable[str]) -> Iterator[Row]:
    for at, text in enumerate(texts):
        yield ("" if at else label), text


def as_text(spans: Line) -> str:
    """Give one line as the terminal shows it."""
    return "".join(_span(span, last=at == len(spans) - 1) for at, span in enumerate(spans))


def _span(span: Span, *, last: bool) -> str:
    match span:
        case Link():
            return f"{span.text.text} {span.address}"
        case Foreign():
            shown = plain.line(span.text, span.limit)
            return shown if last else _quoted(shown)
        case _:
            return span.text


def _quoted(shown: str) -> str:
    return "“" + shown.replace("“", "\\u{201c}").replace("”", "\\u{201d}") + "”"


def _broken(given: Iterable[Row], width: int | None) -> Iterator[Row]:
    """Break rows at the width; a label that is longer than its column stands on a row of its own."""
    for label, text in given:
        if len(label) >= LABEL and text:
            yield label, ""
            label = ""  # noqa: PLW2901 - the text goes under it
        if width is None:
            yield label, text
            continue
        for at, part in enumerate(_parts(text, max(width - LABEL, NARROWEST))):
            yield ("" if at else label), (f"{GOES_ON}{part}" if at else part)


def _parts(text: str, most: int) -> Iterator[str]:
    """Cut harmless text so that no part is wider than ``most`` columns; later ones leave room for their sign."""
    room = most - len(GOES_ON)
    rest = text
    while len(rest) > most or _wide(rest) > most:
        end = _room(rest, most)
        blank = rest.rfind(" ", most // 2, end)
        end = blank + 1 if blank > 0 else plain.cut_at(rest, end) or end
        yield rest[:end].rstrip(" ")
        rest, most = rest[end:], room
    yield rest


def _room(text: str, most: int) -> int:
    """Give how many characters fit into ``most`` columns: one at least."""
    if text[: most + 1].isascii():
        return min(len(text), max(most, 1))
    used = 0
    for at, character in enumerate(text):
        used += _columns(character)
        if used > most:
            return max(at, 1)
    return len(text)


def _wide(text: str) -> int:
    """Give columns, counting generously: whatever may be wide is."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@functools.lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1
