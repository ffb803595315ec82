"""Follows an incident: looks again and again, and proposes an update where something has changed.

Rules:
- a round that finds nothing new reads only; what is new is a sentence of another kind or about another service, never a
  figure that moves by itself or a later end of what is looked at;
- people are asked about one state of the incident at a time: what waits of an earlier round is withdrawn by whoever
  watches before its update is proposed; what somebody has approved goes its way;
- it ends when the incident is seen to be over, when it is asked to, or after so many rounds; a round that fails is
  told, and ``MOST_FAILED`` in a row end it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.incident.following import OPEN, Sight, sight
from twokey.channels.service import Outcome
from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Finding

MOST_FAILED: Final = 5
Told = tuple[Outcome, Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Round:
    """What one look came to. ``proposed``: something was new, and an update was asked for."""

    number: int
    outcome: Outcome
    proposed: bool
    withdrawn: tuple[str, ...]
    over: bool
    failed: bool


class Watching:
    """Follows one incident.

    ``look`` tells it and proposes nothing, ``propose`` tells it and proposes; ``state`` says where a proposal stands,
    ``withdraw`` takes one back; ``pause`` waits for the next round, and tells whether it was asked to end.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Told],
        propose: Callable[[], Told],
        state: Callable[[str], State],
        withdraw: Callable[[str], None],
        pause: Callable[[], bool],
    ) -> None:
        self._look = look
        self._propose = propose
        self._state = state
        self._withdraw = withdraw
        self._pause = pause
        self._seen: Sight | None = None
        self._made: tuple[str, ...] = ()

    def rounds(self, most: int | None = None) -> Iterator[Round]:
        """Give one round after the other; each is carried out when it is asked for."""
        number = failed = 0
        while most is None or number < most:
            number += 1
            found = self._round(number)
            yield found
            failed = failed + 1 if found.failed else 0
            if found.over or failed >= MOST_FAILED or number == most or self._pause():
                return

    def _round(self, number: int) -> Round:
        if self._seen is not None:
            outcome, findings = self._look()
            if outcome.run.state == "failed" or sight(findings) == self._seen:
                return self._told(number, outcome, findings, (), proposed=False)
        withdrawn = tuple(self._taken_back())
        outcome, findings = self._propose()
        if outcome.run.state != "failed":
            self._seen = sight(findings)
        self._made = tuple(record.id for record in outcome.proposals)
        return self._told(number, outcome, findings, withdrawn, proposed=True)

    def _told(
        self, number: int, outcome: Outcome, findings: Sequence[Finding], withdrawn: tuple[str, ...], *, proposed: bool
    ) -> Round:
        failed = outcome.run.state == "failed"
        over = not failed and bool(findings) and not any(finding.kind == OPEN for finding in findings)
        return Round(number, outcome, proposed, withdrawn, over, failed)

    def _taken_back(self) -> Iterator[str]:
        for proposal in self._made:
            if self._state(proposal) is not State.AWAITING_APPROVAL:
                continue
            try:
                self._withdraw(proposal)
            except Refused:  # somebody has just answered it
                continue
            yield proposal
