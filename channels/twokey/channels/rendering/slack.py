"""A document as Slack blocks: messages, modals and the Home tab.

Rules: there is no mrkdwn anywhere. Our words are ``plain_text`` without emoji or ``rich_text``; text from outside is
always shown in the face of code (an inline code span or ``rich_text_preformatted``), where Slack parses nothing, makes
no link and mentions nobody, and where it cannot pass for one of our labels. Every limit that Slack publishes is kept,
measured in UTF-16 units and as if Slack escaped ``& < >`` once more. A message never unfurls.

Limits: https://docs.slack.dev/reference/block-kit/blocks, and ``msg_blocks_too_long`` at about 13,200 characters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, Literal

from twokey.channels.rendering.fitting import Room, escaped_length, fitted, text_of
from twokey.channels.rendering.model import (
    Actions,
    Block,
    Button,
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
    Name,
    Paragraph,
    Passage,
    Words,
    line,
    number,
)
from twokey.core.errors import BadInput

Json = dict[str, Any]

HEADER: Final = 150
BUTTON: Final = 75
TITLE: Final = 24
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_ANSWER: Final = 30
METADATA: Final = 3000
_TOGETHER: Final = 2800
"""So much text stands in one block at most."""


MESSAGE: Final = Room(
    total=12_000, block=_TOGETHER, span=600, blocks=40, cost=escaped_length, around_span=1, around_block=2
)
VIEW: Final = replace(MESSAGE, blocks=90)


def message(document: Document) -> Json:
    """Give the arguments of ``chat.postMessage`` and ``chat.update`` that say what a message shows."""
    return {
        "text": summary(document),
        "blocks": blocks(document, MESSAGE),
        "unfurl_links": False,
        "unfurl_media": False,
        "parse": "none",
    }


def modal(document: Document, *, callback_id: str, private_metadata: str = "", submit: Words | None = None) -> Json:
    """Give a modal view; with ``submit`` it has a button that sends what was written.

    Raises:
        BadInput: what the view is to remember is longer than Slack keeps.

    """
    if len(private_metadata) > METADATA or len(callback_id) > 255:
        raise BadInput("The dialog cannot remember that much.", next="Open it again from the card.", code="too_long")
    view: Json = {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private_metadata,
        "title": _plain(document.title.text, TITLE),
        "close": _plain("Close", TITLE),
        "blocks": blocks(document, VIEW),
    }
    return view if submit is None else view | {"submit": _plain(submit.text, TITLE)}


def home(document: Document) -> Json:
    """Give the view of the Home tab."""
    return {"type": "home", "blocks": blocks(document, VIEW)}


def summary(document: Document) -> str:
    """Give the one line that notifications show: our words and names, nothing from outside."""
    subject = f" · {document.subject.text}" if document.subject else ""
    return f"{document.title.text}{subject}"[:HEADER]


def blocks(document: Document, room: Room = MESSAGE) -> list[Json]:
    """Give the blocks of a document."""
    shown = fitted(document, room)
    made: list[Json] = [{"type": "header", "text": _plain(summary(document), HEADER)}]
    if shown.lead:
        made.append(_rich([_section(_spans(shown.lead))]))
    together = _Together()
    for block in shown.blocks:
        made += together.add(block)
    return made + together.flush()


class _Together:
    """Gathers what follows one another in one ``rich_text`` block, as long as it fits there."""

    def __init__(self) -> None:
        self._elements: list[Json] = []
        self._size = 0

    def add(self, block: Block) -> Iterator[Json]:
        if isinstance(block, (Heading, Actions, Input, Context)):
            yield from self.flush()
            yield _single(block)
            return
        elements = list(_elements(block))
        size = _size(elements)
        if self._size + size > _TOGETHER:
            yield from self.flush()
        self._elements += elements
        self._size += size

    def flush(self) -> list[Json]:
        made = [_rich(self._elements)] if self._elements else []
        self._elements, self._size = [], 0
        return made


def _size(elements: Iterable[Json]) -> int:
    found = 0
    for element in elements:
        found += _size(element["elements"]) if "elements" in element else escaped_length(element["text"]) + 1
    return found


def _single(block: Heading | Actions | Input | Context) -> Json:
    match block:
        case Heading():
            return {"type": "header", "text": _plain(block.words.text, HEADER)}
        case Actions():
            return {"type": "actions", "block_id": block.name[:255], "elements": [*map(_button, block.buttons[:25])]}
        case Input():
            return _input(block)
        case Context():
            return _rich([_section(_spans(block.line))])


def _elements(block: Paragraph | Field | Passage | Items) -> Iterator[Json]:
    match block:
        case Paragraph():
            yield _section(_joined([*_spans(block.line), _text("\n")]))
        case Items():
            items = [_section(_spans(item)) for item in block.lines]
            yield {"type": "rich_text_list", "style": "bullet", "elements": items}
        case Field():
            label = [_label(block.label, alarm=block.alarm)]
            if len(block.lines) == 1:
                yield _section(_joined([*label, *_spans(block.lines[0]), _text("\n")]))
            else:
                yield _section(label)
                items = [_section(_spans(item)) for item in block.lines]
                yield {"type": "rich_text_list", "style": "bullet", "elements": items}
        case Passage():
            yield _section([_label(block.label)])
            if block.text.strip():
                yield {"type": "rich_text_preformatted", "elements": [_text(block.text)]}
            if block.hidden:
                missing = line("… ", number(block.hidden), " not shown")
                where = line(": ", *block.where) if block.where else ()
                yield _section(_joined([*_spans((*missing, *where)), _text("\n")]))


def _spans(spans: Line) -> list[Json]:
    made: list[Json] = []
    for span in spans:
        match span:
            case Link():
                made.append({"type": "link", "url": span.address, "text": span.text.text})
            case Foreign() | Name():
                made.append(_text(text_of(span), "code"))
            case Words(style="plain"):
                made.append(_text(span.text))
            case Words():
                made.append(_text(span.text, "code" if span.style == "code" else "bold"))
    return _joined(made) or [_text(" ")]


def _joined(elements: list[Json]) -> list[Json]:
    """Put neighbours of one style into one element; Slack refuses empty ones."""
    joined: list[Json] = []
    for element in filter(lambda item: item["text"], elements):
        if joined and element["type"] == joined[-1]["type"] == "text" and "style" not in element | joined[-1]:
            joined[-1] = _text(joined[-1]["text"] + element["text"])
        else:
            joined.append(element)
    return joined


def _label(label: str, *, alarm: bool = False) -> Json:
    return _text(f"{'⚠ ' if alarm else ''}{label}  ", "bold")


def _text(text: str, style: Literal["code", "bold"] | None = None) -> Json:
    return {"type": "text", "text": text} | ({"style": {style: True}} if style else {})


def _section(elements: list[Json]) -> Json:
    return {"type": "rich_text_section", "elements": elements}


def _rich(elements: list[Json]) -> Json:
    return {"type": "rich_text", "elements": elements}


def _plain(text: str, most: int) -> Json:
    shown = text if escaped_length(text) <= most else f"{text[: most - 1]}…"
    return {"type": "plain_text", "text": shown, "emoji": False}


def _button(button: Button) -> Json:
    made: Json = {
        "type": "button",
        "action_id": button.action,
        "text": _plain(button.words.text, BUTTON),
        "value": button.value,
    }
    if button.tone != "plain":
        made["style"] = button.tone
    return made if button.confirmation is None else made | {"confirm": _confirm(button.confirmation)}


def _confirm(asked: Confirmation) -> Json:
    text = "\n".join("".join(span.text for span in item) for item in asked.lines)
    return {
        "title": _plain(asked.title.text, CONFIRM_TITLE),
        "text": _plain(text, CONFIRM_TEXT),
        "confirm": _plain(asked.yes.text, CONFIRM_ANSWER),
        "deny": _plain(asked.no.text, CONFIRM_ANSWER),
    }


def _input(block: Input) -> Json:
    element: Json = {
        "type": "plain_text_input",
        "action_id": block.name,
        "multiline": True,
        "max_length": min(block.longest, 3000),
    }
    made: Json = {
        "type": "input",
        "block_id": block.name,
        "label": _plain(block.label.text, 2000),
        "element": element,
        "optional": not block.required,
    }
    return made if block.hint is None else made | {"hint": _plain(block.hint.text, 2000)}
