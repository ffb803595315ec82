"""A document as Markdown for GitHub.

Rules: text from outside stands in code spans and fenced code blocks only, with more backticks around it than in it;
there GitHub makes no link, mention, reference, emoji, footnote or HTML of it. So do names, because a digest or a path
outside code would become a link. Our own words hold nothing that is markup. The result is a function of the document
and is at most ``ROOM.total`` characters long.
"""

import re
from collections.abc import Iterator
from typing import Final

from twokey.channels.rendering.fitting import Room, fitted, text_of
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Context,
    Document,
    Field,
    Heading,
    Input,
    Items,
    Line,
    Link,
    Paragraph,
    Passage,
    Span,
    Words,
    line,
    number,
)

_RUNS: Final = re.compile("`+")


def _cost(text: str) -> int:
    """Give the length, with the fence that the backticks of ``text`` make necessary on both sides."""
    return len(text) + 2 * _longest_run(text)


ROOM: Final = Room(total=50_000, block=20_000, span=2000, blocks=200, cost=_cost, around_span=8, around_block=40)


def render(document: Document) -> str:
    """Give the document as Markdown."""
    shown = fitted(document, ROOM)
    subject = f" · {_code(document.subject.text)}" if document.subject else ""
    parts = [f"### {_words(shown.title)}{subject}"]
    if shown.lead:
        parts.append(_line(shown.lead))
    parts += [part for block in shown.blocks for part in _block(block)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"#### {_words(block.words)}"
        case Paragraph():
            yield _line(block.line)
        case Context():
            yield f"<sub>{_line(block.line)}</sub>"
        case Items():
            yield _list(block.lines)
        case Field():
            label = f"**{block.label}**"
            yield f"{label} {_line(block.lines[0])}" if len(block.lines) == 1 else f"{label}\n\n{_list(block.lines)}"
        case Passage():
            yield from _passage(block)
        case Actions() | Input():
            return  # nothing on GitHub can be pressed: a comment is a request, never an approval


def _passage(block: Passage) -> Iterator[str]:
    fence = "`" * max(3, _longest_run(block.text) + 1)
    yield f"**{block.label}**"
    if block.text:
        yield f"{fence}{'diff' if block.kind == 'diff' else 'text'}\n{block.text}\n{fence}"
    if block.hidden:
        where = line(": ", *block.where) if block.where else ()
        yield _line((*line("… ", number(block.hidden), " not shown"), *where))


def _list(lines: tuple[Line, ...]) -> str:
    return "\n".join(f"- {_line(item)}" for item in lines)


def _line(spans: Line) -> str:
    text = "".join(map(_span, spans)).strip(" ")
    # A line of ours that begins like a list or a heading rule would be taken for one.
    return re.sub(r"^(\d+)([.)])|^([-+=])", r"\1\\\2\3", text)


def _span(span: Span) -> str:
    match span:
        case Link():
            return f"[{_words(span.text)}](<{span.address}>)"
        case Words():
            return _words(span)
        case _:
            return _code(text_of(span))


def _words(words: Words) -> str:
    if words.style == "code":
        return _code(words.text)
    return f"**{words.text}**" if words.style == "strong" else words.text


def _code(text: str) -> str:
    """Give a code span: CommonMark 0.31, section 6.1."""
    if not text.strip():
        return "(empty)"
    fence = "`" * (_longest_run(text) + 1)
    padded = f" {text} " if text[0] in " `" or text[-1] in " `" else text
    return f"{fence}{padded}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, _RUNS.findall(text)), default=0)
