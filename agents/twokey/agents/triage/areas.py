"""Which part of the product a ticket is about.

Rules
- A team's own labels that say no kind are learned from its tickets like kinds are, and told only where the same target
  is kept. Several at once are no contradiction; the likeliest is told.
- A part that the text names outright, by the label's words in the title or as ``name:`` before it, needs no learning.
- Without labels there is no area: none is made up.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from twokey.agents.triage.kinds import areas_of
from twokey.agents.triage.learned import Sorted
from twokey.agents.triage.quoting import quoted
from twokey.agents.triage.text import Parts
from twokey.agents.triage.values import Judgement, Past
from twokey.agents.triage.words import words

NAMED_PERMILLE: Final = 900
MAX_AREAS: Final = 200
_PREFIX: Final = re.compile(r"^[A-Za-z]{1,20}\s?[:/]\s?")
_SEPARATOR: Final = re.compile(r"[-_/.:]")


def known(past: Sequence[Past], kinds: Collection[str] = ()) -> tuple[list[Sorted], tuple[str, ...]]:
    """Give the tickets of the past whose area is known, and all labels that are areas."""
    listed = [(ticket, areas_of(ticket.labels, kinds)) for ticket in past]
    labels = sorted({label for _, areas in listed for label in areas})[:MAX_AREAS]
    return [Sorted(ticket.text, areas[0]) for ticket, areas in listed if len(areas) == 1], tuple(labels)


def named(parts: Parts, labels: Sequence[str]) -> Judgement | None:
    """Give the area that the title names, if it names exactly one."""
    title = words(parts.title)
    found = [label for label in labels if _within(_plain(label), title)]
    longest = [label for label in found if not any(_inside(label, other) for other in found)]
    if len(longest) != 1:
        return None
    return Judgement(
        value=longest[0],
        confidence_permille=NAMED_PERMILLE,
        reasons=(f"The title names {quoted(longest[0])}.",),
    )


def _plain(label: str) -> list[str]:
    return words(_SEPARATOR.sub(" ", _PREFIX.sub("", label)))


def _within(some: Sequence[str], said: Sequence[str]) -> bool:
    return bool(some) and any(said[start : start + len(some)] == list(some) for start in range(len(said)))


def _inside(label: str, other: str) -> bool:
    return label != other and _within(_plain(label), _plain(other))
