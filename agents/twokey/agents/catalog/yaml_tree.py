"""A YAML text as a tree of representation nodes that know where they stand in the text.

Promises: nothing is constructed, so no tag runs code and no alias is expanded; every position is an index of a
character; reading takes time and memory in proportion to the text.
Refuses, as ``Unreadable`` with a stable code: more than ``MAX_BYTES``, other encodings than UTF-8, old Macintosh line
ends, more than one document, nesting deeper than ``MAX_DEPTH``, aliases that expand to more than ``MAX_EXPANDED``
nodes, and whatever libyaml cannot parse.

Format: YAML 1.1 (https://yaml.org/spec/1.1/) as libyaml and PyYAML read it, which is how dbt Core reads it.
"""

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

import yaml

from twokey.agents.catalog.vetting import JsonLike, NotAllowed
from twokey.core.errors import BadInput

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 60
MAX_EXPANDED: Final = 1_000_000

STR: Final = "tag:yaml.org,2002:str"
NULL: Final = "tag:yaml.org,2002:null"
BOOL: Final = "tag:yaml.org,2002:bool"
INT: Final = "tag:yaml.org,2002:int"
FLOAT: Final = "tag:yaml.org,2002:float"
MERGE: Final = "tag:yaml.org,2002:merge"

BYTE_ORDER_MARK: Final = "\ufeff"
_NEW: Final = -1
_LONE_CARRIAGE_RETURN: Final = re.compile(r"\r(?!\n)")
_MAX_DIGITS: Final = 400

# first character -> (tag, pattern), as PyYAML resolves a plain scalar
_RESOLVERS: Final = cast("dict[str, list[tuple[str, re.Pattern[str]]]]", yaml.SafeLoader.yaml_implicit_resolvers)

Plain: TypeAlias = "None | bool | int | float | str | list[Plain] | dict[str, Plain]"


class Unreadable(BadInput):
    """A property file that cannot be read safely. ``code`` says why; the file is left alone."""

    default_code = "not_yaml"

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(reason, next="Correct the file by hand, then ask again.", code=code)


@dataclass(slots=True, eq=False)
class Scalar:
    """One scalar. ``tag`` is the resolved one, ``explicit`` if the text names it; ``style`` is ``' " | >`` or None."""

    value: str
    tag: str = STR
    style: str | None = None
    anchor: str | None = None
    explicit: bool = False
    start: int = _NEW
    end: int = _NEW


@dataclass(slots=True, eq=False)
class Alias:
    """A reference to the node that an anchor names."""

    name: str
    target: "Scalar | Collection"
    start: int = _NEW
    end: int = _NEW


@dataclass(slots=True, eq=False)
class Sequence:
    items: "list[Node]" = field(default_factory=list["Node"])
    flow: bool = False
    tag: str | None = None
    anchor: str | None = None
    start: int = _NEW
    end: int = _NEW
    depth: int = 0


@dataclass(slots=True, eq=False)
class Mapping:
    pairs: "list[tuple[Node, Node]]" = field(default_factory=list["tuple[Node, Node]"])
    flow: bool = False
    tag: str | None = None
    anchor: str | None = None
    start: int = _NEW
    end: int = _NEW
    depth: int = 0


Node: TypeAlias = Scalar | Alias | Sequence | Mapping
Collection: TypeAlias = Sequence | Mapping


@dataclass(slots=True, eq=False)
class Document:
    """One parsed text. ``text`` has no byte order mark; ``aliased`` names the anchors that an alias refers to."""

    text: str
    marked: bool
    root: Node | None
    aliased: frozenset[str]

    def encoded(self, text: str) -> bytes:
        """Give ``text`` as bytes, with the byte order mark that the file had."""
        return ((BYTE_ORDER_MARK if self.marked else "") + text).encode()


def resolve(value: str) -> str:
    """Give the tag that PyYAML resolves for a plain scalar (YAML 1.1)."""
    for tag, pattern in _RESOLVERS.get(value[:1], ()):
        if pattern.match(value):
            return tag
    return STR


