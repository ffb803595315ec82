"""Earlier tickets that say the same, among those that a run has read.

Rules: only tickets made before are candidates; what is shown of a match are passages of both; how sure a match is, is
counted from how alike the two are in words, titles and runs of characters, and from how far the match is ahead of the
other candidates. The numbers below were set by hand and are meant to be careful: being alike is not being the same.
"""

import math
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from twokey.agents.triage.team import Candidate, Known, Passage
from twokey.tools.retrieval.index import Found, Index, Text
from twokey.tools.retrieval.passages import matches
from twokey.tools.retrieval.words import words

MOST = 5


class Alike:
    """Holds the tickets of a run in an index in memory."""

    def __init__(self, tickets: Sequence[Candidate]) -> None:
        self._texts = {ticket.number: _text(ticket) for ticket in tickets}
        self._holding = Counter(
            word for text in self._texts.values() for word in set(words(f"{text.title}\n{text.body}"))
        )

    def similar(self, numbers: Sequence[int]) -> dict[int, tuple[Known, ...]]:
        """Give, for each of ``numbers``, earlier tickets that may be the same, the likeliest first."""
        with closing(Index()) as index:
            for text in self._texts.values():
                index.put(text)
            return {
                number: tuple(
                    self._known(self._texts[number], found) for found in index.similar(self._texts[number], MOST)
                )
                for number in numbers
            }

    def _known(self, mine: Text, found: Found) -> Known:
        shown = matches(f"{mine.title}\n{mine.body}", f"{found.title}\n{found.body}", self._rarity, most=2)
        return Known(
            number=found.number,
            confidence_permille=confidence(found.likeness, found.lead),
            passages=tuple(Passage(here=match.mine.text, there=match.theirs.text) for match in shown),
        )

    def _rarity(self, term: str) -> float:
        return math.log((len(self._texts) + 1) / (self._holding[term] + 1))


def _text(ticket: Candidate) -> Text:
    try:
        made = int(datetime.fromisoformat(ticket.created_at).timestamp())
    except ValueError:
        made = 0
    return Text(
        number=ticket.number, key=str(ticket.number), version="", made=made, title=ticket.title, body=ticket.body
    )


def confidence(likeness: dict[str, float], lead: float) -> int:
    """Say in permille how sure it is that two tickets are the same, from how alike they are (0 to 1) and the lead."""
    alike = 0.5 * likeness["words"] + 0.25 * likeness["title"] + 0.25 * likeness["runs"]
    ahead = min(max(lead, 0.0), 4.0) / 4.0
    return round(1_000 * min(0.99, max(0.0, 1.4 * alike + 0.15 * ahead)))
