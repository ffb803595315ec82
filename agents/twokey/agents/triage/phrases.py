"""Finding phrases in what somebody wrote, sentence by sentence, with what denies them.

Rules
- A phrase is a few whole words; a word that ends in ``*`` stands for all that begin so, and ``_`` for any one word.
- A phrase that is denied in its sentence ("not urgent", "no data loss", "without a workaround") is not found as said;
  it is reported apart, because a denial is a sign, too. What denies stands at most four words before.
- The work is linear in the text: the words are looked up one after the other.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.triage.text import Parts

MAX_WORDS: Final = 4_000
BEFORE: Final = 4
"""Words before a phrase in which a denial counts."""

_SENTENCE: Final = re.compile(r"[^.!?;\n]{1,600}")
_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+){0,3}")
_DENIES: Final = frozenset(
    {"no", "not", "never", "without", "isn't", "aren't", "wasn't", "doesn't", "don't", "didn't", "cannot", "can't",
     "nor", "none", "won't", "hardly", "non", "kein", "keine", "nicht", "sans", "pas", "sin"}
)  # fmt: skip
_HARMLESS: Final = frozenset({"only", "just", "sure", "yet", "longer", "matter", "doubt"})
"""A denial followed by one of these denies nothing ("not only slow", "no longer up")."""


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in the text: which one, the words as they stand there, and whether they are denied."""

    phrase: str
    words: str
    denied: bool
    title: bool


def sentences(parts: Parts) -> Iterator[tuple[list[str], bool]]:
    """Give the words of each sentence somebody wrote, and whether it is of the title."""
    left = MAX_WORDS
    for line, title in ((parts.title, True), *((line, False) for line in parts.prose)):
        for match in _SENTENCE.finditer(line.casefold().replace("\u2019", "'")):
            said = _WORD.findall(match[0])[:left]
            left -= len(said)
            if said:
                yield said, title


class Phrases:
    """A list of phrases to find. Built once; finding keeps no state."""

    def __init__(self, listed: Sequence[str]) -> None:
        self._by_start: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._by_stem: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for phrase in listed:
            pattern = tuple(phrase.split())
            first = pattern[0]
            held = self._by_stem if first.endswith("*") else self._by_start
            held.setdefault(first.rstrip("*")[:3] if first.endswith("*") else first, []).append((phrase, pattern))

    def find(self, parts: Parts) -> list[Found]:
        """Find the phrases in a ticket, in order."""
        return [found for said, title in sentences(parts) for found in self._in(said, title=title)]

    def _in(self, said: Sequence[str], *, title: bool) -> Iterator[Found]:
        for start, word in enumerate(said):
            for phrase, pattern in (*self._by_start.get(word, ()), *self._by_stem.get(word[:3], ())):
                end = start + len(pattern)
                if end <= len(said) and all(map(_fits, pattern, said[start:end])):
                    yield Found(phrase, " ".join(said[start:end]), denied(said, start), title)


def _fits(pattern: str, word: str) -> bool:
    return pattern in {"_", word} or (pattern.endswith("*") and word.startswith(pattern[:-1]))


def denied(said: Sequence[str], start: int) -> bool:
    """Whether what starts there is denied by a word shortly before."""
    for place in range(max(0, start - BEFORE), start):
        if said[place] in _DENIES and said[place + 1] not in _HARMLESS:
            return True
    return False


def weighed(found: Sequence[Found], weights: Mapping[str, int], *, title_counts: int = 2) -> dict[str, tuple[int, str]]:
    """Give for each phrase that is said, once, its weight (that of the title counting more) and its words."""
    result: dict[str, tuple[int, str]] = {}
    for each in found:
        weight = weights.get(each.phrase, 0) * (title_counts if each.title else 1)
        if not each.denied and abs(weight) > abs(result.get(each.phrase, (0, ""))[0]):
            result[each.phrase] = (weight, each.words)
    return result
