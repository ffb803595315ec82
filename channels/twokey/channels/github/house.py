"""What the GitHub channel works with, handed in by the wiring: the workspace's doings and the forge, each as a port."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twokey.channels.github.settling import Settle
from twokey.core.events import Event
from twokey.core.values import Action, Channel, Identity, Principal
from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord
from twokey.tools.amending import Suggestion
from twokey.tools.forge import PullRecord
from twokey.tools.forum import Forum
from twokey.tools.ledger import Unit


class People(Protocol):
    """Tells who an account is."""

    def principal(self, external: str) -> Principal | None:
        """Give who an external identity is, now and proven."""
        ...

    def ask(self, external: str, name: str, channel: Channel, noted: Callable[[str], None] | None = None) -> object:
        """Take the word of an external identity that it is the principal ``name``; raises ``Refused``.

        A refusal is told to ``noted`` by its code, or else has an entry of its own in the log.
        """
        ...


class Work(Protocol):
    """Takes requests and answers."""

    def leave(self, identity: Identity, text: str, *, run: str, only_if: Callable[[Unit], bool]) -> str | None:
        """Take a request in somebody's own words and leave it to the workers."""
        ...

    def leave_catalog(
        self, identity: Identity, tables: tuple[str, ...], *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have tables documented; see ``leave``."""
        ...

    def leave_triage(
        self, identity: Identity, keys: tuple[str, ...], *, run: str, only_if: Callable[[Unit], bool], new: bool = False
    ) -> str | None:
        """Have tickets looked at, with ``new`` only those that were not sorted yet; see ``leave``."""
        ...

    def leave_incident(
        self, identity: Identity, which: str, *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have an incident told, by its id; see ``leave``."""
        ...

    def leave_suggestion(
        self, identity: Identity, suggestion: Suggestion, *, run: str, only_if: Callable[[Unit], bool]
    ) -> str | None:
        """Have what a proposal wrote proposed anew with a suggestion put in; see ``leave``."""
        ...

    def approve(self, identity: Identity, proposal: str, digest: str, decision: str, at_us: int) -> object:
        """Hand an approval of a proposal under a decision to the gate; raises ``Refused`` where it does not count.

        ``at_us`` is when it was given, in microseconds.
        """
        ...

    def reject(self, identity: Identity, action: Action, code: str) -> None:
        """Record an answer that was not let through to the gate."""
        ...

    def outcome(self, run: str) -> tuple[RunRecord, tuple[ProposalRecord, ...]]:
        """Say where a run stands."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """Everything the channel works with."""

    people: People
    work: Work
    location: Callable[[str], str | None]
    """Where the repository ``OWNER/REPO`` lies, if it is a place of the workspace."""
    sorts_for: Callable[[str], Identity | None]
    """In whose name new issues of ``OWNER/REPO`` are looked at; nobody's where the settings do not ask for that."""
    mine: Callable[[int], bool]
    """Tells whether Twokey writes as the account of a number."""
    forum: Callable[[str], Forum]
    """What is said in the repository at a location."""
    proven: Callable[[str, PullRecord], bool]
    """Tells whether the log proves that a proposal opened exactly this pull request in ``OWNER/REPO``."""
    settle: Settle
    """Says in an open transaction that a delivery is handled by it."""
    want: Callable[[Unit, str, str], str]
    """Wants a message for a place and a purpose; gives its id."""
    want_once: Callable[[Unit, str, str], Sequence[str]]
    """Wants one that says the same whenever it is posted; gives its id unless it is wanted or stands there already."""
    send: Callable[..., None]
    """Has a wanted message posted."""
    change: Callable[[Callable[[Unit], None]], None]
    """Carries something out in a transaction of its own."""
    last: Callable[[str], Event | None]
    """Gives the last that was recorded of what became of a proposal's pull request."""
    refused: Callable[[str, str], None]
    """Notes in the log that somebody was refused: the code, and who at GitHub it was."""
    now_us: Callable[[], int]
    replay_us: int
    """How old what a delivery tells of may be."""
