"""What the settings of a workspace say about the incident job: where things go, and who answers for what.

Rules: places, labels and owners come from here and from nothing that was read; where no routing file says who answers
for a service, that is said.
"""

import re
from dataclasses import dataclass
from typing import Final

from twokey.agents.triage.routing import Routing

NOBODY: Final = "nobody is named in the settings"
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class House:
    """Names of places; an empty one is not used."""

    tickets: str = ""
    repository: str = ""
    folder: str = "postmortems"
    label: str = "incident"
    runbooks: str = ""
    routing: Routing | None = None
    deployed: tuple[tuple[str, str], ...] = ()
    """Places of kind repository, and the service that is deployed from each."""

    def owner(self, service: str) -> str:
        """Give the rung of the ladder that answers for a service: that of an area in its name, else the default."""
        if self.routing is None:
            return NOBODY
        words = {word.casefold() for word in _WORD.findall(service)}
        for area, team in self.routing.areas.items():
            if {word.casefold() for word in _WORD.findall(area)} <= words:
                return team
        return self.routing.default

    def owners(self) -> frozenset[str]:
        """Give everybody who may be named as an owner."""
        return frozenset({NOBODY, *(self.routing.ladder if self.routing else ())})
