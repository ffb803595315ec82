"""Where the nodes of a YAML text stand and end, how the text is laid out, and which places an edit may touch.

``check_*`` refuse, before anything is changed, the places where an insertion at a mark would not be safe: what more
than one place owns, what stands twice, what a new value would silently lose.
"""

import itertools
from bisect import bisect_right
from collections.abc import Sequence as Items
from typing import Final, TypeGuard

from twokey.agents.catalog.vetting import NotAllowed
from twokey.agents.catalog.yaml_habits import Counts
from twokey.agents.catalog.yaml_text import Habits
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
BLOCK_STYLES: Final = frozenset("|>")


class Layout:
    """Where nodes of a text stand and end, and how the text is laid out."""

    def __init__(self, document: Document) -> None:
        self.text = document.text
        self.aliased = document.aliased
        self.newline = "\r\n" if "\r\n" in document.text else "\n"
        self._replaced: dict[int, tuple[Node, Node]] = {}  # id of a new value -> it, and the node it stands in for
        self._checked: set[int] = set()
        self._ways: set[tuple[int, int]] = set()  # parts of ways that were checked, so that many places cost no more
        self._positions: dict[int, dict[int, int]] = {}  # id of a list -> id of an item -> its place
        self._wraps: dict[int, tuple[Mapping, Sequence, Alias]] = {}  # id of a mapping around an alias -> where it goes
        root = document.root
        sections = [value for _, value in root.pairs] if isinstance(root, Mapping) else []
        self._starts = [section.start for section in sections]
        counts = [Counts.of(section, self) for section in sections]
        self.habits = Counts.of(root, self, inside=counts).habits(Habits())
        self._section_habits = [each.habits(self.habits) for each in counts]

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

    def begin(self, index: int) -> int:
        """Give where the line of ``index`` begins."""
        return self.text.rfind("\n", 0, index) + 1

    def old(self, node: Node) -> Node:
        """Give the node of the text in whose place a value stands: itself, or the one it replaced."""
        found = self._replaced.get(id(node)) if self._replaced else None
        return node if found is None else found[1]

    def end(self, node: Node) -> int:
        """Give where the content of a node of the text ends: behind its last character, before any comment."""
        leaf = self._leaf(node)
        if self._is_block(leaf):
            return self._end_of_block(leaf)
        return leaf.end

    def open_ended(self, node: Node) -> bool:
        """Tell whether blank lines after a node would belong to it (a text under ``|+`` or ``>+``)."""
        leaf = self._leaf(node)
        return self._is_block(leaf) and self._keeps_blanks(leaf)

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

    def end_of_words(self, node: Node) -> int:
        """Give where the last word of a node of the text ends: blank lines below a text in block style stay outside."""
        return self._end_of_block(node, words=True) if self._is_block(node) else self.end(node)

    @staticmethod
    def _is_block(node: Node) -> TypeGuard[Scalar]:
        return isinstance(node, Scalar) and node.style in BLOCK_STYLES

    def _end_of_block(self, node: Scalar, *, words: bool = False) -> int:
        end = node.end
        if self._keeps_blanks(node) and not words:
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

    def alone(self, node: Node) -> bool:
        """Tell whether a node stands on one line and nothing follows it there."""
        end = self.next_line(node.end)
        return "\n" not in self.text[node.start : node.end] and not self.text[node.end : end].strip()

    def spaced(self, items: Items[Node]) -> bool:
        """Tell whether before most of the items of a list, but the first, there is a blank line."""
        return 2 * sum(map(self._apart, items[1:])) > len(items) - 1

    def _apart(self, item: Node) -> bool:
        """Tell whether a blank line stands above an item, or above the comments above it."""
        end = self.text.rfind("\n", 0, item.start)
        while end > 0:
            begin = self.text.rfind("\n", 0, end) + 1
            line = self.text[begin:end].strip()
            if not line.startswith("#"):
                return not line
            end = begin - 1
        return False

    # --- what can be edited ---------------------------------------------------------------------------------

    def check_owner(self, node: Node) -> None:
        """Refuse a node that more than one place of the file owns."""
        if isinstance(node, Alias):
            raise NotAllowed("alias", "The place is an alias (*name); an edit would change every owner of it.")
        if node.anchor is not None and node.anchor in self.aliased:
            raise NotAllowed("shared_anchor", "The place has an anchor used elsewhere; an edit would change both.")

    @staticmethod
    def check_key(node: Mapping, name: str) -> None:
        """Refuse a key that stands twice in a mapping. Other keys that do are not touched, so they may."""
        if [key.value for key, _ in node.pairs if isinstance(key, Scalar)].count(name) > 1:
            raise NotAllowed("duplicate_key", "The key stands twice in this place; which one counts is not certain.")

    def check_way(self, path: Items[Node]) -> None:
        """Refuse a way from the top down to a node that leads through an alias, a shared node or a doubled key."""
        for node, inner in itertools.pairwise(path):
            if (id(node), id(inner)) in self._ways:
                continue
            self.check_owner(node)
            if isinstance(node, Mapping):
                name = next(key for key, value in node.pairs if value is inner)
                self.check_key(node, name.value if isinstance(name, Scalar) else "")
            self._ways.add((id(node), id(inner)))

    def check_mapping(self, node: Mapping, name: str) -> None:
        """Refuse a mapping that cannot take a new key ``name`` at a mark, or a new value under it."""
        self.check_key(node, name)
        if is_new(node) or id(node) in self._checked or id(node) in self._wraps:
            return
        self.check_owner(node)
        if not all(isinstance(key, Scalar) for key, _ in node.pairs):
            raise NotAllowed("complex_key", "A key in this place is an alias, a list or a mapping.")
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
            if node.explicit and node.tag != STR:
                raise NotAllowed("tagged", "The value has a YAML tag, which a new value would lose.")
            if node.style in BLOCK_STYLES and "#" in self.text[node.start : self.next_line(node.start)]:
                raise NotAllowed("comment_in_value", "A comment stands at the head of the value; it would be lost.")
        elif isinstance(node, Collection):
            raise NotAllowed("unexpected_shape", "The place holds a list or mapping where a single value is expected.")

    def wrapped(self, owner: Sequence, alias: Alias) -> Mapping:
        """Give a mapping that merges what an item of a list stands for, to take keys of its own: ``- <<: *name``."""
        key = Scalar("<<", MERGE)
        made = Mapping([(key, alias)], owner.flow, start=alias.start, end=alias.end, depth=owner.depth + 1)
        self._wraps[id(made)] = (made, owner, alias)
        return made

    def alias_of(self, node: Mapping) -> Alias | None:
        """Give the alias around which a mapping was made with ``wrapped``, else None."""
        found = self._wraps.get(id(node))
        return None if found is None else found[2]

    def put(self, node: Mapping) -> None:
        """Put a mapping that ``wrapped`` made in place of its alias, once there is something to say in it."""
        if id(node) in self._wraps:
            _, owner, alias = self._wraps[id(node)]
            if id(owner) not in self._positions:
                self._positions[id(owner)] = {id(item): number for number, item in enumerate(owner.items)}
            owner.items[self._positions[id(owner)][id(alias)]] = node

    def replace(self, mapping: Mapping, key: str, value: Node) -> None:
        """Put ``value`` in place of what ``mapping`` holds under ``key`` (checked before with ``check_value``)."""
        for index, (name, before) in enumerate(mapping.pairs):
            if isinstance(name, Scalar) and name.value == key:
                if not is_new(self.old(before)):
                    self._replaced[id(value)] = (value, self.old(before))
                mapping.pairs[index] = (name, value)
