"""Brings cards before people: where the run was asked for, in the channel for approvals, again before they expire.

Rules: it only says which messages are wanted; a message that is wanted already is not wanted twice. A reminder goes to
those who may still approve and have not answered, each alone; shortly before the end the card is brought up in the
channel for escalations. Nobody who asked for a change is reminded of it.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from twokey.channels.slack.posting import Spot
from twokey.channels.slack.turn import Wanted
from twokey.channels.workspace import Workspace
from twokey.core.lifecycle import State
from twokey.core.ports import Clock
from twokey.core.settings import SlackSection
from twokey.core.values import Provider
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import barred, counting_groups

MINUTE_US: Final = 60_000_000
REMINDED: Final = 20
"""How many people are reminded of one card."""
LOOKED_AT: Final = 200
"""How many waiting proposals are looked at in one go."""


class Accounts(Protocol):
    """Tells who people are elsewhere."""

    def external(self, name: str, provider: Provider) -> str | None:
        """Give the external identity of a principal, in force now."""
        ...


class Announcer:
    """Looks at what waits."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        section: SlackSection,
        team: Callable[[], str],
        links: Accounts,
        postbox: Wanted,
        places: Callable[[str], Sequence[str]],
        clock: Clock,
    ) -> None:
        """``team`` is the workspace of the channels in the settings; ``places`` are those where a purpose is shown."""
        self._workspace = workspace
        self._section = section
        self._team = team
        self._links = links
        self._postbox = postbox
        self._places = places
        self._clock = clock

    def announce(self) -> None:
        """Want every message that is due; does nothing where all are there."""
        for record in self._workspace.service.waiting(limit=LOOKED_AT):
            if record.state is not State.AWAITING_APPROVAL:
                continue
            wanted = [(place, purpose) for place, purpose in self._due(record) if place not in self._places(purpose)]
            if wanted:
                with self._workspace.ledger.change() as unit:
                    for place, purpose in wanted:
                        self._postbox.want(unit, "slack", place, purpose)

    def _due(self, record: ProposalRecord) -> list[tuple[str, str]]:
        left_us = record.expires_us - self._clock.now_us()
        due = [(place, f"card:{record.id}") for place in self._card_places(record)]
        if 0 < left_us <= self._section.remind_minutes * MINUTE_US:
            due += [(place, f"remind:{record.id}") for place in self._approvers(record)]
        if 0 < left_us <= self._section.escalate_minutes * MINUTE_US:
            channel = self._section.escalation_channel or self._section.approvals_channel
            due += [(f"{self._team()}/{channel}", f"escalate:{record.id}")] if channel else []
        return due

    def _card_places(self, record: ProposalRecord) -> list[str]:
        places = list(self._places(f"progress:{record.run}"))
        if self._section.approvals_channel:
            channel = f"{self._team()}/{self._section.approvals_channel}"
            if all(not _same_channel(channel, place) for place in places):
                places.append(channel)
        return places

    def _approvers(self, record: ProposalRecord) -> list[str]:
        needed = record.decision.approvals
        if needed is None:
            return []
        answered = {item.principal for item in self._workspace.service.card(record.id, None).answers}
        found: list[str] = []
        for person in self._workspace.directory.all():
            may = counting_groups(needed, person) and not barred(record.proposal, needed, person.name)
            if may and person.name not in answered:
                external = self._links.external(person.name, "slack")
                if external is not None:
                    found.append(external.removeprefix("slack:"))
        return found[:REMINDED]


def _same_channel(one: str, other: str) -> bool:
    first, second = Spot.parse(one), Spot.parse(other)
    return (first.team, first.channel) == (second.team, second.channel)
