"""On which line of a property file or data contract a node or column stands, so that a problem is shown where it is.

A column of a contract is named as the warehouse calls it.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

from twokey.agents.catalog.editing import SECTIONS
from twokey.agents.catalog.vetting import NodeName
from twokey.agents.catalog.yaml_tree import (
    Alias,
    Node,
    Scalar,
    Sequence,
    Unreadable,
    direct,
    entries,
    parse,
    text_of,
)
from twokey.agents.catalog.yaml_tree import Mapping as Tree

_BREAK: Final = re.compile("\n")

Place = tuple[NodeName, str | None]
"""A node, and one of its columns or None."""


def lines_of(data: bytes) -> Mapping[Place, int]:
    """Give the line (from 1) of every node and column of a property file; nothing for a file that cannot be read."""
    try:
        document = parse(data)
    except Unreadable:
        return {}
    found: dict[Place, int] = {}
    breaks = [match.start() for match in _BREAK.finditer(document.text)]

    def named(owner: Node | None, key: str) -> list[tuple[str, Tree, int]]:
        mapping = direct(owner) if owner is not None else None
        value = entries(mapping).get(key) if isinstance(mapping, Tree) else None
        items = direct(value) if value is not None else None
        given: list[tuple[str, Tree, int]] = []
        for item in items.items if isinstance(items, Sequence) else []:
            inner = direct(item)
            name = entries(inner).get("name") if isinstance(inner, Tree) else None
            text = text_of(name)
            if isinstance(inner, Tree) and name is not None and text is not None:
                at = item if isinstance(item, Alias) or not isinstance(name, Scalar) else name
                called = text_of(entries(inner).get("physicalName")) if key == "properties" else None
                given.append((called or text, inner, bisect_left(breaks, at.start) + 1))
        return given

    def put(node: NodeName, mapping: Tree, line: int, columns: str = "columns") -> None:
        found.setdefault((node, None), line)
        for name, _, at in named(mapping, columns):
            found.setdefault((node, name), at)

    for section in SECTIONS:
        for name, mapping, line in named(document.root, section):
            put(name, mapping, line)
    for name, mapping, line in named(document.root, "schema"):
        put(name, mapping, line, "properties")
    for source, owner, _ in named(document.root, "sources"):
        for name, mapping, line in named(owner, "tables"):
            put((source, name), mapping, line)
    return found
