"""What a team tells the triage job: its words for what tickets are, how sure it has to be, and who looks after what.

Rules: all of it comes from the settings of the workspace. The names in it are the only ones, beside labels that the
tracker's own tickets carry, that the job can put on a ticket; people come from the routing file alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.triage.routing import Routing
from twokey.agents.triage.values import Outcome, Past, Reader
from twokey.core.values import Value

PAGES: Final = 5
"""Pages of tickets that one run reads at most (100 tickets each), so that what it holds does not grow."""


class Passage(Value):
    """Two passages of two tickets that match."""

    here: str
    there: str


class Known(Value):
    """An earlier ticket that a ticket may repeat; ``proposed`` where that is sure enough."""

    number: int
    confidence_permille: int
    score_permille: int = 0
    """How alike they are; the confidence is what experience makes of it."""
    proposed: bool = False
    passages: tuple[Passage, ...] = ()


Teacher = Callable[[Sequence[Past], Sequence[str], int, Sequence[Outcome], int], Reader]
"""Makes a reader of labelled tickets, the labels that are kinds, the target in permille, outcomes and the time."""


@dataclass(frozen=True, slots=True)
class Team:
    """What the settings say, and what makes a reader of its tickets."""

    teach: Teacher
    kinds: tuple[str, ...] = ("bug", "feature", "question")
    priorities: Mapping[str, str] = field(default_factory=dict[str, str])
    security: str = "security"
    spam: str = "spam"
    duplicate: str = "duplicate"
    target_permille: int = 900
    most: int = 25
    routing: Routing | None = None
    questions: Mapping[str, str] = field(default_factory=dict[str, str])
    """The team's own wording of what is asked where something is missing, by its code."""

    def names(self) -> frozenset[str]:
        """Give every name that the settings let a ticket get."""
        people = self.routing.accounts() if self.routing else ()
        special = (self.security, self.spam, self.duplicate)
        return frozenset({*self.kinds, *self.priorities.values(), *special, *people})

    def is_new(self, labels: Sequence[str]) -> bool:
        """Tell whether a ticket with these labels has not been sorted: it carries no kind and none of our marks."""
        sorted_by = {name.casefold() for name in (*self.kinds, self.security, self.spam, self.duplicate)}
        return not any(label.casefold() in sorted_by for label in labels)
