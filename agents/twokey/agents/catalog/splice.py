"""Writing changes of a tree back into the text it was parsed from, byte for byte where nothing changed.

The caller changes the tree: new pairs in a mapping, new items at the end of a list, new values in place of blank ones
or of text. ``Splice`` turns that into insertions and replacements at the marks of the parser. Every other character
stays: comments, indentation, quotes, line ends, a missing last line end.

``check_*`` refuse, before anything is changed, the places where an insertion at a mark would not be safe.
"""

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import replace
from typing import Final, TypeVar

from twokey.agents.catalog.vetting import NotAllowed
from twokey.agents.catalog.yaml_text import (
    Habits,
    Quote,
    flow_text,
    inline,
    item_lines,
    joined,
    pair_lines,
    quoted,
)
from twokey.agents.catalog.yaml_tree import (
    MERGE,
    STR,
    Alias,
    Collection,
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    is_new,
)

_BLANKS: Final = " \t\r\n"
_BLOCK_STYLES: Final = frozenset("|>")
_QUOTES: Final[dict[str | None, Quote]] = {"'": "'", '"': '"'}


class Layout:
    """Where nodes of a text stand and end, and how the text is laid out."""

    def __init__(self, document: Document) -> None:
        self.text = document.text
        self.aliased = document.aliased
        self.newline = "\r\n" if "\r\n" in document.text else "\n"
        self._replaced: dict[int, tuple[Node, Node]] = {}  # id of a new value -> it, and the node it stands in for
        self._checked: set[int] = set()
        root = document.root
        self.habits = _habits(root, self, Habits())
        self._sections = [value for _, value in root.pairs] if isinstance(root, Mapping) else []
        self._starts = [section.start for section in self._sections]
        self._section_habits = [_habits(section, self, self.habits) for section in self._sections]

    def habits_at(self, index: int) -> Habits:
        """Give the habits of the section (``models``, ``sources``, ...) around a character, completed by the file's."""
        number = bisect_right(self._starts, index) - 1
        return self.habits if number < 0 else self._section_habits[number]

    def column(self, index: int) -> int:
        """Give the column of a character, from 0."""
        return index - (self.text.rfind("\n", 0, index) + 1)

    def next_line(self, index: int) -> int:
        """Give where the line after ``index`` begins, or the end of the text."""
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def old(self, node: Node) -> Node:
        """Give the node of the text in whose place a value stands: itself, or the one it replaced."""
        return self._replaced.get(id(node), (node, node))[1]

    def end(self, node: Node) -> int:
        """Give where the content of a node of the text ends: behind its last character, before any comment."""
        leaf = self._leaf(node)
        if isinstance(leaf, Scalar) and leaf.style in _BLOCK_STYLES:
            return self._end_of_block(leaf)
        return leaf.end

    def open_ended(self, node: Node) -> bool:
        """Tell whether blank lines after a node would belong to it (a text under ``|+`` or ``>+``)."""
        leaf = self._leaf(node)
        return isinstance(leaf, Scalar) and leaf.style in _BLOCK_STYLES and self._keeps_blanks(leaf)

    def _leaf(self, node: Node) -> Node:
        node = self.old(node)
        while isinstance(node, Collection) and not node.flow:
            last = self._last(node)
            if last is None:
                break
            node = last
        return node

    def _last(self, node: Collection) -> Node | None:
        children = node.items if isinstance(node, Sequence) else [value for key, value in node.pairs if not is_new(key)]
        return next((self.old(each) for each in reversed(children) if not is_new(self.old(each))), None)

    def _end_of_block(self, node: Scalar) -> int:
        end = node.end
        if self._keeps_blanks(node):
            return end - 1 if self.text[end - 1] == "\n" else end
        while self.text[end - 1] in _BLANKS:
            end -= 1
        return end

    def _keeps_blanks(self, node: Scalar) -> bool:
        return "+" in self.text[node.start : self.next_line(node.start)].split("#", 1)[0]

    def dash(self, node: Sequence) -> int:
        """Give the index of the first dash of a list in block style."""
        index = node.start
        while self.text[index] != "-":  # past an anchor or tag, blanks and comments
            skip = self.text[index]
            if skip == "#":
                index = self.next_line(index)
            elif skip in _BLANKS:
                index += 1
            else:
                while self.text[index] not in _BLANKS:
                    index += 1
        return index

    def spaced(self, items: Items[Node]) -> bool:
        """Tell whether most of the items of a list are followed by a blank line."""
        pairs = list(itertools.pairwise(items))
        blank = sum("" in map(str.strip, self.text[self.end(a) : b.start].split("\n")[1:-1]) for a, b in pairs)
        return 2 * blank > len(pairs)

    # --- what can be edited ---------------------------------------------------------------------------------

    def check_owner(self, node: Node) -> None:
        """Refuse a node that more than one place of the file owns."""
        if isinstance(node, Alias):
            raise NotAllowed("alias", "The place is an alias (*name); an edit would change every owner of it.")
        if node.anchor is not None and node.anchor in self.aliased:
            raise NotAllowed("shared_anchor", "The place has an anchor used elsewhere; an edit would change both.")

    def check_keys(self, node: Mapping) -> None:
        """Refuse a mapping whose keys are not plain names, each standing once."""
        names = [key.value for key, _ in node.pairs if isinstance(key, Scalar)]
        if len(names) != len(node.pairs):
            raise NotAllowed("complex_key", "A key in this place is an alias, a list or a mapping.")
        if len(set(names)) != len(names):
            raise NotAllowed("duplicate_key", "A key stands twice in this place; which one counts is not certain.")

    def check_mapping(self, node: Mapping) -> None:
        """Refuse a mapping that cannot take a new key at a mark."""
        if is_new(node) or id(node) in self._checked:
            return
        self.check_owner(node)
        self.check_keys(node)
        if node.flow:
            self._check_flow(node, "{")
        else:
            self._check_indentation(node)
        self._checked.add(id(node))

    def check_sequence(self, node: Sequence) -> None:
        """Refuse a list that cannot take a new item at a mark."""
        if is_new(node):
            return
        self.check_owner(node)
        if node.flow:
            self._check_flow(node, "[")

    def _check_flow(self, node: Collection, bracket: str) -> None:
        if self.text[node.start] != bracket:
            raise NotAllowed("flow_style", "The place is written in a flow style that cannot be extended safely.")

    def _check_indentation(self, node: Mapping) -> None:
        for number, (key, _) in enumerate(node.pairs):
            before = self._before(key.start)
            if before.strip(" -" if number == 0 else " "):
                raise NotAllowed("complex_key", "A key in this place is written with a question mark or a prefix.")

    def _before(self, index: int) -> str:
        return self.text[self.text.rfind("\n", 0, index) + 1 : index]

    def check_value(self, node: Node) -> None:
        """Refuse a value that cannot be replaced by another one."""
        if is_new(node):
            return
        if isinstance(node, Scalar):
            if node.anchor is not None:
                raise NotAllowed("anchored", "The value has an anchor, which a new value would lose.")
            if node.explicit:
                raise NotAllowed("tagged", "The value has a YAML tag, which a new value would lose.")
            if node.style in _BLOCK_STYLES and "#" in self.text[node.start : self.next_line(node.start)]:
                raise NotAllowed("comment_in_value", "A comment stands at the head of the value; it would be lost.")
        elif isinstance(node, Collection):
            raise NotAllowed("unexpected_shape", "The place holds a list or mapping where a single value is expected.")

    def replace(self, mapping: Mapping, key: str, value: Node) -> None:
        """Put ``value`` in place of what ``mapping`` holds under ``key`` (checked before with ``check_value``)."""
        for index, (name, before) in enumerate(mapping.pairs):
            if isinstance(name, Scalar) and name.value == key:
                if not is_new(self.old(before)):
                    self._replaced[id(value)] = (value, self.old(before))
                mapping.pairs[index] = (name, value)


