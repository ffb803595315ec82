"""What an edit of a YAML file did besides what was asked: changed lines, and changed content.

Rules: this shares no code with the editor. It puts PyYAML's events together by itself, and carries out what was asked
on plain values, in the simplest way there is. A line counts as noise where it differs and nothing that was asked for
stands on it; one blank line before and after something new is layout, not noise. A difference of content is any value
that is not the old one plus what was asked.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top of the first document."""
Content: TypeAlias = "tuple[str, str] | list[Content] | dict[tuple[str, str], Content]"
Mark: TypeAlias = tuple[int, int]
"""Line and column, from 0."""

_STR: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"
_RESOLVER: Final = yaml.SafeLoader("")
_BREAK: Final = re.compile("\n|\x85|\u2028|\u2029")
"""What libyaml counts as the end of a line; a carriage return before it stays with the line."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One change that was asked for: in the mapping at ``path``, ``key`` gets ``text``, or ``items`` behind its own.

    ``keys`` are the names the key may have: the one that is there counts, else any of them may be new.
    """

    path: Path
    keys: tuple[str, ...]
    text: str | None = None
    items: tuple[Mapping[str, str] | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """Lines beyond the edits, and places whose content is not what was asked for."""

    noise: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


def score(before: str, after: str, wishes: Sequence[Wish]) -> Score:
    """Compare two texts of a file (without byte order mark), given what was asked for and done.

    Raises:
        yaml.YAMLError: one of the texts does not parse.

    """
    first, second = _documents(before), _documents(after)
    return Score(tuple(_Lines(before, after).noise(first, second)), tuple(_differences(first, second, wishes)))


# --- reading -----------------------------------------------------------------------------------------------------


class _Marked(Protocol):
    line: int
    column: int


@dataclass(slots=True, eq=False)
class _Node:
    """A scalar, a list, a mapping (keys and values in turn), or an alias (``target``)."""

    kind: Literal["scalar", "list", "mapping", "alias"]
    start: Mark
    end: Mark
    tag: str = ""
    value: str = ""
    flow: bool = False
    block_text: bool = False
    children: "list[_Node]" = field(default_factory=list["_Node"])
    target: "_Node | None" = None

    @property
    def pairs(self) -> "list[tuple[_Node, _Node]]":
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def followed(self) -> "_Node":
        return self.target if self.target is not None else self


def _documents(text: str) -> list[_Node]:
    """Put the events of a text together, one node a document."""
    documents: list[_Node] = []
    anchors: dict[str, _Node] = {}
    waiting: list[_Node] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            waiting.pop().end = _place(event.end_mark)
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, anchors)
            (waiting[-1].children if waiting else documents).append(node)
            if event.anchor and node.kind != "alias":
                anchors[str(event.anchor)] = node
            if node.kind in {"list", "mapping"}:
                waiting.append(node)
    return documents


def _node(event: yaml.NodeEvent, anchors: Mapping[str, _Node]) -> _Node:
    start, end = _place(event.start_mark), _place(event.end_mark)
    if isinstance(event, yaml.ScalarEvent):
        tag = event.tag or str(_RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit))
        return _Node("scalar", start, end, tag, event.value, block_text=event.style in {"|", ">"})
    if isinstance(event, yaml.CollectionStartEvent):
        kind: Literal["list", "mapping"] = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
        return _Node(kind, start, end, event.tag or "", flow=bool(event.flow_style))
    return _Node("alias", start, end, target=anchors[str(event.anchor)])


def _place(mark: "_Marked | None") -> Mark:
    return (mark.line, mark.column) if mark is not None else (0, 0)


# --- content -----------------------------------------------------------------------------------------------------


def _differences(first: Sequence[_Node], second: Sequence[_Node], wishes: Sequence[Wish]) -> Iterator[str]:
    wanted: list[Content] = [_content(node) for node in first]
    found: list[Content] = [_content(node) for node in second]
    for wish in wishes:
        _grant(wanted[0], wish, found[0])
    if len(wanted) != len(found):
        yield "the number of documents"
    for one, other in zip(wanted, found, strict=False):
        yield from _unequal(one, other, "")


