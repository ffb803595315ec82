"""What the tickets that were read tell about a team: what got which label, who handled what, who has how much to do.

Rules: counts and bounded texts only; a ticket counts once; the newest are kept where there are more than are wanted.
"""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from twokey.agents.triage.routing import Habits
from twokey.agents.triage.values import Past, TicketText
from twokey.tools.read.ticket_pages import TicketRead

MOST_PAST: Final = 2_000
_MOST_AREAS: Final = 500


class History:
    """Takes tickets one after the other."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._kinds = {kind.casefold() for kind in kinds}
        self._past: deque[Past] = deque(maxlen=MOST_PAST)
        self._handled: dict[str, Counter[str]] = {}
        self._load: Counter[str] = Counter()
        self._seen: set[int] = set()

    def take(self, ticket: TicketRead) -> None:
        """Count a ticket."""
        if ticket.number in self._seen:
            return
        self._seen.add(ticket.number)
        if ticket.state == "open":
            self._load.update(ticket.assignees)
        if any(label.casefold() in self._kinds for label in ticket.labels):
            self._past.append(Past(text=text_of(ticket), labels=ticket.labels))
        for label in ticket.labels:
            area = label.casefold()
            if area not in self._kinds and (area in self._handled or len(self._handled) < _MOST_AREAS):
                self._handled.setdefault(area, Counter()).update(ticket.assignees)

    @property
    def past(self) -> tuple[Past, ...]:
        """Labelled tickets, oldest first."""
        return tuple(self._past)

    @property
    def habits(self) -> Habits:
        """Who handled what, and who has how many open tickets."""
        return Habits(handled=self._handled, load=self._load)


def text_of(ticket: TicketRead) -> TicketText:
    """Give what of a ticket is judged."""
    return TicketText(title=ticket.title, body=ticket.body)
