"""What the triage job of a workspace is put together from: its settings, its routing file, and the parts that judge."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twokey.core.settings import Settings

if TYPE_CHECKING:
    from twokey.agents.triage.routing import Routing
    from twokey.agents.triage.team import Team
    from twokey.agents.triage.values import Outcome, Past, Reader


def names_of(folder: Path, config: Settings) -> frozenset[str]:
    """Give the labels and people that the settings let a ticket get; none where there is no triage.

    Raises:
        BadInput: the routing file cannot be used.

    """
    triage = config.triage
    if not triage.tickets:
        return frozenset()
    labels = {*triage.kinds, *triage.priorities.values(), triage.security, triage.spam, triage.duplicate}
    routing = routing_of(folder, config)
    return frozenset({*labels, *(routing.accounts() if routing else ())})


def routing_of(folder: Path, config: Settings) -> "Routing | None":
    """Give who looks after what, where the settings name a file that says it; raises ``BadInput``."""
    if not config.triage.routing:
        return None
    from twokey.agents.triage import routing  # noqa: PLC0415 - comes in where there is triage

    return routing.load(folder / config.triage.routing)


def team_of(folder: Path, config: Settings) -> "Team":
    """Give what the triage agent needs; raises ``BadInput`` where the routing file cannot be used."""
    from twokey.agents.triage.team import Team  # noqa: PLC0415 - comes in when a run is driven

    triage = config.triage
    return Team(
        teach=_teach,
        kinds=triage.kinds,
        priorities={str(name): label for name, label in triage.priorities.items()},
        security=triage.security,
        spam=triage.spam,
        duplicate=triage.duplicate,
        target_permille=10 * triage.target,
        most=triage.most,
        routing=routing_of(folder, config),
    )


def _teach(
    past: "Sequence[Past]", kinds: Sequence[str], target_permille: int, outcomes: "Sequence[Outcome]", now: int
) -> "Reader":
    from twokey.agents.triage.lessons import teach  # noqa: PLC0415 - scikit-learn comes in when tickets are judged

    return teach(past, kinds, target_permille, outcomes, now)