def _content(node: _Node) -> Content:
    """Give a node as values of its own: aliases written out, merge keys followed, the last of equal keys counting."""
    node = node.followed()
    if node.kind == "scalar":
        return (node.tag, node.value)
    if node.kind == "list":
        return [_content(item) for item in node.children]
    merged: dict[tuple[str, str], Content] = {}
    mine: dict[tuple[str, str], Content] = {}
    for key, value in node.pairs:
        if key.tag == _MERGE:
            target = value.followed()
            for each in target.children if target.kind == "list" else [target]:
                inner = _content(each)
                merged = {**inner, **merged} if isinstance(inner, dict) else merged
        else:
            mine[_name(key)] = _content(value)
    return {**merged, **mine}


def _name(key: _Node) -> tuple[str, str]:
    content = _content(key)
    return content if isinstance(content, tuple) else ("complex", repr(content))


def _grant(content: Content, wish: Wish, found: Content) -> None:
    """Carry out a wish on the old content. ``found`` only tells which of several names a new key got."""
    for step in wish.path:
        content, found = _step(content, step), _step(found, step)
    if not isinstance(content, dict):
        return
    there = [key for key in wish.keys if (_STR, key) in content]
    new = [key for key in wish.keys if isinstance(found, dict) and (_STR, key) in found]
    key = (_STR, [*there, *new, *wish.keys][0])
    if wish.text is not None:
        content[key] = (_STR, wish.text)
        return
    old = content.get(key)
    content[key] = [*(old if isinstance(old, list) else []), *map(_item, wish.items)]


def _item(item: Mapping[str, str] | str) -> Content:
    if isinstance(item, str):
        return (_STR, item)
    return {(_STR, key): (_STR, value) for key, value in item.items()}


def _step(content: Content, step: str | int) -> Content:
    if isinstance(content, list) and isinstance(step, int) and step < len(content):
        return content[step]
    if isinstance(content, dict) and isinstance(step, str):
        return content.get((_STR, step), {})
    return {}


