"""Writing changes of a tree back into the text it was parsed from, byte for byte where nothing changed.

The caller changes the tree: new pairs in a mapping, new items at the end of a list, new values in place of blank ones
or of text. ``Splice`` turns that into insertions and replacements at the marks of the parser. Every other character
stays: comments, indentation, quotes, line ends, a missing last line end. Which places may be changed is said by
``yaml_layout``, before.
"""

from dataclasses import replace
from typing import Final

from twokey.agents.catalog.yaml_layout import Layout
from twokey.agents.catalog.yaml_text import Habits, flow_text, inline, item_lines, joined, pair_lines, quoted
from twokey.agents.catalog.yaml_tree import MERGE, Alias, Collection, Mapping, Node, Scalar, Sequence, is_new

MOST_INDENT: Final = 400
"""Blanks before an item in flow style that are taken for its indentation."""


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
            elif (alias := self._layout.alias_of(node)) is not None:
                self._around(node, alias)
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
        old = [item for item in node.items if not is_new(item)]
        if node.flow:
            fresh = [item for item in node.items if is_new(item)]
            at = layout.end(old[-1]) if old else node.start + 1
            json = bool(old) and self._is_json(old[0])
            texts = [flow_text(item, self._habits, json=json) for item in fresh]
            self._flow(at, node.depth, texts, old[-1].start if old else None)
            return
        dash = layout.dash(node)
        column = layout.column(dash)
        habits = self._gap(old[0], dash)
        apart = layout.spaced(old) if len(old) > 1 else key in habits.spaced
        behind: Node | None = None
        closed = True
        for item in node.items:
            if not is_new(item):
                behind, closed = item, not layout.open_ended(item)
            elif behind is not None:
                lines = item_lines(item, column, habits)
                self._lines(layout.next_line(layout.end(behind)), node.depth, lines, apart=apart and closed)
                closed = True
            else:
                lines = item_lines(item, column, habits)
                self._lines(layout.begin(dash), node.depth, [*lines, ""] if apart else lines)

    def _gap(self, first: Node, dash: int) -> Habits:
        """Give the habits with the distance from dash to content that this list has."""
        gap = first.start - dash
        same_line = "\n" not in self._layout.text[dash : first.start]
        return replace(self._habits, gap=gap) if same_line and gap > 1 else self._habits

    def _is_json(self, node: Node) -> bool:
        """Tell whether a node in flow style is written as in a JSON text, its first name or text in double quotes."""
        while isinstance(node, Sequence | Mapping) and node.flow:
            children = node.items if isinstance(node, Sequence) else [key for key, _ in node.pairs]
            if not children or is_new(children[0]):
                return False
            node = children[0]
        return self._layout.text[node.start] == '"'

    def _flow(self, at: int, depth: int, texts: list[str], before: int | None) -> None:
        """Put texts into a list or mapping in flow style, behind the one that begins at ``before``.

        They begin lines of their own where that one does, unless a comment follows on its line.
        """
        between = ", "
        if before is not None:
            text = self._layout.text
            begin = text.rfind("\n", max(0, before - MOST_INDENT), before) + 1
            if begin and not text[begin:before].strip(" ") and "#" not in text[at : self._layout.next_line(at)]:
                between = "," + self._layout.newline + text[begin:before]
        self._cuts.append((at, -depth, at, ("" if before is None else between) + between.join(texts)))

    def _pairs(self, node: Mapping) -> None:
        layout = self._layout
        before: int | None = None  # where the last pair of the text ends
        closed = True
        start: int | None = None  # and where it begins
        json = node.flow and self._is_json(node)
        column = 0 if node.flow else layout.column(node.pairs[0][0].start)
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                continue
            if not is_new(key):
                start, before, closed = key.start, layout.end(value), not layout.open_ended(value)
                if is_new(value):
                    self._value(node, key, value, column, json=json)
            elif node.flow:
                text = f"{flow_text(key, self._habits, json=json)}: {flow_text(value, self._habits, json=json)}"
                self._flow(node.start + 1 if before is None else before, node.depth, [text], start)
            elif before is not None:
                lines = pair_lines(key, value, column, self._habits)
                self._lines(layout.next_line(before), node.depth, lines, apart=closed and node.depth == 0)

    def _around(self, node: Mapping, alias: Alias) -> None:
        """Write keys beside an alias that was an item of a list: ``- *name`` becomes ``- <<: *name`` and more."""
        layout = self._layout
        fresh = [(key, value) for key, value in node.pairs if isinstance(key, Scalar) and key.tag != MERGE]
        if node.flow:
            texts = [f"{flow_text(key, self._habits)}: {flow_text(value, self._habits)}" for key, value in fresh]
            self._cuts.append((alias.start, -node.depth, alias.start, "{<<: "))
            self._cuts.append((alias.end, -node.depth, alias.end, "".join(f", {text}" for text in texts) + "}"))
            return
        self._cuts.append((alias.start, -node.depth, alias.start, "<<: "))
        column = layout.column(alias.start)
        for key, value in fresh:
            self._lines(layout.next_line(alias.end), node.depth, pair_lines(key, value, column, self._habits))

    def _value(self, node: Mapping, key: Scalar, value: Node, column: int, *, json: bool) -> None:
        """Write a value in place of an old one, or where there was none."""
        layout = self._layout
        old = layout.old(value)
        end = layout.end_of_words(old)
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
