"""Brings cards before people: where the run was asked for, in the channel for approvals, again before they expire.

Rules: it only says which messages are wanted, and which show what has changed since; a message that is there is not
wanted twice. A reminder goes to those who may still approve and have not answered, each alone; shortly before the end
the card is brought up in the channel for escalations. Nobody who asked for a change is reminded of it. Where nothing
has changed it costs two queries.
"""

import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, func, select

from twokey.channels.postbox import Postbox
from twokey.channels.slack.posting import Spot
from twokey.channels.workspace import Workspace
from twokey.core.errors import CheckFailed, NotFound
from twokey.core.lifecycle import State
from twokey.core.ports import Clock
from twokey.core.sections import SlackSection
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import barred, counting_groups

MINUTE_US: Final = 60_000_000
LATELY_US: Final = 10 * MINUTE_US
"""What changed within this time is looked at, whoever changed it."""
REMINDED: Final = 20
"""How many people are reminded of one card."""
LOOKED_AT: Final = 200
"""How many waiting proposals are looked at in one go."""
EVERY_US: Final = MINUTE_US // 2
"""How often all that wait are looked at even where nothing has changed: time passes, and cards come to their end."""

_logger: Final = logging.getLogger("twokey.slack")

_P, _R, _A, _L = tables.proposals.c, tables.runs.c, tables.approvals.c, tables.documents.c


class Announcer:
    """Looks at what waits, and at what has changed."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        section: SlackSection,
        team: Callable[[], str],
        postbox: Postbox,
        clock: Clock,
    ) -> None:
        """``team`` gives the workspace that the channels of the settings are in."""
        self._workspace = workspace
        self._section = section
        self._team = team
        self._postbox = postbox
        self._clock = clock
        self._seen: dict[str, tuple[object, ...]] = {}
        self._looked_at_us = 0

    def announce(self) -> None:
        """Want every message that is due or out of date; does nothing where all are as they should be."""
        changed, seen = self._changed()
        now = self._clock.now_us()
        if not changed and now - self._looked_at_us < EVERY_US:
            return
        self._looked_at_us = now
        due: list[tuple[str, str]] = []
        for record in self._workspace.service.waiting(limit=LOOKED_AT):
            if record.state is State.AWAITING_APPROVAL:
                due += self._due_or_nothing(record)
        missing = [(place, purpose) for place, purpose in due if place not in self._places(purpose)]
        if not missing and not changed:
            self._seen = seen
            return
        with self._workspace.ledger.change() as unit:
            wanted = [self._postbox.want(unit, "slack", place, purpose) for place, purpose in missing]
            for purpose in changed:
                wanted += self._postbox.refresh(unit, purpose)
        self._seen = seen
        self._postbox.send(*wanted)

    def _changed(self) -> tuple[list[str], dict[str, tuple[object, ...]]]:
        """Give the purposes whose subjects have changed since they were last looked at here, and all as they are."""
        since = self._clock.now_us() - LATELY_US
        stopped, _ = self._workspace.controls.stopped()
        with self._workspace.ledger.look() as connection:
            now = {**_runs(connection, since), **_proposals(connection, since, stopped)}
        return [purpose for purpose, mark in now.items() if self._seen.get(purpose) != mark], now

    def _due_or_nothing(self, record: ProposalRecord) -> list[tuple[str, str]]:
        """Give what is due for one proposal; what is wrong with it keeps no other back."""
        try:
            return self._due(record)
        except (CheckFailed, NotFound) as error:
            _logger.warning("%s is not announced: %s", record.id, error.code)
            return []

    def _due(self, record: ProposalRecord) -> list[tuple[str, str]]:
        left_us = record.expires_us - self._clock.now_us()
        due = [(place, f"card:{record.id}") for place in self._card_places(record)]
        if 0 < left_us <= self._section.remind_minutes * MINUTE_US and not self._places(f"remind:{record.id}"):
            due += [(place, f"remind:{record.id}") for place in self._approvers(record)]
        if 0 < left_us <= self._section.escalate_minutes * MINUTE_US:
            channel = self._section.escalation_channel or self._section.approvals_channel
            due += [(f"{self._team()}/{channel}", f"escalate:{record.id}")] if channel else []
        return due

    def _card_places(self, record: ProposalRecord) -> list[str]:
        places = self._places(f"progress:{record.run}")
        if self._section.approvals_channel:
            channel = f"{self._team()}/{self._section.approvals_channel}"
            if all(not _same_channel(channel, place) for place in places):
                places.append(channel)
        return places

    def _places(self, purpose: str) -> list[str]:
        return [message.place for message in self._postbox.shown(purpose) if message.channel == "slack"]

    def _approvers(self, record: ProposalRecord) -> list[str]:
        needed = record.decision.approvals
        if needed is None:
            return []
        answered = {item.principal for item in self._workspace.service.card(record.id, None).answers}
        found: list[str] = []
        for person in self._workspace.directory.all():
            may = counting_groups(needed, person) and not barred(record.proposal, needed, person.name)
            if may and person.name not in answered:
                external = self._workspace.linking.links.external(person.name, "slack")
                if external is not None:
                    found.append(external.removeprefix("slack:"))
        return found[:REMINDED]


def _proposals(connection: Connection, since: int, stopped: str | None) -> dict[str, tuple[object, ...]]:
    """Give what to tell a change of a proposal by: its last move, how many answers it has, and what stops it."""
    answers = select(_A.proposal, func.count().label("answers")).group_by(_A.proposal).subquery()
    query = (
        select(_P.id, _P.updated_us, answers.c.answers)
        .join(answers, answers.c.proposal == _P.id, isouter=True)
        .where((_P.updated_us > since) | (_P.state == State.AWAITING_APPROVAL.value))
    )
    return {f"card:{row.id}": (row.updated_us, row.answers, stopped) for row in connection.execute(query)}


def _runs(connection: Connection, since: int) -> dict[str, tuple[object, ...]]:
    """Give what to tell a change of a run by: its last move and how many documents it has handed over."""
    handed = select(_L.run, func.count().label("documents")).group_by(_L.run).subquery()
    query = (
        select(_R.id, _R.updated_us, _R.state, handed.c.documents)
        .join(handed, handed.c.run == _R.id, isouter=True)
        .where((_R.updated_us > since) | _R.state.in_(("running", "waiting")))
    )
    return {f"progress:{row.id}": (row.updated_us, row.state, row.documents) for row in connection.execute(query)}


def _same_channel(one: str, other: str) -> bool:
    first, second = Spot.parse(one), Spot.parse(other)
    return (first.team, first.channel) == (second.team, second.channel)