def _unequal(one: Content, other: Content, place: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key in one and key in other:
                yield from _unequal(one[key], other[key], f"{place}/{key[1]}")
            else:
                yield f"{place}/{key[1]}"
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{place}[]"
        for number, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from _unequal(left, right, f"{place}[{number}]")
    elif one != other:
        yield place or "/"


# --- lines -------------------------------------------------------------------------------------------------------


class _Lines:
    """Both texts line by line, and on which lines something that was asked for stands."""

    def __init__(self, before: str, after: str) -> None:
        self._old, self._new = _BREAK.split(before), _BREAK.split(after)
        self._gone: set[int] = set()  # lines of the old text that an edit may change
        self._come: set[int] = set()  # lines of the new text that an edit may have written
        self._beside: set[int] = set()  # lines of the new text that may be new where they are blank
        self._noise: list[str] = []

    def noise(self, first: Sequence[_Node], second: Sequence[_Node]) -> list[str]:
        """Give every line that differs and should not."""
        for one, other in zip(first, second, strict=False):
            self._compare(one, other)
        return [*self._noise, *self._rest()]

    def _compare(self, one: _Node, other: _Node) -> None:
        if one.flow and other.flow and one.children and one.kind == other.kind:
            self._flow(one, other)
        elif one.kind == other.kind == "mapping" and not one.flow:
            same, fresh = _paired(one, other)
            for left, right in same:
                self._compare(left, right)
            for key, value in fresh:
                self._came(key.start, value)
        elif one.kind == other.kind == "list" and not one.flow:
            for left, right in zip(one.children, other.children, strict=False):
                self._compare(left, right)
            for node in other.children[len(one.children) :]:
                self._came(node.start, node)
        elif not _alike(one, other):
            self._replaced(one, other)

    def _came(self, start: Mark, node: _Node) -> None:
        """Let a new pair or item stand on its lines, apart by a blank line where it likes."""
        last = _end(node, self._new)[0]
        self._come.update(range(start[0], last + 1))
        self._beside |= {start[0] - 1, last + 1}

    def _replaced(self, one: _Node, other: _Node) -> None:
        """Let a value take the place of another; what stands before and behind it on the line must stay."""
        last, new_last = _end(one, self._old), _end(other, self._new)
        self._gone.update(range(one.start[0], last[0] + 1))
        self._come.update(range(other.start[0], new_last[0] + 1))
        head, tail = self._old[one.start[0]][: one.start[1]], self._old[last[0]][last[1] :].strip()
        first = self._head_line(other)
        self._come.add(first)
        began = self._new[first][: other.start[1]] if one.start < last and other.kind == "scalar" else self._new[first]
        behind = (self._new[new_last[0]][new_last[1] :].strip(), self._new[first].strip())
        if not began.startswith(head.rstrip()) or (began != self._new[first] and began != head):
            self._noise.append(self._old[one.start[0]])
        elif not (behind[0] == tail or behind[1].endswith(tail)):
            self._noise.append(self._old[last[0]])

    def _head_line(self, node: _Node) -> int:
        """Give the line with the key of a value: the one above where a list or mapping begins on a line of its own."""
        line = node.start[0]
        if node.kind in {"list", "mapping"} and not node.flow:
            while line and not self._new[line][: node.start[1]].strip(" -"):
                line -= 1
                if self._new[line].strip():
                    break
        return line

    def _flow(self, one: _Node, other: _Node) -> None:
        """Let a list or mapping in flow style grow: nothing of its lines may be lost but values that were replaced."""
        old = self._old[one.start[0] : one.end[0] + 1]
        new = self._new[other.start[0] : other.end[0] + 1]
        if old == new:
            return
        self._gone.update(range(one.start[0], one.end[0] + 1))
        self._come.update(range(other.start[0], other.end[0] + 1))
        for start, end in sorted(_replaced_inside(one, other), reverse=True):
            first, last = start[0] - one.start[0], end[0] - one.start[0]
            old[first : last + 1] = [old[first][: start[1]], old[last][end[1] :]]
        if not _is_part("".join(old), "".join(new)):
            self._noise += old

    def _rest(self) -> list[str]:
        """Compare the lines that no edit touched."""
        old = [line for number, line in enumerate(self._old) if number not in self._gone]
        new = [(number, line) for number, line in enumerate(self._new) if number not in self._come]
        stays: list[str] = []
        at = 0
        while at < len(new):
            end = at
            while end < len(new) and not new[end][1].strip():
                end += 1
            there = len(stays)
            while there < len(old) and not old[there].strip():
                there += 1
            there -= len(stays)
            more = min(end - at - there, sum(number in self._beside for number, _ in new[at:end]))
            stays += [line for _, line in new[at + max(more, 0) : end + 1]]
            at = end + 1
        for lines in (old, stays):  # a last line without an end gets one where something follows it
            if lines:
                lines[-1] = lines[-1].removesuffix("\r")
        if old == stays:
            return []
        return [line for line in list(difflib.unified_diff(old, stays, n=0, lineterm=""))[2:] if line[0] != "@"]


def _paired(one: _Node, other: _Node) -> tuple[list[tuple[_Node, _Node]], list[tuple[_Node, _Node]]]:
    """Give the values of two mappings under the same keys, and the pairs that only the second has."""
    waiting: dict[tuple[str, str], list[_Node]] = {}
    for key, value in one.pairs:
        waiting.setdefault(_name(key), []).append(value)
    same: list[tuple[_Node, _Node]] = []
    fresh: list[tuple[_Node, _Node]] = []
    for key, value in other.pairs:
        known = waiting.get(_name(key))
        if known:
            same.append((known.pop(0), value))
        else:
            fresh.append((key, value))
    return same, fresh


def _alike(one: _Node, other: _Node) -> bool:
    if one.kind == other.kind == "alias":
        return True
    empty = not one.children and not other.children
    return (one.kind, one.tag, one.value) == (other.kind, other.tag, other.value) and empty


def _replaced_inside(one: _Node, other: _Node) -> Iterator[tuple[Mark, Mark]]:
    """Give where values inside a collection were replaced."""
    if one.kind == other.kind == "mapping":
        for left, right in _paired(one, other)[0]:
            yield from _replaced_inside(left, right)
    elif one.kind == other.kind == "list":
        for left, right in zip(one.children, other.children, strict=False):
            yield from _replaced_inside(left, right)
    elif not _alike(one, other):
        yield one.start, one.end


def _end(node: _Node, lines: Sequence[str]) -> Mark:
    """Give where the content of a node ends. PyYAML lets block styles end where the next token begins."""
    while node.children and not node.flow:
        node = node.children[-1]
    line, column = node.end
    if node.block_text:
        line, column = (line, column) if column else (line - 1, len(lines[line - 1]))
        while line > node.start[0] and not lines[line].strip():
            line -= 1
            column = len(lines[line])
    return line, column


def _is_part(part: str, whole: str) -> bool:
    """Tell whether all characters of ``part`` but blanks occur in ``whole`` in their order."""
    rest = iter(whole)
    return all(char in rest for char in part if not char.isspace())
