"""Says whether an edit breaks what others rely on, adds a source of data, or promotes a model, from the change itself.

Rules: compared is what the YAML and JSON files of a change declare before and after it, whoever wrote them, so that
moving something to another file breaks nothing. ``breaks_contract``: a documented model, source, table or column (dbt),
object or property (ODCS) is gone or renamed, has another type, or is no longer enforced. ``adds_source``: a source or a
table of one is new. ``promotes_model``: which version of a model is served, or in which stage, has changed. Adding
anything else breaks nothing. A file that cannot be read declares nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from twokey.tools.write.git_tree import Changed
from twokey.tools.write.yaml_nodes import MAX_NODES, Node, Unreadable, documents

SUFFIXES: Final = (".yml", ".yaml", ".json")
_LISTS: Final = frozenset({"models", "seeds", "snapshots", "sources", "tables", "columns", "schema", "properties"})
"""Keys of lists whose named items are what others rely on."""
_TYPES: Final = frozenset({"data_type", "logicaltype", "physicaltype", "type"})
_SERVED: Final = frozenset(
    {"current_stage", "model_stage", "model_version", "model_uri", "model_alias", "registered_model_version"}
)
_SHARES: Final = frozenset({"traffic", "traffic_percent", "traffic_percentage", "canary_percent"})
"""Keys that count where a key about a model stands beside them."""
_MAX_DEPTH: Final = 40

Path = tuple[str, ...]


@dataclass(slots=True)
class _Declared:
    """What a file declares: named things with their type, the ones that are enforced, and what is served."""

    things: dict[Path, str] = field(default_factory=dict[Path, str])
    enforced: set[Path] = field(default_factory=set[Path])
    served: dict[Path, str] = field(default_factory=dict[Path, str])
    left: int = MAX_NODES
    """How many nodes may still be looked at: one that many aliases stand for is looked at each time."""

    def add(self, other: "_Declared") -> None:
        """Take in what another file declares."""
        self.things |= other.things
        self.enforced |= other.enforced
        self.served |= other.served


def contract_labels(changes: Iterable[Changed]) -> Iterator[str]:
    """Give the labels of a whole change."""
    before, after = _Declared(), _Declared()
    for changed in changes:
        if changed.path.casefold().endswith(SUFFIXES):
            before.add(_declared(changed.before or b""))
            after.add(_declared(changed.after or b""))
    retyped = any(path in after.things and after.things[path] != kind for path, kind in before.things.items() if kind)
    if retyped or before.things.keys() - after.things.keys() or before.enforced - after.enforced:
        yield "breaks_contract"
    if any(path[-2] in {"sources", "tables"} for path in after.things.keys() - before.things.keys()):
        yield "adds_source"
    if before.served != after.served:
        yield "promotes_model"


def _declared(text: bytes) -> _Declared:
    """Read what a file declares; nothing where it cannot be read, so that what it declared before is seen to go."""
    found = _Declared()
    try:
        for document in documents(text):
            _walk(document, (), found, 0)
    except Unreadable:
        return _Declared()
    return found


def _walk(node: Node, path: Path, found: _Declared, depth: int) -> None:
    found.left -= 1
    if depth > _MAX_DEPTH or found.left < 0:
        raise Unreadable
    if node.kind == "list":
        for item in node.children:
            _walk(item, path, found, depth + 1)
        return
    if node.kind != "map":
        return
    pairs = [
        (key.value, value)
        for key, value in zip(node.children[::2], node.children[1::2], strict=True)
        if key.kind == "scalar"
    ]
    values = {key.casefold(): value for key, value in pairs}
    served = _SERVED & values.keys()
    for key in served | (_SHARES & values.keys() if served else set()):
        found.served[*path, key] = _text(values[key])
    contract = values.get("contract")
    if contract is not None and _text(_value(contract, "enforced")).casefold() == "true":
        found.enforced.add(path)
    for key, value in pairs:
        below = (*path, key.casefold())
        if key.casefold() in _LISTS and value.kind == "list":
            _take(value, below, found, depth)
        else:
            _walk(value, below, found, depth + 1)


def _take(items: Node, path: Path, found: _Declared, depth: int) -> None:
    """Note the named items of a list that others rely on."""
    for item in items.children:
        name = _text(_value(item, "name"))
        if name:
            types = [_text(_value(item, kind)) for kind in sorted(_TYPES)]
            found.things[*path, name] = " ".join(text.casefold() for text in types if text)
        _walk(item, (*path, name), found, depth + 1)


def _value(node: Node, wanted: str) -> Node | None:
    if node.kind == "map":
        for key, value in zip(node.children[::2], node.children[1::2], strict=True):
            if key.kind == "scalar" and key.value.casefold() == wanted:
                return value
    return None


def _text(node: Node | None) -> str:
    return node.value.strip() if node is not None and node.kind == "scalar" else ""
