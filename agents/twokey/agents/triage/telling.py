"""Telling what kind a ticket is, with the signs that spoke for it.

Rules: the kinds come with the probability that was calibrated on tickets left out. The reasons name the signs that
moved the scores most, words of the ticket as inert quotes. A reader speaks of a kind only from the confidence on from
which the target is kept; below it, or of a kind that people refused too often, it abstains and still shows what it
would have said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from twokey.agents.triage.features import Bags
from twokey.agents.triage.learned import Learned, permille
from twokey.agents.triage.quoting import quoted
from twokey.agents.triage.space import Points, place
from twokey.agents.triage.values import Judgement

SIGNS: Final = 3
_QUOTABLE: Final = ("title", "opening", "text")
"""Blocks whose tokens are words that a reader recognises."""
_LEAST_LETTERS: Final = 3
_BUILT: Final[Mapping[str, str]] = {
    "title asks:True": "the title is a question",
    "asks early:True": "it asks early on",
    "trace:True": "it holds a stack trace",
    "error:True": "it holds error output",
    "fences:0": "it holds no code",
    "pasted:0": "nothing is pasted into it",
    "thanks:True": "it is a polite request",
    "versions:0": "it names no version",
}
"""Signs of how a ticket is built, in words."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells kinds by what was learned, and abstains below ``speaks_from`` (in permille; None: always)."""

    learned: Learned
    speaks_from: int | None
    braked: frozenset[str]
    signs: Mapping[int, str]
    """What can be said of a column."""

    @classmethod
    def by(cls, learned: Learned, speaks_from: int | None, braked: frozenset[str] = frozenset()) -> Self:
        """Tell by what was learned."""
        signs = {
            column: quoted(token)
            for block in _QUOTABLE
            for token, column in learned.space.columns[block].items()
            if sum(mark.isalpha() for mark in token) >= _LEAST_LETTERS
        }
        for block in ("build", "manner"):
            columns = learned.space.columns[block]
            signs |= {columns[token]: said for token, said in _BUILT.items() if token in columns}
        return cls(learned, speaks_from, braked, signs)

    def tell(self, bags: Sequence[Bags], projects: Sequence[str]) -> list[tuple[Judgement, ...]]:
        """Give the kinds of each ticket, the likeliest first."""
        kinds = self.learned.kinds
        points = place(self.learned.space, bags)
        result: list[tuple[Judgement, ...]] = []
        for index, row in enumerate(self.learned.tell(points, projects)):
            order = sorted(range(len(row)), key=lambda kind: (-float(row[kind]), kinds[kind]))
            reasons = self._reasons(points[index], order[0], projects[index])
            result.append(
                tuple(
                    Judgement(
                        value=kinds[kind],
                        confidence_permille=permille(float(row[kind])),
                        reasons=reasons if kind == order[0] else (),
                    )
                    for kind in order
                )
            )
        return result

    def speaks(self, judgement: Judgement) -> bool:
        """Whether the reader stands by a judgement."""
        return (
            self.speaks_from is not None
            and judgement.confidence_permille >= self.speaks_from
            and judgement.value not in self.braked
        )

    def _reasons(self, point: Points, kind: int, project: str) -> tuple[str, ...]:
        weights = self.learned.weights
        columns = point.indices
        held = weights.shared[columns]
        own = weights.own.get(project)
        if own is not None:
            held = held + own[columns]
        moved = point.data * (held[:, kind] - held.mean(axis=1))
        said: list[str] = []
        for place_of in np.argsort(-moved, kind="stable"):
            sign = self.signs.get(int(columns[place_of]))
            if moved[place_of] <= 0 or len(said) == SIGNS:
                break
            if sign is not None and not any(sign.strip('"') in other or other.strip('"') in sign for other in said):
                said.append(sign)
        words = [sign for sign in said if sign.startswith('"')]
        built = [sign for sign in said if not sign.startswith('"')]
        reasons = [f"Earlier tickets of this kind say {', '.join(words)}, too."] if words else []
        return (*reasons, *(f"As with earlier tickets of this kind, {sign}." for sign in built))
