"""Carries one change of a text over to a text that went on: a merge of three texts, line by line.

Rules: a line that one side left alone is the other's to change; where both changed the same lines, or lines with none
between them that both left alone, nothing is decided here (``None``), unless both did the very same. Line ends count.
Texts so repetitive that lines cannot be told apart in bounded time are not merged.

The rule is that of diff3 (Khanna, Kunal, Pierce: A Formal Investigation of Diff3, 2007) as git's merge applies it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MAX_PAIRS: Final = 200_000
"""Pairs of equal lines that are looked at."""


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines ``start`` to ``end`` of the old text become ``lines``."""

    start: int
    end: int
    lines: tuple[bytes, ...]


def merged(old: bytes, one: bytes, other: bytes) -> bytes | None:
    """Give ``old`` with the changes that lead to ``one`` and those that lead to ``other``; None where they clash."""
    before = old.splitlines(keepends=True)
    mine, theirs = _hunks(before, one), _hunks(before, other)
    if mine is None or theirs is None:
        return None
    same = set(mine) & set(theirs)
    if any(_clash(hunk, another) for hunk in mine for another in theirs if hunk not in same and another not in same):
        return None
    made: list[bytes] = []
    at = 0
    for hunk in sorted({*mine, *theirs}, key=lambda each: (each.start, each.end)):
        made += [*before[at : hunk.start], *hunk.lines]
        at = hunk.end
    return b"".join((*made, *before[at:]))


def _clash(one: _Hunk, other: _Hunk) -> bool:
    """Tell whether no line that both left alone lies between two changes."""
    return one.start <= other.end and other.start <= one.end


def _hunks(before: Sequence[bytes], text: bytes) -> list[_Hunk] | None:
    """Give how ``text`` differs; None where that takes too long to tell."""
    after = text.splitlines(keepends=True)
    first = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    if first is None:
        first = min(len(before), len(after))
    last = 0
    most = min(len(before), len(after)) - first
    while last < most and before[-1 - last] == after[-1 - last]:
        last += 1
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    counts = Counter(new)
    if sum(counts[line] for line in old) > MAX_PAIRS:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        _Hunk(first + start, first + end, tuple(new[there:until]))
        for tag, start, end, there, until in matcher.get_opcodes()
        if tag != "equal"
    ]
