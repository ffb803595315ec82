"""YAML (and with it JSON) as bare nodes, for telling what a change says without believing what it means.

Rules: reading is by parser events: nothing is constructed, and aliases, depth and size are bounded, so a hostile file
costs an error and not the process. An alias is the node that it stands for, so whoever walks the nodes bounds the walk.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import yaml

MAX_DEPTH: Final = 100
MAX_NODES: Final = 200_000


class Unreadable(Exception):  # noqa: N818 - an answer, turned into a label by the caller
    """The text is no YAML, or more than the bounds allow."""


@dataclass(slots=True)
class Node:
    """A YAML node without its meaning: a scalar's text, or the children of a collection."""

    kind: str
    tag: str
    value: str = ""
    children: list["Node"] = field(default_factory=list["Node"])


_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(text: bytes) -> list[Node]:
    """Build the nodes of every document from parser events, without recursion. Nobody may change them."""
    return list(_documents(text))


@lru_cache(maxsize=2)
def _documents(text: bytes) -> tuple[Node, ...]:
    """Read a text once for all who look at one change: what a file says before it, and after it."""
    try:
        return tuple(_composed(text.decode("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Unreadable from error


def _composed(text: str) -> Iterator[Node]:
    """Give the root of each document. A root is whole once the parser has come to the end of its document."""
    anchors: dict[str, Node] = {}
    stack: list[Node] = []
    count = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            anchors = {}
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            stack.pop()
        if not isinstance(event, yaml.AliasEvent | yaml.ScalarEvent | yaml.CollectionStartEvent):
            continue
        node = _node(event, anchors)
        count += 1
        if count > MAX_NODES or len(stack) > MAX_DEPTH:
            raise Unreadable
        if stack:
            stack[-1].children.append(node)
        else:
            yield node
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append(node)


def _node(event: yaml.AliasEvent | yaml.ScalarEvent | yaml.CollectionStartEvent, anchors: dict[str, Node]) -> Node:
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise Unreadable
        return anchors[event.anchor]
    if isinstance(event, yaml.ScalarEvent):
        node = Node("scalar", event.tag or "", event.value)
    else:
        node = Node("map" if isinstance(event, yaml.MappingStartEvent) else "list", event.tag or "")
    if event.anchor:
        anchors[event.anchor] = node
    return node
