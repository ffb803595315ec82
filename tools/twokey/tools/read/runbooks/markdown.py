"""A Markdown file as sections that can be found and cited.

Rules: a section is a run of whole lines under one heading, with the headings above it; text that is quoted as code or
set as a table is not cut unless it is longer than ``MAX_WHOLE`` characters; together the sections hold every line that
says something, once and in order. Headings are those of CommonMark at the top level: a ``#`` in a code block is none.
Front matter is a YAML mapping between two lines ``---`` at the top; its values are texts, whatever YAML would make of
them, and what cannot be read as such is ordinary text. Nothing in a file is run or followed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from twokey.tools.write.yaml_nodes import Node, documents
from twokey.tools.write.yaml_nodes import Unreadable as NoYaml

MAX_SECTION: Final = 1_800
"""Characters from which a section ends where the next block begins."""
MAX_WHOLE: Final = 12_000
MAX_SECTIONS: Final = 2_000
MAX_FRONT: Final = 32 * 1024
MAX_HEADING: Final = 300
MAX_FACTS: Final = 60
MAX_VALUES: Final = 200
MAX_VALUE: Final = 500
MAX_NAME: Final = 60
_FRONT: Final = re.compile(r"---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_MARKS: Final = re.compile(r"[`*~]+|(?<!\w)_+|_+(?!\w)|!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_WHOLE: Final = frozenset({"fence", "code_block", "table_open", "html_block"})


@dataclass(frozen=True, slots=True)
class Section:
    """Lines ``first`` to ``last`` (from 1, both included), and the headings above them, from the top down."""

    headings: tuple[str, ...]
    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file: its title (empty where it has none), what its front matter states, and its sections."""

    title: str
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    sections: tuple[Section, ...]
    cut: bool = False
    """It has more sections than are given."""


@dataclass(frozen=True, slots=True)
class _Block:
    first: int
    last: int
    heading: tuple[int, str] | None = None
    whole: bool = False


def parse(text: str) -> Parsed:
    """Read a text whose lines end with line feeds. Never raises for what stands in it."""
    lines = text.split("\n")
    front = _FRONT.match(text)
    facts = _facts(front[1] or "") if front is not None and len(front[0]) <= MAX_FRONT else None
    start = 0
    if facts is not None and front is not None:
        start = front[0].count("\n") if front[0].endswith("\n") else len(lines)
    blocks = list(_blocks(lines, start))
    heads = [block.heading for block in blocks if block.heading is not None]
    stated = next((values[0] for name, values in facts or () if name == "title" and values), "")
    title = (stated or next((words for level, words in heads if level == 1), ""))[:MAX_HEADING]
    sections: list[Section] = []
    for section in _sections(lines, list(_covering(lines, blocks, start)), title):
        if len(sections) == MAX_SECTIONS:
            return Parsed(title, facts or (), tuple(sections), cut=True)
        sections.append(section)
    return Parsed(title, facts or (), tuple(sections))


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": 12}).enable("table")


def _blocks(lines: Sequence[str], start: int) -> Iterator[_Block]:
    """Give the blocks at the top level; a list comes item by item."""
    reader = _reader()
    tokens: list[Token] = []
    body = "\n".join([*([""] * start), *lines[start:]])
    reader.block.parse(body, reader, {}, tokens)
    for at, token in enumerate(tokens):
        if token.map is None or token.nesting < 0:
            continue
        first, last = token.map[0], _end(lines, token.map)
        is_item = token.type == "list_item_open" and token.level == 1
        is_list = token.level == 0 and token.type in {"bullet_list_open", "ordered_list_open"}
        if token.level == 0 and token.type == "heading_open":
            yield _Block(first, last, (int(token.tag[1:]), _plain(tokens[at + 1].content)))
        elif is_item or (token.level == 0 and not is_list):
            yield _Block(first, last, whole=token.type in _WHOLE)


def _end(lines: Sequence[str], lies: Sequence[int]) -> int:
    """Give the line after the last that says something (blank lines at the end belong to nothing)."""
    end = lies[1]
    while end > lies[0] + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _plain(heading: str) -> str:
    text = _MARKS.sub(lambda found: found[1] or "", heading)
    return " ".join(text.split())[:MAX_HEADING]


def _sections(lines: Sequence[str], blocks: Sequence[_Block], title: str) -> Iterator[Section]:
    above: list[tuple[int, str]] = []
    waiting: list[_Block] = []
    for block in blocks:
        if block.heading is not None:
            if not _only_above(waiting, block.heading[0]):
                yield from _cut(lines, waiting, _path(title, above))
                waiting = []
            above = [each for each in above if each[0] < block.heading[0]]
            above.append(block.heading)
            waiting.append(block)
            continue
        size = sum(len(lines[at]) + 1 for each in (*waiting, block) for at in range(each.first, each.last))
        if waiting and size > MAX_SECTION and any(each.heading is None for each in waiting):
            yield from _cut(lines, waiting, _path(title, above))
            waiting = []
        waiting.append(block)
    yield from _cut(lines, waiting, _path(title, above))


def _only_above(waiting: Sequence[_Block], level: int) -> bool:
    """Tell whether all that waits are headings that stand above one of ``level``: alone they say nothing."""
    return all(each.heading is not None and each.heading[0] < level for each in waiting)


def _covering(lines: Sequence[str], blocks: Sequence[_Block], start: int) -> Iterator[_Block]:
    """Give the blocks, and what lies between them and is no block (definitions of links)."""
    at = start
    for block in blocks:
        if block.last > at:
            yield from _between(lines, at, block.first)
            yield block
            at = block.last
    yield from _between(lines, at, len(lines))


def _between(lines: Sequence[str], first: int, end: int) -> Iterator[_Block]:
    said = [at for at in range(first, end) if lines[at].strip()]
    if said:
        yield _Block(said[0], said[-1] + 1)


def _path(title: str, above: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    names = [name for _, name in above]
    return tuple(names if not title or (names and names[0] == title) else [title, *names])


def _cut(lines: Sequence[str], blocks: Sequence[_Block], headings: tuple[str, ...]) -> Iterator[Section]:
    """Give one section, or several where it is longer than may be kept whole."""
    if not blocks:
        return
    first, end = blocks[0].first, blocks[-1].last
    start, size = first, 0
    for at in range(first, end):
        if size and size + len(lines[at]) > MAX_WHOLE:
            yield Section(headings, start + 1, at, "\n".join(lines[start:at]))
            start, size = at, 0
        size += len(lines[at]) + 1
    yield Section(headings, start + 1, end, "\n".join(lines[start:end]))


def _facts(front: str) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """Give names with their values in the order of the file; ``None`` where it is no mapping of names to texts."""
    if not front.strip():
        return ()
    try:
        roots = documents(front.encode())
    except NoYaml:
        return None
    if len(roots) != 1 or roots[0].kind != "map":
        return None
    parts = roots[0].children
    found: dict[str, tuple[str, ...]] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        values = _values(value)
        if name.kind == "scalar" and name.value and values and len(found) < MAX_FACTS:
            found.setdefault(name.value[:MAX_NAME], values)
    return tuple(found.items())


def _values(node: Node) -> tuple[str, ...]:
    if node.kind == "scalar":
        return (node.value[:MAX_VALUE],) if node.value else ()
    if node.kind == "list":
        texts = (child.value[:MAX_VALUE] for child in node.children[:MAX_VALUES] if child.kind == "scalar")
        return tuple(text for text in texts if text)
    return ()
