"""Says whether an edit breaks what others rely on, adds a source of data, or promotes a model, from the change itself.

Rules: compared is what each YAML and JSON file declares before and after the change, whoever wrote it.
``breaks_contract``: a documented model, source, table or column (dbt), object or property (ODCS) is gone from its file,
renamed or of another type, or is no longer enforced. ``adds_source``: a source or a table of one is new, or is read
from somewhere else. ``promotes_model``: which version of a model is served, in which stage, or to how many has changed.
Adding anything else breaks nothing. Where a file cannot be read, or says a thing twice, whatever it may have said
counts as changed: it gets ``unreadable_yaml`` and ``breaks_contract``, and ``promotes_model`` if it speaks of models
that are served.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from twokey.tools.write.git_tree import Changed
from twokey.tools.write.yaml_nodes import MAX_DEPTH, MAX_NODES, Node, Unreadable, documents

SUFFIXES: Final = (".yml", ".yaml", ".json")
_LISTS: Final = frozenset({"models", "seeds", "snapshots", "sources", "tables", "columns", "schema", "properties"})
"""Keys of lists whose named items are what others rely on."""
_TYPES: Final = ("datatype", "logicaltype", "physicaltype", "type")
_ORIGINS: Final = ("database", "schema", "identifier", "loader", "location")
"""Keys that say where a source is read from."""
_SERVED: Final = frozenset(
    {"currentstage", "modelstage", "modelversion", "modeluri", "modelalias", "registeredmodelversion", "storageuri"}
    | {"canarytrafficpercent"}
)
_SHARES: Final = frozenset({"traffic", "trafficpercent", "trafficpercentage", "canarypercent"})
"""Keys that count where a key about a model stands beside them."""
_SPEAKS: Final = re.compile(rb"current_?stage|model_?(?:stage|version|uri|alias)|storage_?uri|canary", re.IGNORECASE)

Path = tuple[str, ...]


@dataclass(slots=True)
class _Declared:
    """What a file declares: named things with their types, where sources lie, what is enforced, and what is served."""

    things: dict[Path, set[str]] = field(default_factory=lambda: defaultdict[Path, set[str]](set))
    origins: set[tuple[Path, str]] = field(default_factory=set[tuple[Path, str]])
    enforced: set[Path] = field(default_factory=set[Path])
    served: Counter[tuple[Path, str]] = field(default_factory=Counter[tuple[Path, str]])
    left: int = MAX_NODES
    """How many nodes may still be looked at: one that many aliases stand for is looked at each time."""

    def take(self) -> None:
        """Count a node; raises ``Unreadable`` where there are too many."""
        self.left -= 1
        if self.left < 0:
            raise Unreadable


def contract_labels(changes: Iterable[Changed]) -> Iterator[str]:
    """Give the labels of a whole change."""
    for changed in changes:
        if changed.path.casefold().endswith(SUFFIXES):
            yield from _of(changed)


def _of(changed: Changed) -> Iterator[str]:
    try:
        before, after = (_declared(changed.path, text or b"") for text in (changed.before, changed.after))
    except (Unreadable, RecursionError):  # a merge of a map with itself has no end
        yield "unreadable_yaml"
        yield "breaks_contract"
        if any(text is not None and _SPEAKS.search(text) for text in (changed.before, changed.after)):
            yield "promotes_model"
        return
    gone = before.things.keys() - after.things.keys()
    retyped = any(
        kinds - {""} and after.things[path] != kinds for path, kinds in before.things.items() if path not in gone
    )
    if gone or retyped or before.enforced - after.enforced:
        yield "breaks_contract"
    new = after.things.keys() - before.things.keys()
    if any(path[-2] in {"sources", "tables"} for path in new) or after.origins - before.origins:
        yield "adds_source"
    if before.served != after.served:
        yield "promotes_model"


def _declared(path: str, text: bytes) -> _Declared:
    """Read what a file declares; raises ``Unreadable``."""
    found = _Declared()
    roots = [_json(text)] if path.casefold().endswith(".json") and text.strip() else documents(text)
    for number, root in enumerate(roots):
        _walk(root, (), (f"document {number}",), found)
    return found


def _walk(node: Node, path: Path, at: Path, found: _Declared) -> None:
    """Note what a node declares; ``path`` names what others rely on, ``at`` the exact place."""
    found.take()
    if len(at) > MAX_DEPTH:
        raise Unreadable
    if node.kind == "list":
        for number, item in enumerate(node.children):
            _walk(item, path, (*at, _text(_value(item, "name", found)) or str(number)), found)
    elif node.kind == "map":
        _take(node, path, at, found)


def _take(node: Node, path: Path, at: Path, found: _Declared) -> None:
    values = _values(node, found)
    served = _SERVED & values.keys()
    for key in served | (_SHARES & values.keys() if served else set()):
        found.served[(*at, key), _shown(values[key], found, 0)] += 1
    contract = values.get("contract")
    if contract is not None and _text(_value(contract, "enforced", found)).casefold() == "true":
        found.enforced.add(path)
    for key, value in values.items():
        below, there = (*path, key), (*at, key)
        if key in _LISTS and value.kind == "list":
            for number, item in enumerate(value.children):
                named = _named(item, below, found)
                _walk(item, (*below, named), (*there, named or str(number)), found)
        else:
            _walk(value, below, there, found)


def _named(item: Node, path: Path, found: _Declared) -> str:
    """Note an item of a list that others rely on, and give its name."""
    name = _text(_value(item, "name", found))
    if name:
        values = _values(item, found)
        found.things[*path, name].add(" ".join(_text(values.get(kind)).casefold() for kind in _TYPES).strip())
        if path[-1] in {"sources", "tables"}:
            read = tuple(_text(values.get(key)) for key in _ORIGINS)
            if any(read):
                found.origins.add(((*path, name), "\0".join(read)))
    return name


def _values(node: Node, found: _Declared) -> dict[str, Node]:
    """Give a map's values by key, without case and joints; a key that is there twice makes the file unreadable."""
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for key, value in zip(node.children[::2], node.children[1::2], strict=True):
        if key.kind != "scalar":
            continue
        if key.value == "<<":
            for each in value.children if value.kind == "list" else [value]:
                found.take()
                if each.kind == "map":
                    merged = _values(each, found) | merged
            continue
        name = re.sub(r"[_-]", "", key.value.casefold())
        if name in own:
            raise Unreadable
        own[name] = value
    return merged | own


def _value(node: Node, wanted: str, found: _Declared) -> Node | None:
    return _values(node, found).get(wanted) if node.kind == "map" else None


def _text(node: Node | None) -> str:
    return node.value.strip() if node is not None and node.kind == "scalar" else ""


def _shown(node: Node, found: _Declared, depth: int) -> str:
    """Write a value in one way, whatever it is."""
    found.take()
    if depth > MAX_DEPTH:
        raise Unreadable
    if node.kind == "scalar":
        return node.value.strip()
    return f"{node.kind}({', '.join(_shown(each, found, depth + 1) for each in node.children)})"


def _json(text: bytes) -> Node:
    """Read JSON as nodes; raises ``Unreadable``."""
    try:
        return _node(json.loads(text, object_pairs_hook=_Pairs))
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, those that are there twice included."""


def _node(value: object) -> Node:
    if isinstance(value, _Pairs):
        return Node(
            "map", "", children=[each for key, item in value for each in (Node("scalar", "", key), _node(item))]
        )
    if isinstance(value, list):
        return Node("list", "", children=[_node(item) for item in cast("list[object]", value)])
    return Node("scalar", "", "" if value is None else str(value))
