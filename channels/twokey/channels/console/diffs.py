"""A unified diff as rows of a table, side by side or in one column, with the colours of the language.

Rules
- Every line of what was reviewed is in a row, in order: what is no part of a hunk is shown as it is. Nothing is folded.
- Text is made harmless before it is coloured; colour is a class of the highlighter's fixed set and nothing else.
- A long diff is given in pieces of whole rows, so that a page of any size is shown at once; a line that is very long,
  and a file whose language nobody knows, is shown without colour.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from twokey.channels import plain

Kind = Literal["file", "hunk", "same", "added", "removed", "note"]
PIECE: Final = 400
"""Rows of one piece."""
_LONGEST: Final = 2_000
"""Characters of a line that is still coloured."""
_HUNK: Final = re.compile(r"@@ -([0-9]+)(?:,[0-9]+)? \+([0-9]+)(?:,[0-9]+)? @@")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one line; ``colour`` is a class of the style sheet, or empty."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a diff."""

    kind: Kind
    parts: tuple[Part, ...]
    old: int | None = None
    """Number of the line before the change."""
    new: int | None = None
    """Number of the line after the change."""
    lexer: str = ""
    """Name of the file whose language it is in."""

    @property
    def text(self) -> str:
        """The line, without its mark."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of two columns: what was there, and what is there now."""

    left: Row | None
    right: Row | None

    @property
    def whole(self) -> bool:
        """Whether it goes over both columns."""
        return self.left is not None and self.left.kind in {"file", "hunk", "note"}


def rows_of(diff: str) -> list[Row]:
    """Read a diff into rows, not yet coloured."""
    found: list[Row] = []
    name, old, new, inside = "", 0, 0, False
    for text in diff.removesuffix("\n").split("\n") if diff else ():
        hunk = _HUNK.match(text)
        if text.startswith("diff --git "):
            name, inside = _file(text), False
            found.append(_plain("file", text))
        elif hunk is not None:
            old, new, inside = int(hunk[1]), int(hunk[2]), True
            found.append(_plain("hunk", text))
        elif inside and text[:1] == "+":
            found.append(Row("added", (Part(_line(text)),), None, new, name))
            new += 1
        elif inside and text[:1] == "-":
            found.append(Row("removed", (Part(_line(text)),), old, None, name))
            old += 1
        elif inside and text[:1] == " ":
            found.append(Row("same", (Part(_line(text)),), old, new, name))
            old, new = old + 1, new + 1
        else:
            found.append(_plain("note", text))
    return found


def _line(text: str) -> str:
    return plain.block(text[1:])


def _plain(kind: Kind, text: str) -> Row:
    return Row(kind, (Part(plain.block(text)),))


def _file(header: str) -> str:
    """Give the name behind ``b/``, for its ending only."""
    return header.rpartition(" b/")[2].rstrip('"')


def pairs_of(rows: Sequence[Row]) -> list[Pair]:
    """Put what was removed beside what took its place."""
    found: list[Pair] = []
    removed: list[Row] = []
    added: list[Row] = []

    def settle() -> None:
        found.extend(Pair(before, after) for before, after in zip_longest(removed, added))
        removed.clear()
        added.clear()

    for row in rows:
        if row.kind == "removed":
            if added:
                settle()
            removed.append(row)
        elif row.kind == "added":
            added.append(row)
        else:
            settle()
            found.append(Pair(row, row))
    settle()
    return found


def coloured(rows: Sequence[Row]) -> list[Row]:
    """Colour rows: the old lines of each stretch by themselves, and the new ones."""
    made = list(rows)
    for side in ("removed", "added"):
        for stretch in _stretches(made, side):
            lexer = _lexer(made[stretch[0]].lexer)
            if lexer is not None:
                _colour(made, stretch, lexer, keep=side == "removed")
    return made


def _stretches(rows: Sequence[Row], side: str) -> Iterator[list[int]]:
    """Give the places of rows that follow each other in one file, on one side of the change."""
    stretch: list[int] = []
    for at, row in enumerate(rows):
        if row.kind in {side, "same"} and len(row.text) <= _LONGEST:
            stretch.append(at)
        elif row.kind not in {"added", "removed"} or len(row.text) > _LONGEST:
            if stretch:
                yield stretch
            stretch = []
    if stretch:
        yield stretch


def _colour(rows: list[Row], stretch: Sequence[int], lexer: Lexer, *, keep: bool) -> None:
    """Put the colours of a stretch into its rows; with ``keep`` only into those that were removed."""
    lines = _lexed(lexer, [rows[at].text for at in stretch])
    if lines is None:
        return
    for at, parts in zip(stretch, lines, strict=True):
        row = rows[at]
        if not keep or row.kind == "removed":
            rows[at] = Row(row.kind, parts, row.old, row.new, row.lexer)


def _lexed(lexer: Lexer, texts: Sequence[str]) -> list[tuple[Part, ...]] | None:
    """Give the parts of each line; nothing where the highlighter would show other text than was there."""
    lines: list[list[Part]] = [[]]
    for kind, value in lexer.get_tokens("\n".join(texts)):
        for number, piece in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if piece:
                lines[-1].append(Part(piece, STANDARD_TYPES.get(kind, "")))
    given = lines[: len(texts)]
    if ["".join(part.text for part in line) for line in given] != list(texts):
        return None
    return [tuple(line) or (Part(""),) for line in given]


def _lexer(name: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(name, stripnl=False, stripall=False, ensurenl=True) if name else None
    except ClassNotFound:
        return None
