"""The reader: everything that is understood of a ticket, in one pass.

Rules
- What a team's own tickets teach comes first; where they are too few, the general reader speaks, in the team's own
  labels where it has some for what is meant, and says that it is the general one.
- A kind is told only where the team's target is kept (``confidence``), by recent experience as soon as there is enough
  of it and by tickets left out until then.
- A ticket without any text has no kind and no priority. One that may report a weakness, or advertises, is told so
  whatever its kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from twokey.agents.triage import areas, confidence, language, missing, priority, security, spam
from twokey.agents.triage.confidence import ENOUGH, Judged
from twokey.agents.triage.features import Bags, bags
from twokey.agents.triage.general import LANGUAGES, SPEAKS_FROM
from twokey.agents.triage.kinds import FAMILIES, family, label_for
from twokey.agents.triage.learned import Learned
from twokey.agents.triage.taught import Taught
from twokey.agents.triage.telling import Telling
from twokey.agents.triage.text import Parts, take_apart
from twokey.agents.triage.values import Judgement, Outcome, TicketText, Understanding

TARGET_PERMILLE: Final = 900
"""Share of proposals that should be right, unless the team says otherwise."""
BATCH: Final = 200
"""Tickets that are held at a time."""
GENERAL: Final = "This team has too few labelled tickets to learn from; the general reader judged."


@dataclass(frozen=True, slots=True)
class TicketReader:
    """Judges tickets by what was learned."""

    kinds: Telling
    areas: Telling | None
    area_labels: tuple[str, ...]
    renamed: dict[str, str] | None
    """The general reader's kinds in the team's labels; None where the team's own tickets were learned from."""
    asked_for: tuple[str, ...]

    @classmethod
    def by(
        cls,
        taught: Taught,
        general: Learned | None = None,
        *,
        target_permille: int = TARGET_PERMILLE,
        outcomes: Sequence[Outcome] = (),
        now: int = 0,
        asked_for: Sequence[str] = (),
    ) -> Self:
        """Read by what was taught, or by the general model where that is too little.

        ``outcomes`` are what people made of proposed kinds, ``now`` is in microseconds since 1970 (UTC), and
        ``asked_for`` are the headings of the team's own issue form. One of ``taught.kinds`` and ``general`` must be
        there.
        """
        learned = taught.kinds or general
        if learned is None:
            raise ValueError("there is nothing to read by")
        experience = confidence.recent(outcomes, now)
        known: Sequence[Judged] = confidence.judged(experience) if len(experience) >= ENOUGH else learned.left_out
        speaks_from = confidence.threshold(known, target_permille)
        renamed: dict[str, str] | None = None
        if taught.kinds is None:
            renamed = {name: label_for(name, taught.kind_labels) for name in FAMILIES}
            if len(experience) < ENOUGH:
                speaks_from = SPEAKS_FROM
        braked = confidence.braked(experience, target_permille)
        held = taught.areas
        return cls(
            kinds=Telling.by(learned, speaks_from, braked),
            areas=Telling.by(held, confidence.threshold(held.left_out, target_permille)) if held is not None else None,
            area_labels=taught.area_labels,
            renamed=renamed,
            asked_for=tuple(asked_for),
        )

    @classmethod
    def of_kinds(cls, learned: Learned, *, target_permille: int = TARGET_PERMILLE) -> Self:
        """Read by learned kinds alone."""
        return cls.by(Taught(learned, None, learned.kinds, ()), target_permille=target_permille)

    def understand(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        """Judge tickets, in their order."""
        result: list[Understanding] = []
        for start in range(0, len(tickets), BATCH):
            result.extend(self._batch(tickets[start : start + BATCH]))
        return result

    def _batch(self, tickets: Sequence[TicketText]) -> list[Understanding]:
        parts = [take_apart(ticket.title, ticket.body) for ticket in tickets]
        held = [bags(each) for each in parts]
        projects = [ticket.project for ticket in tickets]
        told = self.kinds.tell(held, projects)
        placed = self._areas(parts, held, projects)
        return [self._one(*each) for each in zip(parts, told, placed, strict=True)]

    def _areas(self, parts: Sequence[Parts], held: Sequence[Bags], projects: Sequence[str]) -> list[Judgement | None]:
        named = [areas.named(each, self.area_labels) for each in parts]
        if self.areas is None:
            return named
        told = [kinds[0] for kinds in self.areas.tell(held, projects)]
        return [
            outright if outright is not None else learned if self.areas.speaks(learned) else None
            for outright, learned in zip(named, told, strict=True)
        ]

    def _one(self, parts: Parts, told: tuple[Judgement, ...], area: Judgement | None) -> Understanding:
        weakness = security.judge(parts)
        spoken = language.of(parts)
        if not says_something(parts):
            return Understanding(
                kind=None, kinds=(), priority=None, area=None, missing=missing.of(parts, None), security=weakness,
                language=spoken,
            )  # fmt: skip
        kinds = self._renamed(told)
        sure = self.kinds.speaks(kinds[0]) and (self.renamed is None or spoken in LANGUAGES)
        meant = family(kinds[0].value) if sure else None
        return Understanding(
            kind=kinds[0] if sure else None,
            kinds=kinds,
            priority=priority.judge(parts, meant),
            area=area,
            missing=missing.of(parts, meant, self.asked_for),
            security=weakness,
            spam=None if weakness is not None else spam.judge(parts),
            language=spoken,
        )

    def _renamed(self, told: tuple[Judgement, ...]) -> tuple[Judgement, ...]:
        """Give the general reader's kinds in the team's labels, those that share a label together."""
        if self.renamed is None:
            return told
        sums: dict[str, int] = {}
        for each in told:
            label = self.renamed[each.value]
            sums[label] = min(999, sums.get(label, 0) + each.confidence_permille)
        first = self.renamed[told[0].value]
        return tuple(
            Judgement(
                value=label,
                confidence_permille=sums[label],
                reasons=(*told[0].reasons, GENERAL) if label == first else (GENERAL,),
            )
            for label in sorted(sums, key=lambda label: (-sums[label], label))
        )


def says_something(parts: Parts) -> bool:
    """Whether there is a word to judge by."""
    return any(mark.isalpha() for mark in parts.title) or any(
        mark.isalpha() for line in (*parts.prose, *parts.pasted) for mark in line
    )
