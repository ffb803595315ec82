"""A document as HTML.

Rules: the text is put into a tree of elements and the serializer of the standard library writes it out, so nothing can
be forgotten to be escaped; there is no script, no style and no attribute that acts; the only addresses are those of
``Link``. Text from outside stands in elements of the class ``foreign``, each isolated from the direction of its
surroundings.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from twokey.channels.rendering.fitting import Room, fitted, text_of
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Button,
    Context,
    Document,
    Field,
    Foreign,
    Heading,
    Input,
    Items,
    Line,
    Link,
    Name,
    Paragraph,
    Passage,
    Span,
    Words,
    line,
    number,
)

ROOM: Final = Room(total=2_000_000, block=1_000_000, span=4000, blocks=1000, cost=len)


def render(document: Document, *, hidden: Mapping[str, str] | None = None) -> str:
    """Give the document as one ``article``.

    Args:
        document: What to show.
        hidden: Hidden fields of every form: the token against cross-site requests.

    """
    shown = fitted(document, ROOM)
    article = ET.Element("article", {"class": "document"})
    heading = _add(article, "h1", shown.title.text)
    if shown.subject is not None:
        _add(heading, "code", shown.subject.text).set("class", "name")
    if shown.lead:
        _line(_add(article, "p"), shown.lead)
    for block in shown.blocks:
        _block(article, block, hidden or {})
    return ET.tostring(article, encoding="unicode", method="html")


def _add(parent: ET.Element, tag: str, text: str = "", kind: str = "") -> ET.Element:
    child = ET.SubElement(parent, tag, {"class": kind} if kind else {})
    child.text = text
    return child


def _block(parent: ET.Element, block: Block, hidden: Mapping[str, str]) -> None:
    match block:
        case Heading():
            _add(parent, "h2", block.words.text)
        case Paragraph():
            _line(_add(parent, "p"), block.line)
        case Context():
            _line(_add(_add(parent, "p"), "small"), block.line)
        case Items():
            _list(parent, block.lines)
        case Field():
            section = _add(parent, "section", kind="alarm" if block.alarm else "field")
            _add(section, "h3", block.label)
            if len(block.lines) == 1:
                _line(_add(section, "p"), block.lines[0])
            else:
                _list(section, block.lines)
        case Passage():
            _passage(parent, block)
        case Actions():
            _actions(parent, block, hidden)
        case Input():
            _input(parent, block)


def _passage(parent: ET.Element, block: Passage) -> None:
    section = _add(parent, "section", kind="field")
    _add(section, "h3", block.label)
    # A line feed right after the tag is swallowed by parsers, so one of ours goes first.
    _add(section, "pre", f"\n{block.text}", f"foreign {block.kind}").set("dir", "auto")
    if block.hidden:
        where = line(": ", *block.where) if block.where else ()
        _line(_add(section, "p"), (*line("… ", number(block.hidden), " not shown"), *where))


def _list(parent: ET.Element, lines: Iterable[Line]) -> None:
    items = _add(parent, "ul")
    for item in lines:
        _line(_add(items, "li"), item)


def _line(parent: ET.Element, spans: Line) -> None:
    for span in spans:
        _span(parent, span)


def _span(parent: ET.Element, span: Span) -> None:
    match span:
        case Link():
            anchor = _add(parent, "a", span.text.text)
            anchor.set("href", span.address)
            anchor.set("rel", "noopener noreferrer nofollow")
        case Foreign():
            _add(_add(parent, "bdi"), "code", text_of(span), "foreign")
        case Name():
            _add(parent, "code", span.text, "name")
        case Words():
            _add(parent, {"plain": "span", "strong": "strong", "code": "kbd"}[span.style], span.text)


def _actions(parent: ET.Element, block: Actions, hidden: Mapping[str, str]) -> None:
    """A form for each button: the page decides where it is sent, by the address it was loaded from."""
    bar = _add(parent, "div", kind="actions")
    for button in block.buttons:
        form = _add(bar, "form")
        form.set("method", "post")
        fields = {**hidden, "action": button.action, "value": button.value}
        for name, value in fields.items():
            ET.SubElement(form, "input", {"type": "hidden", "name": name, "value": value})
        _confirmed(form, button)


def _confirmed(form: ET.Element, button: Button) -> None:
    asked = button.confirmation
    if asked is not None:
        fold = _add(form, "details")
        _add(fold, "summary", button.words.text)
        for item in asked.lines:
            _line(_add(fold, "p"), item)
        form = fold
    pressed = _add(form, "button", button.words.text if asked is None else asked.yes.text, button.tone)
    pressed.set("type", "submit")


def _input(parent: ET.Element, block: Input) -> None:
    label = _add(parent, "label", block.label.text)
    area = _add(label, "textarea")
    area.set("name", block.name)
    area.set("maxlength", str(block.longest))
    if block.required:
        area.set("required", "required")
    if block.hint is not None:
        _add(label, "small", block.hint.text)
