"""Where two texts say the same: the passages to show side by side.

Rules: a passage is a line, or a sentence of a long line, at most 300 characters; its offsets count characters of the
text as it was given. Two passages match by the terms they share, each weighted by how rare it is; shown are those that
share most, each passage once. Texts that share no telling term have no passages. What is shown is outside text.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from twokey.tools.retrieval.words import plain, signs, words

MAX_PASSAGE: Final = 300
MAX_PASSAGES: Final = 60
"""Passages of each text that are compared."""
_PIECE: Final = re.compile(r"[^\n]{1,300}")
_END: Final = re.compile(r"[.!?;](?=\s)")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` of a text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """Two passages that say the same, and the terms they share, the rarest first."""

    mine: Span
    theirs: Span
    shared: tuple[str, ...]
    weight: float


def spans(text: str) -> Iterator[Span]:
    """Cut a text into passages."""
    for piece in _PIECE.finditer(text):
        start, whole = piece.start(), piece[0]
        at = 0
        for end in [*(found.end() for found in _END.finditer(whole)), len(whole)]:
            part = whole[at:end]
            stripped = part.strip()
            if stripped:
                left = start + at + len(part) - len(part.lstrip())
                yield Span(left, left + len(stripped), stripped)
            at = end


def matches(mine: str, theirs: str, rarity: Callable[[str], float], most: int = 3) -> tuple[Match, ...]:
    """Give the passages of two texts that share most; ``rarity`` weighs a term, at least 0."""
    left, right = _terms(mine), _terms(theirs)
    weights: dict[str, float] = {}
    for term in {term for _, terms in left for term in terms} & {term for _, terms in right for term in terms}:
        weights[term] = max(0.0, rarity(term))
    found: list[tuple[float, int, int]] = []
    for i, (_, a) in enumerate(left):
        for j, (_, b) in enumerate(right):
            shared = sum(weights[term] for term in a & b)
            if shared > 0:
                found.append((shared * shared / (1 + len(a | b)) ** 0.5, i, j))
    found.sort(key=lambda item: (-item[0], item[1], item[2]))
    shown: list[Match] = []
    used_left: set[int] = set()
    used_right: set[int] = set()
    for weight, i, j in found:
        if len(shown) >= most:
            break
        if i in used_left or j in used_right:
            continue
        used_left.add(i)
        used_right.add(j)
        terms = sorted(left[i][1] & right[j][1], key=lambda term: (-weights[term], term))
        shown.append(Match(left[i][0], right[j][0], tuple(terms[:8]), weight))
    return tuple(shown)


def _terms(text: str) -> list[tuple[Span, frozenset[str]]]:
    found: list[tuple[Span, frozenset[str]]] = []
    for span in spans(text):
        form = plain(span.text)
        terms = frozenset((*words(form), *signs(form)))
        if terms:
            found.append((span, terms))
        if len(found) >= MAX_PASSAGES:
            break
    return found
