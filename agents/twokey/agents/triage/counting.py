"""The plainest reader: it counts which words went with which label of the team (multinomial naive Bayes).

Rules: it learns from the team's own labelled tickets alone, and abstains where it has fewer than ``LEAST`` of a kind;
how sure it is, is measured on tickets it has not counted (each left out in turn), never taken from its own score. What
it does not judge (priority, area, what is missing) it leaves open.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from twokey.agents.triage.values import Judgement, Past, TicketText, Understanding

LEAST: Final = 3
_WORD: Final = re.compile(r"[^\W_]{2,30}")
_MOST_WORDS: Final = 400
_SMOOTHING: Final = 0.5


class CountingReader:
    """Judges kinds by words."""

    def __init__(self, past: Sequence[Past], kinds: frozenset[str]) -> None:
        named = {kind.casefold(): kind for kind in kinds}
        self._samples: list[tuple[str, Counter[str]]] = []
        for one in past:
            labels = {named[label.casefold()] for label in one.labels if label.casefold() in named}
            if len(labels) == 1:
                self._samples.append((labels.pop(), Counter(_words(one.text))))
        self._kinds = [kind for kind, n in Counter(kind for kind, _ in self._samples).items() if n >= LEAST]
        self._words = {kind: Counter[str]() for kind in self._kinds}
        self._sizes = Counter(kind for kind, _ in self._samples if kind in self._words)
        for kind, words in self._samples:
            if kind in self._words:
                self._words[kind].update(words)
        self._vocabulary = len({word for words in self._words.values() for word in words}) + 1
        self._margins = self._measured()

    def understand(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        """Judge tickets."""
        return [self._one(ticket) for ticket in tickets]

    def _one(self, ticket: TicketText) -> Understanding:
        words = Counter(_words(ticket))
        if not words or len(self._kinds) < 2:
            return Understanding(kind=None, kinds=(), priority=None, area=None)
        scores = sorted(self._scores(words).items(), key=lambda item: (-item[1], item[0]))
        margin = scores[0][1] - scores[1][1]
        right = self._rightness(margin)
        others = (1_000 - right) // max(1, len(scores) - 1)
        telling = ", ".join(self._telling(scores[0][0], words))
        best = Judgement(
            value=scores[0][0],
            confidence_permille=right,
            reasons=(f"its words are those of such tickets before ({telling})",) if telling else (),
        )
        rest = tuple(Judgement(value=kind, confidence_permille=others) for kind, _ in scores[1:])
        return Understanding(kind=best, kinds=(best, *rest), priority=None, area=None)

    def _scores(self, words: Counter[str], without: tuple[str, Counter[str]] | None = None) -> dict[str, float]:
        """Give the mean log likelihood of a word under each kind; ``without`` leaves one sample out."""
        found: dict[str, float] = {}
        count = sum(words.values())
        for kind, known in self._words.items():
            out = without[1] if without is not None and without[0] == kind else Counter[str]()
            total = sum(known.values()) - sum(out.values()) + _SMOOTHING * self._vocabulary
            found[kind] = sum(
                n * math.log((known[word] - out[word] + _SMOOTHING) / total) for word, n in words.items()
            ) / math.sqrt(count)
        return found

    def _measured(self) -> list[tuple[float, bool]]:
        if len(self._kinds) < 2:
            return []
        found: list[tuple[float, bool]] = []
        for kind, words in self._samples:
            if kind in self._words and words:
                scores = sorted(self._scores(words, (kind, words)).items(), key=lambda item: (-item[1], item[0]))
                found.append((scores[0][1] - scores[1][1], scores[0][0] == kind))
        return sorted(found)

    def _rightness(self, margin: float) -> int:
        """Give how often such a lead, or a smaller one near it, was right: a lower bound (Wilson, z = 1)."""
        near = [right for lead, right in self._margins if lead >= margin * 0.5] or [False]
        n, share = len(near), sum(near) / len(near)
        low = (share + 1 / (2 * n) - math.sqrt(share * (1 - share) / n + 1 / (4 * n * n))) / (1 + 1 / n)
        return round(1_000 * low)

    def _telling(self, kind: str, words: Counter[str]) -> list[str]:
        others = Counter[str]()
        for other, known in self._words.items():
            if other != kind:
                others.update(known)
        ranked = sorted(words, key=lambda word: (-(self._words[kind][word] + 1) / (others[word] + 1), word))
        return [word for word in ranked[:3] if self._words[kind][word] > 1]


def _words(ticket: TicketText) -> Iterator[str]:
    text = f"{ticket.title} {ticket.title} {ticket.body}"[:20_000].casefold()
    for at, found in enumerate(_WORD.finditer(text)):
        if at >= _MOST_WORDS:
            return
        yield found.group()
