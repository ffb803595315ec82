"""New YAML text in the habits of the file it goes into.

Promises: whatever string goes in comes back as that string from YAML 1.1 (PyYAML, libyaml) and YAML 1.2 parsers: a
scalar is left plain only if no parser could read it as anything else. Characters that a reader cannot see (control,
bidirectional, zero-width) stand as escapes, so that a review shows them.
Lines are given without line ends; the caller knows those of its file.
"""

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Final, Literal

from twokey.agents.catalog.yaml_tree import STR, Mapping, Node, Scalar, Sequence, resolve

WIDTH: Final = 100
Quote = Literal["'", '"']
SPACED: Final = frozenset({"models", "sources", "seeds", "snapshots", "tables"})

# words that some version of YAML reads as a bool, null or number
_WORDS: Final = frozenset(
    "y n yes no on off true false null none nil nan inf infinity undefined".split()  # noqa: SIM905 - a list of words
)
_WORD_PUNCTUATION: Final = frozenset(" _-./()+=;'\",?!@$%&*<>^|~")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_ESCAPES: Final = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\0": "\\0",
}
# lists of these keys stand one item a line, however short
_ALWAYS_BLOCK: Final = frozenset(
    {"tests", "data_tests", "columns", "tables", "models", "sources", "seeds", "snapshots"}
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a file lays out its YAML. Numbers are columns of indentation."""

    step: int = 2  # from a key to the keys inside it
    dash: int = 2  # from a key to the dashes of its list
    gap: int = 2  # from a dash to what it introduces
    quote: Quote = '"'
    quote_descriptions: bool = False
    dashes: Map[str, int] = field(default_factory=dict[str, int])  # key -> dash, where a key has its own habit
    spaced: frozenset[str] = SPACED  # keys whose items stand apart by a blank line

    def dash_under(self, key: str) -> int:
        return self.dashes.get(key, self.dash)


def plain_is_safe(text: str) -> bool:
    """Tell whether a string may stand without quotes in block style."""
    first = text[:1]
    if not (first.isalpha() or first == "_") or text[-1] == " " or text.lower() in _WORDS or resolve(text) != STR:
        return False
    previous = ""
    for index, char in enumerate(text):
        if char == ":" and index + 1 < len(text) and text[index + 1] != " ":
            previous = char
            continue
        if char == "#" and previous not in {"", " "}:
            previous = char
            continue
        if not ((char.isalnum() and char.isprintable()) or char in _WORD_PUNCTUATION):
            return False
        previous = char
    return True


def quoted(text: str, quote: Quote) -> str:
    """Put a string into quotes; single ones give way to double ones where an escape is needed."""
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_ESCAPES.get(char) or (char if char.isprintable() else _escape(char)) for char in text) + '"'


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def inline(node: Scalar, habits: Habits, *, flow: bool = False, always: bool = False) -> str:
    """Write a scalar on one line.

    Args:
        node: The scalar; only strings are ever quoted.
        habits: Those of the file.
        flow: Inside ``[]`` or ``{}``, where only identifiers stay plain.
        always: Quote a string even where it could stand plain.

    """
    if node.tag != STR:
        return node.value
    text = node.value
    if not always and (plain_is_safe(text) and (not flow or _IDENTIFIER.match(text))):
        return text
    return quoted(text, habits.quote)


def flow_text(node: Node, habits: Habits, *, json: bool = False) -> str:
    """Write a new node in flow style. ``json``: with every string in double quotes, as in a JSON text."""
    if isinstance(node, Scalar):
        return quoted(node.value, '"') if json and node.tag == STR else inline(node, habits, flow=True)
    if isinstance(node, Sequence):
        uneven = not json and any(_needs_quotes(item) for item in node.items)
        return "[" + ", ".join(_flow_item(item, habits, json=json, always=uneven) for item in node.items) + "]"
    if isinstance(node, Mapping):
        texts = [(flow_text(key, habits, json=json), flow_text(value, habits, json=json)) for key, value in node.pairs]
        return "{" + ", ".join(f"{key}: {value}" for key, value in texts) + "}"
    raise TypeError("an alias is never written")


def _needs_quotes(node: Node) -> bool:
    if not isinstance(node, Scalar) or node.tag != STR:
        return False
    return not (_IDENTIFIER.match(node.value) and plain_is_safe(node.value))


def _flow_item(node: Node, habits: Habits, *, json: bool, always: bool) -> str:
    if always and isinstance(node, Scalar):
        return inline(node, habits, flow=True, always=True)
    return flow_text(node, habits, json=json)


def pair_lines(key: Scalar, value: Node, column: int, habits: Habits) -> list[str]:
    """Write ``key: value`` in block style, the key standing at ``column``."""
    head = " " * column + inline(key, habits) + ":"
    if isinstance(value, Scalar):
        literal = _literal(value.value) if value.tag == STR else None
        if literal is not None:
            return [head + " |-", *(_indented(line, column + habits.step) for line in literal)]
        return [f"{head} {inline(value, habits, always=habits.quote_descriptions and key.value == 'description')}"]
    if isinstance(value, Sequence) and not value.flow:
        short = _short_list(key.value, value, len(head), habits)
        if short is not None:
            return [f"{head} {short}"]
        apart = [""] if key.value in habits.spaced else []
        items = [item_lines(item, column + habits.dash_under(key.value), habits) for item in value.items]
        return [head, *items[0], *(line for item in items[1:] for line in apart + item)]
    if isinstance(value, Mapping) and not value.flow:
        return [head, *mapping_lines(value, column + habits.step, habits)]
    return [f"{head} {flow_text(value, habits)}"]


def _short_list(key: str, value: Sequence, used: int, habits: Habits) -> str | None:
    """Give a list of scalars in flow style where it is short and no list of dbt's own items."""
    if key in _ALWAYS_BLOCK or not all(isinstance(item, Scalar) for item in value.items):
        return None
    text = flow_text(value, habits)
    return text if used + 1 + len(text) <= WIDTH else None


def mapping_lines(value: Mapping, column: int, habits: Habits) -> list[str]:
    """Write the pairs of a new mapping in block style, its keys standing at ``column``."""
    lines: list[str] = []
    for key, inner in value.pairs:
        if isinstance(key, Scalar):
            lines.extend(pair_lines(key, inner, column, habits))
    return lines


def item_lines(item: Node, column: int, habits: Habits) -> list[str]:
    """Write one item of a list in block style, its dash standing at ``column``."""
    head = " " * column + "-"
    if isinstance(item, Mapping) and not item.flow:
        lines = mapping_lines(item, column + habits.gap, habits)
        return [head + lines[0][column + 1 :], *lines[1:]]
    text = inline(item, habits) if isinstance(item, Scalar) else flow_text(item, habits)
    return [head + " " * (habits.gap - 1) + text]


def _literal(text: str) -> list[str] | None:
    """Give the lines of a text that may stand as a ``|-`` block, or None where only quotes carry it safely."""
    lines = text.split("\n")
    if len(lines) < 2 or not lines[0] or lines[0][0] == " " or not lines[-1]:
        return None
    return lines if all(line.isprintable() and line == line.rstrip() for line in lines) else None


def _indented(line: str, column: int) -> str:
    return " " * column + line if line else ""


def joined(lines: Items[str], newline: str) -> str:
    """Put lines together, each with its line end."""
    return "".join(line + newline for line in lines)