class Splice:
    """Collects the changes of one text and writes them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._habits = layout.habits
        self._cuts: list[tuple[int, int, int, str]] = []  # start, minus depth, end, text

    def written(self, root: Node | None, touched: list[tuple[str, Collection]]) -> str:
        """Give the new text.

        Args:
            root: The changed tree.
            touched: Every collection of the old text with something new in it, and the key it stands under.

        """
        if isinstance(root, Mapping) and is_new(root):
            self._whole(root)
        for key, node in touched:
            self._habits = self._layout.habits_at(node.start)
            if isinstance(node, Sequence):
                self._items(key, node)
            else:
                self._pairs(node)
        pieces: list[str] = []
        position = 0
        for start, _, end, text in sorted(self._cuts, key=lambda cut: cut[:2]):
            pieces += [self._layout.text[position:start], text]
            position = max(position, end)
        return "".join([*pieces, self._layout.text[position:]])

    def _whole(self, root: Mapping) -> None:
        """Write the whole mapping at the end of a file that held none."""
        for index, (key, value) in enumerate(root.pairs):
            if isinstance(key, Scalar):
                self._lines(len(self._layout.text), 0, pair_lines(key, value, 0, self._habits), apart=index > 0)

    def _lines(self, index: int, depth: int, lines: list[str], *, apart: bool = False) -> None:
        """Put whole lines at the beginning of a line, or behind a last line that has no end."""
        text = self._layout.text
        lines = ["", *lines] if apart else lines
        if index and text[index - 1] != "\n":
            newline = self._layout.newline
            chunk = newline + newline.join(lines)
        else:
            newline = "\r\n" if text[index - 2 : index] == "\r\n" else "\n" if index else self._layout.newline
            chunk = joined(lines, newline)
        self._cuts.append((index, -depth, index, chunk))

    def _items(self, key: str, node: Sequence) -> None:
        layout = self._layout
        fresh = [item for item in node.items if is_new(item)]
        old = [item for item in node.items if not is_new(item)]
        if node.flow:
            at = layout.end(old[-1]) if old else node.start + 1
            json = bool(old) and layout.text[old[0].start] == '"'
            self._flow(at, node.depth, [flow_text(item, self._habits, json=json) for item in fresh], first=not old)
            return
        dash = layout.dash(node)
        column = layout.column(dash)
        habits = self._gap(old[0], dash)
        at = layout.next_line(layout.end(old[-1]))
        apart = layout.spaced(old) if len(old) > 1 else key in habits.spaced
        closed = not layout.open_ended(old[-1])
        for number, item in enumerate(fresh):
            lines = item_lines(item, column, habits)
            self._lines(at, node.depth, lines, apart=apart and (closed or number > 0))

    def _gap(self, first: Node, dash: int) -> Habits:
        """Give the habits with the distance from dash to content that this list has."""
        gap = first.start - dash
        same_line = "\n" not in self._layout.text[dash : first.start]
        return replace(self._habits, gap=gap) if same_line and gap > 1 else self._habits

    def _flow(self, at: int, depth: int, texts: list[str], *, first: bool) -> None:
        text = ", ".join(texts)
        self._cuts.append((at, -depth, at, text if first else ", " + text))

    def _pairs(self, node: Mapping) -> None:
        layout = self._layout
        before: int | None = None  # where the last pair of the text ends
        closed = True
        json = node.flow and bool(node.pairs) and layout.text[node.pairs[0][0].start] == '"'
        column = 0 if node.flow else layout.column(node.pairs[0][0].start)
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                continue
            if not is_new(key):
                before, closed = layout.end(value), not layout.open_ended(value)
                if is_new(value):
                    self._value(node, key, value, column, json=json)
            elif node.flow:
                text = f"{flow_text(key, self._habits, json=json)}: {flow_text(value, self._habits, json=json)}"
                self._flow(node.start + 1 if before is None else before, node.depth, [text], first=before is None)
            elif before is not None:
                lines = pair_lines(key, value, column, self._habits)
                self._lines(layout.next_line(before), node.depth, lines, apart=closed and node.depth == 0)

    def _value(self, node: Mapping, key: Scalar, value: Node, column: int, *, json: bool) -> None:
        """Write a value in place of an old one, or where there was none."""
        layout = self._layout
        old = layout.old(value)
        end = layout.end(old)
        if node.flow:
            text = flow_text(value, self._habits, json=json)
            colon = "" if old.start < end else " " if layout.text[end - 1] == ":" else ": "
            self._cuts.append((old.start, -node.depth, end, colon + text))
            return
        plain_key = Scalar(key.value)
        lines = pair_lines(plain_key, value, column, self._habits)
        head = len(" " * column + inline(plain_key, self._habits) + ":")
        tail = lines[0][head:]
        rest = layout.text[end : layout.next_line(end)].rstrip("\r\n")
        if not rest.strip():
            end += len(rest)  # blanks at the end of the line would become part of a text of several lines
        elif len(lines) > 1 and isinstance(value, Scalar):
            lines, tail = lines[:1], " " + quoted(value.value, '"')  # a comment follows on the line
        if isinstance(value, Scalar) or tail:
            blank = "" if old.start == old.end else " "
            text = layout.newline.join([tail.removeprefix(blank), *lines[1:]])
            self._cuts.append((old.start, -node.depth, end, text))
            return
        if old.start < old.end:
            start = old.start
            while layout.text[start - 1] == " ":
                start -= 1
            self._cuts.append((start, -node.depth, end, ""))
        self._lines(layout.next_line(end), node.depth, lines[1:])


def _habits(root: Node | None, layout: Layout, default: Habits) -> Habits:
    """Read off the layout that most of a text has; ``default`` where it shows none."""
    steps: Counter[int] = Counter()
    dashes: dict[str, Counter[int]] = {}
    gaps: Counter[int] = Counter()
    quotes: Counter[Quote] = Counter()
    descriptions: Counter[bool] = Counter()
    apart: dict[str, Counter[bool]] = {}
    for key, value in _block_pairs(root):
        name = key.value
        if isinstance(value, Sequence) and not value.flow and value.items:
            dash = layout.dash(value)
            dashes.setdefault(name, Counter())[layout.column(dash) - layout.column(key.start)] += 1
            if "\n" not in layout.text[dash : value.items[0].start]:
                gaps[value.items[0].start - dash] += 1
            if len(value.items) > 1:
                apart.setdefault(name, Counter())[layout.spaced(value.items)] += 1
        elif isinstance(value, Mapping) and not value.flow and value.pairs:
            steps[layout.column(value.pairs[0][0].start) - layout.column(key.start)] += 1
        elif isinstance(value, Scalar) and value.tag == STR and value.value:
            if value.style in _QUOTES:
                quotes[_QUOTES[value.style]] += 1
            if name == "description" and value.style not in _BLOCK_STYLES:
                descriptions[value.style is not None] += 1
    known = apart.keys() | default.spaced
    return Habits(
        step=max(_most(steps, default.step), 1),
        dash=_most(sum(dashes.values(), Counter[int]()), default.dash),
        gap=max(_most(gaps, default.gap), 2),
        quote=_most(quotes, default.quote),
        quote_descriptions=_most(descriptions, default.quote_descriptions),
        dashes={name: _most(counts, 2) for name, counts in dashes.items()} or default.dashes,
        spaced=frozenset(name for name in known if _most(apart.get(name), name in default.spaced)),
    )


_T = TypeVar("_T")


def _most(counts: "Counter[_T] | None", default: _T) -> _T:
    return counts.most_common(1)[0][0] if counts else default


def _block_pairs(root: Node | None) -> Iterator[tuple[Scalar, Node]]:
    """Give every key with its value in the mappings that stand in block style, from the top of the text."""
    waiting: list[Node] = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting += reversed(node.items)
        elif isinstance(node, Mapping) and not node.flow:
            for key, value in node.pairs:
                if isinstance(key, Scalar) and key.tag != MERGE:
                    yield key, value
            waiting += [value for _, value in reversed(node.pairs)]
