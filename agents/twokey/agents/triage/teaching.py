"""What a team's past tickets teach a reader, and where it is kept.

Rules
- Kinds are learned from tickets that carry exactly one label that says a kind, areas from those with exactly one other
  label. ``kinds`` names the team's kinds where their labels do not say so by themselves.
- What is too little to learn from is not learned; then the general reader speaks.
- The same past is learned from once: what was learned is kept under a digest of it, in a folder that belongs to the
  workspace. It holds words of tickets, so it is sealed where the workspace seals; files of another past are removed
  when a new one is kept.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twokey.agents.triage import areas, general, written
from twokey.agents.triage.kinds import kind_of, kinds_of
from twokey.agents.triage.learned import Learned, Sorted
from twokey.agents.triage.reader import TARGET_PERMILLE, TicketReader
from twokey.agents.triage.taught import Taught
from twokey.agents.triage.values import Outcome, Past
from twokey.core.ports import Sealing

LEAST: Final = 60
"""Tickets with a kind below which a team's own are too few, and the general reader speaks."""


def teach(
    past: Sequence[Past], kinds: Collection[str] = (), keep_in: Path | None = None, seals: Sealing | None = None
) -> Taught:
    """Learn from the past, oldest first; ``keep_in`` is a folder where it is kept, and ``seals`` seals what is."""
    told = [(ticket.text, kind_of(ticket.labels, kinds)) for ticket in past]
    known = [Sorted(text, kind) for text, kind in told if kind is not None]
    placed, area_labels = areas.known(past, kinds)
    used: dict[str, int] = {}
    for ticket in past:
        for label in set(kinds_of(ticket.labels, kinds)):
            used[label] = used.get(label, 0) + 1
    return Taught(
        _learned("kinds", known, keep_in, seals) if len(known) >= LEAST else None,
        _learned("areas", placed, keep_in, seals) if len(placed) >= LEAST else None,
        tuple(sorted({*used, *kinds}, key=lambda label: (-used.get(label, 0), label))),
        area_labels,
    )


def _learned(what: str, tickets: Sequence[Sorted], keep_in: Path | None, seals: Sealing | None) -> Learned | None:
    if keep_in is None:
        return Learned.fit(tickets)
    digest = hashlib.sha256(str(written.FORM).encode())
    for ticket in tickets:
        digest.update(json.dumps([ticket.text.title, ticket.text.body, ticket.text.project, ticket.kind]).encode())
    path = keep_in / f"triage-{what}-{digest.hexdigest()[:16]}.{'model' if seals is None else 'sealed'}"
    held = written.kept(path, seals)
    if held is not None:
        return held
    learned = Learned.fit(tickets)
    if learned is not None:
        written.keep(path, learned, seals)
        for other in keep_in.glob(f"triage-{what}-*.[ms]*"):
            if other != path:
                other.unlink(missing_ok=True)
    return learned


@dataclass(frozen=True, slots=True)
class Teacher:
    """Makes readers of a team's past tickets, with the general reader for the beginning."""

    keep_in: Path | None = None
    target_permille: int = TARGET_PERMILLE
    outcomes: Callable[[], Sequence[Outcome]] = tuple
    """What people made of proposed kinds, as the log says."""
    now: Callable[[], int] = int
    """Microseconds since 1970 (UTC)."""
    asked_for: tuple[str, ...] = ()
    """Headings of the team's own issue form."""
    seals: Sealing | None = None
    """What seals what is kept of a team's own tickets, if anything does."""

    def __call__(self, past: Sequence[Past], kinds: frozenset[str]) -> TicketReader:
        """Make a reader; ``kinds`` are the labels that say a kind, in the order of the name where none is used yet."""
        taught = teach(past, sorted(kinds), self.keep_in, self.seals)
        return TicketReader.by(
            taught,
            general.model(self.keep_in) if taught.kinds is None else None,
            target_permille=self.target_permille,
            outcomes=self.outcomes(),
            now=self.now(),
            asked_for=self.asked_for,
        )
