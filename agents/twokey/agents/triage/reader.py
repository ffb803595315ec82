"""The reader: everything that is understood of a ticket, in one pass.

Rules
- What a team's own tickets teach comes first; where they are too few, the general reader speaks, and says so.
- A kind is told only where the team's target is kept (``confidence``), by recent experience as soon as there is enough
  of it and by tickets left out until then.
- A ticket without any text has no kind. One that may report a weakness, or advertises, is told so whatever its kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from twokey.agents.triage import confidence
from twokey.agents.triage.confidence import ENOUGH, Judged
from twokey.agents.triage.features import bags
from twokey.agents.triage.learned import Learned
from twokey.agents.triage.telling import Telling
from twokey.agents.triage.text import Parts, take_apart
from twokey.agents.triage.values import Judgement, Outcome, TicketText, Understanding

TARGET_PERMILLE: Final = 900
"""Share of proposals that should be right, unless the team says otherwise."""
BATCH: Final = 200
"""Tickets that are held at a time."""


@dataclass(frozen=True, slots=True)
class TicketReader:
    """Judges tickets by what was learned."""

    telling: Telling

    @classmethod
    def by(
        cls,
        learned: Learned,
        *,
        target_permille: int = TARGET_PERMILLE,
        outcomes: Sequence[Outcome] = (),
        now: int = 0,
    ) -> Self:
        """Read by what was learned and what people made of it; ``now`` in microseconds since 1970 (UTC)."""
        experience = confidence.recent(outcomes, now)
        known: Sequence[Judged] = learned.left_out
        if len(experience) >= ENOUGH:
            known = confidence.judged(experience)
        speaks_from = confidence.threshold(known, target_permille)
        return cls(Telling.by(learned, speaks_from, confidence.braked(experience, target_permille)))

    def understand(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        """Judge tickets, in their order."""
        result: list[Understanding] = []
        for start in range(0, len(tickets), BATCH):
            result.extend(self._batch(tickets[start : start + BATCH]))
        return result

    def _batch(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        parts = [take_apart(ticket.title, ticket.body) for ticket in tickets]
        told = self.telling.tell([bags(each) for each in parts], [ticket.project for ticket in tickets])
        return [self._one(each, kinds) for each, kinds in zip(parts, told, strict=True)]

    def _one(self, parts: Parts, kinds: tuple[Judgement, ...]) -> Understanding:
        if not says_something(parts):
            return Understanding(kind=None, kinds=(), priority=None, area=None)
        kind = kinds[0] if self.telling.speaks(kinds[0]) else None
        return Understanding(kind=kind, kinds=kinds, priority=None, area=None)


def says_something(parts: Parts) -> bool:
    """Whether there is a word to judge by."""
    return any(mark.isalpha() for mark in parts.title) or any(
        mark.isalpha() for line in (*parts.prose, *parts.pasted) for mark in line
    )
