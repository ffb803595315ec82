"""What Slack refuses of a message or view, written from its published limits; shares nothing with the renderer.

Lengths are counted the strictest way: in UTF-16 units, and with ``& < >`` escaped.
"""

import html
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

LIMITS = {
    "action_id.max_length": 255,
    "block_id.max_length": 255,
    "button.text.max_length": 75,
    "button.value.max_length": 2000,
    "confirmation.title.max_length": 100,
    "confirmation.text.max_length": 300,
    "confirmation.confirm.max_length": 30,
    "confirmation.deny.max_length": 30,
    "actions.elements.max_items": 25,
    "header.text.max_length": 150,
    "input.label.max_length": 2000,
    "input.hint.max_length": 2000,
    "plain_text_input.max_length.max": 3000,
    "text.max_length": 3000,
    "message.blocks.max_items": 50,
    "view.blocks.max_items": 100,
    "view.private_metadata.max_length": 3000,
    "view.callback_id.max_length": 255,
    "view.title.max_length": 24,
    "view.close.max_length": 24,
    "view.submit.max_length": 24,
}
TOTAL_TEXT = 13_200


def length(text: str) -> int:
    """UTF-16 units of the escaped text."""
    return len(html.escape(text, quote=False).encode("utf-16-le", "surrogatepass")) // 2


def message_problems(message: Json) -> list[str]:
    """Everything that is wrong with a message."""
    found = list(_blocks(message["blocks"], LIMITS["message.blocks.max_items"]))
    if not 1 <= length(message["text"]) <= 3000:
        found.append("text of the message")
    return found


def view_problems(view: Json) -> list[str]:
    """Everything that is wrong with a view."""
    found = list(_blocks(view["blocks"], LIMITS["view.blocks.max_items"]))
    for name in ("title", "close", "submit"):
        if name in view:
            found += _plain(view[name], LIMITS[f"view.{name}.max_length"], name)
    if length(view.get("private_metadata", "")) > LIMITS["view.private_metadata.max_length"]:
        found.append("private_metadata")
    if length(view.get("callback_id", "")) > LIMITS["view.callback_id.max_length"]:
        found.append("callback_id")
    return found


def texts(value: Any) -> Iterator[str]:
    """Every string that a person can see."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "text" and isinstance(inner, str):
                yield inner
            elif name not in {"type", "value", "action_id", "block_id", "url", "style"}:
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _blocks(blocks: list[Json], most: int) -> Iterator[str]:
    if not 1 <= len(blocks) <= most:
        yield f"{len(blocks)} blocks"
    if sum(map(length, texts(blocks))) > TOTAL_TEXT:
        yield "msg_blocks_too_long"
    names = [block["block_id"] for block in blocks if "block_id" in block]
    if len(names) != len(set(names)):
        yield "a block_id twice"
    if any(not 1 <= length(name) <= LIMITS["block_id.max_length"] for name in names):
        yield "length of a block_id"
    for block in blocks:
        match block["type"]:
            case "header":
                yield from _plain(block["text"], LIMITS["header.text.max_length"], "header")
            case "actions":
                yield from _actions(block)
            case "input":
                yield from _input(block)
            case "rich_text":
                yield from _rich(block)
            case other:
                yield f"no such block here: {other}"


def _plain(value: Json, most: int, what: str) -> Iterator[str]:
    if value.keys() != {"type", "text", "emoji"} or value["type"] != "plain_text" or value["emoji"]:
        yield f"{what} is no plain text"
    if not 1 <= length(value["text"]) <= most:
        yield f"length of {what}: {length(value['text'])}"


def _actions(block: Json) -> Iterator[str]:
    elements = block["elements"]
    if not 1 <= len(elements) <= LIMITS["actions.elements.max_items"]:
        yield "number of elements"
    if len({element["action_id"] for element in elements}) != len(elements):
        yield "an action_id twice"
    for element in elements:
        if element["type"] != "button" or element.get("style", "primary") not in {"primary", "danger"}:
            yield "no button"
        if not 1 <= length(element["action_id"]) <= LIMITS["action_id.max_length"]:
            yield "action_id"
        if length(element["value"]) > LIMITS["button.value.max_length"]:
            yield "value"
        yield from _plain(element["text"], LIMITS["button.text.max_length"], "button")
        for part in ("title", "text", "confirm", "deny"):
            if "confirm" in element:
                yield from _plain(element["confirm"][part], LIMITS[f"confirmation.{part}.max_length"], part)


def _input(block: Json) -> Iterator[str]:
    yield from _plain(block["label"], LIMITS["input.label.max_length"], "label")
    if "hint" in block:
        yield from _plain(block["hint"], LIMITS["input.hint.max_length"], "hint")
    if not 1 <= block["element"]["max_length"] <= LIMITS["plain_text_input.max_length.max"]:
        yield "max_length"


def _rich(block: Json) -> Iterator[str]:
    if not block["elements"]:
        yield "an empty rich_text"
    if sum(map(length, texts(block))) > LIMITS["text.max_length"]:
        yield "a block longer than 3,000"
    for element in block["elements"]:
        kinds = {"rich_text_section", "rich_text_preformatted", "rich_text_list"}
        if element["type"] not in kinds or not element["elements"]:
            yield "an element of rich_text"
        inner = element["elements"]
        if element["type"] == "rich_text_list":
            if any(item["type"] != "rich_text_section" or not item["elements"] for item in inner):
                yield "an item of a list"
            inner = [part for item in inner for part in item["elements"]]
        for part in inner:
            if part["type"] not in {"text", "link"} or not part["text"]:
                yield f"a part of rich_text: {part}"
            if part["type"] == "link" and not 1 <= length(part["url"]) <= 3000:
                yield "an address"
