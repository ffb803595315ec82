"""What Slack refuses in blocks and views, counted by the twin itself: it shares no line with what it judges."""

from collections.abc import Callable, Iterator
from typing import Any

TOTAL = 13_200
"""How many characters of text the blocks of one message may hold (undocumented; observed)."""
ELEMENTS = {"actions": 25, "context": 10}
BLOCKS = {
    "section",
    "header",
    "divider",
    "context",
    "actions",
    "input",
    "image",
    "rich_text",
    "markdown",
    "table",
}
CONTROLS = {
    "button",
    "static_select",
    "overflow",
    "plain_text_input",
    "checkboxes",
    "radio_buttons",
    "image",
    "users_select",
}
RICH = {"rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list"}


def blocks_wrong(blocks: Any, *, most: int, inputs: bool = False) -> list[str]:
    """Every reason for which Slack would refuse these blocks."""
    if not isinstance(blocks, list):
        return ["blocks is no list"]
    wrong = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        wrong.extend(f"/blocks/{number}: {text}" for text in _block(block, inputs=inputs))
        name = block.get("block_id") if isinstance(block, dict) else None
        if name is not None:
            if name in seen:
                wrong.append(f"/blocks/{number}: block_id is there twice")
            seen.add(str(name))
    return wrong


def view_wrong(view: Any) -> list[str]:
    """Every reason for which Slack would refuse this view."""
    if not isinstance(view, dict):
        return ["view is no object"]
    kind = view.get("type")
    if kind not in {"modal", "home"}:
        return ["unknown type of view"]
    wrong = blocks_wrong(view.get("blocks"), most=100, inputs=kind == "modal")
    wrong += _over("private_metadata", view.get("private_metadata", ""), 3000)
    wrong += _over("callback_id", view.get("callback_id", ""), 255)
    for part in ("title", "submit", "close"):
        if part in view:
            wrong += _text(part, view[part], 24, ("plain_text",))
    if kind == "modal" and "title" not in view:
        wrong.append("a modal has a title")
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in view.get("blocks") or [])
    if kind == "modal" and has_input and "submit" not in view:
        wrong.append("a modal with inputs has submit")
    return wrong


def characters(blocks: Any) -> int:
    """How much text blocks hold."""
    return sum(len(text) for text in texts(blocks))


def texts(value: Any) -> Iterator[str]:
    """Every text in blocks."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            if isinstance(inner, (dict, list)):
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _block(block: Any, *, inputs: bool) -> Iterator[str]:
    if not isinstance(block, dict):
        yield "is no object"
        return
    kind = block.get("type")
    if kind not in BLOCKS:
        yield f"unknown type {kind!r}"
        return
    yield from _over("block_id", block.get("block_id", ""), 255)
    if kind == "input" and not inputs:
        yield "inputs belong in modals"
    yield from PARTS.get(str(kind), _nothing)(block)


def _nothing(block: dict[str, Any]) -> Iterator[str]:
    del block
    yield from ()


def _section(block: dict[str, Any]) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "a section has text or fields"
    if "text" in block:
        yield from _text("text", block["text"], 3000)
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield f"{len(fields)} fields"
    for field in fields:
        yield from _text("field", field, 2000)
    if "accessory" in block:
        yield from _control(block["accessory"])


def _header(block: dict[str, Any]) -> Iterator[str]:
    yield from _text("text", block.get("text"), 150, ("plain_text",))


def _elements(block: dict[str, Any]) -> Iterator[str]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= ELEMENTS[block["type"]]:
        yield f"{len(elements)} elements"
    for element in elements:
        if block["type"] == "context" and element.get("type") != "image":
            yield from _text("element", element, 3000)
        else:
            yield from _control(element)
    names = [element.get("action_id") for element in elements if element.get("action_id")]
    if len(names) != len(set(names)):
        yield "action_id is there twice"


def _input(block: dict[str, Any]) -> Iterator[str]:
    yield from _text("label", block.get("label"), 2000, ("plain_text",))
    yield from _control(block.get("element"))


def _rich_text(block: dict[str, Any]) -> Iterator[str]:
    for element in block.get("elements", []):
        yield from _rich(element)


def _markdown(block: dict[str, Any]) -> Iterator[str]:
    yield from _over("text", block.get("text", ""), 12_000)


PARTS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "section": _section,
    "header": _header,
    "actions": _elements,
    "context": _elements,
    "input": _input,
    "rich_text": _rich_text,
    "markdown": _markdown,
}


def _rich(element: Any) -> Iterator[str]:
    if not isinstance(element, dict) or element.get("type") not in RICH:
        yield "unknown part of rich text"
        return
    inner = element.get("elements", [])
    if element["type"] == "rich_text_list":
        for part in inner:
            yield from _rich(part)
        return
    for part in inner:
        if part.get("type") == "text" and not part.get("text"):
            yield "empty text in rich text"
        if element["type"] == "rich_text_preformatted" and part.get("type") not in {"text", "link"}:
            yield "preformatted text holds text and links"


def _control(control: Any) -> Iterator[str]:
    if not isinstance(control, dict) or control.get("type") not in CONTROLS:
        yield "unknown element"
        return
    yield from _over("action_id", control.get("action_id", ""), 255)
    kind = control["type"]
    if kind == "button":
        yield from _text("button", control.get("text"), 75, ("plain_text",))
        yield from _over("value", control.get("value", ""), 2000)
        yield from _over("url", control.get("url", ""), 3000)
        if control.get("style") not in {None, "primary", "danger"}:
            yield "unknown style"
        if "confirm" in control:
            confirm = control["confirm"]
            yield from _text("confirm.title", confirm.get("title"), 100, ("plain_text",))
            yield from _text("confirm.text", confirm.get("text"), 300)
            yield from _text("confirm.confirm", confirm.get("confirm"), 30, ("plain_text",))
            yield from _text("confirm.deny", confirm.get("deny"), 30, ("plain_text",))
    elif kind in {"overflow", "static_select"}:
        options = control.get("options", [])
        if not 1 <= len(options) <= (5 if kind == "overflow" else 100):
            yield f"{len(options)} options"
        for option in options:
            yield from _text("option", option.get("text"), 75)
            yield from _over("option value", option.get("value", ""), 150)
    elif kind == "plain_text_input":
        if not 1 <= int(control.get("max_length", 3000)) <= 3000:
            yield "max_length"
        if "placeholder" in control:
            yield from _text("placeholder", control["placeholder"], 150, ("plain_text",))


def _text(name: str, value: Any, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") not in kinds or not isinstance(value.get("text"), str):
        yield f"{name} is no text"
    elif not 1 <= len(value["text"]) <= most:
        yield f"{name} has {len(value['text'])} characters"


def _over(name: str, value: Any, most: int) -> list[str]:
    if not isinstance(value, str):
        return [f"{name} is no text"]
    return [f"{name} has {len(value)} characters"] if len(value) > most else []
