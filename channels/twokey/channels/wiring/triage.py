"""What the triage job of a workspace is put together from: its settings, its routing file, and the parts that judge."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twokey.channels.escalating import Escalations
from twokey.channels.postbox import Postbox
from twokey.channels.wiring.incident import names_of as incident_names
from twokey.channels.wiring.outside import github_of
from twokey.channels.wiring.stores import STATE_FOLDER, TRIAGE
from twokey.core.ports import Clock, Directory, Sealing
from twokey.core.settings import Settings
from twokey.tools.ledger import Ledger
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.tickets import Tickets

if TYPE_CHECKING:
    from twokey.agents.triage.routing import Routing
    from twokey.agents.triage.team import Teacher, Team
    from twokey.agents.triage.values import Outcome, Past, Reader
    from twokey.channels.triage_doctor import Seen


def names_of(folder: Path, config: Settings) -> frozenset[str]:
    """Give the labels and people that the settings let a ticket get; none where there is no triage.

    Raises:
        BadInput: the routing file cannot be used.

    """
    triage = config.triage
    if not triage.tickets:
        return incident_names(config)
    labels = {*triage.kinds, *triage.priorities.values(), triage.security, triage.spam, triage.duplicate}
    routing = routing_of(folder, config)
    return frozenset({*labels, *(routing.accounts() if routing else ()), *incident_names(config)})


def routing_of(folder: Path, config: Settings) -> "Routing | None":
    """Give who looks after what, where the settings name a file that says it; raises ``BadInput``."""
    if not config.triage.routing:
        return None
    from twokey.agents.triage import routing  # noqa: PLC0415 - comes in where there is triage

    return routing.load(folder / config.triage.routing)


def team_of(folder: Path, config: Settings, seals: Sealing | None) -> "Team":
    """Give what the triage agent needs; raises ``BadInput`` where the routing file cannot be used."""
    from twokey.agents.triage.team import Team  # noqa: PLC0415 - comes in when a run is driven

    triage = config.triage
    return Team(
        teach=_teacher(folder / STATE_FOLDER / TRIAGE, triage.asked_for, seals),
        kinds=triage.kinds,
        priorities={str(name): label for name, label in triage.priorities.items()},
        security=triage.security,
        spam=triage.spam,
        duplicate=triage.duplicate,
        target_permille=10 * triage.target,
        most=triage.most,
        routing=routing_of(folder, config),
        questions={str(code): text for code, text in triage.questions.items()},
    )


def escalations_of(
    folder: Path, config: Settings, ledger: Ledger, directory: Directory, postbox: Postbox, clock: Clock
) -> Escalations:
    """Give what looks after deadlines; the routing file is read anew each time, since schedules change."""
    return Escalations(
        ledger=ledger,
        directory=directory,
        postbox=postbox,
        clock=clock,
        section=config.triage,
        routing=lambda: routing_of(folder, config),
    )


def triage_health(folder: Path, config: Settings, clock: Clock) -> "list[Seen]":
    """Look for what is wrong with the triage job's settings, its tracker and its schedules."""
    from twokey.channels.triage_doctor import examine  # noqa: PLC0415 - comes in where somebody asks the doctor

    with ExitStack() as stack:

        def tickets() -> Tickets:
            location = config.places[config.triage.tickets].location
            if "://" not in location:
                return LocalTickets((folder / location).resolve())
            hub = github_of(folder, config, clock)
            stack.callback(hub.close)
            return hub.tickets(location)

        now = datetime.fromtimestamp(clock.now_us() / 1_000_000, tz=UTC)
        return list(examine(config, tickets, lambda: routing_of(folder, config), now))


def _teacher(keep_in: Path, asked_for: tuple[str, ...], seals: Sealing | None) -> "Teacher":
    """Give what makes readers of labelled tickets; what was learned is kept in a folder of the workspace."""

    def teach(
        past: "Sequence[Past]", kinds: Sequence[str], target_permille: int, outcomes: "Sequence[Outcome]", now: int
    ) -> "Reader":
        from twokey.agents.triage.teaching import Teacher  # noqa: PLC0415 - scikit-learn comes in when it is needed

        keep_in.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Teacher(keep_in, target_permille, lambda: outcomes, lambda: now, asked_for, seals)
        return made(past, frozenset(kinds))

    return teach