def is_new(node: Node) -> bool:
    """Tell whether an edit made the node, so that it has no place in the text yet."""
    return node.start == _NEW


def parse(data: bytes) -> Document:
    """Read one property file.

    Args:
        data: The bytes of the file.

    Raises:
        Unreadable: ``too_large``, ``not_utf8``, ``line_breaks``, ``several_documents``, ``nesting``, ``expansion`` or
            ``not_yaml``, each with a sentence.

    """
    if len(data) > MAX_BYTES:
        raise Unreadable(f"The file has {len(data)} bytes, more than the {MAX_BYTES} that are read.", code="too_large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"Byte {error.start} is not UTF-8.", code="not_utf8") from None
    marked = text.startswith(BYTE_ORDER_MARK)
    text = text.removeprefix(BYTE_ORDER_MARK)
    if _LONE_CARRIAGE_RETURN.search(text):
        raise Unreadable("Lines end in a carriage return alone.", code="line_breaks")
    builder = _Builder()
    loader = yaml.CSafeLoader(text)
    try:
        builder.read(loader)
    except yaml.YAMLError as error:
        raise Unreadable(f"The YAML does not parse: {_problem(error)}.", code="not_yaml") from None
    return Document(text=text, marked=marked, root=builder.root, aliased=frozenset(builder.aliased))


def _problem(error: yaml.YAMLError) -> str:
    """Say what libyaml found and where. Its own words quote nothing of the text."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem}, line {error.problem_mark.line + 1}"
    return "a character that YAML does not allow"


@dataclass(slots=True)
class _Frame:
    """A collection that is still open, with the size and height it would have with every alias written out."""

    node: Collection
    children: list[Node] = field(default_factory=list[Node])
    extra: int = 0  # nodes inside the children
    height: int = 0


class _Builder:
    """Puts parse events together to a tree, without recursion."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.aliased: set[str] = set()
        self._anchors: dict[str, tuple[Scalar | Collection, int, int]] = {}
        self._open: list[_Frame] = []
        self._documents = 0
        self._expanded = 0

    def read(self, parser: yaml.CSafeLoader) -> None:
        """Take every event. Most are scalars, so these are put together here, without a call for each."""
        read, opened, scalar = cast("Callable[[], Any]", parser.get_event), self._open, yaml.ScalarEvent
        while True:
            event = read()
            kind = type(event)
            if kind is not scalar:
                if kind is yaml.StreamEndEvent:
                    return
                self._other(kind, event)
                continue
            value, anchor, tag, plain_style = event.value, event.anchor, event.tag, event.implicit[0]
            node = Scalar(
                value,
                tag or (resolve(value) if plain_style else STR),
                None if plain_style else event.style or None,
                anchor,
                tag is not None,
                event.start_mark.index,
                event.end_mark.index,
            )
            self._expanded += 1
            if anchor is None and opened and self._expanded <= MAX_EXPANDED:
                opened[-1].children.append(node)
            else:
                self._count(0)
                self._add(node, anchor, 1, 0)

    def _other(self, kind: type, event: Any) -> None:
        if kind is yaml.MappingStartEvent:
            self._start(event, Mapping)
        elif kind is yaml.SequenceStartEvent:
            self._start(event, Sequence)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end(event.end_mark.index)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise Unreadable("The file holds more than one YAML document.", code="several_documents")

    def _start(self, event: Any, kind: type[Mapping] | type[Sequence]) -> None:
        depth = len(self._open)
        start, end = event.start_mark.index, event.end_mark.index
        node = kind([], bool(event.flow_style), event.tag, event.anchor, start, end, depth)
        self._count(1)
        self._open.append(_Frame(node))
        if depth >= MAX_DEPTH:
            raise Unreadable(f"Values are nested deeper than {MAX_DEPTH} levels.", code="nesting")

    def _end(self, end: int) -> None:
        frame = self._open.pop()
        node, children = frame.node, frame.children
        node.end = end
        if isinstance(node, Mapping):
            node.pairs = list(zip(children[::2], children[1::2], strict=True))
        else:
            node.items = children
        self._add(node, node.anchor, frame.extra + len(children) + 1, frame.height + 1)

    def _alias(self, event: Any) -> None:
        name = event.anchor or ""
        if name not in self._anchors:
            raise Unreadable("An alias names no anchor before it.", code="not_yaml")
        target, size, height = self._anchors[name]
        if len(self._open) + height > MAX_DEPTH:
            raise Unreadable(f"Aliases nest values deeper than {MAX_DEPTH} levels.", code="nesting")
        self.aliased.add(name)
        self._count(size)
        self._add(Alias(name, target, event.start_mark.index, event.end_mark.index), None, size, height)

    def _count(self, size: int) -> None:
        self._expanded += size
        if self._expanded > MAX_EXPANDED:
            raise Unreadable(f"The file holds more than {MAX_EXPANDED} values, aliases written out.", code="expansion")

    def _add(self, node: Node, anchor: str | None, size: int, height: int) -> None:
        if anchor is not None and not isinstance(node, Alias):
            self._anchors[anchor] = (node, size, height)
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.children.append(node)
        frame.extra += size - 1
        frame.height = max(frame.height, height)


def direct(node: Node) -> Scalar | Collection:
    """Follow an alias to what it stands for."""
    return node.target if isinstance(node, Alias) else node


def text_of(node: Node | None) -> str | None:
    """Give the string that a scalar stands for; None for anything that is no string."""
    if node is None:
        return None
    node = direct(node)
    return node.value if isinstance(node, Scalar) and node.tag == STR else None


def is_null(node: Node) -> bool:
    """Tell whether the node is a null (also an empty value)."""
    node = direct(node)
    return isinstance(node, Scalar) and node.tag == NULL


def own(mapping: Mapping, key: str) -> Node | None:
    """Give the value that the mapping itself holds under ``key``, aliases not followed."""
    for name, value in mapping.pairs:
        if isinstance(name, Scalar) and name.value == key and name.tag == STR:
            return value
    return None


def inherited(mapping: Mapping) -> dict[str, Node]:
    """Give what merge keys (``<<``) add to a mapping: keys that it does not hold itself, nearest first."""
    found: dict[str, Node] = {}
    for key, value in mapping.pairs:
        if not (isinstance(key, Scalar) and key.tag == MERGE):
            continue
        source = direct(value)
        for each in source.items if isinstance(source, Sequence) else [source]:
            target = direct(each)
            if isinstance(target, Mapping):
                for name, inner in (entries(target)).items():
                    found.setdefault(name, inner)
    mine = {key.value for key, _ in mapping.pairs if isinstance(key, Scalar)}
    return {name: value for name, value in found.items() if name not in mine}


def entries(mapping: Mapping) -> dict[str, Node]:
    """Give the values of a mapping under its string keys, merge keys followed, own keys first."""
    mine = {key.value: value for key, value in mapping.pairs if isinstance(key, Scalar) and key.tag == STR}
    if any(isinstance(key, Scalar) and key.tag == MERGE for key, _ in mapping.pairs):
        mine |= inherited(mapping)
    return mine


def plain_of(data: bytes) -> Plain:
    """Give what a file says, as plain data; ``None`` where it says nothing or cannot be read."""
    try:
        root = parse(data).root
    except Unreadable:
        return None
    return None if root is None else plain(root)


def plain(node: Node) -> Plain:
    """Give a node as plain JSON-like data. Scalars that are neither text, null, bool nor number stay text.

    Merge keys and aliases are followed; ``MAX_EXPANDED`` bounded their size when the text was parsed.
    """
    node = direct(node)
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in entries(node).items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if node.tag == NULL:
        return None
    if node.tag == BOOL:
        return node.value.lower() in {"yes", "true", "on"}
    return _number(node)


def _number(node: Scalar) -> int | float | str:
    digits = node.value.replace("_", "")
    if len(digits) <= _MAX_DIGITS:
        try:
            if node.tag == INT and not digits.startswith(("0", "+0", "-0")):
                return int(digits)
            if node.tag == INT and digits.lstrip("+-") == "0":
                return 0
            if node.tag == FLOAT:
                return float(digits)
        except ValueError:  # sexagesimal and the like: as text
            return node.value
    return node.value


def node_of(value: JsonLike) -> Node:
    """Make the node that stands for JSON-like data; collections in block style unless empty. Floats are finite."""
    if isinstance(value, str):
        return Scalar(value)
    if value is None:
        return Scalar("null", NULL)
    if isinstance(value, bool):
        return Scalar("true" if value else "false", BOOL)
    if isinstance(value, int):
        return Scalar(str(value), INT)
    if isinstance(value, float):
        return Scalar(_float_text(value), FLOAT)
    if isinstance(value, Map):
        return Mapping([(Scalar(key), node_of(inner)) for key, inner in value.items()], flow=not value)
    return Sequence([node_of(item) for item in value], flow=not value)


def copied(node: Node, most: int) -> Node:
    """Give new nodes that say what a node says, aliases and merge keys written out.

    Raises:
        NotAllowed: ``merge_key`` where that takes more than ``most`` nodes; ``tagged`` or ``complex_key`` where it
            holds a tag or key that cannot be written again.

    """
    left = [most]

    def copy(old: Node) -> Node:
        old = direct(old)
        left[0] -= 1
        if left[0] < 0:
            raise NotAllowed("merge_key", "What a merge key (<<) brings here is too much to be written out.")
        if (old.explicit and old.tag != STR) if isinstance(old, Scalar) else old.tag is not None:
            raise NotAllowed("tagged", "What a merge key (<<) brings here has a YAML tag, which a copy would lose.")
        if isinstance(old, Scalar):
            return Scalar("null" if old.tag == NULL else old.value, old.tag)
        if isinstance(old, Sequence):
            return Sequence([copy(item) for item in old.items], flow=old.flow or not old.items)
        if not all(isinstance(key, Scalar) and key.tag in {STR, MERGE} for key, _ in old.pairs):
            raise NotAllowed("complex_key", "What a merge key (<<) brings here has a key that is no plain name.")
        pairs = [(Scalar(key), copy(value)) for key, value in entries(old).items()]
        return Mapping(list[tuple[Node, Node]](pairs), flow=old.flow or not pairs)

    return copy(node)


def _float_text(value: float) -> str:
    """Write a float so that YAML 1.1 reads a float: it wants a point before the exponent."""
    text = repr(value)
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def same(expected: Node, found: Node | None) -> bool:
    """Tell whether a text that was parsed again says exactly what was expected.

    Nodes that stood in the old text must come back with the same tag, value and plainness, new ones with the tag and
    value that was meant; keys keep their order, anchors and aliases their names.
    """
    if isinstance(expected, Scalar):
        return (
            isinstance(found, Scalar)
            and (expected.value, expected.tag, expected.anchor) == (found.value, found.tag, found.anchor)
            and (is_new(expected) or (expected.style is None) == (found.style is None))
        )
    if isinstance(expected, Alias):
        return isinstance(found, Alias) and expected.name == found.name
    if (
        found is None
        or isinstance(found, Scalar | Alias)
        or (expected.tag, expected.anchor) != (found.tag, found.anchor)
    ):
        return False
    if isinstance(expected, Sequence):
        return (
            isinstance(found, Sequence)
            and len(expected.items) == len(found.items)
            and all(map(same, expected.items, found.items))
        )
    return (
        isinstance(found, Mapping)
        and len(expected.pairs) == len(found.pairs)
        and all(
            same(left[0], right[0]) and same(left[1], right[1])
            for left, right in zip(expected.pairs, found.pairs, strict=True)
        )
    )
