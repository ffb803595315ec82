"""What LangGraph carries from node to node, and what every node is given.

Rules: the state holds ids, counters and codes only (plain JSON), never content and never authority; what agents hand to
one another lies in the store under the run. ``Surroundings`` is passed per invocation and is never checkpointed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

from twokey.agents.incident.house import House
from twokey.agents.incident.operations.book import Book
from twokey.agents.memory import Memory
from twokey.agents.models.port import Models
from twokey.agents.triage.team import Team
from twokey.tools.desk import Desk


class State(TypedDict, total=False):
    """The state of one run."""

    run: str
    position: int
    """Index of the plan's step that is next, from 0."""
    proposals: list[str]
    """Ids of the proposals made so far."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of progress for whoever watches: the step's number, what is done and of how many."""

    step: int
    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What nodes may use."""

    desk: Desk
    models: Models
    tell: Callable[[Progress], None]
    team: Team | None = None
    """What the triage job needs of the team's settings."""
    house: House | None = None
    """What the incident job needs of the settings."""
    operations: Book | None = None
    """What the ops review compares with: the operations file."""
    memory: Memory = field(default_factory=Memory)
    """What earlier steps worked out in this process."""
